"""What a file does not say, and so must be given."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.importers.layouts import Layout
from inrlens.fields.value_ranges import AXES, Span, ValueRanges, read_value_ranges
from inrlens.signals.signal import coordinates

_WHY = {
    "omega_0": "the factor inside its sines",
    "scale": "the factor inside its bells",
    "axes": "the order of its coordinates",
    "coordinates": "the range of its coordinates where ours is (-1.0, 1.0)",
    "output": "the range of its values where ours is (0.0, 1.0)",
}


@dataclass(frozen=True)
class Given:
    """What the user says of a network; None: nothing."""

    omega_0: float | Sequence[float] | None = None
    scale: float | Sequence[float] | None = None
    axes: str | None = None
    coordinates: Span | Sequence[Span] | None = None
    output: Span | None = None


def check_given(source: str, layouts: Sequence[Layout], given: Given) -> None:
    """Refuses what is not given, or given though it says nothing of such a network.

    ``layouts`` build the same network and differ at most in what is usual.

    Raises:
        InputError: naming everything that is missing, why, and what the project's own scripts take.
    """
    layout = layouts[0]
    for setting in ("omega_0", "scale"):
        if getattr(given, setting) is not None and setting not in layout.asked:
            why = "its file holds it" if setting in layout.held else f"a {layout.backbone} network has none"
            raise InputError(f"{source}: {setting} is not for layout {layout.name!r}, {why}: leave it out.")
    missing = [name for name in (*layout.asked, "axes", "coordinates", "output") if getattr(given, name) is None]
    if missing:
        who = " or ".join(each.source for each in layouts)
        parts = ", ".join(f"{name} ({_WHY[name]}{_usual(layouts, name)})" for name in missing)
        raise InputError(f"{source}: a file of {who} does not say what decides its weights' meaning: give {parts}.")


def value_ranges_of(given: Given) -> ValueRanges:
    """The checked coordinates and range of values.

    Raises:
        InputError: where they are not allowed, or coordinates are a function, which no weight can take up.
    """
    assert given.axes is not None
    assert given.coordinates is not None
    assert given.output is not None
    if callable(given.coordinates):
        raise InputError("coordinates must be ranges here, since a function cannot be folded into weights: il.wrap.")
    return read_value_ranges(given.axes, given.coordinates, given.output)


def plain_numbers(value: Any) -> Any:
    """One number as a float, several as a tuple of them, numpy's and torch's too; anything else as it is."""
    try:
        several = tuple(value)
    except TypeError:
        several = None
    try:
        if value is None or isinstance(value, str) or any(isinstance(each, str) for each in several or ()):
            return value
        return float(value) if several is None else tuple(float(each) for each in several)
    except (TypeError, ValueError, RuntimeError):
        return value


def per_layer_of(source: str, setting: str, value: Any, depth: int) -> float | tuple[float, ...]:
    """One number for all layers, or one a layer, of what ``plain_numbers`` gives: two stand for the first layer and all
    others.

    Raises:
        InputError: where there are neither one, two nor ``depth`` positive numbers.
    """
    numbers = value if isinstance(value, tuple) else (value,)
    positive = all(isinstance(number, float) and 0.0 < number < math.inf for number in numbers)
    if len(numbers) not in (1, 2, depth) or not positive:
        raise InputError(
            f"{source}: {setting} must be one positive number, two (the first layer's and the others'), or {depth}, "
            f"one a layer, not {_one_line(value)}."
        )
    if len(numbers) == 1:
        return float(numbers[0])
    return numbers if len(numbers) == depth else (numbers[0], *numbers[1:] * (depth - 1))


def _usual(layouts: Sequence[Layout], name: str) -> str:
    said: dict[str, str] = {}
    for layout in layouts:
        said.setdefault(getattr(layout.usual, name), layout.source)
    said.pop("", None)
    if len(said) == 1:
        return f"; usual there: {next(iter(said))}"
    return "".join(f"; usual in {source}: {value}" for value, source in said.items())


def _one_line(value: Any) -> str:
    return " ".join(repr(value).split())


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
