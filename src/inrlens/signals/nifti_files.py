"""NIfTI files, opened and read with sentences where they are damaged or hold what is no signal."""

import gzip
import importlib
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from inrlens.errors import InputError
from inrlens.signals.sizing import sides

NIFTI_SUFFIXES = (".nii", ".nii.gz")


def nibabel_for(path: Path) -> ModuleType:
    """The module that reads and writes ``path``.

    Raises:
        InputError: where nibabel is not installed.
    """
    try:
        return importlib.import_module("nibabel")
    except ImportError as error:
        raise InputError(
            f"{path.name} is a NIfTI file, which nibabel reads and writes: "
            'install it with pip install "inrlens[nifti]".'
        ) from error


def opened(path: Path) -> Any:
    """The file's header, with its values, which are real numbers, still on the disk.

    Raises:
        InputError: where nibabel is not installed, the file is missing or damaged, it holds no samples, colours or
            complex numbers.
    """
    nibabel = nibabel_for(path)
    with _readable(path):
        if path.suffix == ".gz":
            _check_sum(path)
        image = nibabel.load(path)
    if not isinstance(image, nibabel.spatialimages.SpatialImage):
        raise InputError(f"{path} holds no picture: give a NIfTI slice or volume.")
    if min(image.shape, default=0) < 1:
        raise InputError(f"{path} holds {sides(image.shape)} values, so none: give a NIfTI slice or volume.")
    with _readable(path):
        number = image.get_data_dtype()
    if number.fields is not None:
        raise InputError(f"{path} holds colours, not numbers: save one channel, or their mean, with nibabel first.")
    if number.kind == "c":
        raise InputError(f"{path} holds complex numbers: save their magnitude, or one part, with nibabel first.")
    return image


def stored_values(path: Path, image: Any) -> np.ndarray:
    """The values of an opened file as float32, scaling applied.

    Raises:
        InputError: where they cannot be read.
    """
    with _readable(path), np.errstate(over="ignore"):
        return np.asarray(image.dataobj, dtype=np.float32)


def check_one_volume(path: Path, shape: tuple[int, ...]) -> None:
    """Raises InputError where a file of this shape holds several volumes, or none; its fifth axis holds channels where
    the fourth, time, has one sample."""
    if len(shape) > 3 and (len(shape) != 5 or shape[3] != 1):
        raise InputError(
            f"{path} holds {sides(shape)} values, {math.prod(shape[3:])} volumes where one is needed: save one of "
            'them first, as nibabel.save(nibabel.load("series.nii").slicer[..., 0], "one.nii") does.'
        )
    if len(shape) < 3:
        raise InputError(f"{path} holds {sides(shape)} values: give a file of one volume, of three axes.")


def without_last_ones(shape: tuple[int, ...], fewest: int = 3) -> tuple[int, ...]:
    """The shape without the axes of one sample at its end, down to ``fewest`` axes."""
    while len(shape) > fewest and shape[-1] == 1:
        shape = shape[:-1]
    return shape


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError, HeaderTypeError, ImageDataError
    from nibabel.wrapstruct import WrapStructError

    damaged = (ImageFileError, HeaderDataError, HeaderTypeError, ImageDataError, WrapStructError, OSError, EOFError)
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist.") from error
    except (*damaged, ValueError, TypeError, OverflowError, struct.error, zlib.error) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise InputError(f"{path} could not be read as NIfTI ({reason}); is it cut short or damaged?") from error


def _check_sum(path: Path) -> None:
    # nibabel stops at the last value, before the check sum that tells a damaged file.
    with gzip.open(path) as file:
        while file.read(1 << 20):
            pass
