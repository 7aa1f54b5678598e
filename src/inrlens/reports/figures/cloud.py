"""Every living atom of a layer as one dot: what it costs against how much of the picture it takes, and how local."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from inrlens.reports import words
from inrlens.reports.figures.canvas import MUTED, Axes, Panel, Place, placed_panel
from inrlens.reports.figures.scales import asinh_axis, log_axis

WIDTH, HEIGHT = 430.0, 350.0
STEPS = 5
"""Of locality, in equal shares of it: few enough to be told apart."""


@dataclass(frozen=True)
class Dot:
    """One atom: its active fraction, the dB lost without it, and its locality, NaN where it has no effect."""

    active_fraction: float
    drop: float
    locality: float


def cloud_panel(name: str, title: str, dots: Sequence[Dot], coordinates: int) -> tuple[Panel, list[Place]]:
    """The dots over their axes, and where in the SVG each lies; an atom that is active nowhere stands at the left.

    ``coordinates`` is the number of them, N: no active fraction but 0 is below 1/N.
    """
    nowhere = 0.5 / coordinates
    fractions = [dot.active_fraction or nowhere for dot in dots]
    drops = [dot.drop for dot in dots]
    low, high = min(fractions), max(fractions)

    def draw(axes: Axes) -> None:
        asinh_axis(axes, "y", drops)
        log_axis(axes, "x", max(low, 1.0 / coordinates), high, 100.0)
        axes.set_xlim(low / 1.4, high * 1.4)
        # Invisible, so that the limits are the dots'.
        axes.plot(fractions, drops, linestyle="none")
        axes.axhline(0.0, color=MUTED, linewidth=0.8)
        if low == nowhere:
            axes.set_xticks([nowhere, *axes.get_xticks()], ["0", *(tick.get_text() for tick in axes.get_xticklabels())])
        axes.set_xlabel("active fraction (%)")
        axes.set_ylabel("dB lost without the atom")

    alt = (
        f"{words.count(len(dots), 'living atom')} of {title}: dB lost without each, from "
        f"{words.significant(min(drops))} to {words.significant(max(drops))}, against the share of coordinates where "
        f"it is active, from {words.percent(min(dot.active_fraction for dot in dots))} to {words.percent(high)}."
    )
    points = list(zip(fractions, drops, strict=True))
    panel, places = placed_panel(name, title, alt, draw, points, width=WIDTH, height=HEIGHT, text=11.0)
    return replace(panel, svg=_over(panel.svg, _paths(dots, places))), places


def step_of(locality: float) -> int | None:
    """Which step a locality falls into, 0 for the least; None for an atom without effect."""
    return None if math.isnan(locality) else min(STEPS - 1, max(0, math.floor(STEPS * locality)))


def _paths(dots: Sequence[Dot], places: Sequence[Place]) -> str:
    """A path a step, the fewest dots on top: each is a line of no length with a round end, in a dozen characters."""
    groups: dict[int | None, list[Place]] = {}
    for dot, place in zip(dots, places, strict=True):
        groups.setdefault(step_of(dot.locality), []).append(place)
    wide = 4.0 if len(dots) < 2000 else 3.0
    found = []
    for step, mine in sorted(groups.items(), key=lambda group: (-len(group[1]), str(group[0]))):
        name = "none" if step is None else str(step)
        d = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in mine)
        found.append(f'<path class="dots local-{name}" stroke-width="{wide:g}" d="{d}"/>')
    return "\n".join(found)


def _over(svg: Markup, marks: str) -> Markup:
    """The SVG with marks on top of all it holds."""
    end = svg.rindex("</svg>")
    return Markup(f"{svg[:end]}{marks}\n</svg>")
