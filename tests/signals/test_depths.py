"""Samples at the depth, sign and polarity that a file declares, and channels that are not read."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import inrlens as il

RAMP = np.repeat(np.arange(4)[:, None], 8, 1)


def _png(bits: int, samples: np.ndarray, transparent: int | None = None) -> bytes:
    """A grey PNG of 1, 2, 4, 8 or 16 bits, with a tRNS chunk where a sample is transparent."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = samples.shape
    if bits == 16:
        rows = [row.astype(">u2").tobytes() for row in samples]
    else:
        shifts = np.arange(bits - 1, -1, -1)
        rows = [np.packbits((row[:, None] >> shifts) & 1).tobytes() for row in samples]
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0))
    mark = b"" if transparent is None else chunk(b"tRNS", struct.pack(">H", transparent))
    body = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + head + mark + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_grey_png_s_transparent_sample_is_white_at_every_depth(bits: int, tmp_path: Path) -> None:
    top = (1 << bits) - 1
    samples = np.random.default_rng(0).integers(0, top + 1, (6, 8))
    samples[0, 0], samples[0, 1] = top // 2, top
    (tmp_path / "plain.png").write_bytes(_png(bits, samples))
    np.testing.assert_allclose(il.load_image(tmp_path / "plain.png").image()[..., 0], samples / top, rtol=0, atol=1e-7)
    (tmp_path / "a.png").write_bytes(_png(bits, samples, transparent=top // 2))
    with pytest.warns(UserWarning, match=r"a\.png: transparency was flattened on white"):
        signal = il.load_image(tmp_path / "a.png")
    wanted = np.where(samples == top // 2, 1.0, samples / top)
    np.testing.assert_allclose(signal.image()[..., 0], wanted, rtol=0, atol=1e-7)
    with pytest.raises(il.InputError, match="is transparent in parts"):
        il.load_mask(tmp_path / "a.png", signal)


def _tiff(path: Path, samples: np.ndarray, bits: int, photometric: int, packed: bytes | None = None) -> None:
    """A grey TIFF of one strip that states its bits and whether 0 is white."""
    content = samples.astype("<u2" if bits > 8 else "u1").tobytes() if packed is None else packed
    height, width = samples.shape
    tags = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, 8 + 2 + 12 * 9 + 4)]
    tags += [(277, 1), (278, height), (279, len(content))]
    entries = b"".join(struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, 1, value) for tag, value in tags)
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + content)


def _twelve_bits(samples: np.ndarray) -> bytes:
    bits = (samples.reshape(-1)[:, None] >> np.arange(11, -1, -1)) & 1
    return np.packbits(bits).tobytes()


@pytest.mark.parametrize(("bits", "photometric"), [(8, 0), (8, 1), (12, 1), (16, 0), (16, 1)])
def test_grey_tiffs_are_light_from_0_to_1_whatever_0_means(bits: int, photometric: int, tmp_path: Path) -> None:
    top = (1 << bits) - 1
    samples = np.random.default_rng(1).integers(0, top + 1, (4, 8))
    samples[0, :2] = 0, top
    stored = samples if photometric == 1 else top - samples
    _tiff(tmp_path / "a.tif", stored, bits, photometric, _twelve_bits(stored) if bits == 12 else None)
    found = il.load_image(tmp_path / "a.tif")
    np.testing.assert_allclose(found.image()[..., 0], samples / top, rtol=0, atol=1e-7)
    assert found.bit_depth == (8 if bits == 8 else 16)
    mask = il.load_mask(tmp_path / "a.tif", found)
    assert (mask.numpy() == (samples != 0)).all()


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.uint32])
def test_tiffs_whose_white_is_not_stated_are_refused(dtype: type, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", (RAMP * 40).astype(dtype), photometric="minisblack")
    with pytest.raises(il.InputError) as caught:
        il.load_image(tmp_path / "a.tif")
    kind = "32-bit" if dtype is np.uint32 else "signed"
    assert f"is a TIFF of {kind} samples" in str(caught.value) or "is not an image that Pillow" in str(caught.value)


def test_floats_within_0_and_1_keep_their_values(tmp_path: Path) -> None:
    values = np.random.default_rng(2).random((5, 6)).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    assert (il.load_image(tmp_path / "a.tif").image()[..., 0].numpy() == values).all()
    values[2, 3] = np.nan
    tifffile.imwrite(tmp_path / "nan.tif", values, photometric="minisblack")
    with pytest.raises(il.InputError, match=r"nan\.tif holds 5x6 floats from nan to nan"):
        il.load_image(tmp_path / "nan.tif")


@pytest.mark.parametrize(("channels", "kind", "read"), [(4, "rgb", 3), (5, "rgb", 3), (2, "minisblack", 1)])
def test_channels_that_are_left_out_are_told(channels: int, kind: str, read: int, tmp_path: Path) -> None:
    array = np.random.default_rng(3).integers(0, 256, (4, 8, channels), dtype=np.uint8)
    more = (0,) * (channels - read)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric=kind, planarconfig="contig", extrasamples=more)
    with pytest.warns(UserWarning, match=rf"a\.tif: of {channels} channels the first {read} were read"):
        found = il.load_image(tmp_path / "a.tif")
    assert (np.rint(found.image().numpy() * 255.0) == array[..., :read]).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_tiffs_of_every_mode_are_turned(orientation: int, mode: str, compression: str | None, tmp_path: Path) -> None:
    colours = Image.fromarray(np.random.default_rng(4).integers(0, 256, (4, 8, 3), dtype=np.uint8))
    image = Image.fromarray((RAMP * 9000).astype(np.uint16)) if mode == "I;16" else colours.convert(mode)
    image.save(tmp_path / "flat.tif", compression=compression)
    image.save(tmp_path / "a.tif", compression=compression, tiffinfo={274: orientation})
    flat = il.load_image(tmp_path / "flat.tif").image().numpy()
    turned = np.rot90(flat, {3: 2, 4: 2, 6: -1, 7: -1, 8: 1, 5: 1}.get(orientation, 0))
    if orientation in (2, 4):
        turned = turned[:, ::-1]
    elif orientation in (5, 7):
        turned = turned[::-1]
    found = il.load_image(tmp_path / "a.tif")
    assert found.shape == turned.shape[:2]
    assert (found.image().numpy() == turned).all()


def _changed(content: bytes, place: bytes, offset: int, value: int) -> bytes:
    at = content.index(place) + offset
    return content[:at] + bytes([value]) + content[at + 1 :]


def _saved(kind: str, array: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format=kind, **options)
    return buffer.getvalue()


def test_colours_of_more_bits_than_pillow_keeps_are_refused(tmp_path: Path) -> None:
    """Files of 8 bits whose headers are changed to say more, which is all that is looked at."""
    array = np.random.default_rng(5).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    jp2 = _saved("JPEG2000", array)
    bare = jp2[jp2.index(b"\xff\x4f\xff\x51") :]
    avif = _saved("AVIF", array)
    deep = {
        "a.jp2": (_changed(jp2, b"\xff\x51", 40, 15), "16-bit colour JPEG 2000"),
        "b.jp2": (_changed(jp2, b"\xff\x51", 43, 11), "12-bit colour JPEG 2000"),
        "c.j2k": (_changed(bare, b"\xff\x51", 40, 15), "16-bit colour JPEG 2000"),
        "d.jp2": (_changed(jp2, b"\xff\x51", 40, 0x87), "JPEG 2000 file of signed samples"),
        "e.avif": (_changed(avif, b"av1C", 6, 0x40), "10-bit colour AVIF"),
        "f.sgi": (_changed(_saved("SGI", array), b"\x01\xda", 3, 2), "16-bit colour SGI"),
    }
    for name, (content, said) in deep.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(il.InputError, match=said):
            il.load_image(tmp_path / name)
    for name, content in (("plain.jp2", jp2), ("bare.j2k", bare), ("plain.avif", avif)):
        (tmp_path / name).write_bytes(content)
        assert il.load_image(tmp_path / name).channels == 3


def test_grey_jpeg_2000_of_sixteen_bits_keeps_its_values(tmp_path: Path) -> None:
    array = np.random.default_rng(6).integers(0, 65536, (16, 16)).astype(np.uint16)
    (tmp_path / "a.jp2").write_bytes(_saved("JPEG2000", array))
    found = il.load_image(tmp_path / "a.jp2")
    np.testing.assert_allclose(found.image()[..., 0], array / 65535.0, rtol=0, atol=1e-7)


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "mask.png"), ("JPEG2000", "mask.jp2"), ("WEBP", "mask.tif")])
def test_masks_are_judged_by_what_they_are(kind: str, name: str, tmp_path: Path) -> None:
    disc = (np.hypot(*np.mgrid[-24:24, -32:32]) > 14).astype(np.uint8) * 255
    signal = il.signal_from_array("flat", il.coordinates((48, 64)).abs()[:, :1].reshape(48, 64, 1))
    (tmp_path / name).write_bytes(_saved(kind, disc))
    with pytest.raises(il.InputError, match=r"a format that may blur the border .* save the mask as PNG"):
        il.load_mask(tmp_path / name, signal)
    (tmp_path / "truth.jpg").write_bytes(_saved("PNG", disc))
    assert (il.load_mask(tmp_path / "truth.jpg", signal).numpy() == (disc > 0)).all()


def test_tiffs_that_pillow_reads_wrongly_without_a_word_are_refused(tmp_path: Path) -> None:
    grey, path = np.arange(64, dtype=np.uint8).reshape(8, 8), tmp_path / "a.tif"
    colours = np.random.default_rng(0).integers(1, 256, (3, 256)).astype(np.uint16)
    tifffile.imwrite(path, grey, photometric="palette", colormap=colours * 257)
    np.testing.assert_allclose(il.load_image(path).image(), colours.T[grey] / 255.0, rtol=0, atol=1e-6)
    tifffile.imwrite(path, grey, photometric="palette", colormap=colours)
    with pytest.raises(il.InputError, match="a TIFF whose palette counts to 255"):
        il.load_image(path)
    tifffile.imwrite(path, np.zeros((3, 16, 16), np.uint8), photometric="minisblack", volumetric=True, tile=(3, 16, 16))
    with pytest.raises(il.InputError, match="a TIFF of 3 planes, of which Pillow knows the first alone"):
        il.load_image(path)
    told = "ImageJ=1.54\nimages=5\nslices=5\n"
    tifffile.imwrite(path, grey, photometric="minisblack", description=told, metadata=None)
    with pytest.raises(il.InputError, match="a TIFF of 5 planes"):
        il.load_signal(path, frames="all")
    tifffile.imwrite(path, np.stack([grey] * 5), imagej=True)
    assert il.load_signal(path, frames="all").shape == (5, 8, 8)
