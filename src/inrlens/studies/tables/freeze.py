"""The freeze sweep: where a cohort is best frozen, found by trying every depth."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from inrlens.studies.tables.keys import Run, run
from inrlens.studies.tables.load_records import agrees
from inrlens.studies.tables.records import TransferRow, Variant
from inrlens.studies.tables.spread import Spread, spread

_Where = tuple[str, str, str, int, Variant, str]


@dataclass(frozen=True)
class FreezeSweep:
    """One configuration: a source's cohort moved to a target's pictures at every freeze depth.

    ``psnr`` is in dB by setting (``scratch``, ``none``, then the depths), each over all of its own pictures.
    ``by_image`` is in dB by picture and depth: the mean over the seeds that all depths have, for the pictures that all
    depths have; what is not finite is left out. Depths are compared over these alone.
    """

    source: str
    target: str
    backbone: str
    cohort: str
    cohort_seed: int
    variant: Variant
    rest: str
    psnr: Mapping[str, Spread]
    depths: tuple[int, ...]
    by_image: Mapping[str, Mapping[int, float]]
    seeds: int

    @property
    def by_depth(self) -> dict[int, float]:
        """Mean PSNR in dB over ``by_image``'s pictures at every depth; empty while there are none."""
        if not self.by_image:
            return {}
        return {tau: fmean(own[tau] for own in self.by_image.values()) for tau in self.depths}

    @property
    def best_depth(self) -> int | None:
        """The depth with the highest mean PSNR over pictures and seeds, the lowest of equals."""
        means = self.by_depth
        return best(means) if means else None

    @property
    def best_by_image(self) -> dict[str, int]:
        """Each picture's own best depth."""
        return {image: best(own) for image, own in self.by_image.items()}


def best(by_depth: Mapping[int, float]) -> int:
    """The depth with the highest value, the lowest of equals."""
    return min(by_depth, key=lambda tau: (-by_depth[tau], tau))


def freeze_sweeps(transfers: Iterable[TransferRow], split: str = "test") -> tuple[FreezeSweep, ...]:
    """One sweep for each source, target, backbone, cohort seed, variant and start of the rest, in the rows' order.

    ``none`` stands beside the depths of the same cohort; ``scratch`` beside all those of its target and backbone whose
    variant agrees with its own.
    """
    frozen: dict[_Where, list[TransferRow]] = {}
    unfrozen: dict[tuple[str | None, str, str, int | None, Variant], list[TransferRow]] = {}
    scratch: dict[tuple[str, str], list[TransferRow]] = {}
    for row in transfers:
        if row.split != split:
            continue
        if row.source is None or row.cohort_seed is None:
            scratch.setdefault((row.target, row.backbone), []).append(row)
        elif row.freeze is None:
            unfrozen.setdefault((row.source, row.target, row.backbone, row.cohort_seed, row.variant), []).append(row)
        else:
            where = (row.source, row.target, row.backbone, row.cohort_seed, row.variant, row.rest)
            frozen.setdefault(where, []).append(row)
    return tuple(
        _sweep(
            where,
            rows,
            unfrozen.get(where[:5], []),
            [row for row in scratch.get((where[1], where[2]), []) if agrees(row.variant, where[4])],
        )
        for where, rows in frozen.items()
    )


def _sweep(
    where: _Where, rows: list[TransferRow], unfrozen: list[TransferRow], scratch: list[TransferRow]
) -> FreezeSweep:
    values: dict[str, dict[int, dict[Run, float]]] = {}
    at: dict[int, list[TransferRow]] = {}
    for row in rows:
        assert row.freeze is not None
        at.setdefault(row.freeze, []).append(row)
        if math.isfinite(row.psnr):
            values.setdefault(row.image, {}).setdefault(row.freeze, {})[run(row)] = row.psnr
    depths = tuple(sorted(at))
    by_image = {}
    runs: set[Run] = set()
    for image, own in values.items():
        common = set.intersection(*(set(own.get(tau, {})) for tau in depths))
        if common:
            by_image[image] = {tau: fmean(own[tau][one] for one in sorted(common)) for tau in depths}
            runs |= common
    beside = {"scratch": scratch, "none": unfrozen}
    psnr = {name: spread(found) for name, found in beside.items() if found}
    psnr |= {at[tau][0].setting: spread(at[tau]) for tau in depths}
    source, target, backbone, cohort_seed, variant, rest = where
    return FreezeSweep(
        source=source,
        target=target,
        backbone=backbone,
        cohort=rows[0].cohort or "",
        cohort_seed=cohort_seed,
        variant=variant,
        rest=rest,
        psnr=psnr,
        depths=depths,
        by_image=by_image,
        seeds=len(runs),
    )
