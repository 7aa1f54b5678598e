"""A dictionary beside its controls, one measure a panel: a dot each, with quartiles where it is over atoms."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from inrlens.atoms.statistics import Spread
from inrlens.reports import words
from inrlens.reports.figures.canvas import PAPER, Axes, Panel, colour, panel
from inrlens.reports.figures.scales import asinh_axis, log_axis
from inrlens.reports.parts import Examined
from inrlens.studies.record import DictionaryRow

_LEAST_R2 = -0.5
"""Far below the mean all reconstructions are equally bad: the axis ends here."""


@dataclass(frozen=True)
class Measure:
    """What a panel shows: a spread over living atoms, or a single number, and between the samples another."""

    name: str
    label: str
    scale: Literal["share", "log share", "log", "dB", "plain"]
    pick: Callable[[DictionaryRow], Spread | float | None]
    hollow: Callable[[DictionaryRow], float | None] = lambda row: None


MEASURES = (
    Measure("r2", "R\N{SUPERSCRIPT TWO}", "share", lambda row: row.quality.r2, lambda row: row.between.r2),
    Measure("active", "Active fraction (%)", "log share", lambda row: row.active_fraction),
    Measure("locality", "Locality", "share", lambda row: row.locality),
    Measure("pieces", "Pieces of a map", "log", lambda row: row.pieces),
    Measure("drop", "Loss without one atom (dB)", "dB", lambda row: row.psnr_drop),
    Measure("area", "Removal area (dB)", "plain", lambda row: row.removal_area),
)


def control_panels(entries: Sequence[Examined]) -> list[Panel]:
    """One panel a measure: a line a dictionary, and on it a mark a layer."""
    names = list(dict.fromkeys(row.name for one in entries for row in one.atlas.rows))
    return [_panel(entries, names, measure) for measure in MEASURES]


def _panel(entries: Sequence[Examined], names: Sequence[str], measure: Measure) -> Panel:
    backbones = list(dict.fromkeys(one.condition.backbone for one in entries))
    step = 0.5 / max(1, len(entries))

    def draw(axes: Axes) -> None:
        numbers = [number for one in entries for row in one.atlas.rows for number in _numbers(measure, row)]
        _scale(axes, measure, [number for number in numbers if math.isfinite(number)])
        for place, one in enumerate(entries):
            hue = colour(one.condition.backbone, backbones)
            for row in one.atlas.rows:
                y = names.index(row.name) + step * (place - (len(entries) - 1) / 2.0)
                _mark(axes, measure, row, y, hue)
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(axis="y", length=0.0)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(axis="x", visible=True)
        axes.grid(axis="y", visible=False)

    said = "; ".join(f"{row.name} of {one.title} {_said(measure, row)}" for one in entries for row in one.atlas.rows)
    height = 58.0 + 34.0 * len(names)
    alt = f"{measure.label}: {said}."
    return panel(f"controls-{measure.name}", measure.label, alt, draw, width=330.0, height=height)


def _mark(axes: Axes, measure: Measure, row: DictionaryRow, y: float, hue: str) -> None:
    found = measure.pick(row)
    if isinstance(found, Spread):
        low, high = (_within(measure, edge) for edge in (found.low, found.high))
        axes.plot([low, high], [y, y], color=hue, linewidth=3.0, alpha=0.35, solid_capstyle="round")
        found = found.median
    between = measure.hollow(row)
    if between is not None and math.isfinite(between):
        at = _within(measure, between)
        axes.plot([at], [y], "o", markersize=8.5, markerfacecolor=PAPER, markeredgecolor=hue, markeredgewidth=1.0)
    if found is not None and math.isfinite(found):
        axes.plot([_within(measure, found)], [y], "o", color=hue)


def _scale(axes: Axes, measure: Measure, numbers: Sequence[float]) -> None:
    if measure.scale == "share":
        axes.set_xlim(min(0.0, *(_within(measure, number) for number in numbers)) - 0.03, 1.03)
    elif measure.scale == "dB":
        asinh_axis(axes, "x", numbers)
    elif measure.scale != "plain":
        positive = [number for number in numbers if number > 0.0] or [1.0]
        log_axis(axes, "x", min(positive), max(positive), 100.0 if measure.scale == "log share" else 1.0)


def _within(measure: Measure, number: float) -> float:
    return max(number, _LEAST_R2) if measure.name == "r2" else number


def _numbers(measure: Measure, row: DictionaryRow) -> list[float]:
    found = measure.pick(row)
    if isinstance(found, Spread):
        return [found.median, found.low, found.high]
    return [] if found is None else [found]


def _said(measure: Measure, row: DictionaryRow) -> str:
    found = measure.pick(row)
    number = found.median if isinstance(found, Spread) else found
    return "is not measured" if number is None else words.significant(number)
