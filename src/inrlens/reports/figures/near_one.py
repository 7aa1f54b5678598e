"""An axis for shares that crowd below 1: even steps of the distance to 1, a decade each."""

import math

from inrlens.reports import words
from inrlens.reports.figures.canvas import Axes

LEAST = 1e-6
"""Closer to 1 than this is drawn as this."""


def near_one(share: float | None) -> float | None:
    """Where a share lies on the axis; None and what is not finite lie nowhere."""
    if share is None or not math.isfinite(share):
        return None
    return -math.log10(max(LEAST, 1.0 - share))


def near_one_axis(axes: Axes, low: float, high: float) -> None:
    """Makes the y axis one for places ``low`` to ``high`` of ``near_one``, with ticks at 0, 0.9, 0.99, ..."""
    ticks = [float(whole) for whole in range(math.floor(low), math.ceil(high) + 1)]
    if high - low < 2.0:
        # Whole steps alone would leave the axis without numbers.
        ticks = sorted({*ticks, *(whole - math.log10(part) for whole in ticks for part in (0.5, 0.2))})
    room = 0.06 * max(high - low, 0.2)
    axes.set_ylim(low - room, high + room)
    shown = [tick for tick in ticks if low - room <= tick <= high + room]
    axes.set_yticks(shown, [_label(tick) for tick in shown])


def _label(place: float) -> str:
    digits = max(0, math.ceil(place - 1e-9))
    return words.fixed(1.0 - 10.0**-place, digits)
