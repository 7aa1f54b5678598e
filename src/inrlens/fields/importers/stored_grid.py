"""The coordinates that a wrapper keeps in its file: do they agree with what is said of the network?"""

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.value_ranges import AXES, ValueRanges
from inrlens.signals.signal import coordinates

_NEAR = 1e-4
"""How far a coordinate may lie from what is said, in parts of its range: some code steps through it in float32."""


def check_stored_grid(source: str, stored: Tensor, spans: ValueRanges, grid: tuple[int, ...] | None) -> None:
    """Refuses a tensor of coordinates ``(N, m)``, row by row of a grid, that are others than those that ``spans``
    makes of the grid; without ``grid`` its sides are taken from the tensor.

    Raises:
        InputError: naming what the tensor holds, and what was said.
    """
    found = stored.detach().double()
    axes = len(spans.axes)
    if found.ndim != 2 or found.shape[1] != axes or not bool(torch.isfinite(found).all()):
        raise InputError(
            f"{source}: its tensor 'grid' of shape {tuple(found.shape)} holds no rows of {axes} coordinates, as axes "
            f"{spans.axes!r} says: give its own axes, or take the tensor out where it means something else."
        )
    distinct = [len(torch.unique(found[:, column])) for column in range(axes)]
    sides = grid or tuple(distinct[spans.axes.index(letter)] for letter in reversed(AXES[:axes]))
    said = f"axes {spans.axes!r}, coordinates {spans.coordinates} and grid {tuple(sides)}"
    way = "give those that it was fitted with, or take the tensor out where it means something else"
    if len(found) != torch.Size(sides).numel():
        raise InputError(f"{source}: its tensor 'grid' holds {len(found):,} points, which contradicts {said}: {way}.")
    expected = spans.enter(coordinates(sides, torch.float64))
    span = (expected.amax(0) - expected.amin(0)).clamp(min=1e-12)
    if float(((found - expected).abs() / span).max()) > _NEAR:
        ends = ", ".join(
            f"{float(low):g} to {float(high):g}" for low, high in zip(found.amin(0), found.amax(0), strict=True)
        )
        raise InputError(
            f"{source}: its tensor 'grid' runs over {' by '.join(map(str, distinct))} values, {ends}, from "
            f"{_point(found[0])} over {_point(found[1]) if len(found) > 1 else 'no other point'}, which contradicts "
            f"{said}: {way}."
        )


def _point(point: Tensor) -> str:
    return f"({', '.join(f'{float(number):g}' for number in point)})"
