"""Numbers as people hold them, NumPy's arrays, Pillow's pictures, lists, whatever says ``__array__``, as tensors."""

import math
import os
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from inrlens.errors import InputError

ArrayLike: TypeAlias = Any
"""A tensor, or what ``numpy.asarray`` reads: an array, a picture of Pillow's, lists, a table of pandas or xarray."""
TOPS = {torch.uint8: 255.0, torch.uint16: 65535.0}
"""The whole numbers that say a range, and what is 1 in it."""


def tensor_of(what: str, given: ArrayLike) -> Tensor:
    """Real numbers or bools as a tensor; a tensor stays as it is, but for its gradient. ``what`` begins an error.

    Raises:
        InputError: for complex numbers, ragged lists, masked arrays, and what are no numbers.
    """
    if isinstance(given, Tensor):
        if given.is_complex():
            raise InputError(f"{what} holds complex numbers: give their magnitude, or one part.")
        if given.layout is not torch.strided or given.is_meta:
            kind = "on the meta device, without values" if given.is_meta else "sparse"
            raise InputError(f"{what} is a tensor {kind}: give one that holds every number, as to_dense() does.")
        return given.detach()
    if isinstance(given, np.ma.MaskedArray):
        raise InputError(f"{what} is a masked array: give its data, and the mask apart with Signal.masked(~mask).")
    try:
        array = np.asarray(given)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{what} is ragged or no array of numbers, a {type(given).__name__}: give rows of one length."
        ) from error
    # What says `__array__` is other people's code: a picture of Pillow's whose file is cut raises an OSError here.
    except Exception as error:
        raise InputError(f"{what} could not be read as an array, a {type(given).__name__} ({error}).") from error
    if array.dtype.kind == "c":
        raise InputError(f"{what} holds complex numbers: give their magnitude, or one part.")
    if array.dtype.kind not in "biuf":
        raise InputError(f"{what} holds {array.dtype} in a {type(given).__name__}: give an array of numbers.")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    # Another byte order, and axes that run backwards, are no tensor's.
    return torch.from_numpy(np.array(array, dtype=array.dtype.newbyteorder("="), order="C"))


def check_not_empty(what: str, values: Tensor) -> None:
    """Raises InputError where an axis has no entries."""
    if not values.numel():
        raise InputError(f"{what}: values of shape {tuple(values.shape)} are none: every axis must have 1 or more.")


def check_no_nan(what: str, values: Tensor) -> None:
    """Raises InputError where a value is NaN, which no whole number can stand for."""
    count = int(values.isnan().sum()) if values.is_floating_point() else 0
    if count:
        raise InputError(f"{what}: {count:,} of {values.numel():,} values are NaN: replace them, as nan_to_num does.")


def whole_number(what: str, given: object, least: int, most: int | None = None) -> int:
    """A whole number of Python's, NumPy's or torch's, or a float that is one. ``what`` begins an error.

    Raises:
        InputError: for what is no whole number, or lies below ``least`` or above ``most``.
    """
    found = _plain_number(given)
    if not isinstance(found, Integral) and not (isinstance(found, float) and found.is_integer()):
        raise InputError(f"{what} must be a whole number, not {given!r}.")
    whole = int(found)
    if most is None and whole < least:
        raise InputError(f"{what} must be at least {least:,}, not {whole}.")
    if most is not None and not least <= whole <= most:
        raise InputError(f"{what} must lie from {least:,} to {most:,}, not {whole}.")
    return whole


def real_number(what: str, given: object) -> float:
    """A finite number of Python's, NumPy's or torch's as a float. ``what`` begins an error.

    Raises:
        InputError: for what is no number, or is not finite.
    """
    found = _plain_number(given)
    try:
        number = float(found) if isinstance(found, Real) else math.nan
    except OverflowError:  # a whole number beyond what a float holds
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{what} must be a finite number, not {given!s:.40}.")
    return number


def _plain_number(given: object) -> object:
    """A number out of an array or tensor of no axes; None for a bool, which Python counts among the numbers."""
    found = given.item() if isinstance(given, Tensor | np.generic | np.ndarray) and given.ndim == 0 else given
    return None if isinstance(found, bool) else found


def check_values_first(verb: str, values: object, path: object) -> None:
    """Refuses a path where values are meant, and the other way round.

    Raises:
        InputError: where they stand in the wrong order.
    """
    if isinstance(values, str | os.PathLike) or not isinstance(path, str | os.PathLike):
        raise InputError(f"il.{verb} takes the values first and the path second: il.{verb}(values, path, ...).")


def values_of(what: str, given: ArrayLike) -> Tensor:
    """Values within [0, 1] as floats: floats stay as they are, uint8 is divided by 255, uint16 by 65535, bools are 0
    and 1.

    Raises:
        InputError: as ``tensor_of``, and for other whole numbers, which do not say what is 1.
    """
    found = tensor_of(what, given)
    if found.is_floating_point():
        return found
    if found.dtype is torch.bool:
        return found.float()
    top = TOPS.get(found.dtype)
    if top is None:
        kind = str(found.dtype).removeprefix("torch.")
        raise InputError(
            f"{what} holds {kind} numbers, of which only uint8 and uint16 say what is white: divide them by the number "
            "that shall be 1."
        )
    return found.float() / top
