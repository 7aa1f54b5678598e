"""The strongest atoms of each layer in order: their mean magnitude, and how often they fire."""

from collections.abc import Sequence
from typing import Literal

from inrlens.reports.figures.canvas import Axes, Panel, colour, panel
from inrlens.reports.figures.lines import Line, draw_line, stroke_of
from inrlens.studies.record import ConditionRecord, LayerRecord

Measure = Literal["magnitude", "firing"]
_LABELS = {"magnitude": "mean magnitude", "firing": "firing rate"}


def profile_panels(conditions: Sequence[ConditionRecord], measure: Measure) -> list[Panel]:
    """One panel a layer: the top 16 atoms of every condition by mean magnitude, on one axis for all layers."""
    entries = [(condition, layer) for condition in conditions for layer in condition.layers]
    if not any(layer.top_atoms for _, layer in entries):
        return []
    numbers = sorted({layer.layer for _, layer in entries})
    backbones = list(dict.fromkeys(condition.backbone for condition in conditions))
    top = max(value for _, layer in entries for value in _values(layer, measure)) if entries else 1.0
    return [_panel([e for e in entries if e[1].layer == number], number, backbones, measure, top) for number in numbers]


def _panel(
    entries: Sequence[tuple[ConditionRecord, LayerRecord]],
    number: int,
    backbones: Sequence[str],
    measure: Measure,
    top: float,
) -> Panel:
    def draw(axes: Axes) -> None:
        for condition, layer in entries:
            values = _values(layer, measure)
            hue = colour(condition.backbone, backbones)
            draw_line(axes, Line(range(1, len(values) + 1), values, hue, stroke_of(condition.kind), marker=None))
        axes.set_xticks([1, 4, 8, 12, 16])
        axes.set_xlim(0.5, 16.5)
        axes.set_ylim(0.0, 1.02 if measure == "firing" else 1.05 * top or 1.0)
        axes.set_xlabel("atom, strongest first")

    title = f"Layer {number}"
    alt = f"Layer {number}: {_LABELS[measure]} of the 16 strongest atoms of every network, strongest first."
    return panel(f"profile-{measure}-{number}", title, alt, draw, width=210.0, height=180.0, text=11.5)


def _values(layer: LayerRecord, measure: Measure) -> tuple[float, ...]:
    return layer.top_magnitude if measure == "magnitude" else layer.top_firing
