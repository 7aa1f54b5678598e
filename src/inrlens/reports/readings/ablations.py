"""What taking one atom out says: how far it reaches, what it costs, and where it stands among the others."""

from collections.abc import Sequence

from inrlens.reports import words
from inrlens.reports.readings.fits import the
from inrlens.studies.record import ConditionRecord, LayerRecord


def support_reading(supports: Sequence[tuple[ConditionRecord, Sequence[float]]], thing: str = "picture") -> str:
    """How much of the picture or other ``thing`` the shown atoms cover in every network, and the ratio of two."""
    known = [(condition, shares) for condition, shares in supports if shares]
    if not known:
        return "No atom is alive at this layer."
    parts = [
        f"{words.span(words.percent(min(shares)), words.percent(max(shares)))} of the {thing} in {the(condition)}"
        for condition, shares in known
    ]
    text = f"the atoms taken out here cover {words.listed(parts)}"
    if len(known) == 2:
        text += f"; {_wider(known[0], known[1])}"
    return words.sentence(text)


def _wider(first: tuple[ConditionRecord, Sequence[float]], second: tuple[ConditionRecord, Sequence[float]]) -> str:
    narrow, wide = sorted((first, second), key=lambda pair: _mean(pair[1]))
    low, high = _mean(narrow[1]), _mean(wide[1])
    if low <= 0.0:
        return "one of the two covers nothing"
    ratio = high / low
    if ratio < 1.1:
        return "on average the two cover about the same"
    return f"on average those of {the(wide[0])} cover {words.fixed(ratio, 1)} times as much"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def outside_reading(largest: float, atoms: int) -> str:
    """What an effect is where its atom does not fire: measured, over all the panels shown."""
    if largest == 0.0 and atoms == 1:
        return "Outside the atom's map the effect is exactly 0 at every coordinate."
    if largest == 0.0:
        return f"Outside its atom's map each of the {atoms} effects is exactly 0 at every coordinate."
    return (
        f"Outside the maps the largest effect is {words.significant(largest)}, and not exactly 0 as it must be: "
        "field and dictionary of this run do not fit together."
    )


def worst_reading(conditions: Sequence[ConditionRecord], number: int) -> str:
    """The atom of a layer that costs most, and its place by mean magnitude, in every network."""
    parts = []
    for condition in conditions:
        layer = layer_of(condition, number)
        if layer is None or layer.worst_atom is None or layer.worst_atom_drop is None:
            parts.append(f"no atom of {the(condition)} is alive")
        elif layer.worst_atom_drop <= 0.0:
            parts.append(f"none costs {the(condition)} anything when it is taken out")
        else:
            place = f"number {layer.worst_atom_rank} by mean magnitude" if layer.worst_atom_rank else "unranked"
            parts.append(f"the one that costs {the(condition)} most ({words.db(layer.worst_atom_drop, 2)}) is {place}")
    return words.sentence(f"of {_dictionary_size(conditions, number)} at layer {number}, {words.listed(parts)}")


def layer_of(condition: ConditionRecord, number: int) -> LayerRecord | None:
    """A condition's record of a layer, None where it has no dictionary there."""
    return next((layer for layer in condition.layers if layer.layer == number), None)


def _dictionary_size(conditions: Sequence[ConditionRecord], number: int) -> str:
    sizes = {layer.n_atoms for c in conditions if (layer := layer_of(c, number)) is not None}
    return f"all {words.count(sizes.pop(), 'atom')}" if len(sizes) == 1 else "all atoms"
