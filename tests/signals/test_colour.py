"""Profiles and gammas against their formulas, and sRGB left alone."""

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

import inrlens as il
from inrlens.signals.colour import srgb_of_power

PRIMARIES = {
    # CIE xy of red, green and blue; the white is D65 (SMPTE RP 431-2 and EG 432-1; Adobe RGB (1998), 4.3.1).
    "Display P3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "Adobe RGB": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
}
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
D65 = (0.3127, 0.3290)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D50 = np.array([0.9642, 1.0, 0.8249])


def _xyz(x: float, y: float) -> np.ndarray:
    return np.array([x / y, 1.0, (1.0 - x - y) / y])


def _to_xyz(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    """The matrix from linear RGB to XYZ under D65."""
    columns = np.stack([_xyz(*one) for one in primaries], 1)
    return columns * np.linalg.solve(columns, _xyz(*D65))


def _profile(primaries: tuple[tuple[float, float], ...], gamma: float = 2.2) -> bytes:
    """A matrix profile (ICC.1:2001-04, 6.3.3.2), its colorants adapted to D50."""
    cone = BRADFORD @ _xyz(*D65)
    adapt = np.linalg.inv(BRADFORD) @ np.diag(BRADFORD @ D50 / cone) @ BRADFORD
    colorants = adapt @ _to_xyz(primaries)

    def fixed(*numbers: float) -> bytes:
        return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)

    tags = {b"wtpt": b"XYZ \0\0\0\0" + fixed(*D50)}
    tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"made\0" + bytes(78)
    tags[b"cprt"] = b"text\0\0\0\0none\0"
    for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants.T, strict=True):
        tags[name] = b"XYZ \0\0\0\0" + fixed(*column)
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        tags[name] = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", at + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"none", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + fixed(*D50) + bytes(48)
    return head[:128] + struct.pack(">I", len(tags)) + table + body


def _encoded(light: np.ndarray) -> np.ndarray:
    """sRGB of linear light, clipped to [0, 1]."""
    light = light.clip(0.0, 1.0)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1.0 / 2.4) - 0.055)


def _rgb() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", PRIMARIES)
@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
def test_a_matrix_profile_is_its_formula(name: str, ending: str, tmp_path: Path) -> None:
    array = _rgb()
    path = tmp_path / f"a.{ending}"
    Image.fromarray(array).save(path, icc_profile=_profile(PRIMARIES[name]), lossless=True)
    light = (array / 255.0) ** 2.2 @ _to_xyz(PRIMARIES[name]).T @ np.linalg.inv(_to_xyz(SRGB)).T
    found = il.load_image(path).image().numpy()
    # littlecms works in 16 bits, and rounds to 8 at the end; near black the curve is steep.
    np.testing.assert_allclose(found, _encoded(light), rtol=0, atol=2.0 / 255.0)
    assert abs(found - array / 255.0).max() > 10.0 / 255.0


def test_srgb_s_own_profile_changes_nothing(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, array in (("rgb", _rgb()), ("grey", _rgb()[:, :, 0])):
        Image.fromarray(array).save(tmp_path / f"{name}.png", icc_profile=profile)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = il.load_image(tmp_path / f"{name}.png").image().numpy()
        assert (np.rint(found * 255.0).reshape(array.shape) == array).all()


def test_transparency_stays_where_it_is_beside_a_profile(tmp_path: Path) -> None:
    rgba = np.dstack([_rgb(), np.full((7, 9), 255, np.uint8)])
    rgba[0, :, 3] = 0
    Image.fromarray(rgba).save(tmp_path / "a.png", icc_profile=_profile(PRIMARIES["Display P3"]))
    Image.fromarray(rgba[:, :, :3]).save(tmp_path / "b.png", icc_profile=_profile(PRIMARIES["Display P3"]))
    with pytest.warns(UserWarning, match="transparency was flattened on white"):
        found = il.load_image(tmp_path / "a.png").image()
    assert (found[0] == 1.0).all()
    assert (found[1:] == il.load_image(tmp_path / "b.png").image()[1:]).all()


@pytest.mark.parametrize(("content", "why"), [(b"no profile", "cannot open"), (None, "it is one of GRAY")])
def test_a_profile_that_cannot_be_applied_is_told(content: bytes | None, why: str, tmp_path: Path) -> None:
    if content is None:
        content = _profile(SRGB).replace(b"RGB XYZ ", b"GRAYXYZ ")
    Image.fromarray(_rgb()).save(tmp_path / "a.png", icc_profile=content)
    with pytest.warns(UserWarning, match=rf"a\.png: its colour profile was not applied \(.*{why}.*taken as sRGB"):
        found = il.load_image(tmp_path / "a.png").image().numpy()
    assert (np.rint(found * 255.0) == _rgb()).all()


def test_a_profile_of_deep_grey_is_told(tmp_path: Path) -> None:
    array = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    Image.fromarray(array).save(tmp_path / "a.png", icc_profile=_profile(SRGB, gamma=1.0))
    with pytest.warns(UserWarning, match=r"not applied \(littlecms takes 8 bits a sample\)|not applied \(it is one of"):
        found = il.load_image(tmp_path / "a.png").image().numpy()
    np.testing.assert_allclose(found[:, :, 0], array / 65535.0, rtol=0, atol=1e-6)


def _with_gamma(array: np.ndarray, exponent: float) -> bytes:
    """A PNG with a gAMA chunk, which Pillow does not write."""
    return _with_chunk(array, b"gAMA", struct.pack(">I", round(exponent * 100000)))


def _with_chunk(array: np.ndarray, name: bytes, data: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG")
    chunk = struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    content = buffer.getvalue()
    return content[:33] + chunk + content[33:]


@pytest.mark.parametrize("exponent", [1.0, 1 / 1.8])
def test_a_gamma_is_its_formula_at_every_depth(exponent: float, tmp_path: Path) -> None:
    deep = np.random.default_rng(1).integers(0, 65536, (5, 6)).astype(np.uint16)
    for array, top, step in ((_rgb(), 255.0, 0.501 / 255.0), (deep, 65535.0, 1e-5)):
        (tmp_path / "a.png").write_bytes(_with_gamma(array, exponent))
        found = il.load_image(tmp_path / "a.png").image().numpy()
        wanted = _encoded((array / top) ** (1.0 / exponent)).reshape(found.shape)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=step)


def test_srgb_s_gamma_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(_with_gamma(_rgb(), 0.45455))
    assert (np.rint(il.load_image(tmp_path / "a.png").image().numpy() * 255.0) == _rgb()).all()


def test_powers_keep_ends_order_and_dtype() -> None:
    ramp = np.linspace(0.0, 1.0, 1001, dtype=np.float32)
    for exponent in (0.2, 0.5, 1.0, 2.0):
        found = srgb_of_power(ramp, exponent)
        assert found.dtype == np.float32
        assert (found[0], found[-1]) == (0.0, pytest.approx(1.0, abs=1e-6))
        assert (np.diff(found) >= 0.0).all()


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        (b"cICP", bytes([1, 13, 0, 1]), ""),
        (b"cICP", bytes([12, 13, 0, 1]), "a cICP of another space than sRGB"),
        (b"cICP", bytes([9, 16, 0, 1]), "a cICP of another space than sRGB"),
        (b"cHRM", struct.pack(">8I", *(round(n * 1e5) for n in (*D65, *sum(SRGB, ())))), ""),
        (
            b"cHRM",
            struct.pack(">8I", *(round(n * 1e5) for n in (*D65, *sum(PRIMARIES["Display P3"], ())))),
            "a cHRM of",
        ),
    ],
)
def test_colours_that_a_png_says_in_numbers_are_told(name: bytes, data: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(_with_chunk(_rgb(), name, data))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = il.load_image(path).image().numpy()
    assert (np.rint(found * 255.0) == _rgb()).all()
    assert bool(caught) == bool(told)
    assert all(f"not applied ({told}" in str(one.message) for one in caught)


def test_a_profile_in_a_jpeg_2000_file_is_applied(tmp_path: Path) -> None:
    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(content)) + kind + content

    profile = _profile(PRIMARIES["Display P3"])
    Image.fromarray(_rgb()).save(tmp_path / "a.jp2")
    plain = (tmp_path / "a.jp2").read_bytes()
    start, colour = plain.index(b"jp2h") - 4, plain.index(b"colr") - 4
    end = start + int.from_bytes(plain[start : start + 4], "big")
    after = colour + int.from_bytes(plain[colour : colour + 4], "big")
    inner = plain[start + 8 : colour] + box(b"colr", b"\2\0\0" + profile) + plain[after:end]
    (tmp_path / "a.jp2").write_bytes(plain[:start] + box(b"jp2h", inner) + plain[end:])
    Image.fromarray(_rgb()).save(tmp_path / "a.png", icc_profile=profile)
    wanted = il.load_image(tmp_path / "a.png").image()
    torch.testing.assert_close(il.load_image(tmp_path / "a.jp2").image(), wanted, rtol=0, atol=0)
