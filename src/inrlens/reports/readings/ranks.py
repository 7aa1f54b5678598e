"""What the stable ranks say: which layer they point to, and by how much."""

from collections.abc import Sequence

from inrlens.reports import words
from inrlens.reports.readings.fits import the
from inrlens.studies.record import ConditionRecord

NEAR_TIE = 1.05
"""A lead of less than 5 % over the next layer is called nearly level."""


def weight_reading(conditions: Sequence[ConditionRecord]) -> str:
    """Where sr(W) is highest in every network, its lead, and what it was before training."""
    parts = []
    for condition in conditions:
        tau, ranks = condition.tau, condition.ranks.weight
        facts = words.fixed(ranks[tau], 1)
        rivals = [layer for layer in range(len(ranks)) if layer != tau]
        if rivals:
            rival = max(rivals, key=lambda layer: (ranks[layer], -layer))
            facts += f", {lead(ranks[tau], ranks[rival])} layer {rival}"
        if condition.ranks_initial is not None:
            facts += f"; {words.fixed(condition.ranks_initial.weight[tau], 1)} before training"
        parts.append(f"at layer {tau} of {the(condition)} ({facts})")
    return words.sentence(f"the weights' stable rank is highest {words.listed(parts)}")


def lead(first: float, second: float) -> str:
    """How far the highest value stands above the next, up to the name of the next."""
    if first == second:
        return "level with"
    if second <= 0.0:
        return "above"
    ratio = first / second
    if ratio < NEAR_TIE:
        return "nearly level with"
    return f"{words.fixed(ratio, 1)} times the next," if ratio >= 1.2 else f"{words.percent(ratio - 1.0)} above"


def activation_reading(conditions: Sequence[ConditionRecord]) -> str:
    """Whether the activations' stable ranks point to the layer that the weights' do."""
    parts = []
    for condition in conditions:
        peaks = {name: _peak(ranks) for name, ranks in condition.ranks.activation.items() if ranks}
        agreeing = [name for name, layer in peaks.items() if layer == condition.tau]
        where = words.listed([f"{name} {layer}" for name, layer in peaks.items()])
        how_many = f"{len(agreeing)} of {words.count(len(peaks), 'variant')}" if agreeing else "no variant"
        verb = "peaks" if len(agreeing) < 2 else "peak"
        parts.append(f"in {the(condition)} {how_many} {verb} at the weights' layer {condition.tau} ({where})")
    return words.sentence(words.listed(parts))


def _peak(ranks: Sequence[float]) -> int:
    return max(range(len(ranks)), key=lambda layer: (ranks[layer], -layer))
