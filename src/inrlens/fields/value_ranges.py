"""From our coordinates to those that another network expects, and from its outputs to ours."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.errors import InputError

Span = tuple[float, float]
CoordinateMap = Callable[[Tensor], Tensor]
AXES = "xyzt"


@dataclass(frozen=True)
class ValueRanges:
    """What a network takes and gives.

    ``axes`` are its coordinates in its own order, letters of ``xyzt``: x runs along the last side of a grid, y along
    the one before, and so on. ``coordinates`` is the range of each of them, or a function of ours, ``(N, m)`` in
    [-1, 1] in the order of ``axes``. ``output`` is the range that stands for [0, 1].
    """

    axes: str
    coordinates: tuple[Span, ...] | CoordinateMap
    output: Span

    def enter(self, x: Float[Tensor, "n m"]) -> Tensor:
        """What the network takes, from our coordinates; a tensor of its own, since the network may write into it."""
        order = [AXES.index(letter) for letter in self.axes]
        x = x.clone() if order == list(range(len(order))) else x[:, order]
        if callable(self.coordinates):
            return self.coordinates(x)
        if all(span == (-1.0, 1.0) for span in self.coordinates):
            return x
        low, high = (x.new_tensor([span[end] for span in self.coordinates]) for end in (0, 1))
        # lerp counts from the nearer end: -1 and 1 become the ends themselves, to the bit.
        return torch.lerp(low, high, x.div_(2.0).add_(0.5))

    def leave(self, out: Float[Tensor, "n mc"]) -> Float[Tensor, "n mc"]:
        """Our values, from what the network gives."""
        low, high = self.output
        return out if (low, high) == (0.0, 1.0) else (out - low).div_(high - low)


def read_value_ranges(axes: str, coordinates: Span | Sequence[Span] | CoordinateMap, output: Span) -> ValueRanges:
    """The spans that a user has named, checked.

    Raises:
        InputError: where axes are not letters of ``xyzt`` from x on, or a range is not two different finite numbers.
    """
    if not isinstance(axes, str) or not axes or sorted(axes) != sorted(AXES[: len(axes)]):
        raise InputError(
            f"axes must name a network's coordinates in its own order, such as 'xy', 'yx', 'x' or 'zyx', not {axes!r}."
        )
    ends = _span("output", output)
    if callable(coordinates):
        return ValueRanges(axes, coordinates, ends)
    several = isinstance(coordinates, Sequence)
    if several and len(coordinates) == 2 and not isinstance(coordinates[0], Sequence):
        return ValueRanges(axes, (_span("coordinates", coordinates),) * len(axes), ends)
    if not several or len(coordinates) != len(axes):
        raise InputError(
            f"coordinates must be one range (low, high) for all axes, or one for each of {axes!r}, not {coordinates!r}."
        )
    return ValueRanges(axes, tuple(_span("coordinates", span) for span in coordinates), ends)


def _span(name: str, span: object) -> Span:
    if isinstance(span, Sequence) and len(span) == 2 and all(isinstance(end, Real) for end in span):
        low, high = float(span[0]), float(span[1])
        if math.isfinite(low) and math.isfinite(high) and low != high:
            return low, high
    raise InputError(f"{name} must be a range (low, high) of two different finite numbers, not {span!r}.")
