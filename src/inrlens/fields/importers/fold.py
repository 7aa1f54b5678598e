"""Another project's coordinates and values as ours, exactly: the first layer and the output take up the difference."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.fields.importers.maps import LinearMap, Maps
from inrlens.fields.value_ranges import AXES, Span, ValueRanges


def affine(spans: ValueRanges) -> tuple[Float[Tensor, "m m"], Float[Tensor, " m"]]:
    """``(A, t)`` of the network's coordinates ``A x + t`` from ours, x in [-1, 1] and in the order x, y, z, t."""
    assert not callable(spans.coordinates)
    count = len(spans.axes)
    matrix, shift = torch.zeros(count, count, dtype=torch.float64), torch.zeros(count, dtype=torch.float64)
    for row, (letter, (low, high)) in enumerate(zip(spans.axes, spans.coordinates, strict=True)):
        matrix[row, AXES.index(letter)] = (high - low) / 2.0
        shift[row] = (high + low) / 2.0
    return matrix, shift


def fold_coordinates(maps: Maps, matrix: Float[Tensor, "m m"], shift: Float[Tensor, " m"]) -> Maps:
    """``W (A x + t) + b = (W A) x + (W t + b)`` in layer 0."""
    first = maps.layers[0]
    matrix, shift = matrix.to(first.weight.dtype), shift.to(first.weight.dtype)
    folded = LinearMap(first.weight @ matrix, first.bias + first.weight @ shift)
    return replace(maps, layers=(folded, *maps.layers[1:]))


def fold_output(maps: Maps, output: Span) -> Maps:
    """``(W h + b - low) / (high - low)`` in the output."""
    low, high = output
    weight, bias = maps.head.weight / (high - low), (maps.head.bias - low) / (high - low)
    return replace(maps, head=LinearMap(weight, bias))
