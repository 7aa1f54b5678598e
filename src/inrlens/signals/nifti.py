"""Slices of NIfTI files as signals."""

import gzip
import zlib
from pathlib import Path

import numpy as np
import torch

from inrlens.errors import InputError
from inrlens.signals.signal import Signal, signal_from_array

NIFTI_SUFFIXES = (".nii", ".nii.gz")


def load_nifti_slice(path: str | Path) -> Signal:
    """Reads a NIfTI file that holds one slice as a grey signal, its first axis running down and its second across.

    The stored scaling is applied; values above 1 are divided by the slice's own maximum, values within [0, 1] (as
    neurite-OASIS's ``norm`` slices are) stay as they are. The signal's ``bit_depth`` is 16: its values are no whole
    numbers of 255ths.

    Raises:
        InputError: where nibabel is not installed, the file is missing or damaged, or it holds a volume, negative or
            non-finite values.
    """
    path = Path(path)
    try:
        import nibabel
        from nibabel.filebasedimages import ImageFileError
    except ImportError as error:
        raise InputError(
            f'{path.name} is a NIfTI file, which nibabel reads: install it with pip install "inrlens[nifti]".'
        ) from error
    try:
        if path.suffix == ".gz":
            _check_sum(path)
        image = nibabel.load(path)
        if not isinstance(image, nibabel.spatialimages.SpatialImage):
            raise InputError(f"{path} holds no picture: give a NIfTI slice.")
        array = np.asarray(image.dataobj, dtype=np.float32)
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist.") from error
    except (ImageFileError, OSError, EOFError, ValueError, TypeError, zlib.error) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} could not be read as NIfTI ({error}); is it cut short or damaged?") from error
    while array.ndim > 2 and 1 in array.shape:
        array = array.squeeze(max(axis for axis, side in enumerate(array.shape) if side == 1))
    if array.ndim != 2 or array.size == 0:
        shape = "x".join(str(side) for side in image.shape)
        raise InputError(f"{path} holds {shape} values: give a file of one slice, height by width.")
    low, high = float(array.min()), float(array.max())
    if not np.isfinite([low, high]).all() or low < 0.0:
        raise InputError(f"{path} holds values from {low:g} to {high:g}: scale them to [0, 1] first.")
    if high > 1.0:
        array = array / np.float32(high)
    return signal_from_array(path.name, torch.from_numpy(np.array(array[:, :, None], order="C")), bit_depth=16)


def _check_sum(path: Path) -> None:
    # nibabel stops at the last value, before the check sum that tells a damaged file.
    with gzip.open(path) as file:
        while file.read(1 << 20):
            pass
