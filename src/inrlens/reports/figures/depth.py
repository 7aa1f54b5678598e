"""What the atoms of each layer are like: how wide, how concentrated, how many of them dead."""

from collections.abc import Callable, Sequence

from inrlens.atoms.statistics import Spread
from inrlens.reports.figures.canvas import Axes, Panel, colour, panel
from inrlens.reports.figures.lines import Line, depth_axis, draw_line, plain_log_axis, stroke_of
from inrlens.studies.record import ConditionRecord, LayerRecord

_MEASURES: tuple[tuple[str, str, Callable[[LayerRecord], Spread | None]], ...] = (
    ("active", "active fraction", lambda layer: layer.active_fraction),
    ("ipr", "inverse participation ratio", lambda layer: layer.ipr),
)


def depth_panels(conditions: Sequence[ConditionRecord]) -> list[Panel]:
    """For each kind of fit: active fraction and IPR (median and quartiles, log axis) and the share of dead atoms."""
    backbones = list(dict.fromkeys(condition.backbone for condition in conditions))
    panels = []
    for kind in sorted({condition.kind for condition in conditions}):
        mine = [condition for condition in conditions if condition.kind == kind]
        for name, label, pick in _MEASURES:
            panels.append(_spread_panel(kind, mine, backbones, name, label, pick))
        panels.append(_dead_panel(kind, mine, backbones))
    return panels


def _spread_panel(
    kind: str,
    conditions: Sequence[ConditionRecord],
    backbones: Sequence[str],
    name: str,
    label: str,
    pick: Callable[[LayerRecord], Spread | None],
) -> Panel:
    def draw(axes: Axes) -> None:
        axes.set_yscale("log")
        for condition in conditions:
            spreads = [pick(layer) for layer in condition.layers]
            line = Line(
                x=[layer.layer for layer in condition.layers],
                y=[_positive(s.median) if s else None for s in spreads],
                colour=colour(condition.backbone, backbones),
                stroke=stroke_of(kind),
                low=[_positive(s.low) if s else None for s in spreads],
                high=[_positive(s.high) if s else None for s in spreads],
            )
            draw_line(axes, line)
        plain_log_axis(axes)
        depth_axis(axes, _depth(conditions))
        axes.set_ylabel(label)

    title = f"{kind.capitalize()}: {label}"
    alt = f"{title}, median over living atoms by layer, on a logarithmic axis; the numbers stand in the table below."
    return panel(f"{name}-{kind}", title, alt, draw, width=330.0, height=260.0)


def _dead_panel(kind: str, conditions: Sequence[ConditionRecord], backbones: Sequence[str]) -> Panel:
    def draw(axes: Axes) -> None:
        for condition in conditions:
            x = [layer.layer for layer in condition.layers]
            y = [100.0 * layer.quality.dead for layer in condition.layers]
            draw_line(axes, Line(x, y, colour(condition.backbone, backbones), stroke_of(kind)))
        depth_axis(axes, _depth(conditions))
        axes.set_ylim(-3.0, 103.0)
        axes.set_ylabel("dead atoms (%)")

    title = f"{kind.capitalize()}: dead atoms"
    alt = f"{title} by layer in percent; the numbers stand in the table below."
    return panel(f"dead-{kind}", title, alt, draw, width=330.0, height=260.0)


def _depth(conditions: Sequence[ConditionRecord]) -> int:
    return max(len(condition.ranks.weight) for condition in conditions)


def _positive(value: float) -> float | None:
    return value if value > 0.0 else None
