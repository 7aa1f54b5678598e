"""Links of the explorer in a real browser: they restore what is seen, and nothing in them or in names is markup."""

import re

import pytest
from playwright.sync_api import Page

from browser import close, needs_chromium, pixels, shot
from explored import HOSTILE, Explored, picture
from explorer_page import WIDTH, chosen, linked, listed, opened, pick, point, region, tile

pytestmark = [needs_chromium, pytest.mark.slow]


def seen(page: Page) -> dict[str, object]:
    """Everything that a link must restore."""
    transform = tile(page, "Reconstruction").evaluate("canvas => canvas.style.transform")
    canvases = {title: pixels(tile(page, title)).tolist() for title in ("Original", "Reconstruction", "Edited")}
    return {
        **canvases,
        "choices": [chosen(page, label).input_value() for label in ("Network", "Signal", "Layer")],
        "atom": region(page, "The picked atom").get_by_role("heading", level=2).text_content(),
        "gains": [one.input_value() for one in region(page, "Edit").get_by_role("slider").all()],
        "psnr": region(page, "Edit").get_by_text("→").first.text_content(),
        "order": region(page, "Order and filters").get_by_label("Order by").input_value(),
        "total": region(page, "Order and filters").get_by_role("status").first.text_content(),
        "filter": [one.input_value() for one in region(page, "Order and filters").get_by_role("textbox").all()[1:]],
        "axes": [page.get_by_label(label, exact=True).input_value() for label in ("Upward", "Across")],
        "zoom": page.get_by_label("Zoom", exact=True).text_content(),
        # A link has four digits of the place, a part of a pixel.
        "lens": [round(float(part), 1) for part in re.findall(r"[-\d.]+", transform)],
        "pixel": region(page, "Atoms of a pixel").get_by_role("heading").text_content(),
        "listed": listed(page),
        "hash": page.evaluate("location.hash"),
    }


def test_a_link_restores_what_is_seen(page: Page, url: str, toy: Explored) -> None:
    opened(page, url)
    chosen(page, "Network").select_option(label="cohort_ffmlp (FFMLP cohort of 3)")
    chosen(page, "Layer").select_option(label="layer 0")
    chosen(page, "Signal").select_option(label="toy 2")
    atoms = toy.layer("cohort_ffmlp", 0).firing(2)
    for atom, gain in zip(atoms, ("0.5", "-1.25"), strict=True):
        pick(page, atom)
        region(page, "Edit").get_by_role("button", name="add the picked atom").click()
        page.get_by_label(f"Gain of atom {atom}, as a number").fill(gain)
    region(page, "Order and filters").get_by_label("Order by").select_option(label="IPR")
    region(page, "Order and filters").get_by_role("button", name="add a filter").click()
    page.get_by_label("Number to filter by").select_option(label="active fraction")
    page.get_by_label("active fraction, lowest").fill("2")
    page.get_by_label("active fraction, lowest").press("Enter")
    page.get_by_label("Across", exact=True).select_option(label="locality")
    row = 5 * WIDTH + 20
    point(page, row)
    page.mouse.down()
    page.mouse.up()
    region(page, "Atoms of a pixel").get_by_role("button", name="effect", exact=True).click()
    for _ in range(2):
        page.get_by_role("button", name="Zoom in").click()
    for part in (f"atom={atoms[1]}", f"row={row}", "rowby=effect", "by=ipr", "axes=in_radius,psnr_drop"):
        linked(page, part)
    page.wait_for_function("() => location.hash.includes('lens=')")
    assert "-1.25" in page.url
    region(page, "Edit").get_by_text("exact", exact=True).wait_for()
    page.mouse.move(5, 5)
    other = page.context.new_page()
    opened(other, page.url)
    region(other, "Edit").get_by_text("exact", exact=True).wait_for()
    other.get_by_label("Number to filter by").wait_for()
    before, after = seen(page), seen(other)
    for name, value in before.items():
        assert after[name] == value, name
    shot(other, "link")


def test_a_pasted_link_is_followed_without_a_reload(page: Page, url: str, toy: Explored) -> None:
    opened(page, url)
    layer = toy.layer("cohort_siren", 1)
    atom = layer.firing(1)[0]
    page.evaluate("link => { location.hash = link; }", f"net=n1&atom={atom}&gains={atom}:0")
    region(page, "The picked atom").get_by_role("heading", name=f"Atom {atom}", exact=True).wait_for()
    tile(page, "Edited").wait_for()


def test_a_signal_whose_name_is_markup_is_shown_as_text(page: Page, url: str, toy: Explored) -> None:
    opened(page, url)
    layer = toy.layer("cohort_siren", 1)
    chosen(page, "Signal").select_option(label=HOSTILE)
    linked(page, "head=1")
    close(pixels(tile(page, "Reconstruction")), picture(layer.field.render(1)))
    for view in ("Compare", "Freeze", "Atoms"):
        page.get_by_role("button", name=view, exact=True).click()
        if view == "Freeze":
            page.get_by_role("img", name=HOSTILE).wait_for()
        assert page.locator("img").count() == 0
        assert page.title() == "toy run · InrLens"
