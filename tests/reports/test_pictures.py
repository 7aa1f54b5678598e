"""Pictures inside pages: the right way round, the right values, small, and named."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import inrlens as il
import toys
from inrlens.reports.pictures import LONGEST_SIDE, Picture, heat_map, picture, picture_file
from inrlens.reports.views import laid_out
from inrlens.signals.images import save_image


def opened(shown: Picture) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(shown.uri.removeprefix("data:image/png;base64,"))))


def test_a_picture_keeps_its_values_and_stands_the_right_way_round(tmp_path: Path) -> None:
    image = toys.signal(0, (5, 9)).image()
    shown = picture(image, "toy")
    assert (shown.width, shown.height, shown.alt) == (9, 5, "toy")
    assert np.array_equal(np.asarray(opened(shown)), (image * 255).round().numpy().astype(np.uint8))
    save_image(image, tmp_path / "toy.png")
    assert picture_file(tmp_path / "toy.png", "toy") == shown
    grey = picture(image[:, :, :1] * 2.0 - 0.5, "grey")
    assert opened(grey).mode == "L"


def test_what_is_left_out_is_hatched_and_nothing_else(tmp_path: Path) -> None:
    image, left_out = toys.signal(0, (12, 9)).image(), torch.zeros(12, 9, dtype=torch.bool)
    left_out[3:8, 2:7] = True
    for shown, plain in (
        (picture(image, "p", left_out=left_out), picture(image, "p")),
        (picture(image[..., :1], "g", left_out=left_out), picture(image[..., :1], "g")),
        (heat_map(image[..., 0], "m", 1.0, left_out=left_out), heat_map(image[..., 0], "m", 1.0)),
    ):
        array, before = (np.asarray(opened(one).convert("RGB"), dtype=int) for one in (shown, plain))
        assert np.array_equal(array[~left_out.numpy()], before[~left_out.numpy()])
        hatched = array[left_out.numpy()]
        assert (hatched == hatched[:, :1]).all(), "grey stripes"
        assert {int(grey) for grey in hatched[:, 0]} == {96, 176}
    wide = torch.zeros(3 * LONGEST_SIDE, 4, dtype=torch.bool)
    wide[:30] = True
    assert opened(picture(torch.zeros(3 * LONGEST_SIDE, 4, 3), "w", left_out=wide)).size == (2, LONGEST_SIDE)


def test_a_map_runs_from_black_to_its_own_largest_value() -> None:
    values = torch.tensor([[0.0, 1.0, 4.0]])
    colours = np.asarray(opened(heat_map(values, "m")).convert("RGB"), dtype=int)
    assert colours[0, 0].sum() < 20
    assert list(colours[0].sum(1)) == sorted(colours[0].sum(1))
    same = np.asarray(opened(heat_map(values * 7.0, "m")).convert("RGB"), dtype=int)
    assert np.array_equal(colours, same)
    silent = np.asarray(opened(heat_map(values * 0.0, "m")).convert("RGB"), dtype=int)
    assert (silent == colours[0, 0]).all()
    clipped = np.asarray(opened(heat_map(values, "m", top=1.0)).convert("RGB"), dtype=int)
    assert (clipped[0, 1] == clipped[0, 2]).all()


def test_large_pictures_are_averaged_down_and_small_ones_left_alone() -> None:
    small = torch.rand(LONGEST_SIDE, 4, 3, generator=toys.generator())
    assert torch.equal(laid_out(small, longest=LONGEST_SIDE), small)
    large = torch.zeros(2 * LONGEST_SIDE, 6, 1)
    large[::2] = 1.0
    assert laid_out(large, longest=LONGEST_SIDE).shape == (LONGEST_SIDE, 3, 1)
    assert torch.allclose(laid_out(large, longest=LONGEST_SIDE), torch.tensor(0.5))


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no")
    with pytest.raises(il.InputError, match=r"x\.png could not be read as an image"):
        picture_file(tmp_path / "x.png", "x")
