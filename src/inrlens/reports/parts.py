"""What sections are made of: tables, figures and their legends."""

from collections.abc import Sequence
from dataclasses import dataclass

from inrlens.reports import words
from inrlens.reports.figures.canvas import Panel, slot
from inrlens.reports.figures.lines import Stroke, stroke_of
from inrlens.studies.record import AtlasRecord, ConditionRecord, LayerRecord


@dataclass(frozen=True)
class Table:
    """Cells as text; the first ``names`` columns hold words, the others numbers. ``marked`` rows stand out;
    ``swatches``, where there are any, is a CSS colour a row, shown in its last cell."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int = 1
    marked: frozenset[int] = frozenset()
    swatches: tuple[str, ...] = ()


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
    """Panels under one reading, a paragraph a line; ``what`` says what is drawn, and over how much, where the section
    has not said it."""

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


@dataclass(frozen=True)
class Examined:
    """A layer that was looked at atom by atom: its network, its dictionary, and the record of all its atoms."""

    condition: ConditionRecord
    layer: LayerRecord
    atlas: AtlasRecord

    @property
    def title(self) -> str:
        """As it is written in headings and tables: Cohort SIREN, layer 2."""
        return f"{words.condition_title(self.condition.kind, self.condition.backbone)}, layer {self.layer.layer}"


def examined(conditions: Sequence[ConditionRecord]) -> list[Examined]:
    """Every layer with a record of all its atoms, cohorts first."""
    return [
        Examined(condition, layer, layer.atlas)
        for condition in sorted(conditions, key=lambda condition: condition.kind != "cohort")
        for layer in condition.layers
        if layer.atlas is not None
    ]
