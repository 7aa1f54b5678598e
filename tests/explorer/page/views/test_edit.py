"""Edits in a real browser: the picture that the page ends with is Python's at every pixel, for every backbone."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import inrlens as il
import toys
from browser import close, needs_chromium, pixels, shot
from explored import Explored, Layer, picture
from explorer_page import linked, opened, pick, region, tile

pytestmark = [needs_chromium, pytest.mark.slow]


def start(page: Page, url: str, toy: Explored, network: str, layer: int, head: int = 0) -> Layer:
    """Opens a network at a layer and a signal, and gives what Python has of it."""
    about = toy.network(network)
    sae = next(one["id"] for one in about["dictionaries"] if one["layer"] == layer)
    opened(page, url, net=about["id"], head=head, sae=sae)
    return toy.layer(network, layer)


def add(page: Page, atom: int) -> None:
    """Puts an atom on the list of gains, at gain 1."""
    pick(page, atom)
    region(page, "Edit").get_by_role("button", name="add the picked atom").click()


def finished(page: Page, gains: dict[int, float]) -> None:
    """Waits until the picture of these gains is there, computed to the end."""
    linked(page, "gains=" + ",".join(f"{atom}:{gain:g}" for atom, gain in sorted(gains.items())))
    region(page, "Edit").get_by_text("exact", exact=True).wait_for()


def check(page: Page, found: Layer, gains: dict[int, float], head: int = 0) -> None:
    """Whether the edited picture is Python's at every pixel, and another than the unedited one."""
    wanted = picture(il.edit(found.field, found.sae, gains, head=head))
    assert np.abs(wanted - picture(found.field.render(head))).max() > 5
    close(pixels(tile(page, "Edited")), wanted)
    said = re.search(r"(\S+) → (\S+)\s*dB", region(page, "Edit").get_by_text("→").first.text_content() or "")
    assert said
    image = found.signals[head].image()
    assert float(said[1]) == pytest.approx(il.psnr(found.field.render(head), image), abs=0.01)
    assert float(said[2]) == pytest.approx(il.psnr(il.edit(found.field, found.sae, gains, head=head), image), abs=0.01)


def test_every_registered_backbone_is_in_the_run(toy: Explored) -> None:
    assert {one["backbone"] for one in toy.manifest["networks"]} == set(il.backbone_names())


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_gains_by_slider_and_by_number(page: Page, url: str, toy: Explored, runnable: str, layer: int) -> None:
    found = start(page, url, toy, f"cohort_{runnable}", layer, head=2)
    first, second, third = atoms = found.firing(3)
    for atom in atoms:
        add(page, atom)
    gain = page.get_by_label(f"Gain of atom {first}", exact=True)
    gain.fill("2.5")
    page.get_by_label(f"Gain of atom {second}, as a number").fill("-1.3")
    gain = page.get_by_label(f"Gain of atom {third}", exact=True)
    gain.focus()
    for _ in range(4):
        gain.press("ArrowRight")
    gains = {first: 2.5, second: -1.3, third: 1.2}
    finished(page, gains)
    check(page, found, gains, head=2)
    shot(page, f"edit_{runnable}_{layer}")
    page.get_by_label(f"Gain of atom {first}", exact=True).fill("0")
    gains[first] = 0.0
    finished(page, gains)
    check(page, found, gains, head=2)


@pytest.mark.parametrize("layer", [0, 2])
def test_a_single_removal_comes_from_the_atlas(page: Page, url: str, toy: Explored, backbone: str, layer: int) -> None:
    found = start(page, url, toy, f"single_{backbone}", layer)
    atom = found.firing(1)[0]
    pick(page, atom)
    region(page, "The picked atom").get_by_role("button", name="remove it").click()
    finished(page, {atom: 0.0})
    check(page, found, {atom: 0.0})
    assert (pixels(tile(page, "Edited")) == pixels(tile(page, f"Without atom {atom}"))).all()
    if not toys.page_runs(backbone):
        return
    # The same removal through the network, beside an atom whose gain changes next to nothing.
    other = found.firing(2)[1]
    add(page, other)
    page.get_by_label(f"Gain of atom {other}, as a number").fill("1.00001")
    linked(page, "gains=" + ",".join(sorted([f"{atom}:0", f"{other}:1.00001"], key=lambda one: int(one.split(":")[0]))))
    region(page, "Edit").get_by_text("exact", exact=True).wait_for()
    close(pixels(tile(page, "Edited")), picture(il.edit(found.field, found.sae, {atom: 0.0})))


def test_ten_atoms_at_once(page: Page, url: str, toy: Explored, runnable: str) -> None:
    found = start(page, url, toy, f"cohort_{runnable}", 0)
    edit = region(page, "Edit")
    edit.get_by_role("button", name="add the first").click()
    order = found.effects().measure("psnr_drop").float().argsort(descending=True, stable=True)[:10].tolist()
    assert edit.get_by_role("listitem").count() == 10
    finished(page, dict.fromkeys(order, 1.0))
    assert (pixels(tile(page, "Edited")) == pixels(tile(page, "Reconstruction"))).all()
    edit.get_by_role("button", name="all to 0").click()
    finished(page, dict.fromkeys(order, 0.0))
    check(page, found, dict.fromkeys(order, 0.0))


def test_cleared_edits_restore_the_picture(page: Page, url: str, toy: Explored) -> None:
    found = start(page, url, toy, "cohort_siren", 1)
    edit = region(page, "Edit")
    atoms = found.firing(2)
    for atom in atoms:
        add(page, atom)
        page.get_by_label(f"Gain of atom {atom}, as a number").fill("3")
    finished(page, dict.fromkeys(atoms, 3.0))
    edit.get_by_role("button", name=f"Take atom {atoms[0]} off the list").click()
    finished(page, {atoms[1]: 3.0})
    check(page, found, {atoms[1]: 3.0})
    edit.get_by_role("button", name="clear", exact=True).click()
    expect(tile(page, "Edited")).to_be_hidden()
    expect(edit.get_by_role("listitem")).to_have_count(0)
    close(pixels(tile(page, "Reconstruction")), picture(found.field.render(0)))
    page.keyboard.press("x")
    finished(page, {atoms[1]: 0.0})
    page.keyboard.press("x")
    expect(tile(page, "Edited")).to_be_hidden()


def test_an_edit_is_copied_as_python(page: Page, url: str, toy: Explored) -> None:
    found = start(page, url, toy, "cohort_siren", 1, head=2)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    a, b = sorted(found.firing(2))
    for atom, gain in ((a, "0"), (b, "2.5")):
        add(page, atom)
        page.get_by_label(f"Gain of atom {atom}, as a number").fill(gain)
    finished(page, {a: 0.0, b: 2.5})
    region(page, "Edit").get_by_role("button", name="copy as Python").click()
    region(page, "Edit").get_by_role("button", name="copied").wait_for()
    assert page.evaluate("() => navigator.clipboard.readText()") == (
        f"il.edit(field, sae, {{{a}: 0.0, {b}: 2.5}}, head=2)"
    )
