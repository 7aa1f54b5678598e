"""What the explorer saves, from a real browser: pictures to the pixel, plots that parse, numbers that are Python's."""

import base64
import csv
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

import inrlens as il
from browser import needs_chromium, pixels
from explored import GRID, HOSTILE, Explored
from explorer_page import opened, region, tile

pytestmark = [needs_chromium, pytest.mark.slow]
SVG = "{http://www.w3.org/2000/svg}"
MARGIN, GAP = 24, 16
"""Pixels around a saved figure, and between its tiles."""
SCALE = -(-400 // max(GRID))
"""Pixels of a saved tile for one of the picture: 400 on its longer side at least."""


def saved(page: Page, what: str, folder: Path) -> Path:
    """Saves something by the menu and gives its file."""
    page.get_by_role("button", name="Save", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=what, exact=True).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    page.get_by_role("status").get_by_text(f"Saved {path.name}").wait_for()
    return path


def decoded(path: Path | io.BytesIO) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def table(text: str) -> list[dict[str, str]]:
    """The rows of a CSV file by column; lines end as RFC 4180 has them."""
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def numbers(toy: Explored, network: str, layer: int, head: int = 0) -> dict[str, list[float]]:
    """The numbers of atoms in single precision, under the names of a CSV's columns."""
    found = toy.layer(network, layer)
    statistics, effects = il.atom_statistics(found.codes), found.effects(head)
    columns = {
        "psnr_drop_dB": effects.measure("psnr_drop"),
        "energy": effects.measure("energy"),
        "largest": effects.measure("largest"),
        "support_share": effects.measure("support"),
        "in_radius_share": effects.measure("in_radius"),
        "pieces": effects.measure("pieces"),
        "mean_magnitude": statistics.mean_magnitude,
        "active_fraction_share": statistics.active_fraction,
        "firing_rate_share": statistics.firing_rate,
        "ipr": statistics.ipr,
    }
    return {name: values.float().tolist() for name, values in columns.items()}


def check(row: dict[str, str], atoms: dict[str, list[float]]) -> None:
    """Whether a row's numbers are an atom's to the bit, in single precision."""
    atom = int(row["atom"])
    for name, values in atoms.items():
        text = row[name]
        assert np.float32(text or "nan") == np.float32(values[atom]) or (not text and np.isnan(values[atom])), name


def test_pictures_as_png(page: Page, url: str, toy: Explored, tmp_path: Path) -> None:
    atom = toy.layer("cohort_siren", 1).firing(1)[0]
    opened(page, url, atom=atom)
    tile(page, f"Effect of atom {atom}").wait_for()
    found = decoded(saved(page, "Pictures as PNG", tmp_path))
    height, width = GRID[0] * SCALE, GRID[1] * SCALE
    assert found.shape[1] == 2 * MARGIN + 4 * width + 3 * GAP
    assert found.shape[0] > 2 * MARGIN + 2 * height
    # Six tiles in two lines of at most four, every pixel a square.
    tops = []
    for place, title in enumerate(["Original", "Reconstruction", "Difference", f"Atom {atom}", f"Without atom {atom}"]):
        wanted = np.repeat(np.repeat(pixels(tile(page, title)), SCALE, 0), SCALE, 1)
        left = MARGIN + place % 4 * (width + GAP)
        column = found[:, left : left + width]
        lines = range(found.shape[0] - height + 1)
        tops.append([top for top in lines if (column[top : top + height] == wanted).all()])
        assert len(tops[-1]) == 1, title
    assert tops[0] == tops[3]
    assert tops[4][0] > tops[0][0] + height


def test_pictures_as_svg_hold_the_pictures_and_the_words(page: Page, url: str, tmp_path: Path) -> None:
    opened(page, url, head=1, net="n1")
    path = saved(page, "Pictures as SVG", tmp_path)
    assert re.fullmatch(r"[\w.-]+\.svg", path.name)
    root = ElementTree.parse(path).getroot()
    assert root.tag == f"{SVG}svg"
    images = [one.get("href") or "" for one in root.iter(f"{SVG}image")]
    for href, title in zip(images, ("Original", "Reconstruction", "Difference"), strict=True):
        content = base64.b64decode(href.removeprefix("data:image/png;base64,"))
        assert (decoded(io.BytesIO(content)) == pixels(tile(page, title))).all()
    words = " ".join(one.text or "" for one in root.iter(f"{SVG}text"))
    assert HOSTILE in words
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= {"svg", "title", "rect", "image", "text"}


def test_numbers_as_csv(page: Page, url: str, toy: Explored, tmp_path: Path) -> None:
    opened(page, url, **{"if": "psnr_drop:0.01:9", "by": "-ipr"})
    rows = table(saved(page, "Numbers as CSV", tmp_path).read_bytes().decode("utf-8"))
    atoms = numbers(toy, "cohort_siren", 1)
    low = np.float32(0.01)
    assert {int(row["atom"]) for row in rows} == {
        atom for atom, drop in enumerate(atoms["psnr_drop_dB"]) if low <= np.float32(drop) <= 9
    }
    assert [float(row["ipr"]) for row in rows] == sorted(float(row["ipr"]) for row in rows)
    for row in rows:
        check(row, atoms)


def test_the_scatter_as_svg(page: Page, url: str, toy: Explored, tmp_path: Path) -> None:
    opened(page, url, axes="active_fraction,mean_magnitude")
    root = ElementTree.parse(saved(page, "Scatter as SVG", tmp_path)).getroot()
    alive = int((~il.atom_statistics(toy.layer("cohort_siren", 1).codes).dead).sum())
    placed = sum(share > 0 for share in numbers(toy, "cohort_siren", 1)["active_fraction_share"])
    assert placed <= alive
    assert len(list(root.iter(f"{SVG}circle"))) == placed


def test_the_comparison_is_saved_with_both_panes(page: Page, url: str, toy: Explored, tmp_path: Path) -> None:
    opened(page, url, view="compare", rank=1)
    for place in ("first", "second"):
        region(page, f"The {place} pane").get_by_role("img", name=re.compile("^Map of atom")).wait_for()
    rows = table(saved(page, "Numbers as CSV", tmp_path).read_bytes().decode("utf-8"))
    for pane, network in (("1", "cohort_siren"), ("2", "cohort_ffmlp")):
        own = [row for row in rows if row["pane"] == pane]
        assert {row["network"] for row in own} == {network}
        assert [int(row["rank"]) for row in own] == list(range(1, len(own) + 1))
        for row in own:
            check(row, numbers(toy, network, 1))
    found = decoded(saved(page, "Pictures as PNG", tmp_path))
    assert found.shape[1] == 2 * MARGIN + 4 * GRID[1] * SCALE + 3 * GAP
    assert found.shape[0] > 2 * GRID[0] * SCALE


def test_the_freeze_sweep_is_saved(page: Page, url: str, toy: Explored, tmp_path: Path) -> None:
    opened(page, url, view="freeze")
    settings = toy.manifest["freeze"][0]["settings"]
    rows = table(saved(page, "Numbers as CSV", tmp_path).read_bytes().decode("utf-8"))
    assert [row["setting"] for row in rows] == [one["label"] for one in settings]
    assert [float(row["psnr_dB"]) for row in rows] == [one["psnr"] for one in settings]
    fits = [[float(text) for name, text in row.items() if name.startswith("psnr_dB ")] for row in rows]
    assert fits == [one["psnrs"] for one in settings]
    ElementTree.parse(saved(page, "Plots as SVG", tmp_path))
    assert decoded(saved(page, "Pictures as PNG", tmp_path)).shape[1] == 2 * MARGIN + 4 * GRID[1] * SCALE + 3 * GAP


def test_the_menu_goes_by_keyboard_and_copies(page: Page, url: str, toy: Explored) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, url)
    page.keyboard.press("j")
    page.wait_for_function("() => location.hash.includes('&atom=')")
    button = page.get_by_role("button", name="Save", exact=True)
    button.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(button).to_be_focused()
    button.press("Enter")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("button", name="Copy link", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("Link copied").wait_for()
    assert page.evaluate("() => navigator.clipboard.readText()") == page.url
    button.click()
    page.get_by_role("button", name="Copy numbers as CSV").click()
    page.get_by_role("status").get_by_text("Numbers copied").wait_for()
    rows = table(page.evaluate("() => navigator.clipboard.readText()"))
    for row in rows:
        check(row, numbers(toy, "cohort_siren", 1))


def test_without_a_clipboard_the_text_can_be_copied_by_hand(page: Page, url: str) -> None:
    opened(page, url)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('denied')); }")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Copy link", exact=True).click()
    field = page.get_by_role("dialog", name="Link").get_by_role("textbox")
    assert field.input_value().startswith(url)
    page.get_by_role("dialog", name="Link").get_by_role("button", name="Close").click()
    expect(field).to_be_hidden()
