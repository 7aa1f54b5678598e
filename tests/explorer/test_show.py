"""Pictures and explorers in a notebook's cell."""

import html
import io
import re
import shutil
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

import inrlens as il
import inrlens.explorer.export as export
import inrlens.explorer.notebook_iframe as frames
import toys
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.explorer.notebook_iframe import Frame
from inrlens.explorer.pages import single_page
from inrlens.reports.pictures import heat_map, picture
from inrlens.reports.words import db


@pytest.fixture(scope="module")
def field() -> il.Field:
    """An untrained field with two heads."""
    return toys.field()


@pytest.fixture(scope="module")
def sae(field: il.Field) -> SparseAutoencoder:
    """A dictionary of its layer 1."""
    return toys.sae(field)


def figures(cell: object) -> list[tuple[str, str, str]]:
    """Source, name and numbers of every picture of a cell."""
    found = re.findall(r'<img src="([^"]+)".*?<figcaption[^>]*>(.*?)<br><small>(.*?)</small>', text_of(cell))
    return [(source, html.unescape(name), html.unescape(numbers)) for source, name, numbers in found]


def text_of(cell: object) -> str:
    return str(cell._repr_html_())  # type: ignore[attr-defined]


def size(cell: object) -> tuple[int, int]:
    """Of a cell's PNG."""
    with Image.open(io.BytesIO(cell._repr_png_())) as image:  # type: ignore[attr-defined]
        return image.size


def test_codes_show_the_maps_of_the_strongest_atoms(field: il.Field, sae: SparseAutoencoder) -> None:
    codes = il.encode(field, sae)
    cell = il.show(codes, atoms=5)
    first = il.atom_statistics(codes).top(5)
    assert [name for _, name, _ in figures(cell)] == [f"atom {atom}" for atom in first]
    assert [source for source, *_ in figures(cell)] == [heat_map(codes.map(atom), "").uri for atom in first]
    alive = int((~il.atom_statistics(codes).dead).sum())
    assert f"5 of {alive} living atoms" in text_of(cell)
    assert size(cell)[0] > size(il.show(codes, atoms=1))[0]
    assert len(figures(il.show(codes, atoms=1000))) == alive


def test_an_ablation_shows_map_before_after_and_effect(field: il.Field, sae: SparseAutoencoder) -> None:
    one = il.ablate(field, sae, 3, signal=toys.signal())
    sources, names, numbers = zip(*figures(il.show(one)), strict=True)
    assert names == ("map of atom 3", "before", "without atom 3", "effect of atom 3")
    effect = heat_map(one.delta.abs().mean(-1), "")
    pictures = (heat_map(one.map, ""), picture(one.before, ""), picture(one.after, ""), effect)
    assert sources == tuple(made.uri for made in pictures)
    assert numbers[1:3] == (db(one.psnr_before, 2), db(one.psnr_after, 2))
    assert numbers[3].endswith(f"; {db(one.psnr_before, 2)} \N{RIGHTWARDS ARROW} {db(one.psnr_after, 2)}")
    assert size(il.show(one))


def test_an_ablation_without_a_signal_has_no_decibels(field: il.Field, sae: SparseAutoencoder) -> None:
    assert "dB" not in "".join(numbers for *_, numbers in figures(il.show(il.ablate(field, sae, 3))))


@pytest.mark.parametrize("known", [True, False])
def test_effects_show_the_atoms_that_cost_most(field: il.Field, sae: SparseAutoencoder, known: bool) -> None:
    signal = toys.signal(1) if known else None
    found = il.effects(field, sae, il.encode(field, sae), head=1, signal=signal)
    cell = il.show(found, atoms=3)
    first = found.rank("psnr_drop" if known else "energy")[:3]
    assert [name for _, name, _ in figures(cell)][::4] == [f"map of atom {atom}" for atom in first]
    for place, atom in enumerate(first):
        one = il.ablate(field, sae, atom, head=1, signal=signal)
        shown, same = figures(cell)[4 * place : 4 * place + 4], figures(il.show(one))
        assert [entry[1:] for entry in shown] == [entry[1:] for entry in same]
        assert [entry[0] for entry in shown[:3]] == [entry[0] for entry in same[:3]]


def test_grey_pictures_and_dead_dictionaries(field: il.Field, sae: SparseAutoencoder) -> None:
    grey = toys.field(channels=1)
    assert len(figures(il.show(il.ablate(grey, toys.sae(grey), 0)))) == 4
    codes = il.encode(field, sae)
    empty = il.show(replace(codes, values=torch.zeros_like(codes.values)))
    assert "0 of 0 living atoms" in text_of(empty)
    assert empty._repr_png_() is None  # type: ignore[union-attr]


def test_what_cannot_be_shown(field: il.Field, sae: SparseAutoencoder, tmp_path: Path) -> None:
    show = toys.unchecked(il.show)
    for thing in (3, None, [], [3], sae, b"runs/demo"):
        with pytest.raises(
            il.InputError, match="cannot be shown; allowed are Codes, Ablation, Effects, a network, and the path"
        ):
            show(thing)
    codes = il.encode(field, sae)
    with pytest.raises(il.InputError, match="atoms must be at least 1, not 0"):
        il.show(codes, atoms=0)
    with pytest.raises(il.InputError, match="height must be at least 1 pixel, not 0"):
        il.show(tmp_path, height=0)


@pytest.mark.parametrize(("grid", "thing"), [((63,), "sound"), ((7, 9), "picture"), ((3, 3, 7), "volume")])
def test_maps_of_any_grid_are_shown(field: il.Field, sae: SparseAutoencoder, grid: tuple[int, ...], thing: str) -> None:
    codes = il.encode(field, sae)
    html = il.show(il.Codes(codes.indices, codes.values, codes.n_atoms, grid))._repr_html_()
    assert html.count("<img") == 12
    assert f"of the {thing}" in html


def test_ablations_of_any_grid_and_channels_are_shown() -> None:
    for coordinates, grid in ((1, (40,)), (2, (5, 6)), (3, (3, 4, 5))):
        field = il.Field.new(
            "siren", heads=1, channels=2, width=8, depth=2, coordinates=coordinates, omega_0=5.0, seed=0, grid=grid
        )
        sae = il.train_sae(field, layer=0, n_atoms=4, k=2, steps=1, batch=8).sae
        assert il.show(il.ablate(field, sae, 0))._repr_html_().count("<img") == 4


@pytest.fixture
def run_folder(bench: Path, tmp_path: Path) -> Path:
    """A copy of the cohort's run that may be written into."""
    return Path(shutil.copytree(bench / "cohort", tmp_path / 'a "run" & <b>'))


def shown(*paths: Path | str) -> Frame:
    found = il.show(paths)
    assert isinstance(found, Frame)
    return found


def test_a_small_explorer_goes_into_the_notebook(bench: Path, run_folder: Path) -> None:
    cell = shown(run_folder, str(bench / "sae.safetensors"))
    text = cell._repr_html_()
    source = re.findall(r'srcdoc="([^"]*)"', text)
    assert [html.unescape(one) for one in source] == [single_page(run_folder / "explorer")]
    assert re.findall(r'title="([^"]*)"', text) == [
        f"InrLens explorer: {html.escape(run_folder.name, quote=False)}".replace('"', "&#34;")
    ]
    assert 'sandbox="allow-scripts allow-downloads"' in text
    assert (cell.url, text.count("<iframe")) == (None, 1)
    assert "srcdoc" not in repr(cell)
    before = (run_folder / "explorer" / "manifest.json").stat().st_mtime_ns
    shown(run_folder, bench / "sae.safetensors")
    assert (run_folder / "explorer" / "manifest.json").stat().st_mtime_ns == before
    assert isinstance(il.show(str(run_folder), height=500), Frame)
    assert "height:500px" in text_of(il.show(run_folder, height=500))


def test_a_large_one_is_served_once(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "LARGEST_INSIDE", 10)
    cell, again = shown(run_folder), shown(run_folder)
    assert cell.url is not None
    assert cell.url == again.url
    assert f'src="{cell.url}"' in cell._repr_html_()
    assert "srcdoc" not in cell._repr_html_()
    with urllib.request.urlopen(cell.url, timeout=10) as answer:
        assert b'<main id="explorer">' in answer.read()
    other = il.show(run_folder, signals=1)
    assert isinstance(other, Frame)
    assert other.url != cell.url


def test_a_run_that_takes_no_files_is_shown_from_elsewhere(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "takes_files", lambda folder: False)
    assert "srcdoc" in shown(run_folder)._repr_html_()
    assert not (run_folder / export.OWN_FOLDER).exists()
