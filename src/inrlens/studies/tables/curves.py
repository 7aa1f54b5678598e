"""How PSNR grows with steps and with seconds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from inrlens.studies.tables.keys import FitRow, Picture, Run, picture, run, setting
from inrlens.studies.tables.records import Variant

Unit = Literal["steps", "seconds"]


class Option(NamedTuple):
    """What a user may choose: a setting, and what the recipe's axes are set to."""

    setting: str
    variant: Variant


@dataclass(frozen=True)
class MeanCurve:
    """Mean PSNR in dB and mean seconds at common steps; ``left_out`` counts fits with values that are not finite.

    A fit that ended early, at the PSNR its recipe stops at, stays where it ended. The last value of a fit is that after
    its last step on the whole grid; those before are of the steps' own rows.
    """

    steps: tuple[float, ...]
    psnr: tuple[float, ...]
    seconds: tuple[float, ...]
    images: int
    seeds: int
    left_out: int = 0


@dataclass(frozen=True)
class Reached:
    """When a mean curve first stood at a PSNR."""

    psnr: float
    steps: float
    seconds: float


def options(rows: Iterable[FitRow]) -> dict[Option, list[FitRow]]:
    """The rows of every setting and variant, in the order in which they appear."""
    found: dict[Option, list[FitRow]] = {}
    for row in rows:
        found.setdefault(Option(setting(row), row.variant), []).append(row)
    return found


def whole_curve(row: FitRow, unit: Unit = "steps") -> tuple[Float[np.ndarray, " r"], Float[np.ndarray, " r"]]:
    """Steps or seconds of a fit's history and its PSNR in dB there, with the end of the fit as the last point."""
    along = list(row.curve.steps if unit == "steps" else row.curve.seconds)
    psnr = list(row.curve.psnr)
    if not row.curve.steps or row.steps > row.curve.steps[-1]:
        along.append(row.steps if unit == "steps" else row.seconds)
        psnr.append(row.psnr)
    return np.asarray(along, dtype=np.float64), np.asarray(psnr, dtype=np.float64)


def psnr_at(row: FitRow, budgets: Sequence[int | float], unit: Unit = "steps") -> tuple[float | None, ...]:
    """A fit's PSNR in dB when it may take so many steps or seconds, between two records on the line between them.

    None before its first record and where the history is not finite; from its end on, the PSNR it ended with.
    """
    along, psnr = whole_curve(row, unit)
    if not (np.isfinite(along).all() and np.isfinite(psnr).all()):
        return (None,) * len(budgets)
    values = np.interp(np.asarray(budgets, dtype=np.float64), along, psnr)
    return tuple(float(one) if at >= along[0] else None for at, one in zip(budgets, values, strict=True))


def mean_curve(rows: Sequence[FitRow]) -> MeanCurve | None:
    """The mean curve of fits of one setting: over each picture's fits first, then over pictures.

    It runs over all steps at which any of the fits was recorded, from the first that all have. None without fits.
    """
    known: list[tuple[FitRow, np.ndarray, np.ndarray, np.ndarray]] = []
    for row in rows:
        steps, psnr = whole_curve(row)
        seconds, _ = whole_curve(row, "seconds")
        if np.isfinite(psnr).all():
            known.append((row, steps, psnr, seconds))
    if not known:
        return None
    axis = np.unique(np.concatenate([steps for _, steps, _, _ in known]))
    axis = axis[axis >= max(steps[0] for _, steps, _, _ in known)]
    by_picture: dict[Picture, list[np.ndarray]] = {}
    runs: set[Run] = set()
    for row, steps, psnr, seconds in known:
        both = np.stack([np.interp(axis, steps, psnr), np.interp(axis, steps, seconds)])
        by_picture.setdefault(picture(row), []).append(both)
        runs.add(run(row))
    mean = np.mean([np.mean(own, axis=0) for own in by_picture.values()], axis=0)
    return MeanCurve(
        steps=tuple(axis.tolist()),
        psnr=tuple(mean[0].tolist()),
        seconds=tuple(mean[1].tolist()),
        images=len(by_picture),
        seeds=len(runs),
        left_out=len(rows) - len(known),
    )


def mean_curves(rows: Iterable[FitRow]) -> Mapping[Option, MeanCurve]:
    """The mean curve of every setting and variant."""
    found = {option: mean_curve(own) for option, own in options(rows).items()}
    return {option: curve for option, curve in found.items() if curve is not None}


def first_reaches(curve: MeanCurve, psnr: float) -> Reached | None:
    """Where a mean curve first stands at ``psnr`` dB or above, on the line between two points; None where never."""
    values = np.asarray(curve.psnr)
    above = np.flatnonzero(values >= psnr)
    if not above.size:
        return None
    at = int(above[0])
    if at == 0:
        return Reached(psnr, curve.steps[0], curve.seconds[0])
    share = (psnr - values[at - 1]) / (values[at] - values[at - 1])
    steps, seconds = (_between(one, at, share) for one in (curve.steps, curve.seconds))
    return Reached(psnr, steps, seconds)


def _between(along: Sequence[float], at: int, share: float) -> float:
    return float(along[at - 1] + share * (along[at] - along[at - 1]))
