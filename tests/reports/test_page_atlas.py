"""The page of a run with an atlas: its numbers are the record's, its maps the codes', its script the one allowed."""

import base64
import hashlib
import io
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import spearmanr

import inrlens as il
import pages
import toys
from inrlens.atoms.codes import Codes, encode
from inrlens.atoms.effects import Effects
from inrlens.dictionaries.health import layer_health
from inrlens.fields.siren import Siren
from inrlens.reports import words
from inrlens.reports.figures.canvas import placed_panel
from inrlens.reports.figures.cloud import Dot, cloud_panel, step_of
from inrlens.reports.packed import LONGEST_SIDE, pack_maps
from inrlens.reports.page import render, script
from inrlens.reports.parts import examined
from inrlens.reports.pictures import heat_map, palette
from inrlens.studies.atlas import atlas_record, timed_effects
from inrlens.studies.measure import layer_record
from inrlens.studies.record import AtlasRecord, read_record
from inrlens.studies.run_folder import write_fit_run
from inrlens.studies.run_reader import OpenRun
from pages import Page
from prose import says, sentence

TITLES = ("Cohort SIREN, layer 1", "Cohort FFMLP, layer 1")


@dataclass(frozen=True)
class Written:
    """A run, its page, and the atlases that the page shows, with their records."""

    run: OpenRun
    html: str
    page: Page
    atlases: tuple[Effects, ...]
    records: tuple[AtlasRecord, ...]


@pytest.fixture(scope="module")
def demo(walked: Path) -> Written:
    """Its figures are left out, but for the clouds, whose dots have places."""
    with pytest.MonkeyPatch.context() as patch:
        pages.leave_figures_out(patch, clouds=False)
        run, html = OpenRun(walked), render(OpenRun(walked))
    entries = examined(run.record.conditions)
    assert tuple(one.title for one in entries) == TITLES
    atlases = tuple(run.atlas(one.condition, one.layer) for one in entries)
    return Written(run, html, Page(html), atlases, tuple(one.atlas for one in entries))


def templates(html: str, name: str) -> list[str]:
    return re.findall(rf'<template class="{name}">(.*?)</template>', html, re.DOTALL)


def levels(text: str, atoms: int, height: int, width: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Packed maps read byte by byte, as their description says."""
    stream = list(base64.b64decode(text, validate=True))
    maps = np.zeros((atoms, height * width), dtype=np.uint8)
    for one in maps:
        cell = -1
        while (gap := stream.pop(0)) != 0:
            if gap >= 128:
                gap = gap - 128 + 128 * stream.pop(0)
            cell += gap
            assert one[cell] == 0
            one[cell] = stream.pop(0)
            assert one[cell] > 0
    assert stream == []
    return maps.reshape(atoms, height, width)


def rows(page: Page, caption: str) -> list[list[str]]:
    return page.tables[caption][1:]


def test_the_maps_in_the_page_are_the_codes(demo: Written) -> None:
    texts, canvases = templates(demo.html, "maps"), demo.page.all("canvas")
    assert len(texts) == len(canvases) == len(demo.atlases) == 2
    for text, canvas, atlas in zip(texts, canvases, demo.atlases, strict=True):
        order = atlas.rank("psnr_drop")
        assert (int(canvas["height"]), int(canvas["width"])) == atlas.codes.grid
        maps = levels(text, len(order), *atlas.codes.grid)
        for atom, found in zip(order, maps, strict=True):
            true = atlas.codes.map(atom)
            assert np.array_equal(found, (true / true.max() * 255.0).round().to(torch.uint8).numpy())
            # Zero is black, and nothing else than what the picture of a map shows.
            assert (found[true.numpy() == 0.0] == 0).all()
    colours = re.search(r'<template id="map-colours">(.*?)</template>', demo.html)
    assert colours is not None
    assert list(base64.b64decode(colours[1])) == palette()


def test_the_facts_and_places_in_the_page_are_the_atlas(demo: Written) -> None:
    clouds = [attributes for tag, attributes in demo.page.elements if attributes.get("class") == "cloud"]
    for atlas, cloud, said, placed in zip(
        demo.atlases, clouds, templates(demo.html, "said"), templates(demo.html, "places"), strict=True
    ):
        order, ranks = atlas.rank("psnr_drop"), atlas.rank("mean_magnitude")
        lines = [line.split("\t") for line in said.split("\n")]
        assert [int(line[0]) for line in lines] == order
        assert int(cloud["data-atoms"]) == len(order)
        for atom, line in zip(order, lines, strict=True):
            assert line == [
                str(atom),
                words.change(-float(atlas.psnr_drop[atom])),
                str(ranks.index(atom) + 1),
                words.percent(float(atlas.statistics.active_fraction[atom])),
                words.locality(float(atlas.footprint.in_radius[atom])),
                str(int(atlas.footprint.pieces[atom])),
                words.significant(float(atlas.codes.map(atom).max()), 2),
            ]
        places = np.frombuffer(base64.b64decode(placed), dtype="<u2").reshape(-1, 2) / float(cloud["data-units"])
        assert places.shape == (len(order), 2)
        assert (places <= [float(cloud["data-width"]), float(cloud["data-height"])]).all()
        # Those that cost more stand higher, down the page.
        assert (np.diff(places[:, 1]) >= 0.0).all()
        # The picture without a script has the same dots.
        drawn = {place for path in re.findall(r'<path class="dots[^>]* d="([^"]*)"', demo.html) for place in dots(path)}
        assert {(float(x), float(y)) for x, y in places.round(1)} <= drawn


def dots(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"M([\d.]+) ([\d.]+)h0", path)]


def test_points_are_placed_where_matplotlib_draws_them() -> None:
    points = [(0.01, -2.0), (0.1, 0.0), (1.0, 30.0)]

    def draw(axes: object) -> None:
        axes.set_xscale("log")  # type: ignore[attr-defined]
        axes.set_yscale("asinh", linear_width=1.0)  # type: ignore[attr-defined]
        axes.plot(*zip(*points, strict=True), "o")  # type: ignore[attr-defined]
        axes.set_ylabel("a label that takes room")  # type: ignore[attr-defined]

    panel, places = placed_panel("test", "t", "alt", draw, points, width=300.0, height=200.0)
    marks = re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*fill: (?!currentColor|var\(--muted)', panel.svg)
    marks = marks or re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"', panel.svg)
    drawn = {(round(float(x), 2), round(float(y), 2)) for x, y in marks}
    assert {(round(x, 2), round(y, 2)) for x, y in places} <= drawn


def test_large_maps_are_averaged_over_their_blocks() -> None:
    grid, atoms = (2 * LONGEST_SIDE + 1, 130), 5
    draws = toys.generator()
    size = grid[0] * grid[1]
    indices = torch.stack([torch.randperm(atoms, generator=draws)[:2] for _ in range(size)]).to(torch.int32)
    values = torch.rand(size, 2, generator=draws) * (torch.rand(size, 2, generator=draws) < 0.004)
    values[indices == 3] = 0.0
    codes = Codes(indices, values, atoms, grid)
    order = [4, 0, 2]
    found = pack_maps(codes, order)
    shape = (-(-grid[0] // 3), -(-grid[1] // 3))
    assert (found.height, found.width) == shape
    for atom, shown in zip(order, levels(found.text, 3, *shape), strict=True):
        true = codes.map(atom).double().numpy()
        means = np.array(
            [[true[3 * y : 3 * y + 3, 3 * x : 3 * x + 3].mean() for x in range(shape[1])] for y in range(shape[0])]
        )
        assert np.abs(shown - means / means.max() * 255.0).max() <= 0.5 + 1e-4
        # Gaps of two bytes are among them.
        assert np.diff(shown.reshape(-1).nonzero()[0]).max() > 128
    assert levels(pack_maps(codes, [3]).text, 1, *shape).max() == 0
    assert pack_maps(codes, []).text == ""


def test_gaps_of_one_and_two_bytes_are_told_apart() -> None:
    values = torch.zeros(8 * 64, 1)
    cells = [0, 127, 255, 510, 511]
    values[cells, 0] = torch.tensor([1.0, 0.2, 0.4, 0.6, 0.8])
    codes = Codes(torch.zeros(512, 1, dtype=torch.int32), values, 1, (8, 64))
    shown = levels(pack_maps(codes, [0]).text, 1, 8, 64).reshape(-1)
    assert shown.nonzero()[0].tolist() == cells
    assert shown[cells].tolist() == [255, 51, 102, 153, 204]
    values[:, 0] = 0.0
    values[383, 0] = 5.0
    assert base64.b64decode(pack_maps(codes, [0]).text) == bytes([128, 3, 255, 0])


def test_a_map_of_the_gallery_and_one_of_the_script_are_the_same_picture(demo: Written) -> None:
    atlas = demo.atlases[0]
    atom = atlas.statistics.top(1)[0]
    uri = heat_map(atlas.codes.map(atom), "m").uri
    assert uri in demo.html
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as opened:
        shown = np.asarray(opened)
    assert np.array_equal(shown, levels(pack_maps(atlas.codes, [atom]).text, 1, *atlas.codes.grid)[0])


def test_the_script_is_the_one_that_the_policy_allows_and_fetches_nothing(demo: Written) -> None:
    policy = next(meta["content"] for meta in demo.page.all("meta") if "http-equiv" in meta)
    digest = base64.b64encode(hashlib.sha256(demo.page.script.encode("utf-8")).digest()).decode("ascii")
    assert policy == f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert digest == script().digest
    assert demo.page.all("script") == [{}]
    for forbidden in (
        "fetch", "XMLHttpRequest", "import", "src", "href", "url(", "http", "eval", "Function(", "innerHTML", "write(",
        "WebSocket", "sendBeacon", "Worker", "open(", "location", "localStorage", "cookie", "createElement",
    ):  # fmt: skip
        assert forbidden not in demo.page.script


def test_without_scripts_nothing_of_the_script_shows(demo: Written) -> None:
    for name in ("card", "note asking", "ring"):
        hidden = [attributes for _, attributes in demo.page.elements if attributes.get("class") == name]
        assert len(hidden) == len(demo.atlases)
        assert all("hidden" in attributes for attributes in hidden)


def test_the_ten_that_cost_most_are_the_records(demo: Written) -> None:
    for title, record, atlas in zip(TITLES, demo.records, demo.atlases, strict=True):
        caption = next(name for name in demo.page.tables if name.startswith(f"{title}: the atoms that cost most"))
        for row, atom in zip(rows(demo.page, caption), record.worst, strict=True):
            assert row[:7] == [
                str(atom.atom),
                words.significant(atom.psnr_drop),
                str(atom.magnitude_rank),
                words.significant(atom.mean_magnitude),
                words.percent(atom.active_fraction),
                words.locality(atom.locality),
                str(atom.pieces),
            ]
            colour = atlas.of(atom.atom)[atlas.codes.map(atom.atom) > 0.0].double().mean(0)
            shown = [float(part.replace(words.MINUS, "-")) for part in row[7].split(", ")]
            assert shown == pytest.approx(colour.tolist(), abs=5.1e-4)
            # Its map and its effect stand above the table, as pictures.
            assert heat_map(atlas.codes.map(atom.atom), "m").uri in demo.html
            assert heat_map(atlas.of(atom.atom).abs().mean(-1), "e").uri in demo.html
        alive = ~atlas.statistics.dead
        expected = spearmanr(atlas.psnr_drop[alive], atlas.statistics.mean_magnitude[alive]).statistic
        found = sum(atom.magnitude_rank <= 10 for atom in record.worst)
        reading = sentence(demo.html, title.partition(",")[0], "rank correlation", "magnitude")
        assert says(reading, f"{found or 'none'} of the 10", "rank correlation", words.signed(expected))


def test_swatches_are_grey_for_no_effect_and_stretched_alike(demo: Written) -> None:
    colours = [tuple(map(int, found)) for found in re.findall(r"background: rgb\((\d+), (\d+), (\d+)\)", demo.html)]
    assert len(colours) == sum(len(record.worst) for record in demo.records)
    for record, atlas, part in zip(demo.records, demo.atlases, (colours[:10], colours[10:]), strict=True):
        effects = torch.stack([atlas.footprint.colour[atom.atom] for atom in record.worst])
        expected = 127.5 + 127.5 * effects / effects.abs().max()
        assert (torch.tensor(part) - expected).abs().max() <= 0.5 + 1e-6


def test_groups_and_pairs_are_the_records(demo: Written) -> None:
    areas = {(row[0], row[1]): row[2:] for row in rows(demo.page, "Mean PSNR in dB under each curve, over log₂(1 + m)")}
    pairs = rows(demo.page, "Pairs of atoms that add up least, among those whose effects overlap most")
    assert len(pairs) == sum(len(record.interactions) for record in demo.records)
    for title, record in zip(TITLES, demo.records, strict=True):
        for mode, said in (("remove", "taken out"), ("keep", "kept alone")):
            curves = [curve for curve in record.groups if curve.mode == mode]
            assert [curve.order for curve in curves] == ["psnr_drop", "mean_magnitude", "random"]
            assert areas[title, said] == [words.fixed(curve.area) for curve in curves]
        mine = [row for row in pairs if row[0] == title]
        for row, pair in zip(mine, record.interactions, strict=True):
            assert row[1:3] == [f"{pair.first} and {pair.second}", str(pair.together)]
            drops = (pair.first_drop, pair.second_drop, pair.first_drop + pair.second_drop, pair.joint_drop)
            assert row[3:] == [*(words.significant(drop) for drop in drops), words.significant(pair.excess, 2)]


def test_controls_are_the_records(demo: Written) -> None:
    table = rows(demo.page, "Each dictionary and its controls: medians over living atoms, losses in dB")
    expected = [(title, row) for title, record in zip(TITLES, demo.records, strict=True) for row in record.rows]
    names = ["trained", "random dictionary", "principal components", "neurons", "untrained network"]
    assert [row.name for _, row in expected] == names * 2
    for shown, (title, row) in zip(table, expected, strict=True):
        assert shown[:6] == [
            title,
            row.name,
            f"{row.n_atoms}, {row.k}",
            words.fixed(row.quality.r2, 3),
            words.fixed(row.between.r2, 3),
            words.percent(row.quality.alive),
        ]
        assert row.active_fraction is not None
        assert shown[6] == words.percent(row.active_fraction.median)
        assert shown[10:] == [words.significant(row.worst_drop), words.fixed(row.removal_area)]


def test_stability_is_the_records_and_directions_stay_in_one_network(demo: Written) -> None:
    table = rows(demo.page, "Atoms found again")
    assert ["seed 1", "cosine"] in [row[1:3] for row in table]
    assert ["untrained network", "cosine"] not in [row[1:3] for row in table]
    shown = {(row[0], row[1], row[2]): row[3:] for row in table}
    for title, record in zip(TITLES, demo.records, strict=True):
        for row in record.stability:
            maps = row.summary.maps
            assert shown[title, row.other, "map"][:2] == [str(maps.pairs), words.fixed(maps.pw_mcc, 3)]
            assert shown[title, row.other, "map"][4] == words.percent(maps.collisions_a)
            if row.other != "untrained network":
                assert row.summary.cosine is not None
                cells = shown[title, row.other, "cosine"]
                assert cells[1] == words.fixed(row.summary.cosine.pw_mcc, 3)
                assert cells[5:] == [
                    words.fixed(row.summary.subspace_overlap, 3),
                    words.fixed(row.summary.subspace_chance, 3),
                ]


def test_the_health_of_every_layer_stands_beside_its_dead_atoms(demo: Written) -> None:
    table = rows(demo.page, "Each layer before training, and the dead atoms of its dictionary")
    conditions = sorted(demo.run.record.conditions, key=lambda condition: condition.kind != "cohort")
    layers = [layer for condition in conditions for layer in condition.layers]
    for row, layer in zip(table, layers, strict=True):
        assert layer.health is not None
        assert row[1:4] == [str(layer.layer), words.fixed(layer.health.gamma), words.fixed(layer.health.gamma_median)]
        assert row[4] == words.percent(layer.health.dead_units)
        assert row[6] == words.fixed(layer.health.effective_dimension, 1)
        assert row[-1] == words.percent(layer.quality.dead)


def test_terms_of_the_atlas_are_explained(demo: Written) -> None:
    terms = demo.page.text.split("How to read these numbers")[-1]
    for term in ("locality", "Pieces", "energy", "Removal area", "Excess", "PW-MCC", "Subspace", "Gamma", "Controls"):
        assert term in terms


def looked_at(folder: Path, field: il.Field, signals: list[il.Signal], sae: il.SparseAutoencoder) -> OpenRun:
    """A run as ``inrlens atlas`` sees it: one dictionary, which nobody trained again."""
    run = OpenRun(folder)
    atlas, seconds = timed_effects(field, sae, signals[0])
    record = atlas_record(field, sae, signals, atlas, seconds)
    health = layer_health(field)[sae.layer]
    layer = layer_record(field, sae, signals, "d.safetensors", steps=0, health=health, record=record, atlas=atlas)
    return run.with_dictionary(run.record.conditions[0], layer, sae, atlas)


def test_an_atlas_of_a_sound_has_maps_over_time(tmp_path: Path, unwritten: None) -> None:
    wave = toys.signal(0, (40,), 1)
    fitted = il.fit(wave, replace(toys.recipe(), backbone=Siren(coordinates=1, width=8, depth=2)))
    write_fit_run(tmp_path, fitted, [wave])
    sae = il.train_sae(fitted.field, 0, n_atoms=12, k=2, steps=3, batch=16).sae
    page = Page(render(looked_at(tmp_path, fitted.field, [wave], sae)))
    assert {"every", "worst", "groups", "controls", "stability"} <= {found["id"] for found in page.all("section")}
    assert [(found["width"], found["height"]) for found in page.all("canvas")] == [("40", "32")]
    assert len(page.all("img")) > 20
    assert len(page.all("script")) == 1
    assert "No other seed was tried" in page.text


def test_a_dictionary_whose_atoms_are_all_dead_still_has_a_page(tmp_path: Path, unwritten: None) -> None:
    photo = toys.signal()
    fitted = il.fit(photo, toys.recipe())
    write_fit_run(tmp_path, fitted, [photo])
    sae = toys.sae(fitted.field)
    sae.encoder_bias -= 1e6
    assert not bool((encode(fitted.field, sae).values > 0.0).any())
    page = Page(render(looked_at(tmp_path, fitted.field, [photo], sae)))
    sections = [found["id"] for found in page.all("section")]
    assert "every" not in sections
    assert "worst" not in sections
    assert "controls" in sections
    assert page.all("script") == []


@pytest.mark.parametrize(
    "dots",
    [
        [Dot(0.0, 0.0, math.nan)],
        [Dot(0.5, -1.0, 1.0)],
        [Dot(0.0, 3.0, 0.1), Dot(1.0, -1e-9, 0.99), Dot(0.01, 1e-9, 0.2)],
    ],
)
def test_few_silent_and_odd_atoms_are_drawn(dots: list[Dot]) -> None:
    panel, places = cloud_panel("c", "T", dots, 100)
    assert len(places) == len(dots)
    assert all(0.0 <= x <= 430.0 and 0.0 <= y <= 350.0 for x, y in places)
    assert panel.svg.count("h0") == len(dots)
    assert (">0<" in panel.svg) or dots[0].active_fraction > 0.0


def test_localities_fall_into_equal_steps() -> None:
    assert [step_of(value) for value in (0.0, 0.19, 0.21, 0.5, 0.81, 1.0, 1.0000001)] == [0, 0, 1, 2, 4, 4, 4]
    assert step_of(math.nan) is None


def test_the_same_atlas_gives_the_same_bytes(demo: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    pages.leave_figures_out(monkeypatch, clouds=False)
    assert render(OpenRun(demo.run.folder)) == demo.html
    assert read_record(demo.run.folder) == demo.run.record
