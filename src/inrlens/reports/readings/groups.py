"""What taking out many atoms says: which order finds what matters, and how far single effects add up."""

import math

from inrlens.atoms.groups import GroupCurve
from inrlens.reports import words
from inrlens.reports.parts import Examined
from inrlens.reports.readings.every import at

ADDS_UP = 0.05
"""A pair's excess below this: its effects add up."""


def group_reading(one: Examined) -> str:
    """How many atoms each order needs to take away, and to bring back, half of what the atoms are worth together."""
    curves = {(curve.mode, curve.order): curve for curve in one.atlas.groups}
    removed, kept = (
        {order: half_way(curves[mode, order]) for order in words.ORDERS if (mode, order) in curves}
        for mode in ("remove", "keep")
    )
    whole, empty = _ends(one)
    if not whole > empty:
        return words.sentence(f"taking out all atoms at {at(one)} does not lower the PSNR ({_from_to(whole, empty)})")
    parts = [f"all living atoms at {at(one)} are worth {words.db(whole - empty)} ({_from_to(whole, empty)})"]
    if removed:
        parts.append(f"half of that is gone without the first {_counts(removed)}")
    if kept:
        parts.append(f"kept alone, the first {_counts(kept)} bring half of it back")
    return words.sentence("; ".join(parts))


def half_way(curve: GroupCurve) -> int | None:
    """The least measured number of atoms at which a curve has gone half of its way from first to last."""
    first, last = curve.psnr[0], curve.psnr[-1]
    if not math.isfinite(last - first) or first == last:
        return None
    gone = ((value - first) / (last - first) for value in curve.psnr)
    return next(count for count, share in zip(curve.counts, gone, strict=True) if share >= 0.5)


def pair_reading(one: Examined) -> str:
    """The pair that adds up least, and what it costs together and apart."""
    pair = one.atlas.interactions[0]
    text = f"at {at(one)} the effects of atoms {pair.first} and {pair.second} add up least"
    if math.isfinite(pair.excess) and pair.excess < ADDS_UP:
        text = f"at {at(one)} even the least additive pair, atoms {pair.first} and {pair.second}, nearly adds up"
    text += f" (excess {words.significant(pair.excess, 2)})"
    if pair.first_drop is not None and pair.second_drop is not None and pair.joint_drop is not None:
        text += (
            f": alone they cost {words.significant(pair.first_drop, 2)} and "
            f"{words.significant(pair.second_drop, 2)}{words.THIN}dB, together "
            f"{words.significant(pair.joint_drop, 2)}{words.THIN}dB"
        )
    return words.sentence(text)


def _ends(one: Examined) -> tuple[float, float]:
    """The PSNR with all atoms and with none."""
    curve = one.atlas.groups[0]
    ends = curve.psnr[0], curve.psnr[-1]
    return ends if curve.mode == "remove" else (ends[1], ends[0])


def _from_to(whole: float, empty: float) -> str:
    return f"{words.db(whole)} with them, {words.db(empty)} without"


def _counts(found: dict[str, int | None]) -> str:
    return words.listed([f"{count} {words.ORDERS[order]}" for order, count in found.items() if count is not None])
