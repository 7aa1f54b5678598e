"""Pickles of numpy arrays, read without running anything that they name."""

import io
import math
import pickle
from typing import Any

import numpy as np

from inrlens.errors import InputError

_FLOATS = ("f2", "f4", "f8")
_ORDERS = ("<", ">")


def read_pickled_arrays(data: bytes, source: str) -> Any:
    """What a pickle holds, if that is arrays of floating-point numbers in dicts, lists and tuples.

    No function of numpy runs: an array is put together from its shape, number type and bytes. ``source`` names the
    file in sentences.

    Raises:
        InputError: where the pickle names anything but a numpy array, which is then named and not imported, where an
            array is not of plain floating-point numbers, or where the pickle is damaged.
    """
    try:
        return _arrays(_Reader(io.BytesIO(data), source).load())
    except InputError:
        raise
    # A damaged or hostile pickle can fail anywhere.
    except Exception as error:
        raise InputError(
            f"{source} is damaged or holds more than arrays of floating-point numbers, and nothing else is "
            f"unpickled here: get the file anew."
        ) from error


class _Dtype:
    """Stands in for ``numpy.dtype``: a floating-point type and its byte order."""

    def __init__(self, code: str, align: bool, copy: bool) -> None:
        if code not in _FLOATS:
            raise ValueError(f"{code!r} is no floating-point type")
        self.code, self.order = code, "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, order, *rest = state
        # Anything else in these places makes a structured type.
        if order not in _ORDERS or rest[:3] != [None, None, None]:
            raise ValueError(f"{state} describes no plain number type")
        self.order = order


class _Array:
    """Stands in for ``numpy.ndarray``, empty as ``_reconstruct`` makes it and filled by the state that follows."""

    def __init__(self, kind: str, shape: tuple[int, ...], code: bytes) -> None:
        self.values = np.empty(0, np.float32)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, by_columns, content = state
        if not isinstance(dtype, _Dtype) or type(content) is not bytes:
            raise ValueError("the array holds objects instead of numbers")
        values = np.frombuffer(content, dtype.order + dtype.code)
        if not all(type(side) is int and side >= 0 for side in shape) or math.prod(shape) != values.size:
            raise ValueError(f"{values.size} numbers do not fill the shape {shape}")
        self.values = values.reshape(shape, order="F" if by_columns else "C")


_ALLOWED = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Array for core in ("core", "_core")},
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): _Dtype,
}


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, source: str) -> None:
        super().__init__(file)
        self._source = source

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise InputError(f"{self._source} names {module}.{name}, and nothing but numpy arrays is unpickled here.")
        return _ALLOWED[module, name]


def _arrays(content: Any) -> Any:
    """The same with arrays in the place of what stood in for them."""
    if isinstance(content, _Array):
        return content.values
    if type(content) is dict:
        return {key: _arrays(value) for key, value in content.items()}
    if type(content) in (list, tuple):
        return type(content)(_arrays(value) for value in content)
    if content is None or type(content) in (bool, int, float, str, bytes):
        return content
    raise ValueError(f"{type(content).__name__} is no array")
