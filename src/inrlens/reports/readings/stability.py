"""Whether atoms are found again by another seed, and whether without training they would be as well."""

from inrlens.atoms.match import LikenessSummary
from inrlens.reports import words
from inrlens.reports.figures.stability import RANDOM, by_direction
from inrlens.reports.parts import Examined
from inrlens.reports.readings.every import at
from inrlens.studies.comparison_saes import UNTRAINED
from inrlens.studies.record import StabilityRow

MOST = 0.5
"""Where more than this share of the atoms is found again, most are."""
BEYOND = 0.05
"""A mean correlation of maps that is higher than a control's by more than this is more than the control's."""


def stability_reading(one: Examined) -> str:
    """How many atoms another seed finds again by direction and by map, and what is found without training."""
    seeds = _seeds(one)
    controls = [row for row in one.atlas.stability if row not in seeds]
    sentences = [found_again(one)]
    sentences += [_beside(row, controls) for row in seeds[:1] if controls]
    sentences += [_of_subspaces(row) for row in seeds[:1] if row.summary.subspace_overlap is not None]
    return " ".join(sentences)


def found_again(one: Examined) -> str:
    """How many atoms every other seed finds again, in a sentence."""
    parts = []
    for row in _seeds(one):
        ways = [f"{_share(row.summary.maps)} again by their map"]
        if row.summary.cosine is not None and by_direction(row):
            ways.append(f"{_share(row.summary.cosine)} by their direction")
        parts.append(f"{row.other} finds {words.listed(ways)}")
    if not parts:
        return words.sentence(f"no other seed was tried at {at(one)}")
    most = all((row.summary.maps.free_above_a or 0.0) > MOST for row in _seeds(one))
    verdict = "most are the same atoms" if most else "most are other atoms"
    return words.sentence(f"of the living atoms at {at(one)}, {words.listed(parts)}: {verdict}")


def _seeds(one: Examined) -> list[StabilityRow]:
    return [row for row in one.atlas.stability if row.other not in (RANDOM, UNTRAINED)]


def _share(likeness: LikenessSummary) -> str:
    return "none" if not likeness.free_above_a else words.percent(likeness.free_above_a)


def _beside(row: StabilityRow, controls: list[StabilityRow]) -> str:
    """The mean correlation of maps, one to one, beside that of the controls."""
    own = row.summary.maps.pw_mcc
    known = [(control.other, mean) for control in controls if (mean := control.summary.maps.pw_mcc) is not None]
    if own is None or not known:
        return "No map of the two varies, so none could be compared."
    said = words.listed([f"{words.fixed(mean)} with the {other}" for other, mean in known])
    highest, most = max(known, key=lambda pair: pair[1])
    verdict = "more alike than in any control"
    if own <= most + BEYOND:
        verdict = f"no more alike than the {highest}'s"
    return words.sentence(f"paired one to one their maps correlate by {words.fixed(own)}, {verdict} ({said})")


def _of_subspaces(row: StabilityRow) -> str:
    overlap, chance = row.summary.subspace_overlap, row.summary.subspace_chance
    return words.sentence(
        f"at a coordinate the spans of the firing atoms overlap by {words.fixed(overlap)}, random ones by "
        f"{words.fixed(chance)}"
    )
