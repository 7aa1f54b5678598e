"""Volumes and sounds in a real browser: every slice is Python's, and so are waves and spectrograms."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, Position, expect

import explorer_signals
import inrlens as il
from browser import Watch, close, needs_chromium, pixels, serving, shot
from explored import Explored, picture
from explorer_signals import RATE, SAMPLES, VOLUME
from inrlens.reports.pictures import Picture, heat_map, palette, picture as report_picture, pixels as picture_pixels

pytestmark = [needs_chromium, pytest.mark.slow]

FRAMES = """() => new Promise((done) => {
  let left = 6;
  const on = () => (left-- ? requestAnimationFrame(on) : done());
  on();
})"""
"""Lets the page draw what it has been asked for."""


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Explored:
    """A volume's explorer."""
    return explorer_signals.volume(tmp_path_factory.mktemp("volume"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Explored:
    """A sound's explorer."""
    return explorer_signals.sound(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def seen(volume: Explored, watch: Watch) -> Iterator[str]:
    """The address of the volume's explorer."""
    with serving(volume.folder, watch) as url:
        yield url


def opened(page: Page, url: str, network: str, volume: Explored, more: str = "") -> None:
    """Opens a network with its dictionary of layer 1, when its first picture is there."""
    entry = volume.network(network)
    sae = next(one["id"] for one in entry["dictionaries"] if one["layer"] == 1)
    page.goto(f"{url}#view=atoms&net={entry['id']}&sae={sae}{more}")
    page.wait_for_selector("[data-tile=original] canvas:not([hidden])")


def tile(page: Page, name: str) -> NDArray[np.uint8]:
    return pixels(page.locator(f"[data-tile={name}] canvas"))


STOPS = [(0, 0, 4), (66, 10, 104), (147, 38, 103), (221, 81, 58), (252, 165, 10), (252, 255, 164)]


def levels(image: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The levels, 0 to 255, of a map in the page's colours, each of which must be one of them."""
    places = np.linspace(0.0, len(STOPS) - 1.0, 256)
    colours = np.stack([np.interp(places, range(len(STOPS)), channel) for channel in zip(*STOPS, strict=True)], -1)
    apart = np.abs(image.reshape(-1, 1, 3) - colours).max(-1)
    assert apart.min(1).max() <= 0.51
    return np.asarray(apart.argmin(1)).reshape(image.shape[:2])


def shown(found: Picture) -> NDArray[np.int64]:
    """The levels of a map in a report, which has colours of its own."""
    colours = np.array(palette()).reshape(256, 3)
    image = np.asarray(picture_pixels(found), dtype=np.int64)
    return np.asarray(np.abs(image.reshape(-1, 1, 3) - colours).max(-1).argmin(1)).reshape(image.shape[:2])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_slider_shows_every_slice_as_python_has_it(page: Page, seen: str, volume: Explored, axis: int) -> None:
    layer = volume.layer("cohort_siren", 1)
    atom = layer.firing(1)[0]
    opened(page, seen, "cohort_siren", volume, f"&atom={atom}")
    page.locator(f".slices [data-axis='{axis}']").click()
    page.evaluate(FRAMES)
    slider = page.locator(".slices input")
    assert int(slider.get_attribute("max") or 0) == VOLUME[axis] - 1
    assert slider.input_value() == str(VOLUME[axis] // 2)
    effects = layer.effects()
    output = effects.output.reshape(*VOLUME, 1)
    delta, values = effects.of(atom), layer.codes.map(atom)
    for index in range(VOLUME[axis]):
        slider.fill(str(index))
        expect(page.locator(".slices output")).to_have_text(f"slice {index} (0 to {VOLUME[axis] - 1})")
        page.evaluate(FRAMES)
        close(tile(page, "original"), np.repeat(picture(layer.signals[0].image().select(axis, index)), 3, -1))
        close(tile(page, "reconstruction"), np.repeat(picture(output.select(axis, index)), 3, -1))
        close(tile(page, "without"), np.repeat(picture((output - delta).select(axis, index)), 3, -1), 1.5)
        wanted = (values.select(axis, index) / values.max() * 255.0).numpy()
        # A code is a half in the bundle.
        assert np.abs(levels(tile(page, "map")) - wanted).max() <= 1.0


def test_a_link_keeps_the_slice_and_the_button_goes_to_the_atom(page: Page, seen: str, volume: Explored) -> None:
    layer = volume.layer("cohort_siren", 1)
    atom = layer.firing(1)[0]
    opened(page, seen, "cohort_siren", volume, f"&atom={atom}&slice=1,6")
    assert page.locator(".slices input").input_value() == "6"
    values = layer.codes.map(atom)
    place = np.unravel_index(int(values.argmax()), VOLUME)
    page.get_by_role("button", name="to the atom's largest code").click()
    expect(page.locator(".slices input")).to_have_value(str(place[1]))
    expect(page).to_have_url(re.compile(rf"slice=1,{place[1]}(&|$)"))
    page.reload()
    page.wait_for_selector("[data-tile=map] canvas:not([hidden])")
    assert page.locator(".slices input").input_value() == str(place[1])


def test_a_voxel_is_pointed_at_in_its_slice(page: Page, seen: str, volume: Explored) -> None:
    layer = volume.layer("cohort_siren", 1)
    opened(page, seen, "cohort_siren", volume, "&slice=2,4")
    frame = page.locator("[data-tile=original] .frame")
    box = frame.bounding_box()
    assert box is not None
    place: Position = {"x": box["width"] * 3.5 / 9, "y": box["height"] * 5.5 / 8}
    frame.hover(position=place)
    expect(page.locator("#pixel-title")).to_have_text("Atoms of voxel (5, 3, 4)")
    row = (5 * VOLUME[1] + 3) * VOLUME[2] + 4
    names = page.locator(".pixel .atoms li:not([hidden]) .name").all_text_contents()
    assert names == [f"atom {atom}" for atom in layer.at(row)]
    # What is only pointed at is let go on the way to the list.
    frame.click(position=place)
    expect(page.locator(".pixel").get_by_role("button", name="Let go of the kept voxel (5, 3, 4)")).to_be_visible()
    page.locator(".pixel .atoms button").first.click()
    # The panel is drawn with the next frame.
    expect(page.locator(".meanings dd", has_text="Share of the voxels with a code above 0.").first).to_be_attached()
    said = page.locator(".meanings dd").all_text_contents()
    assert "Share of the voxels with a code above 0." in said
    assert not any("pixel" in text or "picture" in text for text in said)


def test_an_edit_of_a_volume_is_that_of_python(page: Page, seen: str, volume: Explored) -> None:
    layer = volume.layer("cohort_siren", 1)
    first, second = layer.firing(2)
    opened(page, seen, "cohort_siren", volume, f"&gains={first}:0,{second}:2&slice=0,3")
    expect(page.locator(".edit progress")).to_have_css("visibility", "hidden")
    page.evaluate(FRAMES)
    edited = il.edit(layer.field, layer.sae, {first: 0.0, second: 2.0})
    close(tile(page, "edited"), np.repeat(picture(edited[3]), 3, -1))


def test_maps_follow_the_slice_and_compare_shows_it_too(page: Page, seen: str, volume: Explored) -> None:
    opened(page, seen, "cohort_siren", volume, "&slice=0,0")
    page.wait_for_selector(".maps .cell[data-drawn]")
    read = "() => document.querySelector('.maps .box .row canvas').toDataURL()"
    before = page.evaluate(read)
    page.locator(".slices input").fill("4")
    page.evaluate(FRAMES)
    assert page.evaluate(read) != before
    shot(page, "volume")
    page.locator("[data-view=compare]").click()
    page.wait_for_selector(".compare .tiles canvas")
    expect(page.locator(".slices")).to_be_visible()
    page.locator("[data-view=freeze]").click()
    expect(page.locator(".slices")).to_be_hidden()


def test_a_sound_is_seen_as_python_draws_it(page: Page, sound: Explored, watch: Watch) -> None:
    layer = sound.layer("cohort_siren", 1)
    first, second = layer.firing(2)
    with serving(sound.folder, watch) as url:
        opened(page, url, "cohort_siren", sound, f"&atom={first}&gains={first}:0,{second}:2")
        expect(page.locator(".edit progress")).to_have_css("visibility", "hidden")
        page.evaluate(FRAMES)
        output = layer.field.render(0)
        for name, values in (
            ("original", layer.signals[0].values),
            ("reconstruction", output),
            ("edited", il.edit(layer.field, layer.sae, {first: 0.0, second: 2.0})),
        ):
            nearly(tile(page, name), report_picture(values, ""))
        wanted = heat_map(layer.codes.map(first), "", sound=output)
        nearly(tile(page, "map"), wanted)
        one = il.ablate(layer.field, layer.sae, first)
        wanted = heat_map(one.delta.abs().mean(-1), "", sound=0.5 + one.delta)
        nearly(tile(page, "effect"), wanted)
        assert f"{SAMPLES} samples" in page.locator("#view-atoms .choice .facts").inner_text()
        assert f"{SAMPLES / RATE:.2g}" in page.locator("#view-atoms .choice .facts").inner_text()
        assert "Hann window of 128 samples, every 32" in page.locator(".pictures").inner_text()
        assert page.locator(".slices").is_hidden()
        shot(page, "sound")


def nearly(found: NDArray[np.uint8], wanted: Picture) -> None:
    """Whether two maps are alike: levels may differ by rounding, and a bar or a wave by its last pixel."""
    there, here = levels(found), shown(wanted)
    assert there.shape == here.shape
    apart = np.abs(there - here)
    assert (apart > 2).mean() <= 0.003, f"{(apart > 2).mean():.4f} of the pixels differ"
