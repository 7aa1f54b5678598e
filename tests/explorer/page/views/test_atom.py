"""The explorer's first view in a real browser: pixels, atoms, orders and filters."""

import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

import inrlens as il
from browser import close, needs_chromium, pixels, shot
from explored import Explored, Layer, picture
from explorer_page import (
    HEIGHT,
    WIDTH,
    chosen,
    first_maps,
    linked,
    listed,
    maps,
    number,
    opened,
    pick,
    point,
    region,
    tile,
)

pytestmark = [needs_chromium, pytest.mark.slow]
NETWORK, LAYER = "cohort_siren", 1
"""What the page opens with: the first cohort's middle dictionary."""


@pytest.fixture(scope="module")
def layer(toy: Explored) -> Layer:
    return toy.layer(NETWORK, LAYER)


def ranked(values: torch.Tensor, alive: Callable[[int], bool], descending: bool = True) -> list[int]:
    """Living atoms by a number as the page has it, in single precision; ties by number."""
    single = values.float().tolist()
    kept = [atom for atom in range(len(single)) if alive(atom)]
    return sorted(kept, key=lambda atom: (-single[atom] if descending else single[atom], atom))


def test_it_opens_on_the_cohort_with_its_pictures(page: Page, url: str, toy: Explored, layer: Layer) -> None:
    opened(page, url)
    assert page.title() == "toy run · InrLens"
    assert chosen(page, "Network").locator("option:checked").text_content() == "cohort_siren (SIREN cohort of 3)"
    close(pixels(tile(page, "Original")), picture(layer.signals[0].image()))
    close(pixels(tile(page, "Reconstruction")), picture(layer.field.render(0)))
    apart = (layer.field.render(0).clamp(0, 1) - layer.signals[0].image()).abs().mean(-1)
    shown = pixels(tile(page, "Difference")).sum(-1)
    assert shown.argmax() == apart.argmax()
    shot(page, "atoms")


def test_a_pixel_lists_its_atoms_with_their_codes(page: Page, url: str, layer: Layer) -> None:
    opened(page, url)
    effects = layer.effects()
    drops = effects.measure("psnr_drop")
    for row in (0, WIDTH - 1, 7 * WIDTH + 11, HEIGHT * WIDTH - 1):
        point(page, row)
        found, wanted = listed(page), layer.at(row)
        assert {atom for atom, *_ in found} == set(wanted)
        codes = [code for _, code, *_ in found]
        assert codes == sorted(codes, reverse=True)
        for atom, code, effect, drop in found:
            assert code == pytest.approx(wanted[atom], rel=6e-3)
            size = float(effects.of(atom).reshape(-1, 3)[row].abs().mean())
            assert effect == pytest.approx(size, rel=1e-2, abs=1e-5)
            assert drop == pytest.approx(float(drops[atom]), abs=0.006)
        colour = region(page, "Atoms of a pixel").get_by_text("reconstruction").locator("xpath=..").text_content() or ""
        values = [number(text) for text in colour.removeprefix("reconstruction").split()]
        assert values == pytest.approx(layer.field.render(0).reshape(-1, 3)[row].tolist(), abs=6e-4)


def test_a_kept_pixel_is_sorted_by_effect_and_its_atoms_can_be_picked(page: Page, url: str, layer: Layer) -> None:
    opened(page, url)
    row = 9 * WIDTH + 13
    point(page, row)
    page.mouse.down()
    page.mouse.up()
    panel = region(page, "Atoms of a pixel")
    panel.get_by_role("button", name="effect", exact=True).click()
    linked(page, f"row={row}")
    linked(page, "rowby=effect")
    found = listed(page)
    effects = [effect for *_, effect, _ in found]
    assert effects == sorted(effects, reverse=True)
    assert {atom for atom, *_ in found} == set(layer.at(row))
    panel.get_by_role("listitem").get_by_role("button").nth(1).click()
    linked(page, f"atom={found[1][0]}")
    assert panel.locator("[aria-current=true]").get_attribute("aria-label").startswith(f"atom {found[1][0]},")  # type: ignore[union-attr]
    page.keyboard.press("Escape")
    page.wait_for_function("() => !location.hash.includes('row=')")


def test_a_picked_atom_shows_its_exact_effect(page: Page, url: str, layer: Layer) -> None:
    opened(page, url)
    for atom in layer.firing(3):
        pick(page, atom)
        found = il.ablate(layer.field, layer.sae, atom, signal=layer.signals[0])
        panel = region(page, "The picked atom")
        told = re.search(r"(\S+) → (\S+)\s*dB", panel.get_by_text("→").first.text_content() or "")
        assert told
        assert number(told[1]) == pytest.approx(found.psnr_before, abs=0.01)
        assert number(told[2]) == pytest.approx(found.psnr_after, abs=0.01)
        close(pixels(tile(page, f"Without atom {atom}")), picture(found.after))
        level = (found.map / found.map.max() * 255).round()
        lit = (pixels(tile(page, f"Atom {atom}")) != (0, 0, 4)).any(-1)
        assert (lit == (level.numpy() > 0)).all()
        effect = pixels(tile(page, f"Effect of atom {atom}")).astype(int).sum(-1)
        assert effect.argmax() == found.delta.abs().mean(-1).argmax()
        statistics = il.atom_statistics(layer.codes)
        share = panel.locator("dl.numbers").get_by_text("active fraction").locator("xpath=..").locator("dd")
        shown = number((share.text_content() or "").split()[0])
        assert shown == pytest.approx(100 * float(statistics.active_fraction[atom]), abs=0.5)
    shot(page, "atom")


def most_alike(atom: int, of: Layer, among: Layer) -> int:
    """The atom whose map correlates most with an atom's over the grid, itself left out."""
    one = of.codes.map(atom).reshape(-1).numpy()
    others = [among.codes.map(other).reshape(-1).numpy() for other in range(among.codes.n_atoms)]
    found = [np.corrcoef(one, other)[0, 1] if other.any() else -1.0 for other in others]
    if among is of:
        found[atom] = -1.0
    return int(np.argmax(found))


def test_the_atoms_most_like_one_lead_to_them(page: Page, url: str, toy: Explored, layer: Layer) -> None:
    opened(page, url)
    start = layer.firing(1)[0]
    pick(page, start)
    panel = region(page, "The picked atom")
    first = most_alike(start, layer, layer)
    panel.get_by_role("button", name=re.compile(rf"^Atom {first} by place")).click()
    panel.get_by_role("heading", name=f"Atom {first}", exact=True).wait_for()
    panel.get_by_text("In other layers").click()
    other = toy.layer(NETWORK, 2)
    second = most_alike(first, layer, other)
    likes = panel.get_by_role("button", name=re.compile(r"^Atom \d+ layer 2, by place"))
    expect(likes.first).to_have_accessible_name(re.compile(f"^Atom {second} "))
    likes.first.click()
    panel.get_by_role("heading", name=f"Atom {second}", exact=True).wait_for()
    assert chosen(page, "Layer").locator("option:checked").text_content() == "layer 2"
    tile(page, f"Without atom {second}").wait_for()
    close(pixels(tile(page, f"Without atom {second}")), picture(il.ablate(other.field, other.sae, second).after))


def test_orders_and_jumps(page: Page, url: str, layer: Layer) -> None:
    opened(page, url)
    dead = il.atom_statistics(layer.codes).dead.tolist()
    drops = layer.effects().measure("psnr_drop")
    assert first_maps(page, 8) == ranked(drops, lambda atom: not dead[atom])[:8]
    panel = region(page, "Order and filters")
    panel.get_by_label("Order by").select_option(label="mean magnitude")
    linked(page, "by=mean_magnitude")
    magnitude = il.atom_statistics(layer.codes).mean_magnitude
    assert first_maps(page, 8) == ranked(magnitude, lambda atom: not dead[atom])[:8]
    panel.get_by_role("button", name="largest first").click()
    linked(page, "by=-mean_magnitude")
    rising = ranked(magnitude, lambda atom: not dead[atom], descending=False)
    assert first_maps(page, 8) == rising[:8]
    pick(page, rising[1])
    place = f"2nd of {layer.codes.n_atoms} by mean magnitude, smallest first"
    region(page, "The picked atom").get_by_text(place, exact=True).wait_for()
    page.get_by_label("Go to atom number").fill("99")
    page.get_by_label("Go to atom number").press("Enter")
    panel.get_by_text("There is no atom 99: they are numbered 0 to 31.").wait_for()
    page.get_by_role("button", name="Next atom in the order").click()
    linked(page, f"atom={rising[2]}")


def test_a_filter_leaves_atoms_out(page: Page, url: str, layer: Layer) -> None:
    opened(page, url)
    drops = layer.effects().measure("psnr_drop").float().tolist()
    alive = int((~il.atom_statistics(layer.codes).dead).sum())
    panel = region(page, "Order and filters")
    panel.get_by_role("button", name="add a filter").click()
    panel.get_by_label("Number to filter by").select_option(label="dB lost")
    least = sorted(drops)[-10] - 1e-4
    panel.get_by_label("dB lost, lowest").fill(f"{least:.5f}")
    panel.get_by_label("dB lost, lowest").press("Enter")
    passing = sum(drop >= float(f"{least:.5f}") for drop in drops)
    panel.get_by_text(f"{passing} of {alive} living atoms").wait_for()
    assert maps(page).get_by_role("option").count() == passing
    panel.get_by_role("button", name="remove the filter on dB lost").click()
    panel.get_by_text(f"{alive} of {alive} living atoms").wait_for()


def test_a_brush_on_the_scatter_filters_and_a_dot_picks(page: Page, url: str, layer: Layer) -> None:
    opened(page, url)
    area = region(page, "All atoms as a scatter").get_by_role("slider")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.move(box["x"] + 0.97 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.up()
    page.wait_for_function("() => location.hash.includes('if=')")
    text = re.search(r"if=([^&]+)", page.url)
    assert text
    filters = [part.split(":") for part in text[1].split(",")]
    assert [name for name, *_ in filters] == ["active_fraction", "psnr_drop"]
    statistics, effects = il.atom_statistics(layer.codes), layer.effects()
    values = [statistics.active_fraction.float().tolist(), effects.measure("psnr_drop").float().tolist()]
    passing = [
        atom
        for atom in range(layer.codes.n_atoms)
        if not statistics.dead[atom]
        and all(float(low) <= of[atom] <= float(high) for of, (_, low, high) in zip(values, filters, strict=True))
    ]
    assert 0 < len(passing) < 30
    region(page, "Order and filters").get_by_text(f"{len(passing)} of").wait_for()
    assert sorted(first_maps(page, len(passing))) == passing
    shot(page, "brush")
    area.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    picked = min(passing, key=lambda atom: values[0][atom])
    page.wait_for_function("() => location.hash.includes('&atom=')")
    found = re.search(r"&atom=(\d+)", page.url)
    assert found
    assert values[0][int(found[1])] == values[0][picked]
    page.keyboard.press("Escape")
    page.wait_for_function("() => !location.hash.includes('if=')")


def test_the_grid_of_maps_goes_by_keyboard(page: Page, url: str, layer: Layer) -> None:
    opened(page, url)
    dead = il.atom_statistics(layer.codes).dead.tolist()
    order = ranked(layer.effects().measure("psnr_drop"), lambda atom: not dead[atom])
    maps(page).locator("[tabindex='0']").focus()
    focused = page.locator("[role=option]:focus")
    for key, place in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", len(order) - 1), ("Home", 0)):
        page.keyboard.press(key)
        expect(focused).to_have_attribute("aria-posinset", str(place + 1))
    page.keyboard.press("ArrowDown")
    below = int(focused.get_attribute("aria-posinset") or 0) - 1
    assert below > 1
    page.keyboard.press("Enter")
    linked(page, f"atom={order[below]}")
    expect(focused).to_have_attribute("aria-selected", "true")


def test_both_axes_of_the_pictures_lie_as_in_python(page: Page, url: str, layer: Layer) -> None:
    """An oracle for the fixtures: transposed or mirrored pictures would be told apart."""
    opened(page, url)
    shown, whole = pixels(tile(page, "Original")).astype(float), picture(layer.signals[0].image())
    assert shown.shape == (HEIGHT, WIDTH, 3)
    for other in (whole[::-1], whole[:, ::-1]):
        assert np.abs(shown - other).max() > 20
