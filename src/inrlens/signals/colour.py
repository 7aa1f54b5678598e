"""Colours that a file declares by a profile or a gamma, brought to sRGB."""

import io
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

_SRGB_GAMMA = 1.0 / 2.2
_ALIKE = 0.005
"""How far the exponent of a PNG's gAMA may lie from that of sRGB to mean sRGB."""
_PROBES = {
    "L": Image.fromarray(np.arange(256, dtype=np.uint8)[None]),
    "RGB": Image.fromarray(np.stack(np.meshgrid(*[np.arange(0, 256, 17, dtype=np.uint8)] * 3), -1).reshape(64, 64, 3)),
}
"""Every grey, and a cube of colours."""
_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}
"""Pillow's mode for pictures of a profile's colours."""
_UNUSABLE = (ImageCms.PyCMSError, OSError, ValueError, TypeError)
"""What littlecms and Pillow raise of a profile that is damaged or does not suit."""


_CICP_SRGB = bytes([1, 13, 0])
"""Primaries, transfer and matrix of sRGB (ITU-T H.273)."""
_SRGB_PRIMARIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_NOT_APPLIED = "inrlens: colours not applied"


def told_colours(image: Image.Image, head: bytes) -> dict[str, Any]:
    """What a file's beginning says of its colours and Pillow's ``info`` does not, as entries of it: the ICC profile of
    a JPEG 2000 file, and why a PNG's cICP or cHRM is not applied."""
    if image.format == "JPEG2000":
        at = head.find(b"colr")
        restricted = 4 <= at < head.find(b"\xff\x4f\xff\x51") and head[at + 4 : at + 5] == b"\x02"
        return {"icc_profile": head[at + 7 : at - 4 + int.from_bytes(head[at - 4 : at], "big")]} if restricted else {}
    if image.format != "PNG" or image.info.get("icc_profile") or image.info.get("srgb") is not None:
        return {}
    at = head.find(b"cICP", 0, head.find(b"IDAT"))
    if at >= 0:
        return {} if head[at + 4 : at + 7] == _CICP_SRGB else {_NOT_APPLIED: "a cICP of another space than sRGB"}
    primaries = image.info.get("chromaticity")
    if primaries is None or all(
        math.isclose(*two, abs_tol=_ALIKE) for two in zip(primaries, _SRGB_PRIMARIES, strict=True)
    ):
        return {}
    return {_NOT_APPLIED: "a cHRM of other primaries than sRGB's"}


def to_srgb(path: Path, image: Image.Image, info: dict[Any, Any]) -> Image.Image:
    """A picture of mode ``L``, ``RGB``, ``CMYK`` or ``LAB`` in sRGB, as ``L`` or ``RGB``; ``info`` is Pillow's of the
    file, with its ICC profile or the gAMA of a PNG.

    The mapping is relative colorimetric (littlecms). A profile that moves no colour by more than one of 255 steps is
    sRGB's, and changes nothing. With a warning, a profile that is damaged or of another kind of colour changes nothing
    either.
    """
    plain = image if image.mode in ("L", "RGB") else image.convert("RGB")
    profile = info.get("icc_profile")
    if profile:
        try:
            way = _way_to_srgb(profile, image.mode)
            moved = None if way is None else ImageCms.applyTransform(image.convert(way.mode), way.transform)
        except _UNUSABLE as error:
            _warn(path, str(error))
            return plain
        return plain if moved is None else moved.convert(plain.mode)
    if _NOT_APPLIED in info:
        _warn(path, info[_NOT_APPLIED])
    exponent = _exponent(info)
    if exponent is None:
        return plain
    table = np.rint(255.0 * srgb_of_power(np.arange(256) / 255.0, exponent)).astype(int).tolist()
    return plain.point(table * len(plain.getbands()))


def deep_grey_to_srgb(path: Path, values: np.ndarray, info: dict[Any, Any]) -> np.ndarray:
    """Grey values ``(h, w)`` in [0, 1] of more than 8 bits; a gAMA is applied, a profile is not, which is said."""
    profile = info.get("icc_profile")
    if profile:
        try:
            if _way_to_srgb(profile, "L") is not None:
                _warn(path, "littlecms takes 8 bits a sample")
        except _UNUSABLE as error:
            _warn(path, str(error))
        return values
    exponent = _exponent(info)
    return values if exponent is None else srgb_of_power(values, exponent)


def srgb_of_power(stored: np.ndarray, exponent: float) -> np.ndarray:
    """sRGB (IEC 61966-2-1) of samples that are the light to the power of ``exponent``, both in [0, 1]; the dtype
    stays."""
    light = stored ** (1.0 / exponent)
    found = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1.0 / 2.4) - 0.055)
    return np.asarray(np.clip(found, 0.0, 1.0), dtype=stored.dtype)


def _exponent(info: dict[Any, Any]) -> float | None:
    """The power of light that a PNG's gAMA states; None where it is sRGB's, or none is stated."""
    gamma = info.get("gamma")
    if info.get("srgb") is not None or not isinstance(gamma, float) or not 0.01 <= gamma <= 10.0:
        return None
    return None if math.isclose(gamma, _SRGB_GAMMA, abs_tol=_ALIKE) else gamma


@dataclass(frozen=True)
class _Way:
    """littlecms's transform to sRGB from pictures of ``mode``."""

    mode: str
    transform: Any


def _way_to_srgb(content: bytes, mode: str) -> _Way | None:
    """How pictures of ``mode`` with a profile come to sRGB; None where they are there.

    Raises:
        PyCMSError: where the profile is damaged or is of other colours.
    """
    profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
    space = profile.profile.xcolor_space.strip()
    taken = _MODES.get(space, "")
    if taken != mode and (taken, mode) != ("RGB", "L"):
        raise ImageCms.PyCMSError(f"it is one of {space}, the picture of {mode}")
    srgb = ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(profile, srgb, taken, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
    probe = _PROBES.get(taken)
    if probe is not None:
        moved = ImageCms.applyTransform(probe, transform)
        apart = np.asarray(moved, dtype=int) - np.asarray(probe.convert("RGB"), dtype=int)
        if abs(apart).max() <= 1:
            return None
    return _Way(taken, transform)


def _warn(path: Path, why: str) -> None:
    warnings.warn(
        f"{path.name}: its colour profile was not applied ({why.rstrip('.')}), so its samples were taken as sRGB.",
        UserWarning,
        stacklevel=5,
    )
