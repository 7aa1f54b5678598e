"""What the explorer's page says where its bundle is incomplete, newer or damaged, and how it works from disk."""

import json
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, TimeoutError as Late, expect

import inrlens as il
from browser import Watch, close, needs_chromium, pixels, serving, shot
from explored import Explored, bare, picture
from explorer_page import linked, opened, region, tile
from inrlens.explorer.manifest import VERSION
from inrlens.explorer.pages import write_single

pytestmark = [needs_chromium, pytest.mark.slow]
_BUSY = """() => [...document.querySelectorAll("[aria-busy=true], progress, *")]
  .filter(one => one.checkVisibility({visibilityProperty: true}))
  .filter(one => one.matches("[aria-busy=true], progress:not([value])")
    || (!one.children.length && /^(loading|computing)/.test(one.textContent.trim())))
  .map(one => one.outerHTML.slice(0, 120))"""


@pytest.fixture
def folder(toy: Explored, tmp_path: Path) -> Path:
    """A copy of the small run's explorer that a test may break."""
    return Path(shutil.copytree(toy.folder, tmp_path / "explorer"))


def said(page: Page) -> str:
    """The sentence of the one alert that is shown."""
    alert = page.get_by_role("alert").and_(page.locator(":visible"))
    expect(alert).to_have_count(1)
    paragraph = alert.locator("p")
    return ((paragraph if paragraph.count() else alert).text_content() or "").strip()


def still(page: Page) -> None:
    """Whether nothing on the page pretends to be on its way."""
    try:
        page.wait_for_function(f"() => !({_BUSY})().length", timeout=3000)
    except Late:
        assert page.evaluate(_BUSY) == []


def test_a_run_without_a_dictionary(page: Page, watch: Watch, tmp_path: Path) -> None:
    made = bare(tmp_path)
    with serving(made.folder, watch) as url:
        page.goto(url)
        tile(page, "Reconstruction").wait_for()
        missing = region(page, "What is missing")
        text = missing.text_content() or ""
        assert "has no dictionary yet: train one with `inrlens sae " in text
        assert "then open `inrlens explore " in text
        close(pixels(tile(page, "Reconstruction")), picture(made.opened.field(made.opened.condition(None)).render(0)))
        still(page)
        shot(page, "bare")
        for view in ("Compare", "Freeze"):
            page.get_by_role("button", name=view, exact=True).click()
            still(page)
        page.get_by_text("This bundle holds no freeze sweep.").wait_for()


def test_a_bundle_of_a_newer_version(page: Page, watch: Watch, folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": VERSION + 1}))
    with serving(folder, watch) as url:
        page.goto(url)
        assert said(page) == (
            f"This bundle has format version {VERSION + 1}, this page reads up to {VERSION}: "
            "open it with the inrlens that wrote it, or install a newer one."
        )
        still(page)
        shot(page, "newer")


@pytest.mark.parametrize(
    "text", ["", '{"format": "inrlens-explorer", "ver', "[1, 2]", '{"format": "inrlens-explorer"}']
)
def test_a_damaged_manifest(page: Page, watch: Watch, folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with serving(folder, watch) as url:
        page.goto(url)
        sentence = said(page)
        assert "manifest.json" in sentence or "format version" in sentence
        assert "inrlens" in sentence
        assert sentence.endswith(".")
        still(page)


def test_a_missing_manifest(page: Page, watch: Watch, folder: Path) -> None:
    watch.expected.append(r"Failed to load resource.*404.*manifest\.json")
    (folder / "manifest.json").unlink()
    with serving(folder, watch) as url:
        page.goto(url)
        assert said(page) == (
            "manifest.json is missing from the bundle (status 404): write it again with: inrlens explore RUN."
        )


@pytest.mark.parametrize("name", ["n1.bin", "n1d1.codes.bin", "n1d1.head0.bin"])
def test_a_missing_data_file(page: Page, watch: Watch, folder: Path, name: str) -> None:
    watch.expected.append(rf"Failed to load resource.*404.*{name}")
    (folder / "data" / name).unlink()
    with serving(folder, watch) as url:
        page.goto(url)
        assert said(page) == (
            f"data/{name} is missing from the bundle (status 404): write it again with: inrlens explore RUN."
        )
        still(page)
        shot(page, f"missing_{name}")


@pytest.mark.parametrize("name", ["n1.bin", "n1d1.codes.bin", "n1d1.head0.bin"])
def test_a_data_file_that_is_cut_short(page: Page, watch: Watch, folder: Path, name: str) -> None:
    path = folder / "data" / name
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with serving(folder, watch) as url:
        page.goto(url)
        assert said(page) == (
            f"data/{name} is cut short ({len(whole) // 2} of {len(whole)} bytes came): "
            "write it again with: inrlens explore RUN."
        )
        still(page)


def test_a_decoder_that_is_missing_ends_an_edit_with_a_sentence(
    page: Page, watch: Watch, toy: Explored, folder: Path
) -> None:
    watch.expected.append(r"Failed to load resource.*404.*n1d1\.decoder\.bin")
    (folder / "data" / "n1d1.decoder.bin").unlink()
    atom = toy.layer("cohort_siren", 1).firing(1)[0]
    with serving(folder, watch) as url:
        opened(page, url, net="n1", sae="n1d1", gains=f"{atom}:2")
        assert said(page).startswith("data/n1d1.decoder.bin is missing from the bundle")
        region(page, "Edit").get_by_text("could not be computed").wait_for()
        still(page)


def test_one_file_works_from_disk(page: Page, watch: Watch, toy: Explored, tmp_path: Path) -> None:
    watch.origins.add("file://")
    path = write_single(toy.folder, tmp_path / "explorer.html")
    layer = toy.layer("cohort_siren", 1)
    opened(page, path.as_uri())
    close(pixels(tile(page, "Reconstruction")), picture(layer.field.render(0)))
    a, b = sorted(layer.firing(2))
    page.evaluate("link => { location.hash = link; }", f"net=n1&sae=n1d1&atom={a}&gains={a}:0,{b}:2")
    page.get_by_label(f"Gain of atom {b}, as a number").fill("2.5")
    linked(page, f"gains={a}:0,{b}:2.5")
    region(page, "Edit").get_by_text("exact", exact=True).wait_for()
    close(pixels(tile(page, "Edited")), picture(il.edit(layer.field, layer.sae, {a: 0.0, b: 2.5})))
    assert [asked for asked in watch.asked if not asked.startswith(("data:", "blob:"))] == [path.as_uri()]


def test_a_folder_opened_from_disk_says_what_to_do(page: Page, watch: Watch, folder: Path) -> None:
    watch.origins.add("file://")
    watch.expected.append(r"blocked by CORS policy|Failed to load resource|not allowed to load|origin 'null'")
    page.goto((folder / "index.html").as_uri())
    page.get_by_text("inrlens explore").first.wait_for()
    shot(page, "from_disk")
