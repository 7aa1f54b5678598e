"""The explorer's other views in a real browser: compare, freeze, keyboard, widths, and what axe-core finds in them."""

import re
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

import inrlens as il
from browser import NARROW, WIDE, close, needs_chromium, pixels, shot
from explored import HOSTILE, Explored, picture
from explorer_page import linked, opened, region, tile
from inrlens.reports.sweep import sweeps

pytestmark = [needs_chromium, pytest.mark.slow]
VIEWS = ("atoms", "compare", "freeze")


def shown(pane: Locator) -> int:
    """The atom that a pane of the comparison shows."""
    label = pane.get_by_role("img", name=re.compile("^Map of atom")).get_attribute("aria-label") or ""
    return int(label.removeprefix("Map of atom "))


def test_two_dictionaries_side_by_side(page: Page, url: str, toy: Explored) -> None:
    opened(page, url, view="compare")
    layers = [toy.layer("cohort_siren", 1), toy.layer("cohort_ffmlp", 1)]
    orders = []
    for layer in layers:
        drops = layer.effects().measure("psnr_drop").float()
        order = drops.argsort(descending=True, stable=True).tolist()
        orders.append([atom for atom in order if not il.atom_statistics(layer.codes).dead[atom]])
    panes = [region(page, f"The {place} pane") for place in ("first", "second")]
    for rank in (0, 1, 2):
        for pane, layer, order in zip(panes, layers, orders, strict=True):
            pane.get_by_role("img", name=f"Map of atom {order[rank]}", exact=True).wait_for()
            found = il.ablate(layer.field, layer.sae, order[rank], signal=layer.signals[0])
            without = pane.get_by_role("img", name=f"The picture without atom {order[rank]}", exact=True)
            close(pixels(without), picture(found.after))
            told = re.search(r"PSNR (\S+) → (\S+)\s*dB", pane.get_by_text("→").text_content() or "")
            assert told
            assert float(told[1]) == pytest.approx(found.psnr_before, abs=0.01)
            assert float(told[2]) == pytest.approx(found.psnr_after, abs=0.01)
            pressed = pane.get_by_role("button", pressed=True)
            assert pressed.get_attribute("aria-label") == f"Rank {rank + 1}, atom {order[rank]}"
        page.get_by_role("button", name="Next rank").click()
    linked(page, "rank=3")
    shot(page, "compare")
    page.get_by_role("spinbutton", name="Rank").fill("1")
    page.get_by_role("spinbutton", name="Rank").press("Enter")
    panes[0].get_by_role("img", name=f"Map of atom {orders[0][0]}", exact=True).wait_for()
    page.get_by_role("button", name="Previous rank").wait_for()
    assert page.get_by_role("button", name="Previous rank").is_disabled()
    panes[1].get_by_role("button", name=re.compile("^Rank 5,")).click()
    panes[0].get_by_role("img", name=f"Map of atom {orders[0][4]}", exact=True).wait_for()
    panes[1].get_by_role("button", name="Open in Atoms").click()
    region(page, "The picked atom").get_by_role("heading", name=f"Atom {orders[1][4]}", exact=True).wait_for()


def test_a_pair_that_is_worth_a_look(page: Page, url: str, toy: Explored) -> None:
    opened(page, url, view="compare")
    page.get_by_role("button", name="cohort beside single").click()
    linked(page, "net2=n0")
    second = region(page, "The second pane")
    assert second.get_by_label("Network").locator("option:checked").text_content() == "single_siren"
    second.get_by_label("Dictionary").select_option(label="layer 2")
    linked(page, "sae2=n0d2")
    atom = shown(second)
    layer = toy.layer("single_siren", 2)
    after = il.ablate(layer.field, layer.sae, atom).after
    close(pixels(second.get_by_role("img", name=f"The picture without atom {atom}", exact=True)), picture(after))


@pytest.mark.parametrize("place", [0, 1])
def test_the_freeze_sweep(page: Page, url: str, toy: Explored, place: int) -> None:
    opened(page, url, view="freeze")
    page.get_by_label("Sweep").select_option(index=place)
    sweep = sweeps(toy.opened.record)[place]
    name = sweep.backbone
    labels = list(sweep.cells)
    points = page.get_by_role("group", name="PSNR of held-out signals by freeze depth").get_by_role("button")
    assert points.count() == len(labels)
    tiles = page.get_by_role("group", name="Reconstructions").get_by_role("button")
    assert tiles.count() == len(labels)
    page.get_by_text("The numbers", exact=True).click()
    table = page.get_by_role("table", name="PSNR in dB")
    for label in labels:
        cells = (
            table.get_by_role("row", name=re.compile(f"^{re.escape(label)} ")).get_by_role("cell").all_text_contents()
        )
        fits = [sweep.cells[label][cell] for cell in sorted(sweep.cells[label])]
        assert [float(cell.replace("\u2212", "-")) for cell in cells] == pytest.approx(
            [sum(fits) / len(fits), *fits], abs=0.0051
        )
    for label in ("reinit 1", "warm 1", "scratch"):
        tiles.and_(page.locator(f"[data-label='{label}']")).click()
        linked(page, f"setting={label.replace(' ', '+')}")
        page.get_by_role("heading", name=label, exact=True).wait_for()
        file = next(
            one.picture
            for one in toy.opened.record.transfers
            if one.picture and one.backbone == name and one.picture.endswith(f"{name}_{label.replace(' ', '_')}.png")
        )
        with Image.open(toy.run / file) as kept:
            wanted = np.asarray(kept.convert("RGB"))
        assert (pixels(page.get_by_role("img", name=HOSTILE)) == wanted).all()
        assert points.and_(page.locator(f"[data-label='{label}']")).get_attribute("aria-pressed") == "true"
    shot(page, f"freeze_{name}")


def test_points_of_the_sweep_go_by_keyboard(page: Page, url: str, toy: Explored) -> None:
    opened(page, url, view="freeze")
    labels = [one["label"] for one in toy.manifest["freeze"][0]["settings"]]
    points = page.get_by_role("group", name="PSNR of held-out signals by freeze depth")
    points.locator("[tabindex='0']").focus()
    chosen = labels.index(points.locator("[tabindex='0']").get_attribute("data-label") or "")
    page.keyboard.press("ArrowRight")
    linked(page, f"setting={labels[chosen + 1].replace(' ', '+')}")
    assert page.evaluate("() => document.activeElement.dataset.label") == labels[chosen + 1]


def test_keys_and_the_dialog_that_lists_them(page: Page, url: str, toy: Explored) -> None:
    opened(page, url)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    shot(page, "keys")
    assert axe(page) == []
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    heading = region(page, "The picked atom").get_by_role("heading", level=2)
    expect(heading).to_have_text("Atom")
    layer = toy.layer("cohort_siren", 1)
    order = layer.effects().measure("psnr_drop").float().argsort(descending=True, stable=True).tolist()
    for key, atom in (("j", order[0]), ("j", order[1]), ("k", order[0])):
        page.keyboard.press(key)
        expect(heading).to_have_text(f"Atom {atom}")
    page.keyboard.press("x")
    expect(tile(page, "Edited")).to_be_visible()
    page.keyboard.press("c")
    expect(tile(page, "Edited")).to_be_hidden()
    page.keyboard.press("]")
    linked(page, "sae=n1d2")
    page.keyboard.press("n")
    linked(page, "head=1")
    for key, view in (("2", "compare"), ("3", "freeze"), ("1", "atoms")):
        page.keyboard.press(key)
        linked(page, f"view={view}")
    frame = page.get_by_role("application", name=re.compile("^Original, "))
    frame.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.hash.includes('row=')")
    page.keyboard.press("+")
    expect(page.get_by_label("Zoom", exact=True)).to_contain_text("1.5")
    page.keyboard.press("0")
    page.wait_for_function("() => !location.hash.includes('lens=')")


def axe(page: Page) -> list[Any]:
    """What axe-core finds serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    results = Axe().run(page, options={"resultTypes": ["violations"]})
    grave = [one for one in results.response["violations"] if one["impact"] in ("serious", "critical")]
    return [
        f"{one['id']} ({one['impact']}), {one['help']}: {' | '.join(' '.join(node['target']) for node in one['nodes'])}"
        for one in grave
    ]


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_accessible_and_as_wide_as_the_window(
    page: Page, url: str, toy: Explored, view: str, size: Any
) -> None:
    page.set_viewport_size(size)
    a, b = toy.layer("cohort_siren", 1).firing(2)
    opened(page, url, view=view, atom=a, gains=f"{a}:2,{b}:0.5", row=100, **{"if": "psnr_drop:0:9"})
    if view == "atoms":
        region(page, "Edit").get_by_text("exact", exact=True).wait_for()
        page.get_by_role("listbox").get_by_role("option").first.wait_for()
    if view == "compare":
        region(page, "The second pane").get_by_role("img", name=re.compile("^Map of atom")).wait_for()
    if view == "freeze":
        page.get_by_role("group", name="Reconstructions").get_by_role("button").first.wait_for()
    wide = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1]
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        shot(page, f"{view}_{size['width']}_{scheme}")
        assert axe(page) == [], scheme
