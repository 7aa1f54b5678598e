"""Numbers as people hold them, NumPy's arrays, Pillow's pictures, lists, whatever says ``__array__``, as tensors."""

import os
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
        return given.detach()
    if isinstance(given, np.ma.MaskedArray):
        raise InputError(f"{what} is a masked array: give its data, and the mask apart with Signal.masked(~mask).")
    try:
        array = np.asarray(given)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{what} is ragged or no array of numbers, a {type(given).__name__}: give rows of one length."
        ) from error
    if array.dtype.kind == "c":
        raise InputError(f"{what} holds complex numbers: give their magnitude, or one part.")
    if array.dtype.kind not in "biuf":
        raise InputError(f"{what} holds {array.dtype} in a {type(given).__name__}: give an array of numbers.")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    # Another byte order, and axes that run backwards, are no tensor's.
    return torch.from_numpy(np.array(array, dtype=array.dtype.newbyteorder("="), order="C"))


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
