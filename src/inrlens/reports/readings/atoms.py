"""What the dictionaries say: how much of the picture an atom takes, how many are dead, how good the dictionary is."""

import math
from collections.abc import Sequence

from inrlens.reports import words
from inrlens.reports.readings.fits import the
from inrlens.studies.record import ConditionRecord, LayerRecord


def spread_reading(conditions: Sequence[ConditionRecord]) -> str:
    """The median active fraction of every network, from its first layer to its last."""
    parts = []
    for condition in conditions:
        known = [(layer.layer, layer.active_fraction.median) for layer in condition.layers if layer.active_fraction]
        if not known:
            parts.append(f"on none in {the(condition)}, where no atom is alive")
            continue
        ends = [known[0], known[-1]] if len(known) > 1 else known
        shares = words.listed([f"{words.percent(share)} at layer {number}" for number, share in ends])
        parts.append(f"on {shares} of {the(condition)}")
    return words.sentence(f"the median living atom is active {words.listed(parts)}")


def dead_reading(conditions: Sequence[ConditionRecord]) -> str:
    """How many atoms never fire, by network."""
    parts = []
    for condition in conditions:
        shares = [layer.quality.dead for layer in condition.layers]
        worst = max(condition.layers, key=lambda layer: layer.quality.dead)
        text = words.span(words.percent(min(shares)), words.percent(max(shares)))
        parts.append(f"{text} in {the(condition)}" + (f" (most at layer {worst.layer})" if len(shares) > 1 else ""))
    return words.sentence(f"dead atoms: {words.listed(parts)}")


def profile_reading(conditions: Sequence[ConditionRecord]) -> str:
    """How far the strongest atom of a layer stands above the second, at its most extreme layer in every network."""
    parts = []
    for condition in conditions:
        ratios = {layer.layer: _dominance(layer) for layer in condition.layers if len(layer.top_magnitude) > 1}
        if ratios:
            layer = max(ratios, key=lambda number: ratios[number])
            parts.append(f"{words.fixed(ratios[layer], 1)} in {the(condition)} (layer {layer})")
    if not parts:
        return "No layer has two living atoms to compare."
    return words.sentence(
        f"where it stands out most, the strongest atom's mean magnitude over the second's is {words.listed(parts)}"
    )


def _dominance(layer: LayerRecord) -> float:
    first, second = layer.top_magnitude[:2]
    return first / second if second > 0.0 else math.inf


def firing_reading(conditions: Sequence[ConditionRecord]) -> str:
    """How often the top atoms fire: the largest rate in every network."""
    parts = []
    for condition in conditions:
        rates = [(max(layer.top_firing), layer.layer) for layer in condition.layers if layer.top_firing]
        if rates:
            rate, layer = max(rates, key=lambda pair: (pair[0], -pair[1]))
            parts.append(f"{words.percent(rate)} of the coordinates in {the(condition)} (layer {layer})")
    if not parts:
        return "No atom fires anywhere."
    return words.sentence(f"of the top 16 atoms of a layer, the most often firing is on at {words.listed(parts)}")


def quality_reading(conditions: Sequence[ConditionRecord]) -> str:
    """The layer of every network whose reconstruction costs the picture most, on the grid and between its samples."""
    parts = []
    for condition in conditions:
        ranked = [layer for layer in condition.layers if not math.isnan(layer.quality.fidelity_psnr)]
        if not ranked:
            continue
        worst = min(ranked, key=lambda layer: layer.quality.fidelity_psnr)
        parts.append(
            f"at layer {worst.layer} of {the(condition)} ({words.db(worst.quality.fidelity_psnr)} on the grid, "
            f"{words.db(worst.between.fidelity_psnr)} between its samples)"
        )
    if not parts:
        return "No dictionary's fidelity is a number."
    return words.sentence(
        f"putting a layer's reconstruction in its place keeps least of the network's own output {words.listed(parts)}"
    )


def gallery_reading(condition: ConditionRecord) -> str:
    """How local the shown atoms are: firing rates of the first 8 at the first and the last layer."""
    shown = [(layer.layer, layer.top_firing[:8]) for layer in condition.layers if layer.top_firing]
    if not shown:
        return f"No atom of {the(condition)} is alive."
    parts = [
        f"{words.span(words.percent(min(rates)), words.percent(max(rates)))} of the coordinates at layer {number}"
        for number, rates in ([shown[0], shown[-1]] if len(shown) > 1 else shown)
    ]
    return words.sentence(f"the strongest atoms of {the(condition)} fire on {words.listed(parts)}")
