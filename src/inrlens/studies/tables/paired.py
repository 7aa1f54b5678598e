"""Two settings held against each other on the same pictures."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from inrlens.studies.tables.bootstrap import LEVEL, RESAMPLES, mean_interval
from inrlens.studies.tables.keys import FitRow, Picture, Run, Value, picture, run, source, value_of

_Match = tuple[str | None, Run]


@dataclass(frozen=True)
class PairedComparison:
    """How far ``a`` ends above ``b``, picture by picture.

    ``difference`` is the mean over pictures of a less b (dB for PSNR), each picture's taken over sources and seeds
    first; None where the two share none. ``low`` and ``high`` are its bootstrap interval over pictures, None below two
    of them; ``few`` flags one from 2 to 5. ``ahead`` is the share of pictures on which a is better (lower LPIPS, higher
    of the rest). ``sd`` is the standard deviation of the pictures' differences (n - 1), which decides how many pictures
    a study needs. ``left_out`` counts pairs of fits whose difference is not finite.
    """

    difference: float | None
    low: float | None
    high: float | None
    images: int
    seeds: int
    ahead: float | None
    sd: float | None
    few: bool
    left_out: int

    @property
    def told_apart(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low is not None and self.high is not None and (self.low > 0.0 or self.high < 0.0)


def paired(
    a_rows: Iterable[FitRow],
    b_rows: Iterable[FitRow],
    measure: str = "psnr",
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> PairedComparison:
    """Compares ``psnr`` (dB), ``ssim`` or ``lpips`` of two sets of rows.

    A fit of a is held against the fit of b on the same picture from the same source with the same seeds; what only one
    side has is left out, so that a study that still runs gives no lopsided number. Where one side reuses no cohort, its
    fits stand against those of the other side with the same seed, whatever their cohort.
    """
    better = -1.0 if measure == "lpips" else 1.0
    return paired_by(
        list(a_rows), list(b_rows), value_of(measure), better=better, seed=seed, resamples=resamples, level=level
    )


def paired_by(
    a_rows: Sequence[FitRow],
    b_rows: Sequence[FitRow],
    value: Value,
    *,
    better: float = 1.0,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> PairedComparison:
    """The same for any number of a row; ``better`` is 1 where higher is better and -1 where lower is."""
    reused = all(any(source(row) is not None for row in rows) for rows in (a_rows, b_rows))
    a, b = _by_picture(a_rows, value, reused), _by_picture(b_rows, value, reused)
    differences: list[float] = []
    runs: set[Run] = set()
    left_out = 0
    for where in (one for one in a if one in b):
        own = []
        for match in a[where]:
            if match not in b[where]:
                continue
            one, other = np.mean(a[where][match]), np.mean(b[where][match])
            # Two infinities have no difference: found here rather than warned of by numpy.
            if math.isfinite(one) and math.isfinite(other):
                own.append(float(one - other))
                runs.add(match[1])
            else:
                left_out += 1
        if own:
            differences.append(math.fsum(own) / len(own))
    found = mean_interval(differences, seed=seed, resamples=resamples, level=level)
    return PairedComparison(
        difference=found.mean,
        low=found.low,
        high=found.high,
        images=found.images,
        seeds=len(runs),
        ahead=sum(better * one > 0.0 for one in differences) / len(differences) if differences else None,
        sd=found.sd,
        few=found.few,
        left_out=left_out,
    )


def _by_picture(rows: Iterable[FitRow], value: Value, reused: bool) -> dict[Picture, dict[_Match, list[float]]]:
    found: dict[Picture, dict[_Match, list[float]]] = {}
    for row in rows:
        number = value(row)
        if number is not None:
            match = (source(row), run(row)) if reused else (None, Run(None, row.seed))
            found.setdefault(picture(row), {}).setdefault(match, []).append(number)
    return found
