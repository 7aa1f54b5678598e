"""What the fits say: how well they fit, and how long they took."""

import math
from collections.abc import Sequence

from inrlens.fitting.history import Record
from inrlens.reports import words
from inrlens.studies.record import ConditionRecord


def quality_reading(conditions: Sequence[ConditionRecord]) -> str:
    """How well every network fits what it was fitted to, best first."""
    if len(conditions) == 1:
        return words.sentence(f"{the(conditions[0])} reaches {_reached(conditions[0])}")
    known = [condition for condition in conditions if not math.isnan(condition.psnr)]
    if not known:
        return "No network ended with a PSNR that is a number."
    order = sorted(known, key=lambda condition: -condition.psnr)
    best = [condition for condition in order if condition.psnr == order[0].psnr]
    verb = "fits best" if len(best) == 1 else "fit equally well"
    each = words.listed([f"{c.kind} {words.backbone_title(c.backbone)} {_reached(c)}" for c in order])
    return words.sentence(f"{words.listed([the(condition) for condition in best])} {verb}: {each}")


def history_reading(histories: Sequence[tuple[ConditionRecord, tuple[Record, ...]]]) -> str:
    """How long every fit took, and how much of its PSNR came late."""
    parts = []
    for condition, rows in histories:
        part = f"{the(condition)} took {words.duration(condition.seconds)}"
        late = [row.psnr for row in rows if row.seconds >= 0.8 * rows[-1].seconds]
        if len(late) > 1 and math.isfinite(late[-1] - late[0]):
            part += f" ({words.gain(late[-1] - late[0], 1)} over the last fifth)"
        parts.append(part)
    return words.sentence(words.listed(parts))


def the(condition: ConditionRecord) -> str:
    """A condition in the middle of a sentence."""
    return f"the {condition.kind} {words.backbone_title(condition.backbone)}"


def _reached(condition: ConditionRecord) -> str:
    if len(condition.psnrs) < 2:
        return words.db(condition.psnr)
    low, high = (words.fixed(value, 1) for value in (min(condition.psnrs), max(condition.psnrs)))
    return f"{words.db(condition.psnr)} (mean of {len(condition.psnrs)} signals, {words.span(low, high)})"
