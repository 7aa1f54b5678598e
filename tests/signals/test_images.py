"""Every kind of image file, the right way round and at its own depth."""

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageCms

import inrlens as il
import toys


def _rgb(height: int = 4, width: int = 6) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _as_values(array: np.ndarray, top: float = 255.0) -> torch.Tensor:
    values = torch.from_numpy(array.astype(np.float32) / np.float32(top))
    return values[:, :, None] if values.ndim == 2 else values


def _deep_png(path: Path, array: np.ndarray, colour_type: int) -> None:
    """A PNG of 16 bits a channel, which Pillow does not write for colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = array.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    lines = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    )


def test_colour_comes_back_at_its_pixels(tmp_path: Path) -> None:
    array = _rgb(4, 6)
    Image.fromarray(array).save(tmp_path / "a.png")
    signal = il.load_image(tmp_path / "a.png")
    assert (signal.name, signal.shape, signal.channels, signal.bit_depth) == ("a.png", (4, 6), 3, 8)
    assert torch.equal(signal.image(), _as_values(array))
    assert torch.equal(signal.values[1 * 6 + 5], _as_values(array)[1, 5])


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.webp", "a.gif", "a.pgm"])
def test_grey_keeps_its_values_in_every_lossless_format(tmp_path: Path, name: str) -> None:
    array = _rgb()[:, :, 0]
    Image.fromarray(array).save(tmp_path / name, lossless=True)
    values = il.load_image(tmp_path / name, grey=True).image()
    assert torch.equal(values, _as_values(array))


def test_grey_of_colour_is_the_601_luma(tmp_path: Path) -> None:
    array = _rgb()
    Image.fromarray(array).save(tmp_path / "a.png")
    luma = array.astype(np.float64) @ np.array([0.299, 0.587, 0.114]) / 255.0
    found = il.load_image(tmp_path / "a.png", grey=True).image()[:, :, 0].numpy()
    np.testing.assert_allclose(found, luma, atol=0.51 / 255)


def test_one_bit_and_palette_images(tmp_path: Path) -> None:
    bits = _rgb()[:, :, 0] > 127
    Image.fromarray(bits).save(tmp_path / "bits.png")
    assert torch.equal(il.load_image(tmp_path / "bits.png").image(), _as_values(bits, 1.0))

    palette = Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6), "L").convert("P")
    colours = np.random.default_rng(1).integers(0, 256, (256, 3), dtype=np.uint8)
    palette.putpalette(colours.tobytes())
    palette.save(tmp_path / "palette.png")
    with Image.open(tmp_path / "palette.png") as written:
        assert written.mode == "P"
    values = il.load_image(tmp_path / "palette.png").image()
    assert torch.equal(values, _as_values(np.asarray(palette.convert("RGB"))))


def test_cmyk_and_lab_become_rgb(tmp_path: Path) -> None:
    picture = Image.fromarray(_rgb())
    picture.convert("CMYK").save(tmp_path / "cmyk.tif")
    expected = np.asarray(picture.convert("CMYK").convert("RGB"))
    assert torch.equal(il.load_image(tmp_path / "cmyk.tif").image(), _as_values(expected))

    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.applyTransform(picture, ImageCms.buildTransform(*profiles, "RGB", "LAB"))
    assert lab is not None
    lab.save(tmp_path / "lab.tif")
    assert il.load_image(tmp_path / "lab.tif").channels == 3
    assert il.load_image(tmp_path / "lab.tif", grey=True).channels == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    array = _rgb(4, 6)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(array).save(tmp_path / "a.png", exif=exif)
    turned = {
        1: array,
        2: array[:, ::-1],
        3: array[::-1, ::-1],
        4: array[::-1],
        5: array.transpose(1, 0, 2),
        6: np.rot90(array, -1),
        7: np.rot90(array.transpose(1, 0, 2), 2),
        8: np.rot90(array, 1),
    }[orientation]
    signal = il.load_image(tmp_path / "a.png")
    assert signal.shape == turned.shape[:2]
    assert torch.equal(signal.image(), _as_values(np.ascontiguousarray(turned)))


def test_transparency_is_flattened_on_white_with_a_warning(tmp_path: Path) -> None:
    rgba = np.dstack([_rgb(), np.array([[0, 255, 128, 64, 0, 255]] * 4, dtype=np.uint8)])
    Image.fromarray(rgba, "RGBA").save(tmp_path / "rgba.png")
    with pytest.warns(UserWarning, match=r"rgba.png: transparency was flattened on white"):
        values = il.load_image(tmp_path / "rgba.png").image().numpy()
    alpha = rgba[:, :, 3:] / 255.0
    np.testing.assert_allclose(values, alpha * rgba[:, :, :3] / 255.0 + (1.0 - alpha), atol=1.01 / 255)
    assert (values[:, 0] == 1.0).all()
    assert values.shape == (4, 6, 3)


def test_grey_with_transparency_stays_grey(tmp_path: Path) -> None:
    la = np.dstack([_rgb()[:, :, 0], np.array([[0, 255, 255, 255, 0, 255]] * 4, dtype=np.uint8)])
    Image.fromarray(la, "LA").save(tmp_path / "la.png")
    with pytest.warns(UserWarning, match="flattened on white"):
        values = il.load_image(tmp_path / "la.png").image()
    assert values.shape == (4, 6, 1)
    assert (values[:, 0] == 1.0).all()
    assert torch.equal(values[:, 1], _as_values(la[:, :, 0])[:, 1])


def test_a_transparent_palette_colour_is_flattened(tmp_path: Path) -> None:
    picture = Image.fromarray(np.array([[0, 1], [1, 0]], dtype=np.uint8), "P")
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.save(tmp_path / "p.png", transparency=0)
    with pytest.warns(UserWarning, match="flattened on white"):
        values = il.load_image(tmp_path / "p.png").image()
    assert values[0, 0].tolist() == [1.0, 1.0, 1.0]
    torch.testing.assert_close(values[0, 1], torch.tensor([200.0, 100.0, 50.0]) / 255.0)


@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
def test_sixteen_bit_grey_keeps_its_depth(tmp_path: Path, name: str) -> None:
    array = np.random.default_rng(2).integers(0, 65536, (4, 6)).astype(np.uint16)
    array[0, :2] = (0, 65535)
    Image.fromarray(array).save(tmp_path / name)
    signal = il.load_image(tmp_path / name)
    assert (signal.bit_depth, signal.channels) == (16, 1)
    assert torch.equal(signal.image(), _as_values(array, 65535.0))
    assert il.load_image(tmp_path / name, size=(8, 12)).shape == (8, 12)


def test_a_grey_file_of_some_other_depth_is_scaled_to_sixteen_bits(tmp_path: Path) -> None:
    array = np.array([[0, 500, 1000]], dtype=">u2")
    (tmp_path / "a.pgm").write_bytes(b"P5\n3 1\n1000\n" + array.tobytes())
    signal = il.load_image(tmp_path / "a.pgm")
    assert signal.bit_depth == 16
    torch.testing.assert_close(signal.values[:, 0], torch.tensor([0.0, 0.5, 1.0]), rtol=0, atol=2e-5)


def test_saving_and_loading_keeps_the_values(tmp_path: Path) -> None:
    for name, channels, depth, top in (("rgb", 3, 8, 255), ("grey", 1, 8, 255), ("deep", 1, 16, 65535)):
        image = torch.randint(0, top + 1, (4, 6, channels), generator=toys.generator()) / top
        il.save_image(image, tmp_path / f"{name}.png", bit_depth=depth)
        loaded = il.load_image(tmp_path / f"{name}.png")
        assert loaded.bit_depth == depth
        torch.testing.assert_close(loaded.image(), image, rtol=0, atol=1e-7)
    il.save_image(torch.tensor([[[-1.0], [2.0]]]), tmp_path / "beyond.png")
    assert il.load_image(tmp_path / "beyond.png").values[:, 0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(("channels", "depth"), [(2, 8), (3, 16), (1, 12)])
def test_an_image_that_cannot_be_saved(tmp_path: Path, channels: int, depth: int) -> None:
    with pytest.raises(il.InputError, match=f"an image of {channels} channels and {depth} bits cannot be saved"):
        il.save_image(torch.zeros(2, 2, channels), tmp_path / "a.png", bit_depth=depth)
    assert not list(tmp_path.iterdir())


def test_resize_scales_each_side_cover_keeps_the_shape_crop_does_not_scale(tmp_path: Path) -> None:
    ramp = np.repeat(np.linspace(0, 255, 60).astype(np.uint8)[None], 20, axis=0)
    Image.fromarray(ramp).save(tmp_path / "a.png")

    def columns(how: str) -> torch.Tensor:
        signal = il.load_image(tmp_path / "a.png", size=(10, 10), how=how)
        assert signal.shape == (10, 10)
        return signal.image()[5, :, 0]

    resized, covered, cropped = columns("resize"), columns("cover"), columns("crop")
    assert resized[0] < 0.1
    assert resized[-1] > 0.9
    assert covered[0] == pytest.approx(20 / 60, abs=0.03)
    assert covered[-1] == pytest.approx(40 / 60, abs=0.03)
    assert torch.equal(cropped, _as_values(ramp)[5, 25:35, 0])


def test_a_crop_of_an_odd_margin_is_the_middle_one(tmp_path: Path) -> None:
    array = _rgb(7, 8)
    Image.fromarray(array).save(tmp_path / "a.png")
    assert torch.equal(il.load_image(tmp_path / "a.png", (4, 6), how="crop").image(), _as_values(array[1:5, 1:7]))


def _write(path: Path, kind: str) -> None:
    colour = np.random.default_rng(3).integers(0, 65536, (20, 30, 3)).astype(np.uint16)
    if kind == "text":
        path.write_text("not an image")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "truncated":
        whole = path.with_suffix(".whole.jpg")
        Image.fromarray(_rgb(200, 200)).save(whole)
        path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    elif kind == "corrupt":
        Image.fromarray(_rgb(50, 50)).save(path, format="PNG")
        data = bytearray(path.read_bytes())
        data[60:90] = b"\xff" * 30
        path.write_bytes(bytes(data))
    elif kind == "deep png":
        _deep_png(path, colour, colour_type=2)
    elif kind == "deep png with alpha":
        _deep_png(path, np.dstack([colour, colour[:, :, :1]]), colour_type=6)
    elif kind == "deep tiff":
        tifffile.imwrite(path, colour, photometric="rgb")
    elif kind == "deep ppm":
        path.write_bytes(b"P6\n30 20\n65535\n" + colour.astype(">u2").tobytes())
    elif kind == "float tiff":
        Image.fromarray(np.linspace(0, 2, 6, dtype=np.float32).reshape(2, 3)).save(path)
    elif kind == "negative tiff":
        tifffile.imwrite(path, np.array([[-5, 3]], dtype=np.int32))


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("a.png", "text", "a.png is not an image that Pillow can read"),
        ("a.png", "empty", "a.png is not an image that Pillow can read"),
        ("a.jpg", "truncated", r"a.jpg could not be read as an image \(.*truncated.*is it cut short or damaged"),
        ("a.png", "corrupt", "a.png could not be read as an image"),
        ("a.png", "deep png", "a.png is a 16-bit colour PNG, which would lose its depth"),
        ("a.png", "deep png with alpha", "16-bit colour PNG"),
        ("a.tif", "deep tiff", "a.tif is a 16-bit colour TIFF, which would lose its depth"),
        ("a.ppm", "deep ppm", "a.ppm is a colour PPM of over 8 bits"),
        ("a.tif", "float tiff", r"a.tif holds 2x3 floats from 0 to 2: scale them to \[0, 1\] first"),
        ("a.tif", "negative tiff", "a.tif is a TIFF of signed samples, whose white is not stated: save it as unsigned"),
    ],
)
def test_files_that_are_no_usable_image(tmp_path: Path, name: str, kind: str, message: str) -> None:
    _write(tmp_path / name, kind)
    with pytest.raises(il.InputError, match=message):
        il.load_image(tmp_path / name)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(il.InputError, match=r"none.png does not exist"):
        il.load_image(tmp_path / "none.png")
    with pytest.raises(il.InputError, match="is a folder: give an image file"):
        il.load_image(tmp_path)


def test_an_image_beyond_pillows_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(_rgb(50, 50)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(il.InputError, match=r"a.png is too large: it holds more than 200 pixels.*scale it down"):
        il.load_image(tmp_path / "a.png")


def test_sizes_and_ways_that_are_not_allowed(tmp_path: Path) -> None:
    Image.fromarray(_rgb(4, 6)).save(tmp_path / "a.png")
    with pytest.raises(il.InputError, match=r"size must be \(height, width\) of at least 1 pixel each, not \(0, 4\)"):
        il.load_image(tmp_path / "a.png", size=(0, 4))
    with pytest.raises(il.InputError, match=r"is 4x6 pixels, too small to crop 5x6 from it; use how='cover'"):
        il.load_image(tmp_path / "a.png", size=(5, 6), how="crop")
    with pytest.raises(il.InputError, match="how='stretch' is not known; allowed are resize, cover, crop"):
        toys.unchecked(il.load_image)(tmp_path / "a.png", how="stretch")


def test_an_ordinary_image_warns_of_nothing(tmp_path: Path) -> None:
    Image.fromarray(_rgb()).save(tmp_path / "a.jpg")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        il.load_image(tmp_path / "a.jpg")


def test_of_several_frames_the_first_is_taken_with_a_warning(tmp_path: Path) -> None:
    frames = [Image.new("L", (4, 3), shade) for shade in (51, 204)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.warns(
        UserWarning, match=r"a.gif: of 2 frames the first was taken; il.load_signal reads them as a volume"
    ):
        signal = il.load_image(tmp_path / "a.gif", grey=True)
    assert signal.values.unique().tolist() == pytest.approx([0.2], abs=0.01)
