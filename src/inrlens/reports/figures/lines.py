"""Lines with bands, the one kind of mark that nearly every panel is made of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from inrlens.reports.figures.canvas import MUTED, PAPER, Axes

Stroke = Literal["solid", "dashed", "dotted"]
_DASHES = {"solid": (0, ()), "dashed": (0, (4.0, 2.0)), "dotted": (0, (1.0, 1.6))}


@dataclass(frozen=True)
class Line:
    """``y`` over ``x``, with an optional band from ``low`` to ``high``; None and non-finite values leave a gap."""

    x: Sequence[int] | Sequence[float]
    y: Sequence[float | None]
    colour: str
    stroke: Stroke = "solid"
    marker: str | None = "o"
    hollow: bool = False
    low: Sequence[float | None] | None = None
    high: Sequence[float | None] | None = None


def draw_line(axes: Axes, line: Line) -> None:
    """Draws one line, its band behind it."""
    y = [_drawable(value) for value in line.y]
    if line.low is not None and line.high is not None:
        low, high = ([_drawable(value) for value in values] for values in (line.low, line.high))
        axes.fill_between(line.x, low, high, color=line.colour, alpha=0.16, linewidth=0.0)
    axes.plot(
        line.x,
        y,
        color=line.colour,
        linestyle=_DASHES[line.stroke],
        marker=line.marker,
        markerfacecolor=PAPER if line.hollow else line.colour,
        markeredgecolor=line.colour,
        solid_capstyle="round",
    )


def star(axes: Axes, x: int | float, y: float, colour: str) -> None:
    """Marks tau* with a star that no other mark uses."""
    if math.isfinite(y):
        axes.plot([x], [y], marker="*", markersize=15, color=colour, markeredgecolor=PAPER, markeredgewidth=1.0)


def depth_axis(axes: Axes, depth: int, label: str = "layer") -> None:
    """One tick a layer, with room at both ends."""
    axes.set_xticks(range(depth))
    axes.set_xlim(-0.35, depth - 0.65)
    axes.set_xlabel(label)


def plain_log_axis(axes: Axes) -> None:
    """Numbers rather than powers on a logarithmic axis: every 1, 2 and 5, or only every 1 over many decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    bottom, top = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if top < 300.0 * bottom else (1.0,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def level(axes: Axes, y: float | None, stroke: Stroke) -> None:
    """A horizontal reference line across the panel, named by the page's legend; nothing where ``y`` is unknown."""
    if y is not None and math.isfinite(y):
        axes.axhline(y, color=MUTED, linestyle=_DASHES[stroke], linewidth=1.4)


def _drawable(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else math.nan


def stroke_of(kind: str) -> Stroke:
    """A cohort's line is solid, a single signal's dashed, a transfer's dotted, in every figure."""
    strokes: dict[str, Stroke] = {"cohort": "solid", "single": "dashed"}
    return strokes.get(kind, "dotted")
