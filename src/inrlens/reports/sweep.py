"""The freeze sweep as numbers: each setting's fits, and differences between fits of the same signal and seed."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inrlens.studies.plan import freeze_label
from inrlens.studies.record import RunRecord, TransferRecord

Cell = tuple[int, int]
"""A held-out signal's position and a seed: what two settings must share to be compared."""


@dataclass(frozen=True)
class Summary:
    """Mean and sample standard deviation of ``count`` values; both None where there is too little to say them."""

    count: int
    mean: float | None
    deviation: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Sweep:
    """All fits of one backbone: PSNR in dB by setting (``scratch``, ``none``, ``reinit 2``, ``warm 2``) and cell.

    Every setting holds the same ``fits`` cells, so that means can be compared; fits of cells that an interrupted run
    did not take through all settings are counted in ``left_out``.
    """

    backbone: str
    depth: int
    cells: Mapping[str, Mapping[Cell, float]]
    signals: int
    seeds: int
    fits: int
    left_out: int

    def summary(self, label: str) -> Summary:
        """PSNR over the fits of a setting."""
        return summary(self.cells.get(label, {}).values())

    def differences(self, label: str, base: str) -> dict[Cell, float]:
        """``label`` less ``base`` in dB wherever both were fitted to the same signal with the same seed."""
        one, other = self.cells.get(label, {}), self.cells.get(base, {})
        pairs = {cell: (one[cell], other[cell]) for cell in one if cell in other}
        # Two exact fits are level, not an undefined difference.
        return {cell: 0.0 if a == b else a - b for cell, (a, b) in pairs.items()}

    def best_tau(self) -> int | None:
        """The freeze depth of highest mean PSNR with the rest reinitialised, the shallowest of equals."""
        means = {tau: self.summary(f"reinit {tau}").mean for tau in range(self.depth)}
        known = {tau: mean for tau, mean in means.items() if mean is not None}
        return max(known, key=lambda tau: (known[tau], -tau)) if known else None


def sweeps(record: RunRecord) -> list[Sweep]:
    """The sweep of every backbone that has transfers, in order of appearance."""
    finished = [entry for entry in record.transfers if entry.outcome != "interrupted"]
    backbones = list(dict.fromkeys(entry.backbone for entry in finished))
    return [_sweep(record, backbone) for backbone in backbones]


def _sweep(record: RunRecord, backbone: str) -> Sweep:
    # A fit that was stopped on its way has no last step to be compared by.
    entries = [e for e in record.transfers if e.backbone == backbone and e.outcome != "interrupted"]
    cohort = record.condition("cohort", backbone)
    deepest = max((entry.freeze for entry in entries if entry.freeze is not None), default=-1)
    depth = len(cohort.ranks.weight) if cohort is not None else deepest + 1
    cells: dict[str, dict[Cell, float]] = {}
    for entry in entries:
        cells.setdefault(freeze_label(entry.freeze, entry.rest), {})[(entry.signal, entry.seed)] = entry.psnr
    shared = set.intersection(*(set(fits) for fits in cells.values())) if cells else set()
    return Sweep(
        backbone=backbone,
        depth=depth,
        cells={label: {cell: fits[cell] for cell in fits if cell in shared} for label, fits in cells.items()},
        signals=len({signal for signal, _ in shared}),
        seeds=len({seed for _, seed in shared}),
        fits=len(shared),
        left_out=len(entries) - len(shared) * len(cells),
    )


def went_wrong(entry: TransferRecord) -> bool:
    """Whether a fit diverged, even where it recovered."""
    return entry.outcome == "diverged" or bool(entry.divergences) or math.isnan(entry.psnr)


def summary(values: Iterable[float]) -> Summary:
    """Mean, sample standard deviation and range; a NaN among the values makes the mean unknown, not smaller."""
    listed = list(values)
    if not listed or any(math.isnan(value) for value in listed):
        return Summary(len(listed), None, None, None, None)
    mean = sum(listed) / len(listed)
    deviation = None
    if len(listed) > 1 and all(math.isfinite(value) for value in listed):
        deviation = math.sqrt(sum((value - mean) ** 2 for value in listed) / (len(listed) - 1))
    return Summary(len(listed), mean, deviation, min(listed), max(listed))
