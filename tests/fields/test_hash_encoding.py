"""The multiresolution hash grid: where its vertices lie, what is looked up, how it is trained, and who takes it."""

import itertools
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, strategies as st
from torch import Tensor

import inrlens as il
import toys
from inrlens.checkpoints import load_field
from inrlens.container import read_container, write_container
from inrlens.dictionaries.activations import encoder_digest
from inrlens.fields.encoding import Encoding, FourierProjection
from inrlens.fields.hash_encoding import HashEncoding, grid_resolutions, level_rows
from inrlens.fitting.engine import Engine
from inrlens.fitting.fit_fields import Job, fit_fields
from inrlens.fitting.optimisers import Optimisers
from inrlens.fitting.prefix import PrefixRows
from inrlens.fitting.transfer import start_of_transfer
from inrlens.studies.price import products
from inrlens.studies.price.shapes import network_shape

RECIPE = toys.recipe("hashgrid", adam_beta2=0.99, adam_eps=1e-15, learning_rate=1e-2)


def _encoding(field: il.Field) -> HashEncoding:
    assert isinstance(field.encoder.encoding, HashEncoding)
    return field.encoder.encoding


def _made(resolutions: tuple[int, ...], axes: int, log2_table: int, features: int = 2) -> HashEncoding:
    rows = sum(level_rows(resolutions, axes, log2_table))
    tables = torch.randn(rows, features, generator=toys.generator(), dtype=torch.float64)
    return HashEncoding(tables, resolutions, axes, log2_table)


def _coordinates(axes: int, count: int = 40, seed: int = 0) -> Tensor:
    """Random ones, and every corner of the square."""
    draws = torch.rand(count, axes, generator=toys.generator(seed), dtype=torch.float64) * 2 - 1
    return torch.cat([draws, torch.tensor(list(itertools.product((-1.0, 1.0), repeat=axes)), dtype=torch.float64)])


def _hash(vertex: tuple[int, ...], log2_table: int) -> int:
    """Eq. 4 in unsigned 32-bit arithmetic, as a program for a GPU has it."""
    found = 0
    for v, prime in zip(vertex, (1, 2654435761, 805459861), strict=False):
        found ^= (v * prime) % 2**32
    return found % 2**log2_table


def _by_loops(encoding: HashEncoding, resolutions: tuple[int, ...], x: Tensor, log2_table: int) -> Tensor:
    """The features vertex by vertex, after section 3 of the paper."""
    out = []
    for row in x.tolist():
        start, features = 0, []
        for n in resolutions:
            vertices = (n + 1) ** len(row)
            dense = vertices <= 2**log2_table
            at = [(value + 1) / 2 * n for value in row]
            total = torch.zeros(encoding.tables.shape[1], dtype=torch.float64)
            for corner in itertools.product((0, 1), repeat=len(row)):
                near = [math.floor(value) for value in at]
                weight = math.prod(
                    value - low if side else 1 - (value - low)
                    for value, low, side in zip(at, near, corner, strict=True)
                )
                if weight == 0.0:
                    continue  # at the last vertex there is no further one
                vertex = tuple(low + side for low, side in zip(near, corner, strict=True))
                place = sum(v * (n + 1) ** i for i, v in enumerate(vertex)) if dense else _hash(vertex, log2_table)
                total += weight * encoding.tables.detach()[start + place]
            features.append(total)
            start += vertices if dense else 2**log2_table
        out.append(torch.cat(features))
    return torch.stack(out)


# -- where vertices lie ----------------------------------------------------------------------------------------------


def test_resolutions_grow_geometrically_from_the_coarsest_to_the_finest() -> None:
    assert grid_resolutions(16, 16, 512)[:3] == (16, 20, 25)
    assert grid_resolutions(16, 16, 512)[-1] == 512
    assert grid_resolutions(6, 16, 512) == (16, 32, 64, 128, 256, 512)
    assert grid_resolutions(16, 16, 524288)[::3] == (16, 128, 1024, 8192, 65536, 524288)
    assert grid_resolutions(1, 7, 7) == (7,)
    assert grid_resolutions(3, 5, 5) == (5, 5, 5)


@given(st.integers(2, 24), st.integers(1, 64), st.integers(1, 2**20))
def test_resolutions_start_and_end_where_they_are_told_to(levels: int, coarsest: int, more: int) -> None:
    found = grid_resolutions(levels, coarsest, coarsest + more)
    assert (found[0], found[-1]) == (coarsest, coarsest + more)
    assert list(found) == sorted(found)


def test_a_level_takes_a_row_a_vertex_as_long_as_the_table_holds_them() -> None:
    # 2^6 rows: 7 cells have 8 x 8 vertices, 8 cells 81; of a cube, 3 cells 64.
    assert level_rows((1, 7, 8, 100), 2, 6) == (4, 64, 64, 64)
    assert level_rows((1, 3, 4), 3, 6) == (8, 64, 64)
    assert level_rows((63, 64), 1, 6) == (64, 64)
    assert [_made((1, 7, 8, 100), 2, 6).dense_levels, _made((1, 3, 4), 3, 6).dense_levels] == [2, 2]


# -- what is looked up -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("axes", "resolutions", "log2_table"),
    [(1, (2, 5, 40), 4), (2, (2, 3, 7, 30), 5), (2, (16, 50), 4), (2, (2, 3), 10), (3, (1, 3, 9, 11), 6)],
)
def test_features_equal_a_sum_over_vertices_one_by_one(
    axes: int, resolutions: tuple[int, ...], log2_table: int
) -> None:
    encoding = _made(resolutions, axes, log2_table, features=3)
    x = _coordinates(axes)
    expected = _by_loops(encoding, resolutions, x, log2_table)
    torch.testing.assert_close(encoding(x), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(encoding.float()(x.float()), expected.float(), rtol=0, atol=1e-4)


def test_the_hash_of_vertices_by_hand() -> None:
    # One level of 1000 cells in 16 rows; 2654435761 = 1 mod 16, 805459861 = 5 mod 16.
    encoding = _made((1000,), 3, 4)
    x = torch.tensor([[3, 6, 2], [999, 0, 500]], dtype=torch.float64) / 500 - 1
    rows, weights = encoding.vertices(x + 1e-9)
    near = rows[weights[:, 0].argmax(0), 0, torch.arange(2)]
    assert near.tolist() == [3 ^ 6 ^ (2 * 5), (999 % 16) ^ 0 ^ (500 * 5 % 16)]
    assert near.tolist() == [_hash((3, 6, 2), 4), _hash((999, 0, 500), 4)]


def test_the_hash_of_large_vertices_is_that_of_32_bits() -> None:
    n = 2**20
    encoding = _made((n,), 3, 19)
    vertices = torch.randint(0, n, (50, 3), generator=toys.generator(2))
    rows, weights = encoding.vertices((vertices.double() + 1e-3) / n * 2 - 1)
    near = rows[weights[:, 0].argmax(0), 0, torch.arange(50)]
    assert near.tolist() == [_hash(tuple(vertex), 19) for vertex in vertices.tolist()]


def test_vertices_that_collide_share_one_row() -> None:
    encoding = _made((40,), 2, 4, features=1)
    vertices = list(itertools.product(range(41), repeat=2))
    x = torch.tensor(vertices, dtype=torch.float64) / 20 - 1
    by_row: dict[int, list[int]] = {}
    for place, vertex in enumerate(vertices):
        by_row.setdefault(_hash(vertex, 4), []).append(place)
    assert sorted(by_row) == list(range(16))
    features = encoding(x)
    for row, places in by_row.items():
        assert len(places) > 50
        torch.testing.assert_close(features[places], encoding.tables[row].expand(len(places), 1), rtol=0, atol=1e-9)


@pytest.mark.parametrize("axes", [2, 3])
def test_a_dense_level_is_torchs_grid_sample(axes: int) -> None:
    n = 6
    encoding = _made((n,), axes, 12, features=4)
    # A table has x along fastest, and so has a picture's last side.
    grid = encoding.tables.detach().T.reshape(1, 4, *[n + 1] * axes)
    x = _coordinates(axes, 200)
    places = x.reshape(1, *[1] * (axes - 1), -1, axes)
    sampled = torch.nn.functional.grid_sample(grid, places, mode="bilinear", align_corners=True)
    torch.testing.assert_close(encoding(x), sampled.reshape(4, -1).T, rtol=0, atol=1e-12)


def test_weights_add_up_to_one_and_features_are_continuous_and_linear_within_a_cell() -> None:
    encoding = _made((4, 32), 2, 5)
    x = _coordinates(2, 500)
    weights = encoding.vertices(x)[1]
    assert float(weights.min()) >= 0.0
    torch.testing.assert_close(weights.sum(0), torch.ones(2, len(x), dtype=torch.float64), rtol=0, atol=1e-12)
    across = torch.linspace(-1, 1, 33, dtype=torch.float64)[1:-1]  # every line between cells of the finer level
    sides = [torch.stack([across + shift, torch.full_like(across, 0.123)], 1) for shift in (-1e-9, 1e-9)]
    torch.testing.assert_close(encoding(sides[0]), encoding(sides[1]), rtol=0, atol=1e-6)
    ends = torch.tensor([[0.01, 0.3], [0.05, 0.3]], dtype=torch.float64)
    torch.testing.assert_close(encoding(ends.mean(0, keepdim=True)), encoding(ends).mean(0, keepdim=True))


def test_rows_do_not_depend_on_what_runs_beside_them() -> None:
    field = toys.field("hashgrid")
    x = field.grid_coordinates()
    whole = _encoding(field)(x)
    assert torch.equal(
        torch.cat([_encoding(field)(x[part]) for part in (slice(0, 1), slice(1, 20), slice(20, 63))]), whole
    )
    assert _encoding(field)(x[:0]).shape == (0, 8)


# -- the start, and the sizes ----------------------------------------------------------------------------------------


def test_sizes_and_bounds_at_full_size() -> None:
    field = il.Field.new("hashgrid", heads=10, channels=3)
    tables = _encoding(field).tables.detach()
    # 17^2 + 21^2 + ... up to 102^2 and 128^2 vertices fit into 2^14 rows; five of the sixteen levels are larger.
    resolutions = grid_resolutions(16, 16, 512)
    dense = [(n + 1) ** 2 for n in resolutions if (n + 1) ** 2 <= 2**14]
    assert tables.shape == (sum(dense) + (16 - len(dense)) * 2**14, 2)
    assert 0 < len(dense) < 16
    assert float(tables.abs().max()) <= 1e-4
    assert float(tables.abs().max()) >= 0.999e-4
    assert float(tables.std()) == pytest.approx(1e-4 / math.sqrt(3), rel=0.01)
    layers = (32 * 64 + 64) + (64 * 64 + 64) + (30 * 64 + 30)
    assert sum(parameter.numel() for parameter in field.parameters()) == tables.numel() + layers
    for index, d_in in enumerate((32, 64)):
        weight = field.encoder.layer(index).weight.detach()
        assert weight.shape == (64, d_in)
        bound = math.sqrt(6 / (d_in + 64))
        assert 0.97 * bound <= float(weight.abs().max()) <= bound
    bound = math.sqrt(6 / (64 + 30))
    assert 0.97 * bound <= float(field.head.weight.detach().abs().max()) <= bound


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"levels": 0}, "hashgrid: levels must be at least 1, not 0"),
        ({"features": 0}, "hashgrid: features must be at least 1, not 0"),
        ({"coordinates": 4}, "hashgrid: coordinates must be 1, 2 or 3, not 4"),
        ({"log2_table": 25}, "hashgrid: log2_table must be at most 24, not 25"),
        ({"coarsest": 0}, "hashgrid: coarsest must be at least 1, not 0"),
        ({"finest": 8}, r"hashgrid: finest must lie between coarsest, 16, and 2\^24, not 8"),
        ({"finest": 2**25}, r"hashgrid: finest must lie between coarsest, 16, and 2\^24, not 33554432"),
        ({"levels": 1}, "hashgrid: one level has one resolution: give coarsest and finest the same, not 16 and 512"),
        ({"table_bound": 0.0}, "hashgrid: table_bound must be a positive number, not 0.0"),
        ({"table_bound": math.nan}, "hashgrid: table_bound must be a positive number, not nan"),
    ],
)
def test_settings_that_are_not_allowed(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(il.InputError, match=message):
        il.Field.new("hashgrid", **settings)


# -- the gradient ----------------------------------------------------------------------------------------------------


def test_the_gradient_of_the_tables_equals_finite_differences() -> None:
    encoding = _made((2, 9), 2, 4)
    x = _coordinates(2, 12)
    assert torch.autograd.gradcheck(
        lambda tables: torch.func.functional_call(encoding, {"tables": tables}, (x,)),
        (encoding.tables.detach().clone().requires_grad_(),),
    )


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_the_written_out_gradient_of_the_tables_equals_autograd(axes: int) -> None:
    encoding = _made((2, 5, 30), axes, 5, features=3)
    x = _coordinates(axes)
    out = encoding(x)
    grad = torch.randn(out.shape, generator=toys.generator(3), dtype=torch.float64)
    (expected,) = torch.autograd.grad(out, encoding.tables, grad)
    found = torch.ones_like(expected)
    encoding.pull_back(*encoding.vertices(x), grad, found)
    torch.testing.assert_close(found - 1.0, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("axes", "grid"), [(1, (63,)), (3, (4, 5, 3))])
def test_a_line_and_a_volume_are_fitted_and_loaded(axes: int, grid: tuple[int, ...], tmp_path: Path) -> None:
    network = il.make_backbone("hashgrid", **{**toys.SMALL["hashgrid"], "coordinates": axes})
    recipe, signal = replace(RECIPE, backbone=network, steps=60), toys.signal(grid=grid)
    fitted = il.fit(signal, recipe, seed=1)
    # Better than the best signal without any shape.
    assert fitted.history[-1].loss < float(signal.values.var(0, correction=0).mean())
    il.save(fitted.field, tmp_path / "a.safetensors")
    assert torch.equal(load_field(tmp_path / "a.safetensors").render(), fitted.field.render())


def test_networks_side_by_side_each_have_the_gradient_of_their_own_tables() -> None:
    fields = [toys.field("hashgrid", heads=1, seed=seed).double() for seed in (1, 2, 3)]
    x = fields[0].grid_coordinates()
    targets = torch.stack([toys.signal(seed).values.double() for seed in range(3)])
    expected = []
    for field, target in zip(fields, targets, strict=True):
        loss = (field(x) - target).square().sum() / (len(x) * 3)
        expected += torch.autograd.grad(loss, [*field.head.parameters(), *_trained(field)])
    engine = Engine([field.encoder.trained(0) for field in fields], [field.head for field in fields], 3)
    assert engine.stack.is_written_out
    engine.gradient(PrefixRows(fields[0].encoder, x, 0, 2**20), targets, slice(0, len(x)))
    for parameter, wanted in zip(engine.parameters, expected, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, wanted, rtol=1e-9, atol=1e-12)


def _trained(field: il.Field) -> list[torch.nn.Parameter]:
    return [parameter for module in field.encoder.trained(0) for parameter in module.parameters()]


# -- training, freezing, reuse ---------------------------------------------------------------------------------------


def test_a_fit_is_that_of_torchs_adam_with_the_papers_numbers() -> None:
    """In float64: Adam divides by a gradient's size, and so makes much of a small one's rounding."""
    field, oracle = (toys.field("hashgrid", heads=1, seed=2).double() for _ in range(2))
    fit_fields([field], [[toys.signal()]], Job(RECIPE, "single"))
    optimizer = torch.optim.Adam(oracle.parameters(), lr=1e-2, betas=(0.9, 0.99), eps=1e-15)
    x = oracle.grid_coordinates()
    for _ in range(RECIPE.steps):
        optimizer.zero_grad()
        (oracle(x) - toys.signal().values.double()).square().mean().backward()
        optimizer.step()
    for name, value in oracle.state_dict().items():
        torch.testing.assert_close(field.state_dict()[name], value, rtol=0, atol=1e-7, msg=name)


def test_tables_are_frozen_with_layer_0_trained_where_nothing_is_frozen_and_drawn_anew_for_scratch() -> None:
    cohort = il.fit_cohort(toys.signals(3), RECIPE, seed=3).field
    assert not torch.equal(_encoding(cohort).tables, _encoding(il.initial_field(cohort)).tables)
    tables = {
        freeze: _encoding(il.transfer(cohort, toys.signal(9), freeze=freeze, recipe=toys.recipe(None)).field).tables
        for freeze in (None, 0, 2)
    }
    assert not torch.equal(tables[None], _encoding(cohort).tables)
    assert torch.equal(tables[0], _encoding(cohort).tables)
    assert torch.equal(tables[2], _encoding(cohort).tables)
    assert torch.equal(_encoding(start_of_transfer(cohort, 0, "warm", 4)).tables, _encoding(cohort).tables)
    scratch = _encoding(start_of_transfer(cohort, 0, "reinit", 4)).tables
    assert int((scratch == _encoding(cohort).tables).sum()) == 0


@pytest.mark.parametrize("start", [0, 1, 4])
def test_what_is_trained_and_what_enters_it(start: int) -> None:
    for backbone in ("hashgrid", "ffmlp", "siren"):
        encoder = toys.field(backbone).encoder
        x = il.coordinates(toys.GRID)
        modules = encoder.trained(start)
        with_tables = backbone == "hashgrid" and start == 0
        assert len(modules) == 4 - start + with_tables
        assert isinstance(modules[0] if modules else None, Encoding) == with_tables
        h = encoder.entering(x, start)
        assert torch.equal(h, x if with_tables else encoder.run(x, 0, start))
        for module in modules:
            h = module(h)
        assert torch.equal(h, encoder(x))


def test_a_fixed_and_a_trained_encoding_answer_the_same_questions() -> None:
    fixed, trained = FourierProjection(torch.randn(6, 2)), _made((2, 9), 2, 4, features=2)
    assert (fixed.is_trained, trained.is_trained) == (False, True)
    assert (fixed.operations, trained.operations) == (2 * 6 * 2, 2 * 2 * 4 * 2)


def test_muon_leaves_the_tables_to_adam() -> None:
    field = toys.field("hashgrid", features=8, heads=1)
    stack = Engine([field.encoder.trained(0)], [field.head], 3).stack
    recipe = toys.recipe(None, optimizer="muon")
    like = Optimisers(stack, recipe).memory_like()
    place = next(i for i, one in enumerate(stack.parameters) if one is _encoding(field).tables)
    assert min(_encoding(field).tables.shape) >= 8
    assert f"{place}.exp_avg" in like
    assert f"{place}.momentum_buffer" not in like
    assert sum("momentum_buffer" in name for name in like) == 4


def test_tables_and_resolutions_are_part_of_the_digest() -> None:
    field, other = toys.field("hashgrid"), toys.field("hashgrid")
    assert encoder_digest(field, 1) == encoder_digest(other, 1)
    with torch.no_grad():
        _encoding(other).tables[3, 1] += 1e-3
    assert encoder_digest(field, 0) != encoder_digest(other, 0)
    # As many rows, hashed at another resolution: the same numbers, another function.
    one, two = (toys.field("hashgrid", coarsest=n, finest=n) for n in (20, 30))
    assert all(torch.equal(value, two.state_dict()[name]) for name, value in one.state_dict().items())
    assert encoder_digest(one, 0) != encoder_digest(two, 0)


def test_the_first_layers_rank_is_of_its_matrix_and_the_activations_before_it_are_the_features() -> None:
    field = toys.field("hashgrid")
    assert field.matrix(0).shape == (16, 8)
    assert il.weight_stable_ranks(field)[0] == il.stable_rank(field.encoder.layer(0).weight)
    assert il.weight_stable_ranks(field)[0] <= 8.0
    with torch.no_grad():
        features = _encoding(field)(il.coordinates((90, 60)))
    assert il.encoding_stable_rank(field, (90, 60)) == pytest.approx(il.stable_rank(features), rel=1e-6)
    plain = toys.field("siren")
    assert il.encoding_stable_rank(plain) == pytest.approx(il.stable_rank(plain.grid_coordinates()), rel=1e-6)


# -- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"levels": 1, "coarsest": 5000, "finest": 5000, "log2_table": 3}])
def test_a_file_carries_tables_and_nothing_that_its_settings_say(settings: dict[str, int], tmp_path: Path) -> None:
    field = toys.field("hashgrid", **settings)
    il.save(field, tmp_path / "a.safetensors")
    content = read_container(tmp_path / "a.safetensors")
    assert [name for name in content.tensors if "encoding" in name] == ["encoder.encoding.tables"]
    found = load_field(tmp_path / "a.safetensors")
    assert torch.equal(found.render(), field.render())
    assert encoder_digest(found, 3) == encoder_digest(field, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"log2_table": 24, "finest": 4000},
            r"'encoder.encoding.tables' has shape \(89, 2\), its description says \(",
        ),
        ({"levels": 10**9}, "its description speaks of size 1000000000, its tensors reach"),
        ({"features": 4}, r"'encoder.layers.0.weight' has shape \(16, 8\), its description says \(16, 16\)"),
        ({"log2_table": 60}, "log2_table must be at most 24, not 60"),
    ],
)
def test_a_file_that_promises_more_than_it_holds(changes: dict[str, int], message: str, tmp_path: Path) -> None:
    il.save(toys.field("hashgrid"), tmp_path / "a.safetensors")
    container = read_container(tmp_path / "a.safetensors")
    container.description["architecture"]["settings"].update(changes)
    write_container(tmp_path / "b.safetensors", container)
    with pytest.raises(il.InputError, match=message):
        load_field(tmp_path / "b.safetensors")


# -- the price -------------------------------------------------------------------------------------------------------


def test_the_price_counts_tables_where_they_are_trained() -> None:
    settings = {"name": "hashgrid", **toys.SMALL["hashgrid"]}
    shape, field = network_shape(settings, 6), toys.field("hashgrid")
    assert shape.parameters == sum(parameter.numel() for parameter in field.parameters())
    layers = sum(p.numel() for index in (1, 2, 3) for p in field.encoder.layer(index).parameters())
    assert shape.trained_parameters(1) == layers + sum(p.numel() for p in field.head.parameters())
    assert (shape.entering(0), shape.entering(1)) == (2, 16)
    interpolated, matrices = 2 * 4 * 4 * 2, [2 * 16 * 8, 2 * 16 * 16, 2 * 16 * 16, 2 * 16 * 16, 2 * 16 * 6]
    # Trained tables: one sum forward and one back, and the first matrix hands a gradient on to them.
    assert products.gradient_of_row(shape, 0) == 2 * interpolated + 3 * sum(matrices)
    assert products.gradient_of_row(shape, 1) == 3 * sum(matrices[1:]) - matrices[1]
    assert products.prefix(shape, 0) == 0.0
    assert products.prefix(shape, 1) == interpolated + matrices[0]
