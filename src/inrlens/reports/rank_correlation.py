"""Whether two measures put the same things first."""

from collections.abc import Sequence

import numpy as np


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Spearman's: Pearson's correlation of the ranks, equal values sharing their mean rank.

    Over the pairs that are both finite; None where they are fewer than 3, or one side is the same in all of them.
    """
    # Imported here: scipy.stats takes half a second, which only reports should pay.
    from scipy.stats import rankdata

    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    known = np.isfinite(first) & np.isfinite(second)
    ranks = [rankdata(values[known]) for values in (first, second)]
    if known.sum() < 3 or any(np.ptp(values) == 0.0 for values in ranks):
        return None
    return float(np.corrcoef(*ranks)[0, 1])
