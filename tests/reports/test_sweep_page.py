"""A sweep's page: self-contained, with the sweep's numbers in it, and sentences that follow from them."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import inrlens as il
import toys
from inrlens.dictionaries.evaluate import SaeQuality
from inrlens.dictionaries.health import LayerHealth
from inrlens.reports import words
from inrlens.reports.dictionary_grid import ALIVE, FIDELITY, LIVING_L0, SPATIAL_L0, DictionaryGrid
from inrlens.reports.figures.near_one import near_one
from inrlens.reports.readings.dictionary_sweep import (
    alive_reading,
    between_reading,
    doubling_reading,
    falling_l0,
    gains_a_doubling,
    held_said,
    size_reading,
    sparsity_reading,
)
from inrlens.reports.readings.sweep_controls import control_reading, dead_share, fidelity_reading, health_reading
from inrlens.reports.sweep_facts import doublings, sweep_facts
from inrlens.reports.sweep_page import render_sweep, write_sweep_page
from inrlens.studies.dictionary_sweep import run_sweep
from inrlens.studies.record import this_machine
from inrlens.studies.sweep_plan import CellKey, SweepPlan, cell_keys
from inrlens.studies.sweep_record import SweepCell, SweepRecord, SweptField, write_sweep
from prose import numbers, says, sentence

PLAN = SweepPlan((0, 1, 2, 3), (1024, 2048, 4096), (4, 32), steps=10, batch=8)
PLAIN = SaeQuality("grid", 63, 0.1, 0.9, 0.1, 1.0, 0.0, 0.01, 30.0, 25.0, 26.0)
Numbers = Callable[[CellKey], dict[str, float]]


class _Page(HTMLParser):
    """Elements with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def _record(numbers: Numbers, plan: SweepPlan = PLAN, backbone: str = "ffmlp") -> SweepRecord:
    """A finished sweep whose cells have the given numbers, and on both sides of the pixels the same."""
    cells = []
    for key in cell_keys(plan):
        quality = replace(PLAIN, **numbers(key))  # type: ignore[arg-type]
        quality = replace(quality, dead=1.0 - quality.alive, fvu=1.0 - quality.r2)
        between = replace(quality, where="between", psnr=None, psnr_intact=None, r2=quality.r2 - 0.01)
        cells.append(
            SweepCell(key.kind, key.layer, key.n_atoms or 512, key.k, key.seed, quality, between, 1.5, 10, "finished")
        )
    health = tuple(LayerHealth(layer, 256, float(layer), 0.5, 0.1, 0.2, 10.0 - layer, 12.0) for layer in range(4))
    field = SweptField(backbone, "cohort", 4, 256, 3, (9, 7), "e", "h", (("one.png", "1"),))
    return SweepRecord(
        inrlens_version="0.1.0",
        started="2026-05-08T10:00:00+00:00",
        seconds=100.0,
        outcome="finished",
        machines=(this_machine("cpu"),),
        plan=replace(plan, grid=(9, 7)),
        field=field,
        health=health,
        health_untrained=health if plan.untrained else None,
        cells=tuple(cells),
    )


def _grid(numbers: Numbers, plan: SweepPlan = PLAN, backbone: str = "ffmlp") -> DictionaryGrid:
    return DictionaryGrid(_record(numbers, plan, backbone))


# -- the page --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def swept(cohort: il.Field, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SweepRecord]:
    folder = tmp_path_factory.mktemp("page")
    plan = SweepPlan((1, 3), (16, 24), (3, 20), (0, 1), 8, 20, 1e-2, untrained=True)
    record = run_sweep(cohort, plan, folder, signals=toys.signals(3))
    write_sweep_page(folder)
    return folder, record


def test_the_page_is_self_contained_and_accessible(swept: tuple[Path, SweepRecord]) -> None:
    html = (swept[0] / "report.html").read_text(encoding="utf-8")
    found = _Page(html)
    for forbidden in ("http://", "https://", "<script", "<link", "@import", "#0102", "#0103", "<!--", "<image"):
        assert forbidden not in html
    assert html.count("url(") == html.count("url(#")
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in found.elements:
        assert "src" not in attributes
        target = attributes.get("href")
        assert target is None or target == "#" or target.removeprefix("#") in ids
    sections = [attributes["id"] for tag, attributes in found.elements if tag == "section"]
    assert sections == ["setup", "atoms", "codes", "cells", "controls", "health", "closing", "numbers"]
    drawings = [attributes for tag, attributes in found.elements if tag == "svg" and "aria-hidden" not in attributes]
    # Six measures twice, and for each of 2 layers two heat maps and two panels of controls.
    assert len(drawings) == 2 * 6 + 2 * 4
    assert all(svg["role"] == "img" and str(svg["aria-label"]).strip() for svg in drawings)
    captions = html.split("<figcaption>")[1:]
    assert len(captions) == 6
    for caption in captions:
        assert re.search(r'<p class="reading">[A-Z][^<]*\.</p>', caption)


def test_every_number_of_the_sweep_stands_in_it(swept: tuple[Path, SweepRecord]) -> None:
    folder, record = swept
    text = _Page((folder / "report.html").read_text(encoding="utf-8")).text
    grid = DictionaryGrid(record)
    for cell in record.cells:
        cells = [one.quality for one in grid.cells(cell.kind, cell.layer, cell.n_atoms, cell.k)]
        assert words.fixed(float(np.mean([one.r2 for one in cells])), 4) in text
        fidelity = grid.mean(FIDELITY, cell.kind, cell.layer, cell.n_atoms, cell.k)
        if cell.kind == "untrained network":
            assert fidelity is None
        else:
            assert fidelity == pytest.approx(np.mean([one.fidelity_psnr for one in cells]))
            assert words.fixed(fidelity, 2) in text
    for layer in record.plan.layers:
        assert words.fixed(record.health[layer].gamma, 3) in text
    for said in ("SIREN of 3 signals", "9 \N{MULTIPLICATION SIGN} 7", "toy 2", "n = 16 with k = 20", "untrained"):
        assert said.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}") in text
    assert "Read this first" not in text


@pytest.mark.slow
def test_the_same_sweep_gives_the_same_bytes(swept: tuple[Path, SweepRecord]) -> None:
    folder, _ = swept
    before = (folder / "report.html").read_bytes()
    assert write_sweep_page(folder) == folder / "report.html"
    assert (folder / "report.html").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "sweep.json"]


@pytest.mark.parametrize("cells", [0, 7, 20])
def test_a_sweep_that_is_not_finished_has_a_page(swept: tuple[Path, SweepRecord], cells: int, unwritten: None) -> None:
    record = replace(swept[1], cells=swept[1].cells[:cells], outcome="interrupted")
    text = _Page(render_sweep(record)).text
    assert says(sentence(text, "not finished"), "sweep", f"{cells} of {len(swept[1].cells)} cells")


def test_names_are_escaped(swept: tuple[Path, SweepRecord], tmp_path: Path, undrawn: None) -> None:
    name = '<script>alert("x")</script> & $\\alpha_1$'
    field = replace(swept[1].field, signals=((name, "0"),))
    write_sweep(tmp_path, replace(swept[1], field=field))
    html = write_sweep_page(tmp_path).read_text(encoding="utf-8")
    assert "<script" not in html
    assert name in _Page(html).text


SEVERAL = replace(PLAN, layers=(0, 3), n_atoms=(1024, 4096))
ALONE = replace(PLAN, layers=(2,), n_atoms=(8,), k=(4,), untrained=True)


@pytest.mark.parametrize("plan", [SEVERAL, ALONE])
@pytest.mark.parametrize(
    "numbers",
    [
        lambda key: {"fidelity_psnr": math.inf, "psnr": math.inf, "r2": 1.0},
        lambda key: {"fidelity_psnr": math.nan, "psnr": math.nan, "r2": -math.inf},
        lambda key: {"alive": 0.0, "spatial_l0": 0.0, "r2": -9.0},
        lambda key: {"fidelity_psnr": 30.0 + 100.0 * (key.kind == "neurons")},
    ],
)
def test_values_that_are_no_numbers_and_single_cells_are_shown(
    numbers: Numbers, plan: SweepPlan, unwritten: None
) -> None:
    record = _record(numbers, plan)
    last = replace(record.cells[-1], outcome="diverged")
    text = _Page(render_sweep(replace(record, cells=(*record.cells[:-1], last)))).text
    assert "All numbers" in text
    assert "1 training diverged" in text


# -- what it says ----------------------------------------------------------------------------------------------------


def _by_logs(key: CellKey) -> dict[str, float]:
    """0.25 dB a doubling of n and 2 dB a doubling of k, above 20 dB a layer's number."""
    n, k = key.n_atoms or 512, key.k
    return {"fidelity_psnr": 20.0 + key.layer + 0.25 * math.log2(n) + 2.0 * math.log2(k), "spatial_l0": k / n}


def test_gains_are_told_a_doubling() -> None:
    grid = _grid(_by_logs)
    assert gains_a_doubling(grid, FIDELITY, "n") == pytest.approx([0.25] * 4 * 2 * 2)
    assert gains_a_doubling(grid, FIDELITY, "k") == pytest.approx([2.0] * 4 * 3)
    assert doublings(grid, FIDELITY) == pytest.approx([0.25] * 2)  # 2048 to 4096 at both k
    doubled = ("gains", 2, "dB", "twice the codes", 0.25, "dB", "twice the atoms")
    lowest = ("lowest", "layer", 0, "n =", 1024, "k =", 4, 26.5, "dB", "highest", "layer", 3, 4096, 32, 36, "dB")
    assert says(doubling_reading(grid), *doubled, *lowest)
    sizes = ("k =", 32, 4096, "atoms", 1024, "intact output", 0.5, "dB on average", 4, "layers", 0.5)
    assert says(size_reading(grid), *sizes, "living atoms", 8, "of", 8)
    sparse = sparsity_reading(grid)
    assert numbers(sparse)[:5] == [4096, 32, 4, 6, 4]
    assert says(sparse, "intact output", "6.00 dB on average", "4 layers")
    assert says(held_said(grid, "n"), "k", 32, "the paper's choice", never="nearest")
    smaller = _grid(_by_logs, replace(PLAN, n_atoms=(64, 128)))
    assert (smaller.n, smaller.k) == (128, 32)
    assert says(held_said(smaller, "k"), "n", 128, "nearest", "the paper's choice", 4096)


def test_spatial_l0_falls_over_all_atoms_by_construction_and_over_living_ones_or_not() -> None:
    # Half of the atoms more are dead with every doubling: each living one fires as often as before.
    grid = _grid(lambda key: {**_by_logs(key), "alive": 1024 / (key.n_atoms or 512)})
    assert falling_l0(grid, SPATIAL_L0) == (8, 8)
    assert falling_l0(grid, LIVING_L0) == (0, 8)
    assert says(size_reading(grid), "living atoms", "0 of 8 pairs")
    assert says(sweep_facts(grid, "")[-1].measured, 8, "of", 8, "living atoms", 0, "of", 8)


def test_dead_atoms_are_told_where_the_paper_sees_them_and_elsewhere() -> None:
    grid = _grid(lambda key: {"alive": 0.4 if (key.n_atoms, key.k) == (4096, 4) else 0.9})
    said = ("fewest", "layer", 0, 4096, 4, 40, "%", "paper", 16, "or less", 4096, "or more")
    assert says(alive_reading(grid), *said, 40, "%", 40, "% on average", "elsewhere", 90, "%", 90, "% on average")
    assert dead_share(grid, "trained", 1) == pytest.approx(1.0 - (5 * 0.9 + 0.4) / 6)
    same = _grid(lambda key: {"alive": 1.0})
    assert says(alive_reading(same), "every cell", 100, "%", "alive", never="fewest")


def test_between_the_pixels() -> None:
    said = between_reading(_grid(_by_logs))
    assert says(said, "R²", "0.010 lower on average", "0.010 lower at most", never=("higher", "the same"))


def test_controls_that_are_ahead_are_named() -> None:
    def numbers(key: CellKey) -> dict[str, float]:
        ahead = key.kind == "principal components" and key.layer in (0, 2)
        return {"r2": 0.99 if ahead else 0.9 if key.kind == "trained" else 0.5, "fidelity_psnr": 30.0 + key.k}

    grid = _grid(numbers)
    said = control_reading(grid)
    ahead = ("trained", "layers", 1, 3, "better than every control")
    behind = ("principal components", "no worse", 0, 0.99, "against", 0.9, 2, 0.99, "against", 0.9)
    assert says(said, 4096, 32, *ahead, *behind)
    assert "better than every control" not in fidelity_reading(grid)  # all are level
    best = control_reading(_grid(lambda key: {"r2": 0.9 if key.kind == "trained" else 0.5}))
    assert says(best, "trained", "every layer better than every control", never="no worse")
    bare = _grid(numbers, replace(PLAN, controls=False))
    assert says(control_reading(bare), "no control", never=("better", "no worse"))


def test_health_and_dead_atoms_go_together_or_not() -> None:
    grid = _grid(lambda key: {"alive": 1.0 - 0.1 * key.layer})
    said = health_reading(grid)
    assert says(said, 4, "layers of this network", "dead", 1, "gamma", -1, "effective dimension", "few", "hint")
    alive = health_reading(_grid(lambda key: {"alive": 1.0}))
    assert says(alive, "no atom of this network", never=("rank correlation", "hint"))
    few = health_reading(_grid(lambda key: {"alive": 0.5}, replace(PLAN, layers=(0, 1))))
    assert says(few, 2, "layers", "too few", never=("rank correlation", "hint"))
    both = health_reading(_grid(lambda key: {"alive": 1.0 - 0.1 * key.layer}, replace(PLAN, untrained=True)))
    assert both.count("rank correlation") == 2


def test_the_papers_statements() -> None:
    rows = sweep_facts(_grid(lambda key: {**_by_logs(key), "alive": 0.9}), "here")
    assert [row.verdict for row in rows] == ["same", "same", "same", "same"]
    assert says(rows[1].measured, 0.25, "dB", "mean", 0.25, "dB")
    steep = sweep_facts(_grid(lambda key: {"fidelity_psnr": 3.0 * math.log2(key.n_atoms or 512), "alive": 0.8}), "here")
    assert [row.verdict for row in steep] == ["same", "different", "different", "different"]
    siren = sweep_facts(_grid(_by_logs, backbone="siren"), "here")
    assert [row.verdict for row in siren[:2]] == [words.MISSING] * 2
    assert says(siren[0].condition, "paper", "FFMLP")
    small = sweep_facts(_grid(_by_logs, replace(PLAN, n_atoms=(64, 128))), "here")
    assert says(small[0].measured, "no n", 2048, "double", never="dB")


def test_means_over_layers_leave_out_layers_that_are_not_whole() -> None:
    record = _record(_by_logs)
    grid = DictionaryGrid(replace(record, cells=record.cells[:-1]))
    assert grid.whole == [0, 1, 2]
    assert grid.over_layers(FIDELITY, "trained", 1024, 4) == pytest.approx(20.0 + 1.0 + 2.5 + 4.0)
    assert grid.over_layers(FIDELITY, "neurons", 1024, 4) == grid.over_layers(FIDELITY, "neurons", 4096, 4)
    assert dead_share(grid, "trained", 3) is None
    empty = DictionaryGrid(replace(record, cells=()))
    assert empty.over_layers(FIDELITY, "trained", 1024, 4) is None
    assert not empty.trained(0)


def test_means_over_seeds_have_their_spread() -> None:
    grid = _grid(lambda key: {"alive": 0.5 + 0.1 * (key.seed or 0)}, replace(PLAN, seeds=(0, 1, 2)))
    found = grid.summary(ALIVE, "trained", 0, 1024, 4)
    assert (found.count, found.low, found.high) == (3, 0.5, 0.7)
    assert found.mean == pytest.approx(0.6)


def test_the_axis_near_one() -> None:
    assert near_one(0.0) == 0.0
    assert near_one(0.99) == pytest.approx(2.0)
    assert near_one(-9.0) == pytest.approx(-1.0)
    assert near_one(1.0) == pytest.approx(6.0)
    assert near_one(None) is None
    assert near_one(math.nan) is None
