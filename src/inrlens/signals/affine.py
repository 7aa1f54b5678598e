"""Where a grid lies in space or time: from its samples' numbers to millimetres or seconds, and to [-1, 1].

Sample ``(i_1, .., i_m)`` of a grid, in the order of its axes, lies at the physical point ``A i + t``; an affine holds
the m rows of ``[A | t]``. It is the upper part of what a NIfTI file calls its affine.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.errors import InputError

Affine = tuple[tuple[float, ...], ...]
"""m rows of m + 1 numbers, ``[A | t]``."""


def check_affine(what: str, affine: Affine, axes: int) -> None:
    """Raises InputError where an affine does not suit a grid of so many axes, or flattens it."""
    if len(affine) != axes or any(len(row) != axes + 1 for row in affine):
        raise InputError(
            f"{what}: an affine of {len(affine)} rows of {sorted({len(row) for row in affine})} numbers on a grid of "
            f"{axes} axes, which needs {axes} rows of {axes + 1}: the rows of [A | t]."
        )
    finite = all(math.isfinite(number) for row in affine for number in row)
    if not finite or torch.linalg.matrix_rank(_linear(affine)) < axes:
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
    index = to_index(points, affine)
    last = torch.tensor([side - 1 for side in shape], dtype=torch.float64)
    unit = torch.where(last > 0, 2.0 * index / last.clamp_min(1.0) - 1.0, index)
    return unit.flip(1)


def from_unit(x: Float[Tensor, "n m"], affine: Affine, shape: tuple[int, ...]) -> Float[Tensor, "n m"]:
    """The physical points of a network's coordinates, float64: the inverse of ``to_unit``."""
    last = torch.tensor([side - 1 for side in shape], dtype=torch.float64)
    unit = x.double().flip(1)
    return to_points(torch.where(last > 0, (unit + 1.0) / 2.0 * last, unit), affine)


def _linear(affine: Affine) -> Tensor:
    return torch.tensor([row[:-1] for row in affine], dtype=torch.float64)


def _origin(affine: Affine) -> Tensor:
    return torch.tensor([row[-1] for row in affine], dtype=torch.float64)
