"""The figures of a study: what is drawn is what the rows say, the same bytes every time, also while it runs."""

import base64
import io
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from PIL import Image

import inrlens as il
import pages
import study_rows
import toys
from inrlens.container import Container
from inrlens.errors import InputError
from inrlens.reports.figures.canvas import INK, MUTED, SERIES
from inrlens.reports.study.figures import StudyFigure, as_pdf, study_figures
from inrlens.reports.study.figures.beside import Beside, beside
from inrlens.reports.study.figures.colours import PRINT_COLOURS, RAMP, recolour_for_print, step_colour
from inrlens.reports.study.figures.conditions import comparisons, nearest
from inrlens.reports.study.figures.curves import curve_figures
from inrlens.reports.study.figures.factors import factor_figures
from inrlens.reports.study.figures.footing import MOST_VARIANTS, footing
from inrlens.reports.study.figures.freeze import freeze_figures
from inrlens.reports.study.figures.galleries import gallery_figures
from inrlens.reports.study.figures.predictors import predictor_figures
from inrlens.reports.study.figures.search import search_figures
from inrlens.reports.study.figures.sheet import _with_small_pictures
from inrlens.reports.study.figures.shots import LONGEST_SIDE, read_shots, shrunk
from inrlens.reports.study.figures.sizes import size_figures
from inrlens.reports.study.published import published
from inrlens.studies.cells.analysis import study_pictures
from inrlens.studies.cells.serialise import container_bytes
from inrlens.studies.tables.load_records import study_rows as read_rows
from inrlens.studies.tables.records import StudyRows, TransferRow, Variant
from table_rows import single, transfer

DATA = ("faces", "kodak")
SHAPE = (12, 10)
BESIDE = Beside({"faces": "CelebA", "kodak": "Kodak"}, {"siren": "siren"})


@dataclass
class Shelf(study_rows.MadeUpStore):
    """The made-up store with the same pictures for every analysis."""

    content: bytes | None = None

    def artefact(self, key: str, /) -> bytes:
        if self.content is None:
            raise InputError(f"the artefact of cell {key} is missing or damaged: run its study to make it anew.")
        return self.content


def pictures(shape: tuple[int, int] = SHAPE, atoms: int = 8, channels: int = 3) -> dict[str, np.ndarray]:
    """Random pictures as an analysis leaves them, each map with a 255."""
    draws = np.random.default_rng(0)

    def of(*more: int) -> np.ndarray:
        return draws.integers(0, 255, more).astype(np.uint8)

    removed = min(4, atoms)
    found = {"target": of(*shape, channels), "intact": of(*shape, channels), "maps": of(atoms, *shape)}
    found |= {"mean_map": of(*shape), "removed": of(removed, *shape, channels), "effects": of(removed, *shape)}
    for name in ("maps", "effects", "mean_map"):
        found[name][..., 0, 0] = 255
    return found


def artefact(found: dict[str, np.ndarray], kind: str = "study pictures") -> bytes:
    """The container that holds them."""
    atoms = list(range(100, 100 + len(found["maps"])))
    said = {"atoms": atoms, "removed_atoms": atoms[: len(found["removed"])], "psnr_before": 38.0}
    said["psnr_after"] = [30.0 + place for place in range(len(found["removed"]))]
    return container_bytes(Container(kind, said, {name: torch.from_numpy(own) for name, own in found.items()}))


def shelf(content: bytes | None = None) -> Shelf:
    """Two data sets and one backbone of the made-up study, its analyses with pictures."""
    cells = [
        replace(cell, artefact="0" * 64) if cell.kind == "analysis" else cell
        for cell in study_rows.made_up_cells(images=("a.png", "b.png"))
        if cell.place["backbone"] == "siren" and {cell.place.get("source"), cell.place.get("target")} <= {*DATA, None}
    ]
    return Shelf(cells, content=content)


@pytest.fixture(scope="module")
def store() -> Shelf:
    return shelf(artefact(pictures()))


@pytest.fixture(scope="module")
def rows(store: Shelf) -> StudyRows:
    return read_rows(store, study_rows.STUDY)


@pytest.fixture(scope="module")
def figures(store: Shelf, rows: StudyRows) -> dict[str, StudyFigure]:
    """Every figure with all but its SVG, which takes most of the time and has tests below."""
    with pytest.MonkeyPatch.context() as patch:
        pages.leave_figures_out(patch)
        found = study_figures(store, study_rows.STUDY, rows)
    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}


def panels(figure: StudyFigure) -> dict[str, Any]:
    """The panels of a figure by title, drawn once for all the tests that read them."""
    return _panels(figure.draw)


@cache
def _panels(draw: Callable[[], Any]) -> dict[str, Any]:
    return {axes.get_title(loc="left"): axes for axes in draw().axes}


def lines(axes: Any, colour: str, marker: str | None = None) -> list[list[float]]:
    """The heights of a panel's lines with that colour and mark."""
    wanted = [one for one in axes.lines if one.get_color() == colour and one.get_marker() == (marker or "None")]
    return [np.asarray(one.get_ydata(), dtype=float).tolist() for one in wanted]


def psnr(rows: Iterable[TransferRow], wanted: Callable[[TransferRow], bool]) -> dict[str, float]:
    """Each picture's mean PSNR in dB."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if wanted(row):
            found.setdefault(row.image, []).append(row.psnr)
    return {image: fmean(values) for image, values in found.items()}


def at(rows: StudyRows, source: str | None, target: str, setting: str) -> dict[str, float]:
    return psnr(rows.transfers, lambda r: (r.source, r.target, r.setting) == (source, target, setting))


def test_the_freeze_figure_draws_each_pairs_means(figures: dict[str, StudyFigure], rows: StudyRows) -> None:
    found = panels(figures["freeze-siren"])
    for source in DATA:
        for target in DATA:
            axes = found[f"{source} \N{RIGHTWARDS ARROW} {target}"]
            by_depth = [list(at(rows, source, target, f"reinit {tau}").values()) for tau in range(5)]
            means = [fmean(values) for values in by_depth]
            (drawn,) = lines(axes, SERIES[0], "o")
            assert drawn == pytest.approx(means)
            (band,) = axes.collections
            low = [mean - stdev(values) for mean, values in zip(means, by_depth, strict=True)]
            corners = {(round(float(x)), round(float(y), 6)) for x, y in band.get_paths()[0].vertices}
            assert {(tau, round(value, 6)) for tau, value in enumerate(low)} <= corners
            (star,) = [one for one in axes.lines if one.get_marker() == "*"]
            assert star.get_xdata()[0] == int(np.argmax(means))
            assert star.get_ydata()[0] == pytest.approx(max(means))
            (none,) = [y for y in lines(axes, INK) if len(set(y)) == 1]
            assert none[0] == pytest.approx(fmean(at(rows, source, target, "none").values()))
            levels = [y[0] for y in lines(axes, MUTED)]
            assert fmean(at(rows, None, target, "scratch").values()) in [pytest.approx(y) for y in levels]


def test_the_freeze_figure_has_the_published_curve_beside(figures: dict[str, StudyFigure]) -> None:
    axes = panels(figures["freeze-siren"])["faces \N{RIGHTWARDS ARROW} kodak"]
    paper = [published("CelebA", "Kodak", "siren", tau) for tau in (None, *range(5))]
    means = [one.psnr_mean for one in paper if one is not None]
    assert lines(axes, MUTED, "s") == [pytest.approx(means[1:])]
    assert means[0] in [y[0] for y in lines(axes, MUTED)]
    assert "does not say which sr(H)" in figures["freeze-siren"].caption


def test_stable_ranks_stand_beside_with_stars_at_their_argmax(figures: dict[str, StudyFigure], rows: StudyRows) -> None:
    found = panels(figures["freeze-siren"])
    for cohort in rows.cohorts:
        axes = found[f"sr(W), {cohort.source}"]
        assert lines(axes, SERIES[0], "o") == [pytest.approx(cohort.scores["sr(W)"])]
        (star,) = [one for one in axes.lines if one.get_marker() == "*"]
        assert star.get_xdata()[0] == int(np.argmax(cohort.scores["sr(W)"]))
        axes = found[f"sr(H), {cohort.source}"]
        for marker, name in (("o", "sr(H) post"), ("^", "sr(H) post_centred"), ("v", "sr(H) pre")):
            assert lines(axes, SERIES[0], marker) == [pytest.approx(cohort.scores[name])]
        stars = sorted(one.get_xdata()[0] for one in axes.lines if one.get_marker() == "*")
        assert stars == sorted(
            int(np.argmax(cohort.scores[f"sr(H) {name}"])) for name in ("post", "post_centred", "pre")
        )
        assert axes.get_ylim()[0] == 0.0
        assert axes.get_ylim()[1] > max(max(cohort.scores[f"sr(H) {name}"]) for name in ("post", "post_centred", "pre"))
    paper = published("CelebA", "CelebA", "siren", 1)
    assert paper is not None
    assert lines(found["sr(W), faces"], MUTED, "s")[0][1] == paper.sr_w


def test_without_published_names_nothing_is_drawn_beside(rows: StudyRows, undrawn: None) -> None:
    (figure,) = freeze_figures(rows, Beside())
    for axes in figure.draw().axes:
        assert lines(axes, MUTED, "s") == []
    assert "paper has" not in figure.caption


def test_a_study_whose_file_cannot_be_read_any_more_has_no_published_names(store: Shelf) -> None:
    assert beside(store, study_rows.STUDY).data == {"faces": "CelebA", "kodak": "Kodak"}
    assert beside(replace(store, source="name = 1"), study_rows.STUDY) == Beside()


def test_warm_less_reinitialised_is_paired_by_picture_and_seed(
    figures: dict[str, StudyFigure], rows: StudyRows
) -> None:
    found = panels(figures["rest-siren"])
    by = {(r.source, r.target, r.image, r.seed, r.setting): r.psnr for r in rows.transfers}
    for source in DATA:
        axes = found[f"{source}: warm less reinitialised"]
        for place, target in enumerate(DATA):
            (drawn,) = lines(axes, step_colour(place, 2), ("o", "^")[place])
            for tau in range(5):
                differences = [
                    value - by[source, target, image, seed, f"reinit {tau}"]
                    for (s, t, image, seed, setting), value in by.items()
                    if (s, t, setting) == (source, target, f"warm {tau}")
                ]
                assert drawn[tau] == pytest.approx(fmean(differences))
            warm, reinit = lines(found[f"{source} \N{RIGHTWARDS ARROW} {target}"], SERIES[0], "o")[::-1]
            assert warm == pytest.approx([fmean(at(rows, source, target, f"warm {tau}").values()) for tau in range(5)])
            assert reinit[0] == pytest.approx(fmean(at(rows, source, target, "reinit 0").values()))


@pytest.mark.parametrize(("unit", "end"), [("steps", 500.0), ("seconds", 5.0)])
def test_curves_end_at_the_mean_psnr(figures: dict[str, StudyFigure], rows: StudyRows, unit: str, end: float) -> None:
    axes = panels(figures[f"curves-{unit}-siren"])["kodak, rest warm"]
    assert axes.get_xscale() == "log"
    drawn = {one.get_color(): one for one in axes.lines}
    for tau in range(5):
        line = drawn[step_colour(tau, 5)]
        wanted = psnr(rows.transfers, lambda r, tau=tau: (r.target, r.setting) == ("kodak", f"warm {tau}"))
        assert line.get_xdata()[-1] == end
        assert line.get_ydata()[-1] == pytest.approx(fmean(wanted.values()))
        assert min(line.get_xdata()) > 0.0
    none = psnr(rows.transfers, lambda r: (r.target, r.setting) == ("kodak", "none"))
    assert drawn[INK].get_ydata()[-1] == pytest.approx(fmean(none.values()))
    scratch = psnr(rows.transfers, lambda r: (r.target, r.setting) == ("kodak", "scratch"))
    assert drawn[MUTED].get_ydata()[-1] == pytest.approx(fmean(scratch.values()))


def test_without_times_there_is_no_figure_against_seconds(rows: StudyRows, undrawn: None) -> None:
    nan = float("nan")
    untimed = [replace(r, seconds=nan, curve=replace(r.curve, seconds=(nan,) * 4)) for r in rows.transfers]
    assert [one.name for one in curve_figures(replace(rows, transfers=tuple(untimed)))] == ["curves-steps-siren"]


def test_a_predictors_bar_is_its_mean_loss_over_pictures(figures: dict[str, StudyFigure], rows: StudyRows) -> None:
    (axes,) = figures["predictors-reinit"].draw().axes
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    bars = dict(zip([round(bar.get_y() + bar.get_height() / 2) for bar in axes.patches], axes.patches, strict=True))
    cohorts = {row.source: row.scores["sr(W)"] for row in rows.cohorts}
    for name, named in (("always layer 1", lambda source: 1), ("argmax sr(W)", lambda s: int(np.argmax(cohorts[s])))):
        by_picture: dict[tuple[str, str], list[float]] = {}
        for source in DATA:
            for target in DATA:
                by_depth = [at(rows, source, target, f"reinit {tau}") for tau in range(5)]
                best = int(np.argmax([fmean(own.values()) for own in by_depth]))
                for image in by_depth[0]:
                    lost = by_depth[best][image] - by_depth[named(source)][image]
                    by_picture.setdefault((target, image), []).append(lost)
        wanted = fmean(fmean(own) for own in by_picture.values())
        assert bars[names.index(name)].get_width() == pytest.approx(wanted)
    widths = [bars[place].get_width() for place in range(len(names))]
    assert widths == sorted(widths)
    assert any("of 4 right" in text.get_text() for text in axes.texts)


def test_main_effects_are_the_marginal_means(rows: StudyRows) -> None:
    kept = [row for row in rows.transfers if row.source is not None]
    (figure,) = factor_figures(replace(rows, transfers=tuple(kept)))
    found = panels(figure)
    cells: dict[tuple[str | None, str, str], list[float]] = {}
    for row in kept:
        cells.setdefault((row.source, row.target, row.setting), []).append(row.psnr)
    for place, name in enumerate(("source", "target", "setting")):
        (axes,) = [axes for title, axes in found.items() if title == name]
        labels = [tick.get_text() for tick in axes.get_xticklabels()]
        drawn = {labels[int(x)]: y for one in axes.lines for x, y in zip(one.get_xdata(), one.get_ydata(), strict=True)}
        for level in {cell[place] for cell in cells}:
            wanted = fmean(fmean(values) for cell, values in cells.items() if cell[place] == level)
            assert drawn[str(level)] == pytest.approx(wanted)


def test_a_line_joins_numbers_and_depths_of_one_start_only() -> None:
    found = [
        transfer(30.0 + rate * 1e4, setting=setting, image=image, variant=(("transfer.learning_rate", rate),))
        for rate in (5e-4, 1e-4)
        for setting in ("none", "reinit 0", "reinit 1", "warm 0")
        for image in "ab"
    ]
    (figure,) = factor_figures(StudyRows(transfers=tuple(found)))
    axes = panels(figure)
    assert [list(one.get_ydata()) for one in axes["transfer.learning_rate"].lines] == [pytest.approx([31.0, 35.0])]
    assert sorted(len(one.get_xdata()) for one in axes["setting"].lines) == [1, 1, 2]


def searched(psnrs: dict[Variant, float], missing: bool = False) -> StudyRows:
    """Fits of two validation pictures, the second 2 dB above the first."""
    found = [
        single(value + 2.0 * place, variant=variant, image=image, split="validation")
        for variant, value in psnrs.items()
        for place, image in enumerate("ab")
    ]
    return StudyRows(singles=tuple(found[:-1] if missing else found))


def test_a_searchs_star_is_at_the_best_recipe(undrawn: None) -> None:
    grid = {(a, b): 30.0 - abs(a - 20.0) - b * 100.0 for a in (10.0, 20.0, 30.0) for b in (0.01, 0.02)}
    psnrs = {(("single.omega_0", a), ("single.learning_rate", b)): value for (a, b), value in grid.items()}
    (figure,) = search_figures(searched(psnrs))
    axes = panels(figure)
    (star,) = [one for one in axes["single.omega_0"].lines if one.get_marker() == "*"]
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (1, pytest.approx(30.0))
    assert lines(axes["single.omega_0"], SERIES[0], "o") == [pytest.approx([20.0, 30.0, 20.0])]
    assert [tick.get_text() for tick in axes["single.omega_0"].get_xticklabels()] == ["10", "20", "30"]
    assert lines(axes["single.learning_rate"], SERIES[0], "o") == [pytest.approx([30.0, 29.0])]
    assert "single.learning_rate = 0.01, single.omega_0 = 20.0" in figure.caption


def test_a_search_that_is_not_at_its_end_has_no_figure() -> None:
    psnrs: dict[Variant, float] = {(("single.omega_0", a),): a for a in (1.0, 2.0)}
    assert search_figures(searched(psnrs, missing=True)) == []
    assert search_figures(searched({(): 30.0})) == []
    (whole,) = search_figures(searched(psnrs))
    assert whole.name == "search-siren-single"


def test_concentration_draws_medians_and_dead_shares(figures: dict[str, StudyFigure], rows: StudyRows) -> None:
    found = panels(figures["concentration-faces"])
    assert found["active fraction"].get_yscale() == "log"
    for place, network in enumerate(("cohort", "single")):
        mine = sorted((row for row in rows.analyses if row.network == network), key=lambda row: row.layer)
        for title, pick in (
            ("active fraction", lambda f: f["active_fraction"]["median"]),
            ("inverse participation ratio", lambda f: f["ipr"]["median"]),
            ("dead atoms (%)", lambda f: 100.0 * f["dead"]),
        ):
            line = found[title].lines[place]
            assert list(line.get_ydata()) == pytest.approx([pick(row.found) for row in mine])
            # A cohort's line is solid, a single fit's dashed.
            assert bool(line._unscaled_dash_pattern[1]) == (network == "single")


def test_a_layer_without_living_atoms_leaves_a_gap(rows: StudyRows, undrawn: None) -> None:
    dead = [
        replace(row, found={**row.found, "active_fraction": None, "ipr": None, "dead": 1.0}) if row.layer == 2 else row
        for row in rows.analyses
    ]
    from inrlens.reports.study.figures.concentration import concentration_figures

    (figure,) = concentration_figures(dead)
    drawn = panels(figure)["active fraction"].lines[0].get_ydata()
    assert np.isnan(drawn).tolist() == [False, False, True, False, False]


@pytest.mark.parametrize(("name", "key"), [("magnitude-faces", "top_magnitude"), ("firing-faces", "top_firing")])
def test_profiles_draw_the_strongest_atoms_in_order(
    figures: dict[str, StudyFigure], rows: StudyRows, name: str, key: str
) -> None:
    found = panels(figures[name])
    for row in rows.analyses:
        drawn = [list(one.get_ydata()) for one in found[f"layer {row.layer}"].lines]
        assert pytest.approx(row.found[key]) in drawn


def swept(rows: StudyRows) -> StudyRows:
    """The cohort's dictionaries at several n and k, with measures that tell the pair."""
    found = [
        replace(
            row,
            n_atoms=n,
            k=k,
            quality={**row.quality, "psnr": 30.0 + k / 16 + n / 4096 - row.layer, "alive": 0.5, "r2": 1.0 - 1.0 / k},
        )
        for row in rows.dictionaries
        if row.network == "cohort"
        for n in (1024, 4096)
        for k in (16, 32)
    ]
    return replace(rows, dictionaries=tuple(found))


def test_sizes_draw_a_line_an_n_and_the_mean_over_layers(rows: StudyRows, undrawn: None) -> None:
    (figure,) = size_figures(swept(rows).dictionaries)
    axes = panels(figure)
    for title, layer in (("layer 0", 0.0), ("layer 3", 3.0), ("mean over layers", 2.0)):
        for n, hue in ((1024, RAMP[0]), (4096, RAMP[4])):
            drawn = [list(one.get_ydata()) for one in axes[title].lines if one.get_color() == hue]
            assert drawn == [pytest.approx([31.0 + n / 4096 - layer, 32.0 + n / 4096 - layer])]
        (star,) = [one for one in axes[title].lines if one.get_marker() == "*"]
        assert (star.get_xdata()[0], star.get_ydata()[0]) == (5, pytest.approx(33.0 - layer))
    assert len(figure.draw().axes) == 4 * 6


def test_a_layer_that_lacks_a_size_leaves_the_mean_over_layers_out(rows: StudyRows, undrawn: None) -> None:
    found = swept(rows).dictionaries
    part = [row for row in found if (row.layer, row.n_atoms, row.k) != (3, 4096, 32)]
    (figure,) = size_figures(part)
    drawn = [one.get_ydata() for one in panels(figure)["mean over layers"].lines if one.get_color() == RAMP[4]]
    assert np.isnan(drawn[0]).tolist() == [False, True]


def test_one_k_is_no_sweep(rows: StudyRows) -> None:
    assert size_figures(rows.dictionaries) == []


def test_galleries_show_every_layers_maps(figures: dict[str, StudyFigure]) -> None:
    found = pictures()
    (axes,) = figures["gallery-faces-cohort-siren"].draw().axes
    shown = [np.asarray(image.get_array()) for image in axes.images]
    assert len(shown) == 5 * 9 + 2
    for values in (*found["maps"], found["mean_map"]):
        assert sum(one.shape == values.shape and bool((one == values).all()) for one in shown) == 5
    assert any(one.shape == found["target"].shape and bool((one == found["target"]).all()) for one in shown)
    words = [text.get_text() for text in axes.texts]
    assert {"layer 4", "100", "107", "picture", "network", "mean"} <= set(words)


def test_ablations_show_each_atom_with_its_loss(figures: dict[str, StudyFigure]) -> None:
    found = pictures()
    (axes,) = figures["ablations-faces-cohort-siren"].draw().axes
    assert len(axes.images) == 5 * 4 * 3
    for place in range(4):
        triple = [np.asarray(image.get_array()) for image in axes.images[3 * place : 3 * place + 3]]
        assert (triple[0] == found["maps"][place]).all()
        assert (triple[1] == found["removed"][place]).all()
        assert (triple[2] == found["effects"][place]).all()
    words = [text.get_text() for text in axes.texts]
    assert words.count("103: 38.0 \N{RIGHTWARDS ARROW} 33.0\N{NARROW NO-BREAK SPACE}dB") == 5
    assert "ablations-faces-single-siren" not in figures


def test_pictures_do_not_overlap_and_stay_on_their_sheet(figures: dict[str, StudyFigure]) -> None:
    for name in ("gallery-faces-cohort-siren", "ablations-faces-cohort-siren"):
        (axes,) = figures[name].draw().axes
        boxes = [image.get_extent() for image in axes.images]
        for place, (left, right, bottom, top) in enumerate(boxes):
            assert axes.get_xlim()[0] <= left < right <= axes.get_xlim()[1]
            assert axes.get_ylim()[1] <= top < bottom <= axes.get_ylim()[0]
            for other in boxes[:place]:
                assert right <= other[0] or other[1] <= left or bottom <= other[3] or other[2] <= top


def test_without_pictures_there_are_no_galleries(rows: StudyRows) -> None:
    for where in (shelf(None), study_rows.made_up_store(), shelf(artefact(pictures(), kind="dictionary"))):
        assert gallery_figures(where, rows.analyses) == []


def test_fewer_living_atoms_give_fewer_maps(rows: StudyRows, undrawn: None) -> None:
    (figure, _) = gallery_figures(shelf(artefact(pictures(atoms=2, channels=1))), rows.analyses)
    assert len(figure.draw().axes[0].images) == 5 * 3 + 2
    assert gallery_figures(shelf(artefact(pictures(atoms=0))), rows.analyses)[0].draw().axes[0].images


def test_what_an_analysis_leaves_behind_is_read() -> None:
    signal = toys.signal()
    field = toys.field()
    sae = toys.sae(field)
    content = study_pictures(il.effects(field, sae, il.encode(field, sae), signal=signal), signal)
    shots = read_shots(container_bytes(content))
    assert shots is not None
    assert list(shots.atoms) == content.description["atoms"]
    assert list(shots.after) == content.description["psnr_after"]
    for name in ("target", "intact", "removed", "maps", "effects"):
        assert np.abs(getattr(shots, name).astype(int) - content.tensors[name].numpy()).max() == 0
    volume = {**content.tensors, "intact": content.tensors["intact"][None]}
    assert read_shots(container_bytes(replace(content, tensors=volume))) is None


@pytest.mark.parametrize("shape", [(161, 200), (80, 79), (7, 90)])
def test_large_pictures_are_averaged_over_square_blocks(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(1).integers(0, 256, (2, *shape, 3)).astype(np.uint8)
    found = shrunk(values, 1)
    block = -(-max(shape) // LONGEST_SIDE)
    assert max(found.shape[1:3]) <= LONGEST_SIDE
    for y, x in ((0, 0), (found.shape[1] - 1, found.shape[2] - 1)):
        part = values[:, y * block : (y + 1) * block, x * block : (x + 1) * block].astype(float)
        assert (found[:, y, x] == np.rint(part.mean(axis=(1, 2)))).all()


def test_shrunk_maps_are_bright_where_they_are_largest() -> None:
    content = pictures(shape=(200, 160))
    content["maps"][...] = 0
    content["maps"][:, 17, 23] = 255
    shots = read_shots(artefact(content))
    assert shots is not None
    assert (shots.maps.max(axis=(1, 2)) == 255).all()
    assert (shots.maps[0] > 0).sum() == 1


def two_of_them(rows: StudyRows, store: Shelf) -> list[StudyFigure]:
    return [*gallery_figures(store, rows.analyses)[:1], *predictor_figures(rows)[:1]]


def all_of_them(rows: StudyRows, store: Shelf) -> list[StudyFigure]:
    return study_figures(store, study_rows.STUDY, rows)


@pytest.mark.parametrize("drawn", [two_of_them, pytest.param(all_of_them, marks=pytest.mark.slow)])
def test_svgs_are_elements_of_a_page(
    store: Shelf, rows: StudyRows, drawn: Callable[[StudyRows, Shelf], list[StudyFigure]]
) -> None:
    ids: list[str] = []
    for figure in drawn(rows, store):
        root = ElementTree.fromstring(figure.svg)
        ids += [one.attrib["id"] for one in root.iter() if "id" in one.attrib]
        assert root.attrib["aria-label"]
        assert not [colour for colour in PRINT_COLOURS if colour in figure.svg.lower()]
        for link in re.findall(r'(?:href|src)="([^"]*)"', figure.svg):
            assert link.startswith(("#", "data:image/png;base64,"))
        assert "var(--" in figure.svg
        assert "nan" not in figure.caption.lower()
    assert len(ids) == len(set(ids))


@pytest.mark.slow
def test_the_same_rows_give_the_same_bytes(store: Shelf, rows: StudyRows) -> None:
    for one, other in zip(two_of_them(rows, store), two_of_them(rows, store), strict=True):
        assert one.svg == other.svg
        first, second = one.pdf(), other.pdf()
        assert first == second
        assert first.startswith(b"%PDF")
        assert b"CreationDate" not in first


def test_a_paper_gets_the_colours_of_print(figures: dict[str, StudyFigure]) -> None:
    placeholders = set(PRINT_COLOURS)
    for name in ("curves-steps-siren", "predictors-reinit", "freeze-siren"):
        drawn = figures[name].draw()
        recolour_for_print(drawn)
        for artist in drawn.findobj():
            for get in ("get_color", "get_markerfacecolor", "get_markeredgecolor"):
                if hasattr(artist, get) and isinstance(getattr(artist, get)(), (str, tuple)):
                    assert to_hex(getattr(artist, get)()) not in placeholders
    (band,) = (drawn := figures["freeze-siren"].draw()).axes[0].collections
    before = band.get_facecolor()[0]
    assert as_pdf(drawn)
    assert to_hex(band.get_facecolor()[0]) == PRINT_COLOURS[SERIES[0]]
    assert band.get_facecolor()[0][3] == before[3] < 1.0


def test_embedded_pictures_shrink_without_a_pixel_changed() -> None:
    draws = np.random.default_rng(2)
    for few in (True, False):
        pixels = draws.integers(0, 4 if few else 256, (40, 40, 3)).astype(np.uint8) * (60 if few else 1)
        buffer = io.BytesIO()
        Image.fromarray(pixels).convert("RGBA").save(buffer, format="PNG")
        text = '<image href="data:image/png;base64,\n' + base64.b64encode(buffer.getvalue()).decode() + '"/>'
        small = _with_small_pictures(text)
        (encoded,) = re.findall(r"base64,([^\"]+)", small)
        assert (np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB")) == pixels).all()
        assert len(small) < len(text)


def test_ordered_colours_grow_darker() -> None:
    def light(colour: str) -> float:
        red, green, blue = (int(PRINT_COLOURS[colour][place : place + 2], 16) for place in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    lights = [light(step_colour(place, 5)) for place in range(5)]
    assert all(first - second > 12.0 for first, second in pairwise(lights))
    assert [step_colour(place, 1) for place in range(1)] == [RAMP[0]]
    assert len({step_colour(place, 9) for place in range(9)}) == 5


def test_an_empty_study_has_no_figure(store: Shelf) -> None:
    assert study_figures(store, study_rows.STUDY, StudyRows()) == []


@pytest.mark.parametrize("done", [1, 4, *(pytest.param(late, marks=pytest.mark.slow) for late in (14, 40))])
def test_a_study_that_still_runs_has_the_figures_that_it_has_rows_for(store: Shelf, done: int, undrawn: None) -> None:
    part = replace(store, cells=store.cells[:done] + store.cells[-3:])
    rows = read_rows(part, study_rows.STUDY)
    names = {one.name for one in study_figures(part, study_rows.STUDY, rows)}
    assert ("freeze-siren" in names) == any(row.rest == "reinit" and row.freeze is not None for row in rows.transfers)
    assert ("concentration-faces" in names) == bool(rows.analyses)


def test_unequal_settings_are_compared_on_what_all_have() -> None:
    fits = [("none", "a", 30.0), ("none", "b", 50.0), ("reinit 0", "a", 31.0), ("scratch", "a", 20.0)]
    fits.append(("scratch", "b", 9.0))
    found = [transfer(psnr, setting=setting, image=image) for setting, image, psnr in fits]
    own = footing(found)
    assert own.equal
    assert {name: [row.psnr for row in kept] for name, kept in own.by_setting.items()} == {
        "none": [30.0],
        "reinit 0": [31.0],
        "scratch": [20.0],
    }
    assert own.behind == "1 picture, 1 seed"
    apart = footing([found[1], found[2]])
    assert not apart.equal
    assert "not the same" in apart.behind
    assert len(apart.by_setting) == 2


def test_few_variants_have_figures_and_the_last_says_so(undrawn: None) -> None:
    variants: list[Variant] = [(("transfer.learning_rate", 1e-4 * n),) for n in range(1, MOST_VARIANTS + 3)]
    found = [
        transfer(30.0 + tau, setting=f"reinit {tau}", image=image, variant=variant)
        for variant in variants
        for tau in range(2)
        for image in "ab"
    ]
    drawn = freeze_figures(StudyRows(transfers=tuple(found)), Beside())
    assert len(drawn) == MOST_VARIANTS
    assert all("2 more variants" in one.caption for one in drawn)
    assert len({one.name for one in drawn}) == MOST_VARIANTS


def test_dictionaries_nearest_to_the_papers_are_compared(rows: StudyRows) -> None:
    assert nearest([(1024, 32), (8192, 64), (4096, 16)]) == (4096, 16)
    both = [*rows.analyses, *(replace(row, n_atoms=4096) for row in rows.analyses if row.network == "cohort")]
    (found,) = comparisons(both)
    # Only the cohort has the paper's n: what both have is compared.
    assert (found.n_atoms, found.k) == (1024, 32)
    assert [one.title for one in found.conditions] == ["Cohort SIREN", "Single SIREN"]
