"""How far a mean over pictures can be trusted: the percentile bootstrap."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from inrlens.seeding import generator

RESAMPLES = 10_000
LEVEL = 0.95
FEW = 5
"""An interval from this many pictures or fewer is flagged: the bootstrap's are too narrow then."""
_TILE = 1 << 21


@dataclass(frozen=True)
class MeanInterval:
    """A mean over pictures with its bootstrap interval.

    ``mean`` is None without pictures; ``low`` and ``high`` and the standard deviation ``sd`` (of pictures, n - 1) with
    fewer than two. ``few``: the interval rests on 2 to 5 pictures.
    """

    mean: float | None
    low: float | None
    high: float | None
    sd: float | None
    images: int

    @property
    def few(self) -> bool:
        """Whether there is an interval that rests on hardly any pictures."""
        return 2 <= self.images <= FEW

    @property
    def told_apart(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low is not None and self.high is not None and (self.low > 0.0 or self.high < 0.0)


def mean_interval(
    values: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES, level: float = LEVEL
) -> MeanInterval:
    """The mean of one finite number a picture, and the percentile bootstrap interval of that mean.

    The interval's ends are the (1 - level)/2 and (1 + level)/2 quantiles of the means of ``resamples`` samples of as
    many pictures, drawn with replacement (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, Sec. 13.3).
    """
    data = np.asarray(values, dtype=np.float64)
    n = data.size
    if n == 0:
        return MeanInterval(None, None, None, None, 0)
    mean = float(data.mean())
    if n == 1:
        return MeanInterval(mean, None, None, None, 1)
    means = np.concatenate([counts @ data for counts in _counts(n, seed, resamples)]) / n
    low, high = np.quantile(means, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return MeanInterval(mean, float(low), float(high), float(data.std(ddof=1)), n)


# A report asks for hundreds of intervals over the same few numbers of pictures.
@lru_cache(maxsize=4)
def _counts(n: int, seed: int, resamples: int) -> tuple[np.ndarray, ...]:
    """How often each resample draws each picture, ``(resamples, n)`` in tiles."""
    draws = np.random.default_rng(generator(seed, "bootstrap", n).initial_seed())
    step = max(1, _TILE // n)
    sizes = [min(step, resamples - start) for start in range(0, resamples, step)]
    return tuple(draws.multinomial(n, np.full(n, 1.0 / n), size=size).astype(np.float64) for size in sizes)
