"""What the freeze sweep says, and how it stands to the published finding."""

from collections.abc import Mapping

from inrlens.reports import words
from inrlens.reports.published import FREEZE_GAIN, TAU_STAR, FreezeGain
from inrlens.reports.sweep import Sweep, summary

LEVEL_DB = 0.1
"""Two mean PSNRs closer than this are called level."""


def best_reading(sweep: Sweep, tau: int | None) -> str:
    """Which freeze depth is best with the rest reinitialised, how it stands to tau*, and what it gains over none."""
    title = words.backbone_title(sweep.backbone)
    best = sweep.best_tau()
    if best is None:
        return f"For {title} no freeze depth was measured to its end."
    reached = words.db(sweep.summary(f"reinit {best}").mean)
    text = f"for {title} the best freeze depth with the rest reinitialised is {best} ({reached})"
    parts = [part for part in (_against_tau(sweep, best, tau), _against_none(sweep, best)) if part]
    return words.sentence(f"{text}, {', and '.join(parts)}" if parts else text)


def frozen(tau: int) -> str:
    """The layers that a freeze depth holds fixed."""
    return "layer 0" if tau == 0 else f"layers 0 to {tau}"


def _against_tau(sweep: Sweep, best: int, tau: int | None) -> str:
    if tau is None or not sweep.cells.get(f"reinit {tau}"):
        return ""
    if best == tau:
        return f"as tau* = {tau} says"
    ahead = summary(sweep.differences(f"reinit {best}", f"reinit {tau}").values()).mean
    if ahead is None:
        return f"where tau* = {tau} did not end in a number"
    if ahead < LEVEL_DB:
        return f"level with tau* = {tau} ({words.db(ahead, 2)} above it)"
    return f"{words.db(ahead, 2)} above tau* = {tau}"


def _against_none(sweep: Sweep, tau: int) -> str:
    gains = sweep.differences(f"reinit {tau}", "none")
    mean = summary(gains.values()).mean
    if mean is None:
        return ""
    ahead = sum(value > 0.0 for value in gains.values())
    fits = f"ahead in {ahead} of {words.count(len(gains), 'fit')}"
    if abs(mean) < LEVEL_DB:
        return f"level with freezing nothing ({words.gain(mean)}, {fits})"
    return f"{words.db(abs(mean), 2)} {'above' if mean > 0.0 else 'below'} freezing nothing ({fits})"


def scratch_reading(sweep: Sweep) -> str:
    """What the cohort's weights are worth at all: none and warm against scratch; empty where nothing was measured."""
    gain = summary(sweep.differences("none", "scratch").values()).mean
    warm = {tau: summary(sweep.differences(f"warm {tau}", f"reinit {tau}").values()).mean for tau in range(sweep.depth)}
    known = {tau: value for tau, value in warm.items() if value is not None}
    parts = []
    if gain is not None:
        if abs(gain) < LEVEL_DB:
            parts.append(f"starting from the cohort's weights is level with starting from scratch ({words.gain(gain)})")
        else:
            word = "gains" if gain > 0.0 else "costs"
            parts.append(
                f"starting from the cohort's weights {word} {words.db(abs(gain), 2)} against starting from scratch"
            )
    if known:
        better = sorted(tau for tau, value in known.items() if value >= LEVEL_DB)
        parts.append(
            f"a warm rest is ahead of a reinitialised one at {len(better)} of {words.count(len(known), 'freeze depth')}"
        )
    return words.sentence(words.listed(parts)) if parts else ""


def paper_reading(
    sweep: Sweep,
    tau: int | None,
    taus: Mapping[str, int] = TAU_STAR,
    gains: Mapping[str, FreezeGain] = FREEZE_GAIN,
) -> str:
    """Whether this sweep and the paper say the same; empty for a backbone that the paper does not have."""
    if sweep.backbone not in taus:
        return ""
    published, theirs = taus[sweep.backbone], gains[sweep.backbone]
    parts = []
    if tau is not None:
        as_well = "as in the paper" if tau == published else f"not to {published}"
        parts.append(f"the weights point to layer {tau}, {as_well}")
    parts += _best_beside(sweep, published) + _gain_beside(sweep, published, theirs)
    here = f"Here {'; '.join(parts)}." if parts else "Here nothing of it could be measured."
    return (
        f"The paper finds tau* = {published} for {words.backbone_title(sweep.backbone)}, best in all its cohorts, with "
        f"{words.gain(theirs.frozen - theirs.none)} over freezing nothing on average "
        f"(ahead in {theirs.ahead} of {theirs.pairs} source and target pairs). {here}"
    )


def _best_beside(sweep: Sweep, published: int) -> list[str]:
    best = sweep.best_tau()
    if best is None:
        return []
    if best == published:
        return [f"the best depth is {best}, as in the paper"]
    ahead = summary(sweep.differences(f"reinit {best}", f"reinit {published}").values()).mean
    if ahead is None:
        return [f"the best depth is {best}, not {published}"]
    if ahead < LEVEL_DB:
        return [f"depth {published} is level with the best, {best} ({words.db(ahead, 2)} apart)"]
    return [f"the best depth is {best}, not {published} ({words.db(ahead, 2)} apart)"]


def _gain_beside(sweep: Sweep, published: int, theirs: FreezeGain) -> list[str]:
    ours = summary(sweep.differences(f"reinit {published}", "none").values()).mean
    if ours is None:
        return []
    if abs(ours) < LEVEL_DB:
        return [f"frozen at {published} it is level with freezing nothing ({words.gain(ours)})"]
    verb = "is also" if (ours > 0.0) == (theirs.frozen > theirs.none) else "is not"
    return [f"frozen at {published} it {verb} ahead of freezing nothing ({words.gain(ours)})"]
