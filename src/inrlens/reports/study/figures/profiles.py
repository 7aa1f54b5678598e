"""The strongest atoms of every layer in order, and how often they fire: the paper's Figs. 9 to 12."""

from collections.abc import Sequence
from itertools import zip_longest
from statistics import fmean

from inrlens.reports import words
from inrlens.reports.figures.lines import Line, draw_line, stroke_of
from inrlens.reports.study.figures.conditions import Comparison, Condition, comparisons
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

_MEASURES = {"top_magnitude": ("mean magnitude", "9 and 11"), "top_firing": ("firing rate", "10 and 12")}
_ATOMS = 16


def profile_figures(analyses: Sequence[AnalysisRow]) -> list[StudyFigure]:
    """Two figures a source, mean magnitude and firing rate: a panel a layer, a line a condition."""
    return [_figure(one, measure) for one in comparisons(analyses) for measure in _MEASURES]


def profile(condition: Condition, layer: int, measure: str) -> list[float]:
    """A measure of the strongest atoms in order, each the mean over the layer's analyses that have so many."""
    known = [row.found[measure] for row in condition.layers.get(layer, ())]
    ranks = zip_longest(*known)
    return [fmean(value for value in rank if value is not None) for rank in ranks]


def _figure(found: Comparison, measure: str) -> StudyFigure:
    label, theirs = _MEASURES[measure]
    layers = sorted({layer for one in found.conditions for layer in one.layers})
    caption = (
        f"The {_ATOMS} atoms of largest mean magnitude of {found.source}'s networks ({found.behind}), strongest first, "
        f"as Figs. {theirs} of {PAPER_NAME}: "
        + (
            "their mean code over the grid."
            if measure == "top_magnitude"
            else "the share of coordinates where they fire."
        )
    )

    def draw() -> Figure:
        figure, axes = sheet(
            1, len(layers), found.keys(), Layout(width=176.0, height=150.0, across=26.0).fitted(len(layers))
        )
        for panel, layer in zip(axes[0], layers, strict=True):
            title_panel(panel, f"layer {layer}")
            panel.sharey(axes[0][0])
            for one in found.conditions:
                values = profile(one, layer, measure)
                at = range(1, len(values) + 1)
                draw_line(panel, Line(at, values, found.hue(one), stroke_of(one.network), marker=None))
            panel.set_xticks([1, 4, 8, 12, 16])
            panel.set_xlim(0.5, _ATOMS + 0.5)
            panel.tick_params(axis="y", labelleft=layer == layers[0])
        axes[0][0].set_ylim(bottom=0.0)
        axes[0][0].set_ylabel(label)
        for panel in axes[0]:
            panel.set_xlabel("atom, strongest first")
        return figure

    said = "; ".join(
        f"{one.title} "
        + ", ".join(words.significant(values[0]) for layer in one.layers if (values := profile(one, layer, measure)))
        for one in found.conditions
    )
    alt = f"{label.capitalize()} of the strongest atom by layer, {found.source}: {said}."
    name = f"{measure.removeprefix('top_')}-{found.source}"
    return study_figure(name, f"The strongest atoms' {label}: {found.source}", caption, alt, draw)
