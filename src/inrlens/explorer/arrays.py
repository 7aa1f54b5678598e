"""Arrays in binary files: little-endian, row-major, each at a multiple of 8 bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Float, Float16, Float32, Shaped
from torch import Tensor

from inrlens.files import whole_file

TYPES = ("float16", "float32", "uint8", "uint16", "uint32", "int16", "int32")
_ALIGNMENT = 8
_HALF_LARGEST = 65504.0
_HALF_NORMAL = 2.0**-14


@dataclass(frozen=True)
class ArrayPlace:
    """Where an array lies: its file, relative to the bundle's folder, its first byte, its number type and shape."""

    file: str
    offset: int
    type: str
    shape: tuple[int, ...]


class ArrayFile:
    """A binary file that arrays are appended to; ``size`` is its bytes so far."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        self.name = name
        self.size = 0
        self._stream = stream

    def append(self, array: Shaped[np.ndarray, "*any"] | Shaped[Tensor, "*any"]) -> ArrayPlace:
        """Writes an array of one of ``TYPES``; numbers that are not finite become NaN.

        Raises:
            ValueError: for another number type.
        """
        values = array.detach().cpu().numpy() if isinstance(array, Tensor) else np.asarray(array)
        kind = values.dtype.name
        if kind not in TYPES:
            raise ValueError(f"arrays of a bundle are {', '.join(TYPES)}, not {kind}")
        if values.dtype.kind == "f":
            values = np.where(np.isfinite(values), values, values.dtype.type(np.nan))
        self._write(b"\0" * (-self.size % _ALIGNMENT))
        place = ArrayPlace(self.name, self.size, kind, values.shape)
        self._write(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes())
        return place

    def _write(self, content: bytes) -> None:
        self._stream.write(content)
        self.size += len(content)


@contextmanager
def array_file(folder: Path, name: str, sizes: dict[str, int]) -> Iterator[ArrayFile]:
    """A file of arrays in ``folder``, there whole or not at all; its size is then entered into ``sizes``.

    Raises:
        InputError: where the folder cannot be written or the disk is full.
    """
    with whole_file(folder / name) as temporary:
        with temporary.open("wb") as stream:
            file = ArrayFile(name, stream)
            yield file
        sizes[name] = file.size


def halved(values: Float[Tensor, "*any"]) -> Float16[np.ndarray, "*any"] | Float32[np.ndarray, "*any"]:
    """``values`` as float16, or as float32 where a half cannot hold them.

    That is where one is too large for a half, or all are so small that halves are coarser there than elsewhere
    (below 2^-14), which would cost the array its digits.
    """
    exact = values.detach().cpu().float().numpy()
    sizes = np.abs(exact[np.isfinite(exact)])
    largest = float(sizes.max()) if sizes.size else 0.0
    if largest >= _HALF_LARGEST or 0.0 < largest < _HALF_NORMAL:
        return exact
    with np.errstate(under="ignore"):
        return exact.astype(np.float16)
