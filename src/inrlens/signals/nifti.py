"""NIfTI files as signals: slices and volumes."""

import gzip
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from inrlens.arrays import ArrayLike, check_not_empty, check_values_first, real_number, values_of
from inrlens.errors import InputError
from inrlens.files import whole_file
from inrlens.signals.affine import Affine, affine_of, check_affine
from inrlens.signals.memory import check_memory
from inrlens.signals.nifti_files import (
    NIFTI_SUFFIXES,
    check_one_volume,
    damage_told,
    has_colours,
    nibabel_for,
    opened,
    shape_of,
    stored_values,
    without_last_ones,
)
from inrlens.signals.signal import Signal
from inrlens.signals.sizing import sides

_MILLIMETRES = {"meter": 1000.0, "micron": 0.001}


def load_nifti(path: str | Path, window: tuple[float, float] | None = None) -> Signal:
    """Reads a NIfTI file as what it holds: a volume where three of its axes or more have several samples, else a slice.

    Raises:
        InputError: as ``load_nifti_slice`` and ``load_nifti_volume``.
    """
    long = sum(side > 1 for side in shape_of(opened(Path(path))))
    return load_nifti_volume(path, window) if long > 2 else load_nifti_slice(path, window)


def load_nifti_slice(path: str | Path, window: tuple[float, float] | None = None) -> Signal:
    """Reads a NIfTI file that holds one slice as a grey signal, its first axis running down and its second across.

    The stored scaling is applied; values above 1 are divided by the slice's own maximum, values within [0, 1] (as
    neurite-OASIS's ``norm`` slices are) stay as they are; ``window`` maps them as for ``load_nifti_volume`` instead.
    The signal's ``bit_depth`` is 16: its values are no whole numbers of 255ths. It has no affine: a plane's two axes do
    not lead to three coordinates and back.

    Raises:
        InputError: where nibabel is not installed, the file is missing or damaged, or it holds a volume, negative or
            non-finite values.
    """
    path = Path(path)
    image = opened(path)
    shape = _two_axes(shape_of(image))
    if len(shape) != 2:
        raise InputError(f"{path} holds {sides(shape_of(image))} values: give a file of one slice, height by width.")
    return _signal(path, stored_values(path, image).reshape(*shape, -1), window)


def load_nifti_volume(path: str | Path, window: tuple[float, float] | None = None) -> Signal:
    """Reads a NIfTI file that holds one volume as a signal on the grid that the file stores: its axes i, j, k are the
    grid's first, second and third. It has one channel, or those of NIfTI's fifth axis: vectors are (i, j, k, 1, c);
    RGB24 has three.

    Axes of one sample beyond the third are dropped, the stored scaling is applied, and values come into [0, 1] as for
    ``load_nifti_slice`` or by ``window``. The size is looked at before the values are read. The signal's affine is the
    file's, to millimetres (x to the right, y to the front, z up); with a warning, a volume whose affine is singular has
    none.

    Args:
        path: the file.
        window: ``(low, high)``: the stored values that become 0 and 1, such as (-1000.0, 400.0) for a CT in Hounsfield
            units; what lies beyond is clipped.

    Raises:
        InputError: where nibabel is not installed, the file is missing or damaged, it holds no volume or several, no
            memory holds it, the window is empty, or values are not finite or, without a window, negative.
    """
    path = Path(path)
    image = opened(path)
    shape = without_last_ones(shape_of(image))
    check_one_volume(path, shape)
    grid, channels = shape[:3], math.prod(shape[3:]) * (3 if has_colours(image) else 1)
    check_memory(str(path), grid, channels)
    signal = _signal(path, stored_values(path, image).reshape(*grid, channels), window)
    return replace(signal, affine=_place(path, image, grid))


@dataclass(frozen=True, eq=False)
class Stored:
    """What a NIfTI file holds: its values, scaling applied, and its affine to millimetres where its grid has three
    axes and it says."""

    values: Float[np.ndarray, "*grid"]
    affine: Affine | None


def read_stored(path: str | Path) -> Stored:
    """A NIfTI file's values as they are stored, without axes of one sample beyond the third.

    Raises:
        InputError: where nibabel is not installed, the file is missing or damaged, or no memory holds it.
    """
    path = Path(path)
    image = opened(path)
    shape = without_last_ones(shape_of(image))
    check_memory(str(path), shape)
    values = stored_values(path, image)
    # A mask counts in any channel.
    values = values.max(axis=-1) if has_colours(image) else values
    return Stored(values.reshape(shape), _place(path, image, shape))


def save_volume(values: ArrayLike, path: str | Path, affine: Sequence[Any] | np.ndarray | None = None) -> None:
    """Writes a volume ``(i, j, k, c)`` as a NIfTI file of float32, which ``load_volume`` reads back; ``affine`` leads
    from its axes to millimetres, as ``Signal.placed`` takes it. ``values`` may be whatever ``il.signal_from_array``
    takes; floats may leave [0, 1]. Several channels are the components of a vector.

    Without an affine the file says that voxels are 1 mm wide and start at 0.

    Raises:
        InputError: where nibabel is not installed, the name does not end in .nii or .nii.gz, the values are not of four
            axes, the affine does not suit three, or the file cannot be written.
    """
    check_values_first("save_volume", values, path)
    path = Path(path)
    values = values_of(f"{path}: the volume", values)
    nibabel = nibabel_for(path)
    suffix = next((suffix for suffix in reversed(NIFTI_SUFFIXES) if path.name.lower().endswith(suffix)), None)
    if suffix is None:
        raise InputError(f"{path}: a volume is written as NIfTI, so its name must end in .nii or .nii.gz.")
    if values.ndim != 4:
        raise InputError(
            f"{path}: a volume is written from values of four axes (i, j, k, c), not {tuple(values.shape)}: add the "
            "channels' axis as values[..., None] does where only that is missing."
        )
    matrix = np.eye(4)
    if affine is not None:
        rows = affine_of(affine)
        check_affine(str(path), rows, 3)
        matrix[:3] = rows
    check_not_empty(str(path), values)
    array = values.cpu().float().numpy()
    # Several values a voxel lie along NIfTI's fifth axis; the fourth is time.
    several = array.shape[3] > 1
    image = nibabel.Nifti1Image(array[:, :, :, None, :] if several else array[..., 0], matrix)
    image.header.set_xyzt_units("mm")
    if several:
        image.header.set_intent("vector")
    content = image.to_bytes()
    with whole_file(path) as temporary:
        temporary.write_bytes(gzip.compress(content, mtime=0) if suffix == ".nii.gz" else content)


def _place(path: Path, image: Any, shape: tuple[int, ...]) -> Affine | None:
    """The file's affine in millimetres, where the grid has the file's first three axes."""
    nibabel = nibabel_for(path)
    if len(shape) != 3:
        return None
    with damage_told(path):
        rows = np.array(image.affine, dtype=np.float64)[:3]
        if isinstance(image.header, nibabel.Nifti1Header):
            rows *= _MILLIMETRES.get(image.header.get_xyzt_units()[0], 1.0)
    affine = affine_of(rows)
    try:
        check_affine(path.name, affine, 3)
    except InputError as error:
        warnings.warn(f"{error} The volume was read without it.", UserWarning, stacklevel=3)
        return None
    return affine


def _two_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a slice: without one of a volume's axes that has one sample, the last of them."""
    shape = without_last_ones(shape, 2)
    if len(shape) == 3 and 1 in shape:
        thin = max(axis for axis, side in enumerate(shape) if side == 1)
        return (*shape[:thin], *shape[thin + 1 :])
    return shape


def _signal(path: Path, array: np.ndarray, window: tuple[float, float] | None) -> Signal:
    low, high = (0.0, 1.0) if window is None else _bounds(window)
    bad = int((~np.isfinite(array)).sum())
    if bad:
        raise InputError(
            f"{path} holds {bad:,} values that are NaN or too large for float32: write 0 in their place with nibabel "
            "first, and leave them out of the fit with a mask."
        )
    if window is not None:
        array = np.clip((array - np.float32(low)) / np.float32(high - low), np.float32(0.0), np.float32(1.0))
    low, high = float(array.min()), float(array.max())
    if low < 0.0:
        raise InputError(
            f"{path} holds values from {low:g} to {high:g}: say which become 0 and 1, by window=(low, high) in Python "
            "or --window LOW,HIGH of inrlens fit, cohort, transfer and meta."
        )
    if high > 1.0:
        array = array / np.float32(high)
    values = torch.from_numpy(np.array(array, order="C"))
    return Signal(path.name, values.reshape(-1, values.shape[-1]), tuple(values.shape[:-1]), 16)


def _bounds(window: Any) -> tuple[float, float]:
    """The window's ends as floats."""
    if isinstance(window, str) or not hasattr(window, "__len__") or len(window) != 2:
        raise InputError(f"window must be (low, high), the stored values that become 0 and 1, not {window!r}.")
    low, high = (real_number("window's low and high", end) for end in window)
    if low >= high:
        raise InputError(f"window must be (low, high) with low below high, not {window}.")
    return low, high
