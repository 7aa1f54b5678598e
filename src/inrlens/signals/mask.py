"""Files that say which samples of a signal are used."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from inrlens.errors import InputError
from inrlens.signals.affine import Affine, to_index, to_points
from inrlens.signals.formats import format_of
from inrlens.signals.nifti import read_stored
from inrlens.signals.pixels import read_picture
from inrlens.signals.signal import Signal
from inrlens.signals.sizing import sides

_EXACT = ("BMP", "GIF", "ICO", "PCX", "PNG", "PPM", "SGI", "TGA", "TIFF")
"""What Pillow calls the formats that keep every sample as it was."""
_LOSSY = ("jpeg", "tiff_jpeg", "webp")
"""Compressions within a TIFF that do not."""
_HALF_A_SAMPLE = 0.5


def load_mask(path: str | Path, signal: Signal) -> Bool[Tensor, "*grid"]:
    """Reads what ``signal.masked`` takes: an image or NIfTI of the signal's size, whose samples are used where they are
    not 0, in any channel. Axes of one sample do not count towards the size: an image of one row suits a sound.

    Raises:
        InputError: as ``load_image`` and ``load_nifti``; where the file is of another size, lies elsewhere in space,
            is compressed so that 0 does not stay 0, is transparent, uses nothing, or holds NaN.
    """
    path = Path(path)
    if format_of(path).kind == "volume":
        stored = read_stored(path)
        values = torch.from_numpy(stored.values)
        if bool(values.isnan().any()):
            raise InputError(f"{path} holds NaN: a mask is 0 where a sample is left out, any other number elsewhere.")
        _check_place(path, stored.affine, signal)
        used = values.ne(0.0)
    else:
        used = _image(path)
    if _long(used.shape) != _long(signal.shape):
        raise InputError(
            f"{path} holds {sides(used.shape)} samples, signal {signal.name!r} {sides(signal.shape)}: give a mask of "
            "the size that is fitted."
        )
    if not bool(used.any()):
        raise InputError(f"{path} is 0 everywhere, so that no sample would be used: give a mask that uses some.")
    return used.reshape(signal.shape)


def _image(path: Path) -> Bool[Tensor, "h w"]:
    picture = read_picture(path)
    kind = f"{picture.format} of {picture.compression} compression" if picture.compression else picture.format
    if picture.format not in _EXACT or picture.compression in _LOSSY:
        raise InputError(
            f"{path} is a {kind}, a format that may blur the border between 0 and the rest: save the mask as PNG."
        )
    if picture.transparent:
        raise InputError(
            f"{path} is transparent in parts, which is neither 0 nor 1: save the mask without transparency."
        )
    # As they are stored: to a profile, black may be no 0.
    stored = picture.image.convert("RGB") if picture.image.mode == "P" else picture.image
    black = picture.depth.top if picture.depth.inverted else 0
    used = torch.from_numpy(np.array(stored) != black)
    return used.any(-1) if used.ndim == 3 else used


def _check_place(path: Path, affine: Affine | None, signal: Signal) -> None:
    """Refuses a mask whose samples lie nearer to others of the signal than to their own."""
    if affine is None or signal.affine is None or len(signal.affine) != len(affine):
        return
    sides = [torch.tensor([0.0, side - 1.0], dtype=torch.float64) for side in signal.shape]
    corners = torch.cartesian_prod(*sides)
    apart = float((to_index(to_points(corners, affine), signal.affine) - corners).abs().max())
    if apart > _HALF_A_SAMPLE:
        raise InputError(
            f"{path} lies elsewhere in space than signal {signal.name!r}, up to {apart:.3g} samples away: resample "
            "it to the signal's grid first."
        )


def _long(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(side for side in shape if side > 1)
