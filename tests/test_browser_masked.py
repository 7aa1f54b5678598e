"""The explorer of a signal with a mask in a real browser: what is left out is hatched and counts in no number."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

import inrlens as il
import toys
from browser import Watch, close, needs_chromium, pixels, serving, shot
from explored import GRID, picture
from explorer_page import opened, pick, point, region, tile

pytestmark = needs_chromium
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
        original = pixels(tile(page, "Original"))
        kept = ~HOLE.numpy()
        close(original[kept], picture(signal.image())[kept])
        hatched = original[HOLE.numpy()]
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
