"""NIfTI files, opened and read with sentences where they are damaged or hold what is no signal."""

import gzip
import importlib
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from inrlens.errors import InputError
from inrlens.signals.formats import VOLUME, ending_of
from inrlens.signals.sizing import sides

NIFTI_SUFFIXES = (".nii", ".nii.gz")
_PACKED = (".gz", ".mgz")
_MGH, _ONE = (".mgh", ".mgz"), b"\0\0\0\x01"
"""FreeSurfer's endings, and the version that its files begin with."""
_COLOURS = ("R", "G", "B")


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
        InputError: where nibabel is not installed, the file is missing or damaged, it holds no samples, records or
            complex numbers.
    """
    nibabel = nibabel_for(path)
    with damage_told(path):
        packed, version, pair = _beginning(path)
        if pair and not ending_of(path.name, (".hdr", ".hdr.gz", ".img", ".img.gz")):
            raise InputError(
                f"{path} is the header of a NIfTI pair, whose values lie in an .img file: keep them together."
            )
        if packed:
            _check_sum(path)
        named = ending_of(path.name, (*VOLUME.endings, ".img"))
        said = ending_of(path.name, _PACKED), ending_of(path.name, _MGH)
        image = nibabel.load(path) if named and said == (packed, version == _ONE) else _misnamed(path, packed)
    if not isinstance(image, nibabel.spatialimages.SpatialImage):
        raise InputError(f"{path} holds no picture: give a NIfTI slice or volume.")
    if min(image.shape, default=0) < 1:
        raise InputError(f"{path} holds {sides(image.shape)} values, so none: give a NIfTI slice or volume.")
    with damage_told(path):
        number = image.get_data_dtype()
    if number.fields is not None and tuple(number.fields)[:3] != _COLOURS:
        raise InputError(f"{path} holds records of {', '.join(number.fields)}, no numbers: save numbers with nibabel.")
    if number.kind == "c":
        raise InputError(f"{path} holds complex numbers: save their magnitude, or one part, with nibabel first.")
    return image


def shape_of(image: Any) -> tuple[int, ...]:
    """The sides of an opened file, as whole numbers of Python: some of nibabel's headers give NumPy's."""
    return tuple(int(side) for side in image.shape)


def stored_values(path: Path, image: Any) -> np.ndarray:
    """The values of an opened file as float32, scaling applied; colours in [0, 1] along a last axis of three.

    Raises:
        InputError: where they cannot be read.
    """
    with damage_told(path), np.errstate(over="ignore"):
        if not has_colours(image):
            return np.asarray(image.dataobj, dtype=np.float32)
        stored = np.asarray(image.dataobj)
        if len(stored.dtype.names or ()) > len(_COLOURS):
            warnings.warn(f"{path.name}: its transparency was left out.", UserWarning, stacklevel=4)
        channels = [stored[name].astype(np.float32) / np.float32(255.0) for name in _COLOURS]
        return np.stack(channels, axis=-1)


def has_colours(image: Any) -> bool:
    """Whether every sample of an opened file is red, green and blue of 8 bits, NIfTI's RGB24 or RGBA32."""
    return image.get_data_dtype().fields is not None


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
def damage_told(path: Path) -> Iterator[None]:
    """What nibabel and the system raise of a file, as InputError."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{error.filename or path} does not exist.") from error
    # A damaged header can fail anywhere in nibabel.
    except Exception as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise InputError(f"{path} could not be read as NIfTI ({reason}); is it cut short or damaged?") from error


def _beginning(path: Path) -> tuple[bool, bytes, bool]:
    """Whether a file is packed, its first four bytes, unpacked, and whether it is the header of a pair."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as file:
        head = file.read(348)
    return packed, head[:4], head[344:348] == b"ni1\0" or head[4:8] == b"ni2\0"


def _misnamed(path: Path, packed: bool) -> Any:
    """A single file under a name that does not say what it is, or wrongly whether it is packed."""
    nibabel = nibabel_for(path)
    with gzip.open(path) if packed else path.open("rb") as file:
        content = file.read()
    if content[4:8] in (b"n+2\0", b"ni2\0"):
        return nibabel.Nifti2Image.from_bytes(content)
    return (nibabel.MGHImage if content[:4] == _ONE else nibabel.Nifti1Image).from_bytes(content)


def _check_sum(path: Path) -> None:
    # nibabel stops at the last value, before the check sum that tells a damaged file.
    with gzip.open(path) as file:
        while file.read(1 << 20):
            pass
