"""A dictionary sweep as its page reads it: every measure by kind, layer, n and k, over the seeds."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inrlens.dictionaries.evaluate import SaeQuality
from inrlens.reports.sweep import Summary, summary
from inrlens.studies.sweep_plan import BARE, CellKey, Kind, sizes
from inrlens.studies.sweep_record import SweepCell, SweepRecord, expected

CHOSEN = (4096, 32)
"""The n and k that arXiv:2605.08298 chooses (App. A.1)."""


@dataclass(frozen=True)
class Measure:
    """A number of a cell; ``between`` is the same between the grid's samples, None where there is none."""

    name: str
    grid: Callable[[SweepCell], float | None]
    between: Callable[[SweepCell], float | None] = lambda cell: None


FIDELITY = Measure(
    "fidelity",
    lambda cell: _of_a_picture(cell, cell.quality),
    lambda cell: _of_a_picture(cell, cell.between),
)
"""PSNR to the intact output; none of the untrained network's, which is no picture and so has little to lose."""
PSNR = Measure("psnr", lambda cell: cell.quality.psnr)
INTACT = Measure("intact", lambda cell: cell.quality.psnr_intact)
R2 = Measure("r2", lambda cell: cell.quality.r2, lambda cell: cell.between.r2)
ALIVE = Measure("alive", lambda cell: cell.quality.alive, lambda cell: cell.between.alive)
SPATIAL_L0 = Measure("l0", lambda cell: cell.quality.spatial_l0, lambda cell: cell.between.spatial_l0)
LIVING_L0 = Measure(
    "living-l0",
    lambda cell: _of_living(cell.quality),
    lambda cell: _of_living(cell.between),
)
"""The share of coordinates at which a living atom fires, mean over living atoms."""


def _of_a_picture(cell: SweepCell, quality: SaeQuality) -> float | None:
    return None if cell.kind == "untrained network" else quality.fidelity_psnr


def _of_living(quality: SaeQuality) -> float | None:
    return quality.spatial_l0 / quality.alive if quality.alive > 0.0 else None


class DictionaryGrid:
    """The cells of a sweep.

    ``ns`` and ``ks`` run upwards; ``n`` and ``k`` are the pair nearest to the paper's choice, which curves are drawn
    through; ``whole`` are the layers that nothing is missing of, over which means are taken.
    """

    def __init__(self, record: SweepRecord) -> None:
        self.record = record
        self._cells: dict[CellKey, list[SweepCell]] = {}
        for cell in record.cells:
            self._cells.setdefault(cell.key._replace(seed=None), []).append(cell)
        pairs = sizes(record.plan)
        self.layers = sorted(record.plan.layers)
        self.ns = sorted({n for n, _ in pairs})
        self.ks = sorted({k for _, k in pairs})
        self.n, self.k = min(pairs, key=lambda pair: _distance(pair, CHOSEN))
        held = {cell.key for cell in record.cells}
        missing = {key.layer for key in expected(record.plan, record.health) if key not in held}
        self.whole = [layer for layer in self.layers if layer not in missing]

    def cells(self, kind: Kind, layer: int, n: int, k: int) -> Sequence[SweepCell]:
        """One a seed; a control that does not depend on n is the same at every n."""
        return self._cells.get(CellKey(kind, layer, None if kind in BARE else n, k, None), ())

    def summary(self, measure: Measure, kind: Kind, layer: int, n: int, k: int, between: bool = False) -> Summary:
        """A measure over the seeds."""
        pick = measure.between if between else measure.grid
        values = [pick(cell) for cell in self.cells(kind, layer, n, k)]
        return summary([value for value in values if value is not None])

    def mean(self, measure: Measure, kind: Kind, layer: int, n: int, k: int, between: bool = False) -> float | None:
        """Its mean over the seeds; None where it was not measured."""
        return self.summary(measure, kind, layer, n, k, between).mean

    def over_layers(self, measure: Measure, kind: Kind, n: int, k: int) -> float | None:
        """Its mean over the layers that nothing is missing of; None where there is none, or a mean is not known."""
        means = [self.mean(measure, kind, layer, n, k) for layer in self.whole]
        known = [mean for mean in means if mean is not None]
        return sum(known) / len(known) if known and len(known) == len(means) else None

    def trained(self, layer: int) -> bool:
        """Whether a layer has any trained dictionary yet."""
        return any(self.cells("trained", layer, n, k) for n in self.ns for k in self.ks)


def _distance(pair: tuple[int, int], other: tuple[int, int]) -> float:
    return sum(abs(math.log2(one / two)) for one, two in zip(pair, other, strict=True))
