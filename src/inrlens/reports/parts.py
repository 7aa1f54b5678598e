"""What sections are made of: tables, figures and their legends."""

from collections.abc import Sequence
from dataclasses import dataclass

from inrlens.reports import words
from inrlens.reports.figures.canvas import Panel, slot
from inrlens.reports.figures.lines import Stroke, stroke_of
from inrlens.studies.record import ConditionRecord


@dataclass(frozen=True)
class Table:
    """Cells as text; the first ``names`` columns hold words, the others numbers. ``marked`` rows stand out."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int = 1
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Key:
    """One entry of a legend: a sample of the line as it is drawn, and its name; ``slot`` None is the neutral colour."""

    label: str
    slot: int | None
    stroke: Stroke = "solid"
    marker: str = "full"
    """``full``, ``hollow``, ``star``, or ``none``."""


@dataclass(frozen=True)
class Figure:
    """Panels under one reading; ``what`` says what is drawn, and over how much."""

    name: str
    reading: str
    what: str
    panels: tuple[Panel, ...]
    keys: tuple[Key, ...] = ()
    columns: int = 2


def condition_keys(conditions: Sequence[ConditionRecord]) -> tuple[Key, ...]:
    """A legend entry a condition, backbone by backbone."""
    backbones = list(dict.fromkeys(condition.backbone for condition in conditions))
    return tuple(
        Key(
            words.condition_title(condition.kind, condition.backbone),
            slot(backbone, backbones),
            stroke_of(condition.kind),
        )
        for backbone in backbones
        for condition in conditions
        if condition.backbone == backbone
    )


def middle(conditions: Sequence[ConditionRecord]) -> int | None:
    """The middle layer (2 of 5), or the nearest that every one of these conditions has a dictionary for."""
    shared = [{layer.layer for layer in condition.layers} for condition in conditions]
    common = set.intersection(*shared) if shared else set()
    if not common:
        return None
    centre = (max(len(condition.ranks.weight) for condition in conditions) - 1) // 2
    return min(common, key=lambda layer: (abs(layer - centre), layer))
