"""How wide and how concentrated atoms are, and how many are dead, by layer: the paper's Figs. 4 and 8."""

from collections.abc import Sequence

from inrlens.reports import words
from inrlens.reports.figures.canvas import Axes
from inrlens.reports.figures.lines import Line, depth_axis, draw_line, plain_log_axis, stroke_of
from inrlens.reports.study.figures.conditions import Comparison, comparisons
from inrlens.reports.study.figures.sheet import (
    PAPER_NAME,
    Figure,
    Layout,
    StudyFigure,
    sheet,
    study_figure,
    title_panel,
)
from inrlens.studies.tables.records import AnalysisRow

_MEASURES = {"active_fraction": "active fraction", "ipr": "inverse participation ratio"}


def concentration_figures(analyses: Sequence[AnalysisRow]) -> list[StudyFigure]:
    """One figure a source: active fraction, IPR (median and quartiles, log axis) and dead atoms, a line a condition."""
    return [_figure(one) for one in comparisons(analyses)]


def _figure(found: Comparison) -> StudyFigure:
    caption = (
        f"Dictionaries of {found.source}'s networks ({found.behind}), as Figs. 4 and 8 of {PAPER_NAME}: by layer, the "
        "share of coordinates where an atom's code is above 0.01 and the inverse participation ratio of its map, "
        "median and quartiles over living atoms; the share of atoms that fire nowhere on the grid."
    )

    def draw() -> Figure:
        figure, axes = sheet(1, 3, found.keys(), Layout(width=290.0, height=210.0))
        for panel, (name, label) in zip(axes[0], _MEASURES.items(), strict=False):
            title_panel(panel, label)
            _spread_panel(panel, found, name)
        title_panel(axes[0][2], "dead atoms (%)")
        for one in found.conditions:
            dead = [100.0 * share for share in one.dead()]
            draw_line(axes[0][2], Line(list(one.layers), dead, found.hue(one), stroke_of(one.network)))
        depth_axis(axes[0][2], found.depth)
        axes[0][2].set_ylim(-3.0, 103.0)
        return figure

    said = "; ".join(
        f"{one.title} "
        + ", ".join("none alive" if s is None else words.percent(s.median) for s in one.spreads("active_fraction"))
        for one in found.conditions
    )
    alt = f"Median active fraction by layer, {found.source}: {said}."
    return study_figure(f"concentration-{found.source}", f"How local atoms are: {found.source}", caption, alt, draw)


def _spread_panel(axes: Axes, found: Comparison, name: str) -> None:
    axes.set_yscale("log")
    for one in found.conditions:
        spreads = one.spreads(name)
        line = Line(
            list(one.layers),
            [_positive(s.median) if s else None for s in spreads],
            found.hue(one),
            stroke_of(one.network),
            low=[_positive(s.low) if s else None for s in spreads],
            high=[_positive(s.high) if s else None for s in spreads],
        )
        draw_line(axes, line)
    plain_log_axis(axes)
    depth_axis(axes, found.depth)


def _positive(value: float) -> float | None:
    return value if value > 0.0 else None
