"""What all atoms of a layer are like together: what they cost, how wide and how local they are."""

from collections.abc import Sequence
from statistics import median

from inrlens.reports import words
from inrlens.reports.figures.cloud import Dot
from inrlens.reports.parts import Examined
from inrlens.reports.rank_correlation import rank_correlation
from inrlens.reports.readings.fits import the

LOCAL = 0.5
"""An atom with more of its effect's energy than this near its centre is called local."""


def cloud_reading(one: Examined, dots: Sequence[Dot]) -> str:
    """The cost of the median and of the worst atom, how many cost nothing, how many are local, what goes together."""
    drops = [dot.drop for dot in dots]
    middle, most = (words.significant(drop, 2) for drop in (median(drops), max(drops)))
    free = sum(drop < 0.0 for drop in drops) / len(drops)
    parts = [
        f"of {words.count(len(dots), 'living atom')} at {at(one)} the median one costs {middle}{words.THIN}dB and the "
        f"worst {most}{words.THIN}dB",
        f"without {words.percent(free)} of them the PSNR rises",
        f"{words.percent(sum(dot.locality > LOCAL for dot in dots) / len(dots))} have more than half of their effect "
        "near one place",
    ]
    together = rank_correlation(drops, [dot.active_fraction for dot in dots])
    if together is not None:
        parts.append(f"the rank correlation of cost and active fraction is {words.signed(together)}")
    return words.sentence("; ".join(parts))


def at(one: Examined) -> str:
    """A layer in the middle of a sentence."""
    return f"layer {one.layer.layer} of {the(one.condition)}"
