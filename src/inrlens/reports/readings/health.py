"""Whether a layer's health before training goes together with the dead atoms of its dictionary."""

from collections.abc import Callable, Sequence

from inrlens.dictionaries.health import LayerHealth
from inrlens.reports import words
from inrlens.reports.rank_correlation import rank_correlation
from inrlens.studies.record import ConditionRecord

FEW = 4
"""With fewer layers a rank correlation says nothing."""
STRONG, WEAK = 0.7, 0.4
_MEASURES: tuple[tuple[str, float, Callable[[LayerHealth], float]], ...] = (
    ("gamma", 1.0, lambda health: health.gamma),
    ("dead units", 1.0, lambda health: health.dead_units),
    ("effective dimension", -1.0, lambda health: health.effective_dimension),
)
"""Each with the sign of its expected correlation with dead atoms."""


def health_reading(conditions: Sequence[ConditionRecord]) -> str:
    """The rank correlations with the share of dead atoms over all layers whose health is known."""
    known = [(layer.health, layer.quality.dead) for c in conditions for layer in c.layers if layer.health is not None]
    dead = [share for _, share in known]
    over = words.count(len(known), "dictionary", "dictionaries")
    if not any(dead):
        return f"No atom of {over} is dead, so nothing here was to be predicted."
    if len(known) < FEW:
        return f"With {over} there are too few layers to say whether health and dead atoms go together."
    found = [
        (name, sign, rank_correlation([pick(health) for health, _ in known], dead)) for name, sign, pick in _MEASURES
    ]
    said = [
        f"{words.signed(value)} with {name}" if value is not None else f"undefined with {name}"
        for name, _, value in found
    ]
    text = f"over {over} the rank correlation of the share of dead atoms is {words.listed(said)}"
    return words.sentence(f"{text}: {_verdict([sign * (value or 0.0) for _, sign, value in found])}")


def _verdict(strengths: Sequence[float]) -> str:
    """``strengths`` are 1 where a measure and dead atoms go together as expected, -1 where the other way round."""
    if min(strengths) >= STRONG:
        return "layers that are less fit have more dead atoms"
    if max(strengths) < WEAK:
        return "health and dead atoms do not go together here"
    if min(strengths) >= WEAK:
        return "health and dead atoms go together loosely here"
    return "some of them go together here, not all"
