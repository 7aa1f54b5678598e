"""Operations of cells against torch's own counter, and against counts by hand."""

import math
from dataclasses import replace

import pytest
import torch

import inrlens as il
import priced
import toys
from inrlens.atoms.codes import encode
from inrlens.atoms.effects import effects
from inrlens.dictionaries.evaluate import evaluate_sae
from inrlens.metrics import ssim
from inrlens.studies.price.operations import cell_operations, fit_cell, network_of, plan_operations
from inrlens.studies.price.picture_measures import lpips_operations, ssim_operations
from inrlens.studies.price.products import fit, muon_step, scores
from inrlens.studies.price.shapes import EncodingShape, network_shape
from priced import counted

N = priced.rows()


@pytest.fixture(autouse=True)
def _one_thread():
    """The counter sees the calling thread alone."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def of_fit(cell, cells) -> float:
    """The fit's part of a cell, without scores and measures."""
    found = fit_cell(cell, cells)
    return fit(found.network, found.size)


@pytest.mark.parametrize("backbone", ["siren", "ffmlp"])
@pytest.mark.parametrize("batch", [None, 40])
def test_a_cohort_counts_what_torch_counts(backbone: str, batch: int | None) -> None:
    cell = priced.cohort(backbone, batch=batch)
    recipe = priced.recipe(backbone, batch=batch, steps=8 if batch else 6)
    if batch:  # two whole rounds of four batches: the mean number of rows is then exact
        cell = priced.cohort(backbone, batch=batch, steps=8)
    real = counted(lambda: il.fit_cohort(toys.signals(2, priced.GRID), recipe))
    assert of_fit(cell, priced.by_key(cell)) == pytest.approx(real, rel=0.02)


@pytest.mark.parametrize("backbone", ["siren", "ffmlp"])
@pytest.mark.parametrize(("freeze", "rest"), [(None, "warm"), (0, "reinit"), (1, "warm"), (3, "reinit")])
def test_a_transfer_counts_what_torch_counts(backbone: str, freeze: int | None, rest: str) -> None:
    source = priced.cohort(backbone)
    cell = priced.transfer(source, freeze, rest, backbone=backbone)
    start = toys.field(backbone, grid=priced.GRID)
    signal = toys.signal(5, priced.GRID)
    real = counted(lambda: il.transfer(start, signal, freeze=freeze, rest=rest, recipe=priced.recipe(None)))
    assert of_fit(cell, priced.by_key(source, cell)) == pytest.approx(real, rel=0.02)


def test_scratch_counts_as_a_single_fit_and_as_no_freeze() -> None:
    source = priced.cohort()
    cells = priced.by_key(source)
    scratch = cell_operations(priced.transfer(None, None), cells)
    assert scratch == cell_operations(priced.transfer(source, None, "warm"), cells)
    real = counted(lambda: il.fit(toys.signal(0, priced.GRID), priced.recipe()))
    assert scratch == pytest.approx(real, rel=0.02)


def test_a_deeper_freeze_costs_less() -> None:
    source = priced.cohort(steps=200)
    cells = priced.by_key(source)
    counts = [cell_operations(priced.transfer(source, tau, steps=200), cells) for tau in (None, 0, 1, 2, 3)]
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == 5


def test_a_step_by_hand() -> None:
    # 16 units, 4 layers behind 2 coordinates, 2 heads of 3 channels: products a row, forward.
    first, inner, heads = 2 * 2 * 16, 2 * 16 * 16, 2 * 16 * 6
    network = network_shape(priced.network(), 6)
    cell = priced.cohort(steps=7)
    size = fit_cell(cell, priced.by_key(cell)).size
    a_step = N * (2 * first + 3 * (3 * inner) + 3 * heads)
    assert fit(network, size) == 7 * a_step + N * (first + 3 * inner + heads)
    assert scores(network, N) == N * (first + 3 * inner + 4 * 2 * 2 * 16 * 16)


def test_frozen_layers_that_do_not_fit_the_memory_are_recomputed() -> None:
    # 16 numbers a row: 512 MiB hold 8 million rows, less the buffers.
    small, large = (256, 256), (3000, 3000)
    for grid, kept in ((small, True), (large, False)):
        source = priced.cohort(grid=grid)
        cell = priced.transfer(source, 1, grid=grid)
        cells = priced.by_key(source, cell)
        assert fit_cell(cell, cells).size.kept is kept
    frozen = priced.rows(large) * 2 * (2 * 16 + 16 * 16)
    network, size = fit_cell(cell, cells).network, fit_cell(cell, cells).size
    assert fit(network, size) - fit(network, replace(size, kept=True)) == (size.steps - 1) * frozen


def test_muon_counts_its_iterations() -> None:
    cell = priced.transfer(priced.cohort(), None, "warm", optimizer="muon")
    source = priced.cohort()
    with_muon = cell_operations(cell, priced.by_key(source))
    without = cell_operations(priced.transfer(source, None, "warm"), priced.by_key(source))
    # A (2, 16) matrix is Adam's; of a square one, five times three products of (16, 16) matrices.
    assert muon_step(network_shape(priced.network(), 3), 0) == 3 * 5 * 3 * 2 * 16**3
    assert with_muon - without == 6 * 3 * 5 * 3 * 2 * 16**3
    signal = toys.signal(0, priced.GRID)
    start = toys.field(grid=priced.GRID)
    real = counted(
        lambda: il.transfer(start, signal, freeze=None, rest="warm", recipe=priced.recipe(None, optimizer="muon"))
    )
    assert with_muon == pytest.approx(real, rel=0.02)


def test_a_dictionary_by_hand_and_against_the_counter() -> None:
    source = priced.cohort()
    made = priced.dictionary(source)
    cells = priced.by_key(source, made)
    n, d, k, steps, between = 24, 16, 4, 5, 12 * 10
    before, after = 2 * (2 * d + d * d), 2 * (2 * d * d + 6 * d)
    a_row = 2 * n * d + 2 * k * d
    per_step = N / 3 * (2 * n * d + 8 * k * d) + 2 * n * d
    by_hand = N * before + steps * per_step + N * a_row + (N + between) * (2 * before + a_row + 2 * after)
    assert cell_operations(made, cells) == pytest.approx(by_hand, rel=1e-12)

    def real() -> None:
        field = toys.field(grid=priced.GRID)
        sae = il.train_sae(field, layer=1, n_atoms=n, k=k, steps=3, batch=50).sae
        evaluate_sae(field, sae, toys.signals(2, priced.GRID))
        evaluate_sae(field, sae, where="between")

    # Torch counts dense products alone: the sparse ones, 2 k d for each of five, are left out of both.
    sparse = 3 * N / 3 * 8 * k * d + N * 2 * k * d + (N + between) * 2 * k * d
    three_steps = priced.dictionary(source, steps=3)
    assert cell_operations(three_steps, priced.by_key(source, three_steps)) - sparse == pytest.approx(
        counted(real), rel=0.02
    )


def test_a_dictionary_of_a_batch_beyond_the_grid_takes_all_rows() -> None:
    source = priced.cohort()
    small, large = (priced.dictionary(source, batch=batch) for batch in (N, 10 * N))
    cells = priced.by_key(source, small, large)
    assert cell_operations(small, cells) == cell_operations(large, cells)


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_an_analysis_counts_k_passes_through_what_follows(layer: int) -> None:
    source = priced.cohort()
    made = priced.dictionary(source, layer)
    cell = priced.analysis(source, made)
    cells = priced.by_key(source, made, cell)
    field = toys.field(grid=priced.GRID)
    sae = il.train_sae(field, layer=layer, n_atoms=24, k=4, steps=1).sae

    def real() -> None:
        # The check of 64 rows that effects makes first is no part of the work.
        effects(field, sae, encode(field, sae))

    full = cell_operations(cell, cells)
    checked = 64 * (2 * 2 * 16 + layer * 2 * 16 * 16 + 2 * 24 * 16)
    fires = float((encode(field, sae).values > 0).double().mean())
    assert fires > 0.9
    assert full + checked == pytest.approx(counted(real), rel=0.05)


def test_ssim_counts_what_torch_counts() -> None:
    x, y = torch.rand(40, 30, 3), torch.rand(40, 30, 3)
    assert ssim_operations((40, 30), 3) == counted(lambda: ssim(x, y))


def test_lpips_counts_the_trunk_on_two_pictures() -> None:
    trunk = torch.nn.Sequential(
        torch.nn.Conv2d(3, 64, 11, 4, 2),
        torch.nn.MaxPool2d(3, 2),
        torch.nn.Conv2d(64, 192, 5, 1, 2),
        torch.nn.MaxPool2d(3, 2),
        torch.nn.Conv2d(192, 384, 3, 1, 1),
        torch.nn.Conv2d(384, 256, 3, 1, 1),
        torch.nn.Conv2d(256, 256, 3, 1, 1),
    )
    with torch.no_grad():
        real = counted(lambda: trunk(torch.rand(2, 3, 109, 89)))
    assert lpips_operations((109, 89)) == real


def test_measures_are_counted_where_they_are_asked_for() -> None:
    source = priced.cohort()
    cells = priced.by_key(source)
    plain, with_ssim = (
        cell_operations(priced.transfer(source, 0, metrics=metrics), cells)
        for metrics in (("psnr",), ("psnr", "ssim", "lpips"))
    )
    assert with_ssim - plain == ssim_operations(priced.GRID, 3)  # LPIPS has no weights here


def test_a_network_is_found_through_what_a_cell_needs() -> None:
    source = priced.cohort("ffmlp", heads=3)
    made = priced.dictionary(source)
    cell = priced.analysis(source, made)
    shape = network_of(cell, priced.by_key(source, made, cell))
    assert (shape.backbone, shape.outputs, shape.encoding) == ("ffmlp", 9, EncodingShape(2 * 6 * 2, 0))
    assert shape.parameters == sum(parameter.numel() for parameter in toys.field("ffmlp", heads=3).parameters())


def test_the_paper_takes_about_1e18_operations() -> None:
    siren, face = il.recipes.cohort("siren"), (218, 178)
    source = priced.cell(
        "cohort",
        [priced.picture(number, grid=face) for number in range(10)],
        {"recipe": priced.nameless(siren), "seed": 0},
    )
    parameters = 256 * 2 + 4 * 256 * 256 + 256 * 30
    rough = 6 * parameters * math.prod(face) * 5000
    assert plan_operations(priced.plan([source]))[source.key] == pytest.approx(rough, rel=0.01)
