"""Wrapped networks: one of ours told as a stranger gives the same in every analysis, strangers against brute force."""

import copy
import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import foreign
import inrlens as il
import toys
from inrlens.atoms.interactions import overlapping_pairs
from inrlens.dictionaries.activations import encoder_digest, layer_rows
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.fields.wrap import Wrapped
from inrlens.studies.atlas import atlas_record, timed_effects
from prose import says

COMPLEX = ("wire",)
"""Backbones whose layers run one real product of a block matrix, whose rank is twice that of the complex one."""


def _stranger(field: il.Field) -> Wrapped:
    """One of our fields as a module of somebody else."""
    layers = [f"encoder.layers.{index}" for index in range(field.depth)]
    return il.wrap(copy.deepcopy(field), layers, channels=field.channels, grid=field.grid)


def _siren_pytorch() -> tuple[nn.Module, list[str]]:
    package = pytest.importorskip("siren_pytorch", reason="siren-pytorch is not installed")
    torch.manual_seed(0)
    return package.SirenNet(2, 12, 3, 4, w0=20.0), [f"layers.{index}" for index in range(4)]


def _inr_collection() -> tuple[nn.Module, list[str]]:
    package = pytest.importorskip("INR_collection", reason="INR-collection is not installed")
    torch.manual_seed(0)
    return package.SIREN(2, 3, num_layers=3, num_hidden=12), ["net.0", "net.1", "net.2"]


STRANGERS: dict[str, Callable[[], tuple[nn.Module, list[str]]]] = {
    "plain": lambda: (foreign.plain(), ["1", "3", "5"]),
    "siren-pytorch": _siren_pytorch,
    "INR-collection": _inr_collection,
    "skip": lambda: (foreign.Skip(), ["bend.0", "bend.1"]),
    "complex": lambda: (foreign.Wavelets(), ["bend.0", "bend.1"]),
    "normed": lambda: (foreign.normed().eval(), ["2", "3"]),
    "diary": lambda: (foreign.Diary(), ["net.1", "net.3"]),
    "weight norm": lambda: (_weight_norm(), ["1", "3", "5"]),
}


@pytest.fixture(params=STRANGERS)
def stranger(request: pytest.FixtureRequest) -> tuple[Wrapped, nn.Module, list[str]]:
    """Every one of them in turn, wrapped, in float64; the module itself; the paths of its layers."""
    module, paths = STRANGERS[request.param]()
    module = module.double() if request.param != "complex" else module
    return il.wrap(module, paths, grid=toys.GRID), module, paths


def _weight_norm() -> nn.Sequential:
    net = foreign.plain()
    nn.utils.parametrizations.weight_norm(net[2])
    return net


@torch.no_grad()
def _by_hooks(module: nn.Module, path: str, x: Tensor, change: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """A layer's output, and the module's with that output changed, by one plain hook."""
    kept = []

    def hook(_: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        kept.append(output.clone())
        return change(output)

    handle = module.get_submodule(path).register_forward_hook(hook)
    out = module(x)
    handle.remove()
    return kept[0], out


def _numbers(quality: il.SaeQuality) -> dict[str, float]:
    return {name: float(value) for name, value in vars(quality).items() if isinstance(value, int | float)}


@pytest.mark.parametrize(
    ("backbone", "layer"),
    [*zip(il.backbone_names(), itertools.cycle(range(4)), strict=False), *(("siren", layer) for layer in (0, 1, 3))],
)
def test_one_of_our_fields_as_a_stranger_gives_the_same_everywhere(backbone: str, layer: int) -> None:
    field = toys.field(backbone).double()
    other, sae, signals = _stranger(field), toys.sae(field, layer), toys.signals(2)
    close: Any = {"rtol": 1e-6, "atol": 1e-9}
    assert (other.heads, other.channels, other.depth, other.units(layer)) == (2, 3, 4, field.units(layer))
    torch.testing.assert_close(other.render(1), field.render(1), **close)
    torch.testing.assert_close(layer_rows(other, layer), layer_rows(field, layer), **close)
    codes, theirs = il.encode(field, sae), il.encode(other, sae)
    assert torch.equal(theirs.indices, codes.indices)
    torch.testing.assert_close(theirs.values, codes.values, **close)
    for head in (0, 1):
        ours, found = (il.effects(net, sae, codes, head, signal=signals[head]) for net in (field, other))
        torch.testing.assert_close(found.delta, ours.delta, **close)
        torch.testing.assert_close(found.output, ours.output, **close)
        torch.testing.assert_close(found.psnr_drop, ours.psnr_drop, rtol=1e-6, atol=1e-8)
    gains = {0: 0.0, 3: 2.5, 7: -1.0}
    torch.testing.assert_close(il.edit(other, sae, gains, head=1), il.edit(field, sae, gains, head=1), **close)
    torch.testing.assert_close(il.ablate(other, sae, 2).after, il.ablate(field, sae, 2).after, **close)
    curves = [il.group_curve(net, sae, codes, [4, 1, 9], signals[0]).psnr for net in (other, field)]
    assert curves[0] == pytest.approx(curves[1], abs=1e-6)
    # Of effects that are all but 0, the excess is rounding.
    pair = overlapping_pairs(il.effects(field, sae, codes), 1)
    joint = [il.interactions(net, sae, il.effects(net, sae, codes), pair)[0].excess for net in (other, field)]
    assert joint[0] == pytest.approx(joint[1], rel=1e-6, abs=1e-12)
    wheres: tuple[Any, ...] = ("grid", "between")
    for where in wheres:
        one, two = (_numbers(il.evaluate_sae(net, sae, signals, where=where)) for net in (other, field))
        assert one == pytest.approx(two, rel=1e-6, abs=1e-9, nan_ok=True)


@pytest.mark.few_backbones
def test_one_of_our_fields_as_a_stranger_has_the_same_ranks_and_health(backbone: str) -> None:
    field = toys.field(backbone).double()
    other = _stranger(field)
    for one, two in zip(il.layer_health(other), il.layer_health(field), strict=True):
        assert vars(one) == pytest.approx(vars(two), rel=1e-6, nan_ok=True)
    activations = il.activation_stable_ranks(other), il.activation_stable_ranks(field)
    for variant, ranks in activations[1].items():
        assert activations[0][variant] == pytest.approx(ranks, rel=1e-6)
    scores = il.layer_scores(other), il.layer_scores(field)
    assert scores[0].keys() == scores[1].keys()
    if backbone not in COMPLEX:
        for name, values in scores[1].items():
            assert scores[0][name] == pytest.approx(values, rel=1e-6), name
        assert il.weight_stable_ranks(other) == pytest.approx(il.weight_stable_ranks(field), rel=1e-6)
        assert il.freeze_advice(other).tau == il.freeze_advice(field).tau


def test_one_of_our_fields_as_a_stranger_trains_the_same_dictionary() -> None:
    field = toys.field().double()
    numbers: dict[str, Any] = {"n_atoms": 16, "k": 3, "steps": 8, "batch": 16, "seed": 4}
    ours, theirs = (il.train_sae(net, 2, **numbers).sae for net in (field, _stranger(field)))
    torch.testing.assert_close(theirs.decoder, ours.decoder, rtol=0, atol=1e-9)
    torch.testing.assert_close(theirs.encoder_bias, ours.encoder_bias, rtol=0, atol=1e-9)


def test_a_strangers_layers_are_what_a_hook_sees(stranger: tuple[Wrapped, nn.Module, list[str]]) -> None:
    wrapped, module, paths = stranger
    x = wrapped.grid_coordinates()
    torch.testing.assert_close(wrapped(x), module(x), rtol=0.0, atol=0.0)
    draws = toys.generator()
    for layer, path in enumerate(paths):
        seen, _ = _by_hooks(module, path, x, lambda output: output)
        real = torch.cat([seen.real, seen.imag], dim=1) if seen.is_complex() else seen
        torch.testing.assert_close(wrapped.run_to(x, layer), real, rtol=0.0, atol=0.0)
        assert wrapped.units(layer) == real.shape[1]
        edited = real + torch.randn(real.shape, generator=draws).to(real)
        before = edited.clone()
        as_given = torch.complex(*edited.chunk(2, dim=1)) if seen.is_complex() else edited.clone()
        _, expected = _by_hooks(module, path, x, lambda output, as_given=as_given: as_given)  # type: ignore[misc]
        torch.testing.assert_close(wrapped.run_on(edited, x, layer), expected, rtol=0.0, atol=0.0)
        assert torch.equal(edited, before)
        assert not torch.equal(expected, module(x))


@pytest.mark.parametrize(
    ("stranger", "threads"), [*zip(STRANGERS, itertools.cycle([2, 1]), strict=False)], indirect=["stranger"]
)
def test_a_strangers_effects_are_one_forward_pass_an_atom(
    stranger: tuple[Wrapped, nn.Module, list[str]], threads: int
) -> None:
    wrapped, module, paths = stranger
    sae = _dictionary(wrapped, 1)
    x, grid = wrapped.grid_coordinates((40, 31)), (40, 31)
    torch.set_num_threads(threads)
    try:
        codes = il.encode(wrapped, sae, grid)
        found = il.effects(wrapped, sae, codes)
        mixed = il.edit(wrapped, sae, {1: 0.0, 2: 3.0}, grid=grid)
    finally:
        torch.set_num_threads(1)
    whole = module(x).detach()
    close: Any = {"rtol": 1e-5, "atol": 1e-10 if x.dtype == torch.float64 else 1e-5}
    torch.testing.assert_close(found.output, whole, **close)
    parts = {atom: codes.map(atom).reshape(-1, 1) * sae.decoder[atom] for atom in range(sae.n_atoms)}

    def less(part: Tensor) -> Callable[[Tensor], Tensor]:
        return lambda output: output - (torch.complex(*part.chunk(2, dim=1)) if output.is_complex() else part)

    for atom, part in parts.items():
        _, without = _by_hooks(module, paths[1], x, less(part))
        effect = found.of(atom).reshape(-1, 3)
        torch.testing.assert_close(effect, whole - without, **close)
        assert not effect[codes.map(atom).reshape(-1) == 0.0].any()
    assert found.delta.abs().max() > 1e-3
    _, expected = _by_hooks(module, paths[1], x, less(parts[1] - 2.0 * parts[2]))
    torch.testing.assert_close(mixed.reshape(-1, 3), expected, **close)


@torch.no_grad()
def _dictionary(wrapped: Wrapped, layer: int) -> SparseAutoencoder:
    return il.principal_components(layer_rows(wrapped, layer), layer, k=4)


def test_every_analysis_takes_a_stranger(stranger: tuple[Wrapped, nn.Module, list[str]]) -> None:
    wrapped, _, paths = stranger
    fit = il.train_sae(wrapped, 1, n_atoms=12, k=3, steps=4, batch=16)
    assert fit.sae.origin.field_digest == encoder_digest(wrapped, 1)
    assert len(il.layer_health(wrapped)) == len(paths)
    assert math.isfinite(il.evaluate_sae(wrapped, fit.sae, where="between").fidelity_psnr)
    assert all(len(values) == len(paths) for values in il.layer_scores(wrapped).values())
    assert il.freeze_advice(wrapped).tau in range(len(paths))
    signals = [toys.signal()]
    atlas, seconds = timed_effects(wrapped, fit.sae, signals[0])
    record = atlas_record(wrapped, fit.sae, signals, atlas, seconds)
    assert [row.name for row in record.rows] == ["trained", "random dictionary", "principal components", "neurons"]


def test_the_matrix_of_a_layer() -> None:
    net = foreign.plain()
    after = il.wrap(net, ["1", "3"], grid=toys.GRID)
    assert torch.equal(after.matrix(1), net[2].weight)  # type: ignore[arg-type]
    itself = il.wrap(net, ["0", "2"], grid=toys.GRID)
    assert torch.equal(itself.matrix(1), net[2].weight)  # type: ignore[arg-type]
    assert il.weight_stable_ranks(itself) == il.weight_stable_ranks(after)
    x = after.grid_coordinates()
    pairs = list(after.layer_values(x))
    torch.testing.assert_close(pairs[1][0], net[:3](x))
    torch.testing.assert_close(pairs[1][1], net[:4](x))
    normed = _weight_norm()
    torch.testing.assert_close(il.wrap(normed, ["3"]).matrix(0), normed[2].weight)  # type: ignore[arg-type]
    waves = foreign.Wavelets()
    complex_rank = il.weight_stable_ranks(il.wrap(waves, ["second"]))[0]
    assert complex_rank == pytest.approx(il.stable_rank(waves.second.weight))


def test_layers_without_one_matrix_are_left_out_of_the_advice() -> None:
    module = nn.Sequential(foreign.plain(2, 12), nn.Tanh(), nn.Linear(12, 12), nn.Sigmoid(), nn.LayerNorm(12))
    wrapped = il.wrap(module, ["0", "1", "3", "4"], grid=toys.GRID)
    ranks = il.weight_stable_ranks(wrapped)
    assert [math.isnan(rank) for rank in ranks] == [True, False, False, True]
    advice = il.freeze_advice(wrapped)
    assert advice.tau in (1, 2)
    assert says(advice.sentence, "highest", "layers 0, 3", "left out", "but", "not known", "cohorts of SIREN and FFMLP")
    assert all(math.isfinite(rank) for rank in advice.activation_stable_rank["post"])
    assert [math.isnan(rank) for rank in advice.activation_stable_rank["pre"]] == [True, False, False, True]
    scores = il.layer_scores(wrapped)
    assert math.isnan(scores["sr(W)"][0])
    assert math.isfinite(scores["sr(W)"][1])
    with pytest.raises(il.InputError, match=r"no layer of this network runs exactly one .* look at activation_stable"):
        il.freeze_advice(il.wrap(module, ["0", "4"], grid=toys.GRID))


def test_coordinates_in_another_order_and_range() -> None:
    net = foreign.plain()
    grid = (5, 4)
    y, x = (axis.reshape(-1) for axis in torch.meshgrid(torch.arange(5) / 4, torch.arange(4) / 3, indexing="ij"))
    expected = net(torch.stack([10.0 * y, 2.0 + x], dim=1)).detach()
    ranged = il.wrap(net, ["1"], axes="yx", coordinates=((0.0, 10.0), (2.0, 3.0)), grid=grid)
    torch.testing.assert_close(ranged.render().reshape(-1, 3), expected)
    called = il.wrap(
        net, ["1"], axes="yx", coordinates=lambda our: (our + 1.0) / 2.0 * our.new_tensor([10.0, 1.0]) + _TWO, grid=grid
    )
    torch.testing.assert_close(called.render().reshape(-1, 3), expected)
    assert torch.equal(ranged.spans.enter(torch.tensor([[-1.0, 1.0]])), torch.tensor([[10.0, 2.0]]))
    same = il.wrap(net, ["1"], coordinates=(0.0, 1.0), output=(-1.0, 1.0), grid=grid)
    torch.testing.assert_close(same.render().reshape(-1, 3), net(torch.stack([x, y], dim=1)).detach() / 2.0 + 0.5)


_TWO = torch.tensor([0.0, 2.0])


@pytest.mark.parametrize(
    ("axes", "grid"), [("x", (9,)), ("zyx", (3, 4, 5)), ("xyz", (3, 4, 5)), ("tzyx", (2, 3, 2, 2))]
)
def test_any_number_of_coordinates(axes: str, grid: tuple[int, ...]) -> None:
    net = foreign.plain(len(axes), 2)
    wrapped = il.wrap(net, ["1", "3"], axes=axes, grid=grid)
    x = il.coordinates(grid)
    expected = net(x if axes.startswith("x") else x.flip(1)).detach()
    torch.testing.assert_close(wrapped.render(), expected.reshape(*grid, 2))
    sae = _dictionary(wrapped, 1)
    assert il.effects(wrapped, sae, il.encode(wrapped, sae)).delta.any()


@pytest.mark.parametrize("axes", ["".join(one) for one in itertools.permutations("xyz")])
def test_every_order_of_the_axes(axes: str) -> None:
    """A module that gives its own coordinates back: of each, the letter says which of ours it is."""
    module = nn.Sequential(nn.Identity(), nn.Linear(3, 3, bias=False))
    nn.init.eye_(module[1].weight)  # type: ignore[arg-type]
    wrapped = il.wrap(module, ["1"], axes=axes, output=(-1.0, 1.0), grid=(2, 3, 4))
    ours = dict(zip("xyz", il.coordinates((2, 3, 4)).T, strict=True))
    for channel, letter in enumerate(axes):
        given = wrapped.render()[..., channel].reshape(-1) * 2.0 - 1.0
        # x runs along the last side of the grid.
        torch.testing.assert_close(given, ours[letter], msg=axes)


def test_heads_of_a_module_of_many_outputs() -> None:
    net = foreign.plain(channels=6)
    wrapped = il.wrap(net, ["1"], channels=3, grid=toys.GRID)
    assert wrapped.heads == 2
    out = net(wrapped.grid_coordinates()).detach()
    torch.testing.assert_close(wrapped.render(1).reshape(-1, 3), out[:, 3:])
    with pytest.raises(il.InputError, match="channels must divide the 6 outputs of this module, and 4 does not"):
        il.wrap(net, ["1"], channels=4)
    with pytest.raises(il.InputError, match="head 2 does not exist"):
        wrapped.columns(2)


def test_the_module_itself_stays_as_it_is() -> None:
    net = foreign.plain()
    wrapped = il.wrap(net, ["1"], grid=toys.GRID)
    assert not any(child._forward_hooks or child._forward_pre_hooks for child in net.modules())
    before = wrapped.render()
    with torch.no_grad():
        net[0].weight.zero_()
    assert torch.equal(wrapped.render(), before)
    again = copy.deepcopy(wrapped).double()
    torch.testing.assert_close(again.run_to(again.grid_coordinates(), 0).float(), layer_rows(wrapped, 0))


def test_a_digest_tells_weights_settings_layers_and_coordinates_apart() -> None:
    net = foreign.plain()
    first = il.wrap(net, ["1", "3"]).digest(0)
    assert il.wrap(net, ["1", "3"]).digest(0) == first
    changed = copy.deepcopy(net)
    with torch.no_grad():
        changed[0].bias += 1e-3
    others = [
        il.wrap(net, ["1", "3"]).digest(1),
        il.wrap(changed, ["1", "3"]).digest(0),
        il.wrap(net, ["1", "3"], coordinates=(0.0, 1.0)).digest(0),
    ]
    assert len({first, *others}) == 4
    slopes = [il.wrap(nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(slope)), ["1"]) for slope in (0.1, 0.2)]
    slopes[1].module.load_state_dict(slopes[0].module.state_dict())
    assert slopes[0].digest(0) != slopes[1].digest(0)


@pytest.mark.parametrize(
    "settings",
    [
        ([1.0], [30.0]),
        ({"omega": (1.0, 2.0)}, {"omega": (1.0, 3.0)}),
        (torch.sin, torch.tanh),
        (partial(torch.mul, other=2.0), partial(torch.mul, other=3.0)),
        (lambda u: u + 1.0, lambda u: u + 2.0),
        (np.arange(3), np.arange(3) + 1),
        ([torch.ones(2)], [torch.zeros(2)]),
    ],
)
@pytest.mark.parametrize("name", ["setting", "_setting"])
def test_a_digest_tells_settings_of_every_kind_apart(settings: tuple[Any, Any], name: str) -> None:
    def with_setting(value: Any) -> str:
        net = foreign.plain()
        setattr(net[1], name, value)
        return il.wrap(net, ["1", "3"]).digest(0)

    one, other = settings
    assert with_setting(one) == with_setting(copy.deepcopy(one)) != with_setting(other)


def test_what_passes_write_on_a_module_is_no_part_of_its_digest() -> None:
    one, other = foreign.Diary(), foreign.Diary()
    other(torch.rand(5, 2))
    wrapped = il.wrap(one, ["net.1"], grid=toys.GRID)
    before = wrapped.digest(0)
    wrapped.render()
    assert wrapped.digest(0) == before == il.wrap(other, ["net.1"]).digest(0)


class _Scaling(nn.Module):
    """Brings its coordinates to [0, 1], in place or not, and reads them again at its end."""

    def __init__(self, in_place: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net, self.last, self.in_place = foreign.plain(channels=16), nn.Linear(18, 3), in_place

    def forward(self, x: Tensor) -> Tensor:
        if self.in_place:
            x *= 0.5
            x += 0.5
        else:
            x = x * 0.5 + 0.5
        out: Tensor = self.last(torch.cat([self.net(x), x], dim=1))
        return out


def test_a_module_that_writes_into_its_coordinates_gives_what_one_gives_that_does_not() -> None:
    one, other = (il.wrap(_Scaling(in_place), ["net.1"], grid=toys.GRID) for in_place in (True, False))
    x = one.grid_coordinates()
    before = x.clone()
    assert torch.equal(one(x), other(x))
    assert torch.equal(one(x), other(x))
    assert torch.equal(x, before)
    sae = _dictionary(other, 0)
    codes = il.encode(other, sae)
    found, expected = (il.effects(net, sae, codes) for net in (one, other))
    assert torch.equal(found.delta, expected.delta)
    assert torch.equal(found.output, expected.output)


def test_a_wrapped_network_without_a_grid_asks_for_one() -> None:
    wrapped = il.wrap(foreign.plain(), ["1"])
    with pytest.raises(il.InputError, match=r"give grid=\(height, width\)"):
        il.encode(wrapped, _dictionary(il.wrap(foreign.plain(), ["1"], grid=toys.GRID), 0))
    with pytest.raises(il.InputError, match="layer 1 does not exist: this network has layers 0 to 0"):
        wrapped.units(1)
