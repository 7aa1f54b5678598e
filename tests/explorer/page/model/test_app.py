"""Going from one thing to the next in the explorer: nothing of the last one stays, nothing chosen gets lost."""

import re

import pytest
from playwright.sync_api import Page, expect

from browser import Watch, needs_chromium
from explorer_page import chosen, linked, opened, region, tile

pytestmark = [needs_chromium, pytest.mark.slow]


def test_back_shows_what_the_address_says(page: Page, url: str) -> None:
    opened(page, url, net="n1", sae="n1d1")
    page.keyboard.press("j")
    page.wait_for_function("() => location.hash.includes('&atom=')")
    first = page.url
    page.evaluate("() => { location.hash = 'net=n3&sae=n3d0&atom=2'; }")
    expect(region(page, "The picked atom").get_by_role("heading", name="Atom 2", exact=True)).to_be_visible()
    page.go_back()
    expect(page).to_have_url(first)
    expect(chosen(page, "Network")).to_have_value("n1")


def test_back_undoes_another_layer_and_its_edit_is_there_again(page: Page, url: str) -> None:
    opened(page, url, net="n1", sae="n1d1", atom=3, gains="3:2")
    page.keyboard.press("]")
    linked(page, "sae=n1d2")
    page.go_back()
    linked(page, "gains=3:2")
    expect(page.get_by_label("Gain of atom 3, as a number")).to_have_value("2")


def test_a_pair_that_is_shown_already_keeps_atom_and_edit(page: Page, url: str) -> None:
    opened(page, url, view="compare", net="n1", sae="n1d1", atom=3, gains="3:2", net2="n3", sae2="n3d1")
    page.get_by_role("button", name="SIREN beside FFMLP").click()
    page.get_by_role("button", name="Atoms", exact=True).click()
    linked(page, "view=atoms")
    assert "atom=3&gains=3:2" in page.url


def test_another_network_keeps_signal_and_layer(page: Page, url: str) -> None:
    opened(page, url, net="n1", sae="n1d2", head=1)
    chosen(page, "Network").select_option("n3")
    linked(page, "net=n3")
    assert {"head=1", "sae=n3d2"} <= set(page.url.split("#")[1].split("&"))


def test_an_edit_that_cannot_be_computed_shows_no_other_picture(page: Page, url: str, watch: Watch) -> None:
    watch.expected.append(r"Failed to load resource|net::ERR")
    opened(page, url, net="n1", sae="n1d1", gains="3:2")
    region(page, "Edit").get_by_text("exact", exact=True).wait_for()
    page.route(re.compile("decoder"), lambda route: route.abort())
    page.evaluate("() => { location.hash = 'net=n1&sae=n1d0&head=1&gains=3:2'; }")
    region(page, "Edit").get_by_text("could not be computed").wait_for()
    expect(tile(page, "Edited")).to_be_hidden()
    expect(tile(page, "Original")).to_be_visible()
