"""A mean over pictures and seeds, with the two kinds of spread kept apart."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from inrlens.studies.tables.keys import FitRow, Picture, Run, conditions, picture, run, seed_count, value_of


@dataclass(frozen=True)
class Spread:
    """A measure over pictures and seeds; standard deviations with n - 1.

    ``mean`` is the mean over pictures of each picture's mean. ``over_images`` is the deviation of those picture means,
    None for a single picture. ``over_seeds`` is the deviation between seeds of the same picture under the same
    conditions, pooled over pictures: the root of the summed squares over their degrees of freedom; None with a single
    seed. ``pooled`` is that of all values together, as the paper's "mean +- std across images and seeds"; only for
    standing beside published numbers. A seed is a fit's with its cohort's. Values that are not finite or were not
    measured are left out of all of these and counted.
    """

    mean: float | None
    over_images: float | None
    over_seeds: float | None
    pooled: float | None
    images: int
    seeds: int
    infinite: int = 0
    not_a_number: int = 0
    missing: int = 0


def spread(rows: Iterable[FitRow], measure: str = "psnr") -> Spread:
    """The spread of ``psnr`` (dB), ``ssim`` or ``lpips``.

    Where the rows differ by more than picture and seed (source, setting, variant), each of these conditions of a
    picture has a mean over seeds of its own, and the picture's mean is that over its conditions: no difference between
    conditions is taken for one between seeds.
    """
    value = value_of(measure)
    groups: dict[Picture, dict[tuple[object, ...], list[float]]] = {}
    runs: set[Run] = set()
    infinite = not_a_number = missing = 0
    for row in rows:
        number = value(row)
        if number is None:
            missing += 1
        elif math.isnan(number):
            not_a_number += 1
        elif math.isinf(number):
            infinite += 1
        else:
            groups.setdefault(picture(row), {}).setdefault(conditions(row), []).append(number)
            runs.add(run(row))
    cells = [np.asarray(values) for own in groups.values() for values in own.values()]
    means = np.asarray([np.mean([np.mean(values) for values in own.values()]) for own in groups.values()])
    squares = sum(float(np.square(values - values.mean()).sum()) for values in cells)
    degrees = sum(values.size - 1 for values in cells)
    return Spread(
        mean=float(means.mean()) if means.size else None,
        over_images=_deviation(means),
        over_seeds=math.sqrt(squares / degrees) if degrees else None,
        pooled=_deviation(np.concatenate(cells)) if cells else None,
        images=int(means.size),
        seeds=seed_count(runs),
        infinite=infinite,
        not_a_number=not_a_number,
        missing=missing,
    )


def _deviation(values: np.ndarray) -> float | None:
    return float(values.std(ddof=1)) if values.size > 1 else None
