"""Axes for numbers that a plain axis would crush: over many decades, on both sides of 0, doubling."""

import math
from collections.abc import Sequence
from typing import Literal

from inrlens.reports import words
from inrlens.reports.figures.canvas import Axes

Side = Literal["x", "y"]
_CROWDED = 7


def asinh_axis(axes: Axes, side: Side, values: Sequence[float]) -> None:
    """Linear about 0 and logarithmic far from it, on both sides, with ticks at 0, 1, 3, 10, ... times a power of ten.

    It is nearly linear up to a power of ten that lies one to two decades below the largest of ``values``.
    """
    sizes = [abs(value) for value in values if math.isfinite(value)]
    largest = max(sizes, default=0.0) or 1.0
    width = 10.0 ** math.floor(math.log10(largest / 30.0))
    (axes.set_xscale if side == "x" else axes.set_yscale)("asinh", linear_width=width)
    steps = [width * 10.0**decade * step for decade in range(4) for step in (1.0, 3.0)]
    # Side by side, labels need more room than one above the other.
    steps = steps[2:] if side == "x" else steps
    low, high = min(values, default=0.0), max(values, default=0.0)
    ticks = [tick for tick in (*(-step for step in reversed(steps)), 0.0, *steps) if 1.1 * low <= tick <= 1.1 * high]
    _ticks(axes, side, ticks or [0.0], [_plain(tick) for tick in ticks or [0.0]])


def log_axis(axes: Axes, side: Side, low: float, high: float, factor: float = 1.0) -> None:
    """Logarithmic, with ticks from ``low`` to ``high`` in plain numbers times ``factor``."""
    (axes.set_xscale if side == "x" else axes.set_yscale)("log")
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= _CROWDED:
            break
    _ticks(axes, side, ticks, [_plain(factor * tick) for tick in ticks])


def count_axis(axes: Axes, largest: int) -> None:
    """Numbers of atoms m at ``log2(1 + m)``, from 0 to ``largest``."""
    # The label of a power of four needs room beside the last one.
    ticks = [0, *(4**exponent for exponent in range(16) if 2.5 * 4**exponent < largest), largest]
    _ticks(axes, "x", [math.log2(1.0 + m) for m in ticks], [str(m) for m in ticks])


def _ticks(axes: Axes, side: Side, ticks: Sequence[float], labels: Sequence[str]) -> None:
    from matplotlib.ticker import NullLocator

    axis = axes.xaxis if side == "x" else axes.yaxis
    axis.set_ticks(list(ticks), labels=list(labels))
    axis.set_minor_locator(NullLocator())


def _plain(value: float) -> str:
    return f"{value:.6g}".replace("-", words.MINUS)
