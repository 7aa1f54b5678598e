"""The pictures of a data set as signals of one grid."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from PIL import Image

from inrlens.errors import InputError
from inrlens.signals.datasets import DatasetFile
from inrlens.signals.images import check_fitting, fitted, load_image
from inrlens.signals.kinds import LAYOUTS, DataKind
from inrlens.signals.nifti import load_nifti_slice
from inrlens.signals.nifti_files import NIFTI_SUFFIXES
from inrlens.signals.signal import Signal, signal_from_array
from inrlens.signals.sizing import Fitting, sides


def read_picture(
    file: DatasetFile,
    size: tuple[int, int] | None = None,
    how: Fitting = "resize",
    channels: Literal[1, 3] = 3,
    turn: bool = False,
) -> Signal:
    """Reads one picture of a data set: an image (``load_image``) or a NIfTI slice (``load_nifti_slice``).

    The signal bears the file's name within the data set, and the bit depth of the file.

    Args:
        file: which.
        size: ``(height, width)`` that it is brought to after turning; None keeps its own.
        how: as for ``load_image``.
        channels: 1 makes a colour picture grey (ITU-R 601 luma); 3 gives a grey picture three equal channels.
        turn: turn a picture that is higher than wide by a quarter to the left.

    Raises:
        InputError: where the file cannot be read as a picture, or ``size`` is itself upright beside ``turn``.
    """
    _check(size, how, channels, turn)
    return _brought(_as_stored(file, channels), file, size, how, channels, turn)


def read_pictures(
    kind: DataKind,
    files: Sequence[DatasetFile],
    size: tuple[int, int] | None = None,
    how: Fitting = "resize",
    channels: Literal[1, 3] = 3,
    turn: bool = False,
) -> list[Signal]:
    """Reads pictures of one data set, which come out on one grid; arguments as for ``read_picture``.

    Raises:
        InputError: as ``read_picture``; where the files of a known data set come from copies at different scales; or
            where the pictures, once turned and brought to ``size``, differ in size.
    """
    _check(size, how, channels, turn)
    signals: list[Signal] = []
    stored: list[tuple[int, ...]] = []
    for file in files:
        picture = _as_stored(file, channels)
        stored.append(picture.shape)
        if kind in LAYOUTS and sorted(stored[-1]) != sorted(stored[0]):
            raise InputError(
                f"{files[0].name} is {sides(stored[0])} pixels and {file.name} {sides(stored[-1])}, so copies of "
                f"{LAYOUTS[kind].title} at different scales are mixed: give the folder of one of them."
            )
        signals.append(_brought(picture, file, size, how, channels, turn))
        if signals[-1].shape != signals[0].shape:
            turned = sorted(signals[-1].shape) == sorted(signals[0].shape)
            raise InputError(
                f"{files[0].name} is {sides(signals[0].shape)} pixels and {file.name} {sides(signals[-1].shape)}, "
                "but the pictures of a data set share one grid: set "
                + ("turn for the upright ones, or " if turned else "")
                + "a size that all are brought to."
            )
    return signals


def _check(size: tuple[int, int] | None, how: str, channels: int, turn: bool) -> None:
    check_fitting(size, how)
    if channels not in (1, 3):
        raise InputError(f"channels must be 1 (grey) or 3 (colour), not {channels}.")
    if turn and size is not None and size[0] > size[1]:
        raise InputError(
            f"turn lays every upright picture on its side, but the size {sides(size)} is upright: "
            f"give {size[1]}x{size[0]}, or leave turn out."
        )


def _as_stored(file: DatasetFile, channels: int) -> Signal:
    if file.path.name.lower().endswith(NIFTI_SUFFIXES):
        return load_nifti_slice(file.path)
    return load_image(file.path, grey=channels == 1)


def _brought(
    picture: Signal, file: DatasetFile, size: tuple[int, int] | None, how: Fitting, channels: int, turn: bool
) -> Signal:
    array = picture.image().numpy()
    if turn and array.shape[0] > array.shape[1]:
        array = np.rot90(array)
    if size is not None:
        array = _resized(array, picture.bit_depth, file, size, how)
    values = torch.from_numpy(np.ascontiguousarray(array))
    if values.shape[2] != channels:
        values = values.expand(-1, -1, channels)
    return replace(signal_from_array(file.name, values.contiguous()), bit_depth=picture.bit_depth)


def _resized(array: np.ndarray, bit_depth: int, file: DatasetFile, size: tuple[int, int], how: Fitting) -> np.ndarray:
    # Eight-bit values go back to the whole numbers that they were, so that scaling gives what load_image gives.
    pixels = np.rint(array * np.float32(255.0)).astype(np.uint8) if bit_depth == 8 else array
    image = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels))
    picture = np.asarray(fitted(file.path, image, size, how), dtype=np.float32)
    picture = picture / np.float32(255.0) if bit_depth == 8 else np.clip(picture, 0.0, 1.0)
    return picture if picture.ndim == 3 else picture[:, :, None]
