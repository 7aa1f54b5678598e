"""Volumes: NIfTI, frames of a video, and a head of ellipsoids that needs no file."""

import math
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import shepp_logan_phantom

import command
import inrlens as il
from inrlens.fields.siren import Siren
from inrlens.signals.folders import load_volume_folder
from inrlens.signals.frames import load_frames
from inrlens.signals.memory import check_memory, physical_memory
from inrlens.signals.nifti import load_nifti, load_nifti_volume
from inrlens.signals.phantom import HEAD


def _volume(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape).astype(np.float32)


def _nifti(path: Path, array: np.ndarray) -> Path:
    nibabel = pytest.importorskip("nibabel", reason="nibabel (the extra nifti) is not installed")
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), path)
    return path


def _frame(path: Path, seed: int = 0, height: int = 5, width: int = 7, grey: bool = False) -> np.ndarray:
    shape = (height, width) if grey else (height, width, 3)
    array = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(array).save(path)
    return array


# NIfTI


@pytest.mark.parametrize("tail", [(), (1,), (1, 1)])
def test_a_volume_keeps_its_axes_and_its_values_within_one(tmp_path: Path, tail: tuple[int, ...]) -> None:
    array = _volume(4, 5, 6)
    volume = il.load_volume(_nifti(tmp_path / "a.nii.gz", array.reshape(4, 5, 6, *tail)))
    assert (volume.name, volume.shape, volume.channels, volume.bit_depth) == ("a.nii.gz", (4, 5, 6), 1, 16)
    assert np.array_equal(volume.image()[..., 0].numpy(), array)


def test_a_volume_of_one_layer_is_one(tmp_path: Path) -> None:
    assert load_nifti_volume(_nifti(tmp_path / "a.nii", _volume(1, 5, 6))).shape == (1, 5, 6)


def test_a_volume_beyond_one_is_divided_by_its_maximum(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 1200, (4, 5, 6), dtype=np.int16)
    volume = il.load_volume(_nifti(tmp_path / "a.nii", array))
    assert np.array_equal(volume.image()[..., 0].numpy(), array.astype(np.float32) / np.float32(array.max()))


def test_a_window_maps_its_ends_to_zero_and_one_and_clips(tmp_path: Path) -> None:
    array = np.linspace(-2000, 2000, 24, dtype=np.float32).reshape(2, 3, 4)
    volume = il.load_volume(_nifti(tmp_path / "ct.nii.gz", array), window=(-1000.0, 400.0))
    expected = ((array.astype(np.float64) + 1000.0) / 1400.0).clip(0.0, 1.0)
    np.testing.assert_allclose(volume.image()[..., 0].numpy(), expected, atol=1e-6)


def test_a_file_is_read_as_what_it_holds(tmp_path: Path) -> None:
    assert load_nifti(_nifti(tmp_path / "a.nii.gz", _volume(5, 6, 1))).shape == (5, 6)
    assert load_nifti(_nifti(tmp_path / "b.nii.gz", _volume(4, 5, 6))).shape == (4, 5, 6)


def test_files_that_hold_no_volume_are_refused(tmp_path: Path) -> None:
    path = _nifti(tmp_path / "ct.nii", _volume(2, 3, 4) - 0.5)
    with pytest.raises(
        il.InputError, match=r"ct.nii holds values from -0\.\d+ to 0\.\d+: say which .* --window LOW,HIGH"
    ):
        il.load_volume(path)
    assert load_nifti(path, (-0.5, 0.5)).image()[..., 0].numpy() == pytest.approx(_volume(2, 3, 4), abs=1e-6)
    gap = _volume(2, 3, 4)
    gap[0, 0, :2] = np.nan
    for span in (None, (0.0, 1.0)):
        with pytest.raises(il.InputError, match=r"gap.nii holds 2 values that are NaN .* write 0 in their place"):
            il.load_volume(_nifti(tmp_path / "gap.nii", gap), span)
    with pytest.raises(il.InputError, match=r"window must be \(low, high\) with low below high, not \(1.0, 1.0\)"):
        il.load_volume(path, window=(1.0, 1.0))
    with pytest.raises(il.InputError, match=r"holds 5x6 values: give a file of one volume, of three axes"):
        il.load_volume(_nifti(tmp_path / "slice.nii", _volume(5, 6)))
    with pytest.raises(il.InputError, match=r"holds 2x3x4x5 values, 5 volumes where one is .*slicer\[..., 0\]"):
        il.load_volume(_nifti(tmp_path / "series.nii", _volume(2, 3, 4, 5)))
    with pytest.raises(il.InputError, match=r"holds 2x1x4x5 values, 5 volumes where one is needed"):
        il.load_volume(_nifti(tmp_path / "thin.nii", _volume(2, 1, 4, 5)))
    with pytest.raises(il.InputError, match=r"missing\.nii does not exist"):
        il.load_volume(tmp_path / "missing.nii")
    (tmp_path / "cut.nii").write_bytes(path.read_bytes()[:380])
    with pytest.raises(il.InputError, match=r"cut\.nii could not be read as NIfTI"):
        il.load_volume(tmp_path / "cut.nii")


@pytest.mark.parametrize(
    ("at", "stored", "message"),
    [
        (70, struct.pack("<h", 999), r"could not be read as NIfTI \(data code 999 not recognized\); is it"),
        (42, struct.pack("<h", -2), "holds -2x3x4 values, so none: give a NIfTI slice or volume"),
        (108, struct.pack("<f", math.nan), r"could not be read as NIfTI \(cannot convert float NaN to integer\)"),
        (108, struct.pack("<f", 1e9), r"got 0 bytes .*could the file be damaged\?\); is it cut short or damaged"),
    ],
)
def test_a_damaged_header_is_said_in_one_sentence(tmp_path: Path, at: int, stored: bytes, message: str) -> None:
    whole = _nifti(tmp_path / "whole.nii", _volume(2, 3, 4)).read_bytes()
    (tmp_path / "bad.nii").write_bytes(whole[:at] + stored + whole[at + len(stored) :])
    with pytest.raises(il.InputError, match=message) as caught:
        il.load_volume(tmp_path / "bad.nii")
    assert "\n" not in str(caught.value)
    found = load_volume_folder(tmp_path)
    assert [signal.name for signal in found] == ["whole.nii"]
    assert [file.file for file in found.skipped] == ["bad.nii"]


def test_colours_are_three_channels(tmp_path: Path) -> None:
    colours = np.zeros((2, 3, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    colours["R"], colours["B"] = np.arange(24).reshape(2, 3, 4) * 10, 9
    path = _nifti(tmp_path / "rgb.nii", colours)
    found = il.load_volume(path)
    assert (found.shape, found.channels) == ((2, 3, 4), 3)
    wanted = np.stack([colours[name] / 255.0 for name in "RGB"], -1)
    np.testing.assert_allclose(found.image(), wanted, rtol=1e-6)
    assert il.load_mask(path, found).all()


def test_complex_numbers_and_records_are_no_volume(tmp_path: Path) -> None:
    with pytest.raises(il.InputError, match=r"k\.nii holds complex numbers: save their magnitude, or one part"):
        il.load_volume(_nifti(tmp_path / "k.nii", _volume(2, 3, 4).astype(np.complex64)))


# Memory


def test_a_volume_too_large_is_told_from_its_header_alone(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel", reason="nibabel (the extra nifti) is not installed")
    header = nibabel.Nifti1Header()
    header.set_data_shape((30000, 30000, 30000))
    header.set_data_dtype(np.uint8)
    # Only the header is there: were its values asked for, the message would be another.
    (tmp_path / "huge.nii").write_bytes(header.binaryblock + b"\0" * 4)
    with pytest.raises(il.InputError) as caught:
        il.load_volume(tmp_path / "huge.nii")
    assert "huge.nii holds 30000x30000x30000 samples of 1 channel, for which a fit needs at least" in str(caught.value)
    assert "and this machine has" in str(caught.value)
    assert str(caught.value).endswith("cut a part out, or bring it to a coarser grid first.")


def test_the_memory_that_is_asked_for_is_that_of_values_targets_and_coordinates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shape, channels = (4, 5, 6), 2
    needed = 4 * 4 * 5 * 6 * (2 * channels + 3)
    monkeypatch.setattr("inrlens.signals.memory.physical_memory", lambda: needed)
    check_memory("a", shape, channels)
    monkeypatch.setattr("inrlens.signals.memory.physical_memory", lambda: needed - 1)
    with pytest.raises(il.InputError, match="a holds 4x5x6 samples of 2 channels"):
        check_memory("a", shape, channels)
    monkeypatch.setattr("inrlens.signals.memory.physical_memory", lambda: None)
    check_memory("a", (10**6,) * 3)


def test_the_machine_has_some_memory() -> None:
    found = physical_memory()
    assert found is None or found > 2**27


# Video


def test_frames_are_stacked_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    arrays = [_frame(folder / f"frame{number}.png", number) for number in (1, 2, 10)]
    (folder / "notes.txt").write_text("no frame")
    video = il.load_volume(folder)
    assert (video.name, video.shape, video.channels, video.bit_depth) == ("clip", (3, 5, 7), 3, 8)
    np.testing.assert_array_equal((video.image().numpy() * 255).round().astype(np.uint8), np.stack(arrays))


def test_frames_are_scaled_limited_and_chosen(tmp_path: Path) -> None:
    for number in range(4):
        _frame(tmp_path / f"a{number}.png", number)
    _frame(tmp_path / "b.jpg", 9)
    video = il.load_frames(tmp_path, "*.png", size=(3, 4), grey=True, limit=2)
    assert (video.shape, video.channels) == ((2, 3, 4), 1)
    for number in range(2):
        one = il.load_image(tmp_path / f"a{number}.png", (3, 4), grey=True)
        assert torch.equal(video.image()[number], one.image())


def test_frames_that_make_no_video_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(il.InputError, match="holds no image that matches"):
        load_frames(tmp_path)
    _frame(tmp_path / "a0.png")
    with pytest.raises(il.InputError, match="limit must be at least 1 frame, not 0"):
        load_frames(tmp_path, limit=0)
    with pytest.raises(il.InputError, match=r"folder of frames, .* leave window out"):
        il.load_volume(tmp_path, window=(0.0, 1.0))
    with pytest.raises(il.InputError, match="missing does not exist"):
        load_frames(tmp_path / "missing")
    _frame(tmp_path / "a1.png", 1, height=6)
    words = "a0.png is 5x7 pixels of 3 channels and a1.png 6x7 pixels of 3 channels, but the frames of a video share"
    with pytest.raises(il.InputError, match=words):
        load_frames(tmp_path)
    (tmp_path / "a1.png").write_bytes(b"damaged")
    with pytest.raises(il.InputError, match=r"a1\.png is not an image that Pillow can read"):
        load_frames(tmp_path)
    monkeypatch.setattr("inrlens.signals.memory.physical_memory", lambda: 2000)
    with pytest.raises(il.InputError, match="holds 2x5x7 samples of 3 channels, for which a fit needs"):
        load_frames(tmp_path)


# Phantom


def test_the_section_is_the_published_picture() -> None:
    ours = il.phantom((400, 400)).image()[..., 0].numpy()
    # Theirs is stored in 8 bits.
    assert (np.abs(ours - shepp_logan_phantom()) < 0.01).mean() > 0.999


def test_the_head_holds_as_much_as_its_ellipsoids() -> None:
    shape = (64, 64, 64)
    held = float(il.phantom(shape).values.double().sum()) * math.prod(2.0 / (side - 1) for side in shape)
    expected = sum(one.value * 4.0 / 3.0 * math.pi * math.prod(one.half) for one in HEAD)
    assert held == pytest.approx(expected, rel=0.02)


def test_values_at_places_of_the_head() -> None:
    side = 101
    image = il.phantom((side, side, side)).image()[..., 0]

    def at(x: float, y: float, z: float) -> float:
        column, row, layer = (round((value + 1.0) / 2.0 * (side - 1)) for value in (x, -y, z))
        return float(image[layer, row, column])

    assert at(0.0, 0.9, 0.0) == 1.0  # skull
    assert at(0.0, -0.9, 0.0) == 1.0
    assert at(0.0, 0.7, 0.0) == pytest.approx(0.2)  # brain
    assert at(0.22, 0.0, 0.0) == 0.0  # ventricles
    assert at(-0.22, 0.0, 0.0) == 0.0
    assert at(0.0, 0.35, -0.15) == pytest.approx(0.3)
    assert at(0.0, 0.1, 0.24) == pytest.approx(0.3)
    assert at(0.0, 0.1, 0.0) == pytest.approx(0.2)
    assert at(0.0, 0.0, 0.8) == 1.0
    assert at(0.9, 0.9, 0.9) == 0.0


def test_a_grid_that_the_phantom_is_not_drawn_on() -> None:
    with pytest.raises(il.InputError, match=r"\(depth, height, width\) or \(height, width\), not on \(5,\)"):
        il.phantom((5,))


# Fitted


def test_a_small_siren_fits_the_phantom() -> None:
    volume = il.phantom((6, 8, 10))
    recipe = il.Recipe("head", Siren(coordinates=3, width=32, depth=3, omega_0=10.0), steps=60, learning_rate=1e-3)
    fitted = il.fit(volume, recipe)
    # Better than the best volume without any shape.
    assert fitted.psnr > il.psnr(volume.values.mean().expand_as(volume.values), volume.values)
    assert fitted.field.render().shape == (6, 8, 10, 1)


def test_a_volume_is_fitted_from_the_command_line(tmp_path: Path) -> None:
    path = _nifti(tmp_path / "a.nii.gz", _volume(4, 5, 6))
    numbers = command.done("fit", path, "--steps", 2, "-o", tmp_path / "run", "--json").json
    assert numbers["recipe"]["backbone"]["coordinates"] == 3
    assert il.load(tmp_path / "run" / "field.safetensors").grid == (4, 5, 6)
