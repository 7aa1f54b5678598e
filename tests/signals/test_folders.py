"""A folder of images as signals."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import inrlens as il


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(["b.png", "a.jpg", "c.PNG", "d.png"]):
        picture = np.full((4 + number, 6, 3), 40 * number, dtype=np.uint8)
        Image.fromarray(picture).save(tmp_path / name)
    (tmp_path / "cut.png").write_bytes((tmp_path / "b.png").read_bytes()[:40])
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / ".hidden.png").write_bytes((tmp_path / "b.png").read_bytes())
    (tmp_path / "inner.png").mkdir()
    return tmp_path


def test_images_come_sorted_by_name_and_the_rest_is_listed(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        signals = il.load_folder(folder)
    assert [signal.name for signal in signals] == ["a.jpg", "b.png", "c.PNG", "d.png"]
    assert [signal.shape for signal in signals] == [(5, 6), (4, 6), (6, 6), (7, 6)]
    assert [file.file for file in signals.skipped] == ["cut.png", "notes.txt"]
    assert "could not be read" in signals.skipped[0].reason or "not an image" in signals.skipped[0].reason
    assert signals.skipped[1].reason == "not an image file by its ending"
    assert "notes.txt was left out" in caplog.text


def test_pattern_limit_size_and_grey(folder: Path) -> None:
    chosen = il.load_folder(folder, pattern="?.png", size=(8, 9), grey=True, limit=2)
    assert [(signal.name, signal.shape, signal.channels) for signal in chosen] == [
        ("b.png", (8, 9), 1),
        ("d.png", (8, 9), 1),
    ]
    assert chosen.skipped == ()
    assert [signal.name for signal in il.load_folder(folder, limit=1)] == ["a.jpg"]


def test_an_image_too_small_for_a_crop_is_skipped_with_the_reason(folder: Path) -> None:
    cropped = il.load_folder(folder, pattern="?.*", size=(6, 5), how="crop")
    assert [signal.name for signal in cropped] == ["c.PNG", "d.png"]
    assert {file.file for file in cropped.skipped} == {"a.jpg", "b.png"}
    assert all("too small to crop 6x5" in file.reason for file in cropped.skipped)
    assert torch.equal(cropped[0].values, il.load_image(folder / "c.PNG", (6, 5), how="crop").values)


def test_folders_without_a_usable_image(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(il.InputError, match="nowhere is not a folder"):
        il.load_folder(tmp_path / "nowhere")
    with pytest.raises(il.InputError, match="holds no image that matches '\\*' and can be read"):
        il.load_folder(folder / "inner.png")
    with pytest.raises(il.InputError, match=r"matches '\*\.txt' and can be read \(notes.txt: not an image file"):
        il.load_folder(folder, pattern="*.txt")
    with pytest.raises(il.InputError, match="limit must be at least 1 image, not 0"):
        il.load_folder(folder, limit=0)
