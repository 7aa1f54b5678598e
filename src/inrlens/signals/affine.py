"""Where a grid lies in space or time: from its samples' numbers to millimetres or seconds, and to [-1, 1].

Sample ``(i_1, .., i_m)`` of a grid, in the order of its axes, lies at the physical point ``A i + t``; an affine holds
the m rows of ``[A | t]``. It is the upper part of what a NIfTI file calls its affine.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from inrlens.errors import InputError

Affine = tuple[tuple[float, ...], ...]
"""m rows of m + 1 numbers, ``[A | t]``."""
_NEGLIGIBLE = 1e-6


def affine_of(rows: Sequence[Any] | np.ndarray) -> Affine:
    """The affine of m rows of m + 1 numbers, or of the square matrix that has 0, .., 0, 1 for a last row as well.

    Raises:
        InputError: where there are no rows of numbers.
    """
    try:
        if isinstance(rows, str):
            raise TypeError
        found = tuple(tuple(float(number) for number in row) for row in rows)
    except (TypeError, ValueError) as error:
        raise InputError(f"an affine must be the rows of [A | t], or nibabel's square matrix, not {rows!r}.") from error
    square = len(found) > 1 and len(found[-1]) == len(found)
    return found[:-1] if square and found[-1] == (*(0.0 for _ in found[1:]), 1.0) else found


def check_affine(what: str, affine: Affine, axes: int) -> None:
    """Raises InputError where an affine does not suit a grid of so many axes, or flattens it."""
    if len(affine) != axes or any(len(row) != axes + 1 for row in affine):
        raise InputError(
            f"{what}: an affine of {len(affine)} rows of {sorted({len(row) for row in affine})} numbers on a grid of "
            f"{axes} axes, which needs {axes} rows of {axes + 1}: the rows of [A | t]."
        )
    if not all(math.isfinite(number) for row in affine for number in row):
        raise InputError(f"{what}: the affine {affine} holds NaN or infinite numbers: give one of finite numbers.")
    if torch.linalg.matrix_rank(_linear(affine)) < axes:
        raise InputError(f"{what}: the affine {affine} is singular: give one that keeps all axes apart.")


def to_points(index: Float[Tensor, "n m"], affine: Affine) -> Float[Tensor, "n m"]:
    """The physical points of samples by their numbers along the grid's axes, float64."""
    return index.double() @ _linear(affine).T + _origin(affine)


def to_index(points: Float[Tensor, "n m"], affine: Affine) -> Float[Tensor, "n m"]:
    """The numbers along the grid's axes of physical points, float64; whole numbers on samples."""
    solved: Tensor = torch.linalg.solve(_linear(affine), (points.double() - _origin(affine)).T).T
    return solved


def to_unit(points: Float[Tensor, "n m"], affine: Affine, shape: tuple[int, ...]) -> Float[Tensor, "n m"]:
    """The network's coordinates of physical points, float64: [-1, 1] within the grid, the last axis first.

    An axis of one sample has no extent: its coordinate is 0 on the sample, and counts samples elsewhere.
    """
    half, middle = _sides(shape)
    return ((to_index(points, affine) - middle) / half).flip(1)


def from_unit(x: Float[Tensor, "n m"], affine: Affine, shape: tuple[int, ...]) -> Float[Tensor, "n m"]:
    """The physical points of a network's coordinates, float64: the inverse of ``to_unit``."""
    half, middle = _sides(shape)
    return to_points(x.double().flip(1) * half + middle, affine)


def outside(points: Float[Tensor, "n m"], affine: Affine, shape: tuple[int, ...]) -> Bool[Tensor, " n"]:
    """Which points lie beyond the outermost samples, or are no numbers.

    What the rounding of the points' own number type may have moved by does not count, nor a millionth of a sample.
    """
    index, half = to_index(points, affine), (torch.tensor(shape, dtype=torch.float64) - 1.0) / 2.0
    moved = torch.finfo(points.dtype).eps * (points.double().abs() @ torch.linalg.inv(_linear(affine)).abs().T)
    within: Tensor = ((index - half).abs() <= half + _NEGLIGIBLE + moved).all(1)
    return ~within


def on_grid(affine: Affine, shape: tuple[int, ...], grid: tuple[int, ...]) -> Affine:
    """The affine of another grid over the same place: that of a field drawn with more samples, or fewer.

    Corner samples stay where they are; a side of one sample lies in the middle.
    """
    (half, middle), (new_half, new_middle) = _sides(shape), _sides(grid)
    scale = half / new_half
    matrix, start = _linear(affine) * scale, to_points((middle - new_middle * scale)[None], affine)[0]
    return affine_of([[*row, first] for row, first in zip(matrix.tolist(), start.tolist(), strict=True)])


def _sides(shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Half of each side's extent in samples, 1 where it has none, and the number of its middle."""
    last = torch.tensor(shape, dtype=torch.float64) - 1.0
    return torch.where(last > 0.0, last / 2.0, 1.0), last / 2.0


def _linear(affine: Affine) -> Tensor:
    return torch.tensor([row[:-1] for row in affine], dtype=torch.float64)


def _origin(affine: Affine) -> Tensor:
    return torch.tensor([row[-1] for row in affine], dtype=torch.float64)
