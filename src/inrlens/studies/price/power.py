"""How small a difference a paired comparison by image can still tell from nothing."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from scipy import optimize, stats

from inrlens.errors import InputError
from inrlens.studies.tables.records import TransferRow, Variant

POWER = 0.8
LEVEL = 0.05
UNFROZEN = "none"


@dataclass(frozen=True)
class PairedSpread:
    """Standard deviations in dB of the difference of two settings' PSNR on the same picture: ``between`` pictures,
    and ``within`` a picture from seed to seed; ``source`` says where they come from."""

    between: float
    within: float
    source: str

    def of_means(self, seeds: int) -> float:
        """Standard deviation over pictures of the difference averaged over so many seeds."""
        return math.sqrt(self.between**2 + self.within**2 / seeds)


ASSUMED = PairedSpread(
    between=1.1,
    within=0.3,
    source=(
        "assumed: in Tables 3 to 5 of arXiv:2605.08298 PSNR spreads by 2.1 dB over pictures within a setting, and two "
        "settings' PSNR on the same pictures are taken to correlate by 0.9, which gives 1.1 dB for their difference; "
        "0.3 dB from seed to seed is a guess"
    ),
)
"""Where a study has no results yet. With standard deviations s, t of two settings and correlation r over pictures, the
difference has ``sqrt(s^2 + t^2 - 2 r s t)``: over the paper's 18 rows, no-freeze against the best depth, 1.13 dB in the
mean at r = 0.9 (1.50 at 0.8). The paper publishes no paired differences."""


@dataclass(frozen=True)
class Power:
    """``images`` by target, ``seeds`` of transfers and of cohorts, and the smallest difference in dB that a paired
    comparison tells from 0, mean over targets; infinite where a target has fewer than 2 images."""

    images: Mapping[str, int]
    seeds: int
    cohort_seeds: int
    detectable_db: float


def detectable(sd: float, images: int, power: float = POWER, level: float = LEVEL) -> float:
    """The smallest true mean difference that a two-sided paired t test of ``level`` finds with probability ``power``.

    With n pairs, t is noncentral with n - 1 degrees of freedom and noncentrality ``difference sqrt(n) / sd`` (Cohen
    1988, ch. 2); ``sd`` is that of the pairs' differences, and the result is in its unit. Infinite for fewer than 2
    pairs.

    Raises:
        InputError: where ``sd`` is negative, or ``level`` and ``power`` do not satisfy ``0 < level < power < 1``.
    """
    if not (sd >= 0.0 and 0.0 < level < power < 1.0):
        raise InputError(
            f"sd must be 0 or more and 0 < level < power < 1 must hold, not sd {sd:g}, level {level:g} and power "
            f"{power:g}."
        )
    if images < 2:
        return math.inf
    critical = float(stats.t.isf(level / 2.0, images - 1))

    def excess(noncentrality: float) -> float:
        above = float(stats.nct.sf(critical, images - 1, noncentrality))
        below = float(stats.nct.cdf(-critical, images - 1, noncentrality))
        # scipy gives NaN for some tails of the far side that are too small to matter.
        return above + (0.0 if math.isnan(below) else below) - power

    high = 1.0
    while excess(high) < 0.0:
        high *= 2.0
    return float(optimize.brentq(excess, 0.0, high, xtol=1e-10)) * sd / math.sqrt(images)


def power_of(spread: PairedSpread, images: Mapping[str, int], seeds: int, cohort_seeds: int) -> Power:
    """What a study with so many images a target and seeds can tell; cohorts' seeds count as further seeds."""
    sd = spread.of_means(seeds * cohort_seeds)
    found = [detectable(sd, count) for count in images.values()]
    return Power(dict(images), seeds, cohort_seeds, fmean(found) if found else math.inf)


def paired_spread(rows: Sequence[TransferRow]) -> PairedSpread | None:
    """What a study's own results say: every frozen setting against no-freeze of the same cohort, picture and seed.

    Variances are averaged over settings and groups; a picture's mean over s seeds carries ``within^2 / s`` of its own,
    which is taken off ``between^2``. None where no group has 2 pictures; ``within`` is 0 where none has 2 seeds.
    """
    psnrs: dict[tuple[str, str, str, Variant], dict[tuple[str, int], dict[str, float]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for row in rows:
        if row.cohort is not None and math.isfinite(row.psnr):
            group = (row.cohort, row.target, row.split, row.variant)
            psnrs[group][row.image, row.seed][row.setting] = row.psnr
    between, within, pictures = [], [], set()
    for group, found in psnrs.items():
        for setting in sorted({name for own in found.values() for name in own} - {UNFROZEN}):
            by_image: dict[str, list[float]] = defaultdict(list)
            for (image, _), own in sorted(found.items()):
                if setting in own and UNFROZEN in own:
                    by_image[image].append(own[setting] - own[UNFROZEN])
            if len(by_image) < 2:
                continue
            noise = [(variance(values), len(values)) for values in by_image.values() if len(values) > 1]
            own_noise = fmean(one for one, _ in noise) if noise else 0.0
            carried = fmean(own_noise / len(values) for values in by_image.values())
            between.append(variance([fmean(values) for values in by_image.values()]) - carried)
            within += [own_noise] if noise else []
            pictures |= {(group[1], image) for image in by_image}
    if not between:
        return None
    source = f"measured: {len(between)} comparisons with no-freeze in this store, on {len(pictures)} pictures"
    return PairedSpread(math.sqrt(max(0.0, fmean(between))), math.sqrt(fmean(within)) if within else 0.0, source)
