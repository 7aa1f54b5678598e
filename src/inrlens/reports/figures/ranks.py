"""Stable ranks against depth."""

from collections.abc import Sequence

from inrlens.reports import words
from inrlens.reports.figures.canvas import Axes, Panel, colour, panel
from inrlens.reports.figures.lines import Line, depth_axis, draw_line, star, stroke_of
from inrlens.studies.record import ConditionRecord


def weight_panels(conditions: Sequence[ConditionRecord]) -> list[Panel]:
    """One panel a kind of fit: sr(W) of every layer, trained (full marks) and as initialised (hollow), tau* starred."""
    kinds = list(dict.fromkeys(condition.kind for condition in conditions))
    backbones = list(dict.fromkeys(condition.backbone for condition in conditions))
    return [_weights([c for c in conditions if c.kind == kind], kind, backbones) for kind in kinds]


def _weights(conditions: Sequence[ConditionRecord], kind: str, backbones: Sequence[str]) -> Panel:
    def draw(axes: Axes) -> None:
        for condition in conditions:
            hue = colour(condition.backbone, backbones)
            layers = range(len(condition.ranks.weight))
            if condition.ranks_initial is not None:
                draw_line(axes, Line(layers, condition.ranks_initial.weight, hue, "dotted", hollow=True))
            draw_line(axes, Line(layers, condition.ranks.weight, hue, stroke_of(kind)))
            star(axes, condition.tau, condition.ranks.weight[condition.tau], hue)
        depth_axis(axes, max(len(condition.ranks.weight) for condition in conditions))
        axes.set_ylim(bottom=0.0)
        axes.set_ylabel("stable rank of the weights")

    said = "; ".join(
        f"{words.backbone_title(c.backbone)} {', '.join(words.fixed(rank, 1) for rank in c.ranks.weight)}"
        for c in conditions
    )
    return panel(f"weights-{kind}", kind.capitalize(), f"Weight stable rank by layer, {kind}, trained: {said}.", draw)


def activation_panels(conditions: Sequence[ConditionRecord]) -> list[Panel]:
    """One panel a variant of the activation stable rank: every condition's, trained."""
    backbones = list(dict.fromkeys(condition.backbone for condition in conditions))
    variants = list(dict.fromkeys(name for condition in conditions for name in condition.ranks.activation))
    return [_activations(conditions, variant, backbones) for variant in variants]


def _activations(conditions: Sequence[ConditionRecord], variant: str, backbones: Sequence[str]) -> Panel:
    mine = [condition for condition in conditions if variant in condition.ranks.activation]

    def draw(axes: Axes) -> None:
        for condition in mine:
            ranks = condition.ranks.activation[variant]
            hue = colour(condition.backbone, backbones)
            draw_line(axes, Line(range(len(ranks)), ranks, hue, stroke_of(condition.kind)))
        depth_axis(axes, max(len(condition.ranks.activation[variant]) for condition in mine))
        axes.set_ylim(bottom=0.0)
        axes.set_ylabel("stable rank")

    title = f"{variant}: {words.VARIANTS.get(variant, variant)}"
    said = "; ".join(
        f"{words.condition_title(c.kind, c.backbone)} "
        f"{', '.join(words.fixed(rank, 1) for rank in c.ranks.activation[variant])}"
        for c in mine
    )
    alt = f"Activation stable rank by layer, {variant}: {said}."
    return panel(f"activations-{variant}", title, alt, draw, width=330.0, height=260.0)
