"""What a trained dictionary has that its controls lack, and what it does not."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inrlens.atoms.statistics import Spread
from inrlens.reports import words
from inrlens.reports.parts import Examined
from inrlens.reports.readings.every import at
from inrlens.studies.comparison_saes import UNTRAINED
from inrlens.studies.record import DictionaryRow

MARGIN = 1.1
"""A dictionary is ahead of a control where it is better by more than this factor; of a power, 0.4 dB."""


@dataclass(frozen=True)
class Claim:
    """Something that may be said of a trained dictionary: the number behind it, as a size whose least is best."""

    says: str
    size: Callable[[DictionaryRow], float | None]
    shown: Callable[[DictionaryRow], str]


def _median(spread: Spread | None) -> float | None:
    return None if spread is None else spread.median


def _share(spread: Spread | None) -> str:
    return words.percent(_median(spread))


def _outside(locality: Spread | None) -> float | None:
    return None if locality is None else 1.0 - locality.median


def _power(decibels: float | None) -> float | None:
    return None if decibels is None else 10.0 ** (decibels / 10.0)


CLAIMS = (
    Claim(
        "R\N{SUPERSCRIPT TWO}",
        lambda row: row.quality.fvu,
        lambda row: words.fixed(row.quality.r2, 3),
    ),
    Claim("locality", lambda row: _outside(row.locality), lambda row: _share(row.locality)),
    Claim("a small active fraction", lambda row: _median(row.active_fraction), lambda row: _share(row.active_fraction)),
    Claim("few pieces", lambda row: _median(row.pieces), lambda row: words.significant(_median(row.pieces), 2)),
    Claim(
        "a low removal area",
        lambda row: _power(row.removal_area),
        lambda row: words.db(row.removal_area),
    ),
)


def control_reading(one: Examined) -> str:
    """Claim by claim, whether the trained dictionary is ahead of every untrained one, and of the untrained network's.

    Named are the best of the untrained dictionaries, and what a dictionary of the untrained network has as well: the
    first says what training a dictionary is worth, the second what training the network is.
    """
    trained, *others = one.atlas.rows
    untrained = [row for row in others if row.name == UNTRAINED]
    ahead, level = _sides(trained, [row for row in others if row.name != UNTRAINED])
    sentences = [_of_trained(one, _beside(trained, ahead), _beside(trained, level))]
    ahead, level = _sides(trained, untrained)
    parts = [f"is level with it or ahead in {_alone(level)}"] if level else []
    parts += [f"is behind it in {_alone(ahead)}"] if ahead else []
    if parts:
        sentences.append(words.sentence(f"a dictionary of the untrained network {', and '.join(parts)}"))
    return " ".join(sentences)


def control_verdict(one: Examined) -> str:
    """The first of these sentences without its numbers."""
    trained, *others = one.atlas.rows
    sides = _sides(trained, [row for row in others if row.name != UNTRAINED])
    return _of_trained(one, *(words.listed([claim.says for claim, _ in side]) for side in sides))


def _of_trained(one: Examined, ahead: str, level: str) -> str:
    parts = [f"is ahead of every untrained one in {ahead}"] if ahead else []
    parts += [f"is not ahead in {level}"] if level else []
    if not parts:
        return words.sentence(f"at {at(one)} nothing of the controls could be measured")
    return words.sentence(f"at {at(one)} the trained dictionary {', and '.join(parts)}")


Found = list[tuple[Claim, DictionaryRow]]
"""Claims, each with the dictionary that comes next, or first."""


def _sides(trained: DictionaryRow, rivals: Sequence[DictionaryRow]) -> tuple[Found, Found]:
    """The claims in which a dictionary is ahead of all others, and those in which it is not."""
    ahead: Found = []
    level: Found = []
    for claim in CLAIMS:
        size = _known(claim.size(trained))
        known = [(found, row) for row in rivals if (found := _known(claim.size(row))) is not None]
        if size is not None and known:
            least, rival = min(known, key=lambda pair: pair[0])
            (ahead if MARGIN * size < least else level).append((claim, rival))
    return ahead, level


def _beside(trained: DictionaryRow, found: Found) -> str:
    return words.listed(
        [f"{claim.says} ({claim.shown(trained)}; {rival.name} {claim.shown(rival)})" for claim, rival in found]
    )


def _alone(found: Found) -> str:
    return words.listed([f"{claim.says} ({claim.shown(rival)})" for claim, rival in found])


def _known(size: float | None) -> float | None:
    return size if size is not None and math.isfinite(size) else None
