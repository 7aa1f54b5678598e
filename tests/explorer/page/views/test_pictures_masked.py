"""The explorer of a signal with a mask in a real browser: what is left out is hatched and counts in no number."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from playwright.sync_api import Page

import inrlens as il
import toys
from browser import Watch, close, needs_chromium, pixels, serving, shot
from explored import GRID, picture
from explorer_page import opened, pick, point, region, tile

pytestmark = [needs_chromium, pytest.mark.slow]
HOLE = torch.zeros(GRID, dtype=torch.bool)
HOLE[4:12, 5:15] = True


def test_a_masked_signal(page: Page, watch: Watch, tmp_path: Path) -> None:
    photo = toys.signal(3, GRID)
    # Under the mask lies what no number may know of.
    signal = il.Signal("holed", torch.where(HOLE.reshape(-1, 1), 1.0 - photo.values, photo.values), GRID).masked(~HOLE)
    field = il.fit(signal, toys.recipe(steps=40, learning_rate=4e-3)).field
    sae = toys.sae(field)
    found = il.effects(field, sae, il.encode(field, sae, GRID), signal=signal)
    atom = found.rank()[0]
    one = il.ablate(field, sae, atom, signal=signal)
    assert one.psnr_before is not None
    assert one.psnr_after is not None
    whole = il.ablate(field, sae, atom, signal=signal.masked(None))
    assert whole.psnr_before is not None
    assert abs(whole.psnr_before - one.psnr_before) > 1.0
    made = il.write_explorer(field, tmp_path / "explorer", sae=sae, signal=signal)
    with serving(made.path, watch) as url:
        opened(page, url)
        fitted_to = pixels(tile(page, "Original"))
        kept = ~HOLE.numpy()
        close(fitted_to[kept], picture(signal.image())[kept])
        hatched = fitted_to[HOLE.numpy()]
        assert (hatched == hatched[:, :1]).all()
        assert set(np.unique(hatched).tolist()) == {96, 176}
        difference = pixels(tile(page, "Difference"))[HOLE.numpy()]
        assert set(np.unique(difference).tolist()) == {96, 176}
        close(pixels(tile(page, "Reconstruction")), picture(field.render()))
        shot(page, "masked")
        point(page, 5 * GRID[1] + 6)
        region(page, "Atoms of a pixel").get_by_text("left out", exact=True).wait_for()
        pick(page, atom)
        region(page, "The picked atom").get_by_role("button", name="remove it").click()
        region(page, "Edit").get_by_text("exact", exact=True).wait_for()
        told = re.search(r"(\S+) → (\S+)\s*dB", region(page, "Edit").get_by_text("→").first.text_content() or "")
        assert told
        assert float(told[1]) == pytest.approx(one.psnr_before, abs=0.01)
        assert float(told[2]) == pytest.approx(one.psnr_after, abs=0.01)


def original(page: Page, watch: Watch, field: il.Field, signal: il.Signal, folder: Path) -> NDArray[np.uint8]:
    """What the page draws of a signal, once the network's difference to it is drawn too."""
    with serving(il.write_explorer(field, folder, signal=signal).path, watch) as url:
        page.goto(url)
        tile(page, "Difference").wait_for()
        return pixels(tile(page, "Original"))


def fitted(signal: il.Signal) -> il.Field:
    network = il.make_backbone("siren", coordinates=len(signal.shape), width=16, depth=3)
    return il.fit(signal, il.Recipe("toy", network, steps=5, learning_rate=1e-3)).field


def test_a_slice_is_hatched(page: Page, watch: Watch, tmp_path: Path) -> None:
    used = torch.ones(6, 8, 10, dtype=torch.bool)
    used[:, 2:5, 3:9] = False
    signal = toys.signal(1, (6, 8, 10), 1).masked(used)
    found, kept = original(page, watch, fitted(signal), signal, tmp_path / "explorer"), used[3].numpy()
    close(found[kept], np.repeat(picture(signal.image()[3]), 3, -1)[kept])
    assert set(np.unique(found[~kept]).tolist()) == {96, 176}


def test_a_sound_is_silent_where_it_is_left_out(page: Page, watch: Watch, tmp_path: Path) -> None:
    used = torch.ones(400, dtype=torch.bool)
    used[150:260] = False
    plain = toys.signal(1, (400,), 1)
    silent = il.Signal("silent", torch.where(used[:, None], plain.values, 0.5), (400,))
    field = fitted(plain.masked(used))
    drawn = [
        original(page, watch, field, one, tmp_path / one.name.replace(" ", "-") / str(one.left_out))
        for one in (plain.masked(used), silent, plain)
    ]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
