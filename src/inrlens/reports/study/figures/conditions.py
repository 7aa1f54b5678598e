"""The conditions that dictionaries are compared over: cohort or single fit, of every backbone."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, TypeVar

from inrlens.atoms.statistics import Spread
from inrlens.reports import words
from inrlens.reports.dictionary_grid import CHOSEN
from inrlens.reports.figures.canvas import colour
from inrlens.reports.figures.lines import Line, stroke_of
from inrlens.reports.study.figures.footing import in_order
from inrlens.reports.study.figures.sheet import Key
from inrlens.studies.tables.records import AnalysisRow, DictionaryRow

_Row = TypeVar("_Row", AnalysisRow, DictionaryRow)


@dataclass(frozen=True)
class Condition:
    """One kind of network with one backbone on one source: its analyses by layer, over pictures and seeds."""

    network: str
    backbone: str
    layers: dict[int, list[AnalysisRow]]

    @property
    def title(self) -> str:
        """As it is written in prose: Cohort SIREN."""
        return words.condition_title(self.network, self.backbone)

    def spreads(self, name: str) -> list[Spread | None]:
        """``active_fraction`` or ``ipr`` by layer: median and quartiles over living atoms, each the mean over the
        layer's analyses; None where no atom lives."""
        return [_mean_spread([row.found.get(name) for row in rows]) for rows in self.layers.values()]

    def dead(self) -> list[float]:
        """The share of dead atoms by layer, the mean over its analyses."""
        return [fmean(row.found["dead"] for row in rows) for rows in self.layers.values()]


@dataclass(frozen=True)
class Comparison:
    """The conditions of one source, all with dictionaries of ``n_atoms`` and ``k``."""

    source: str
    n_atoms: int
    k: int
    conditions: tuple[Condition, ...]

    @property
    def behind(self) -> str:
        """What was looked at: n, k, and how many analyses a point is the mean of."""
        numbers = [len(rows) for one in self.conditions for rows in one.layers.values()]
        several = words.span(str(min(numbers)), str(max(numbers)))
        of = "" if max(numbers) == 1 else f"; a point is the mean of {several} dictionaries"
        return f"n = {words.fixed(float(self.n_atoms), 0)}, k = {self.k}{of}"

    @property
    def depth(self) -> int:
        """One more than the deepest layer."""
        return 1 + max(layer for one in self.conditions for layer in one.layers)

    def hue(self, condition: Condition) -> str:
        """A condition's colour, that of its backbone."""
        return colour(condition.backbone, in_order(one.backbone for one in self.conditions))

    def keys(self) -> list[Key]:
        """A legend entry a condition."""
        return [Key(one.title, Line([], [], self.hue(one), stroke_of(one.network))) for one in self.conditions]


def comparisons(analyses: Sequence[AnalysisRow]) -> list[Comparison]:
    """One a source; of dictionaries of several sizes those nearest to the paper's n = 4096 and k = 32 that every
    condition has, if there are any."""
    found = []
    for source in in_order(row.source for row in analyses):
        mine = [row for row in analyses if row.source == source]
        n_atoms, k = _size(mine)
        own = [row for row in mine if (row.n_atoms, row.k) == (n_atoms, k)]
        backbones = in_order(row.backbone for row in mine)
        known = {(row.network != "cohort", row.backbone) for row in own}
        order = sorted(known, key=lambda one: (one[0], backbones.index(one[1])))
        conditions = tuple(
            Condition("single" if single else "cohort", backbone, _by_layer(own, single, backbone))
            for single, backbone in order
        )
        found.append(Comparison(source, n_atoms, k, conditions))
    return found


def nearest(sizes: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """The n and k nearest to the paper's, by factors."""

    def distance(size: tuple[int, int]) -> tuple[float, tuple[int, int]]:
        return sum(abs(math.log2(one / other)) for one, other in zip(size, CHOSEN, strict=True)), size

    return min(sizes, key=distance)


def _size(rows: Sequence[AnalysisRow]) -> tuple[int, int]:
    conditions: dict[tuple[str, str], set[tuple[int, int]]] = {}
    for row in rows:
        conditions.setdefault((row.network, row.backbone), set()).add((row.n_atoms, row.k))
    return nearest(set.intersection(*conditions.values()) or set.union(*conditions.values()))


def _by_layer(rows: Sequence[AnalysisRow], single: bool, backbone: str) -> dict[int, list[AnalysisRow]]:
    found: dict[int, list[AnalysisRow]] = {}
    for row in sorted(rows, key=lambda row: row.layer):
        if (row.network != "cohort") == single and row.backbone == backbone:
            found.setdefault(row.layer, []).append(row)
    return found


def _mean_spread(values: Iterable[Any]) -> Spread | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(*(fmean(float(value[edge]) for value in known) for edge in ("median", "low", "high")))
