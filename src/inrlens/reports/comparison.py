"""The paper's numbers beside this run's, with the conditions of each and no verdict beyond same or different."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from inrlens.atoms.statistics import ACTIVE_THRESHOLD
from inrlens.reports import words
from inrlens.reports.published import COHORT_PSNR, FACTS, FREEZE_GAIN, TAU_STAR, Fact, Rule
from inrlens.reports.sweep import Sweep, summary, sweeps
from inrlens.studies.record import ConditionRecord, LayerRecord, RunRecord

Verdict = Literal["same", "different"]
FACTOR = 2.0
"""A figure published as "about" is the same within this factor either way."""
TOP, TOPS = 2, 4
"""Of how many atoms of largest mean magnitude the paper shows drops: at layer 2, and at every layer (App. C)."""


@dataclass(frozen=True)
class Comparison:
    """One row: what was published and where, what this run measured, and whether the two are the same."""

    quantity: str
    published: str
    where: str
    measured: str
    verdict: Verdict
    condition: str


@dataclass(frozen=True)
class LayerDrops:
    """dB lost at one layer by removing one atom: each of the top 4 by mean magnitude, and the least and the most of all
    living ones."""

    top: tuple[float, ...]
    least: float
    most: float


_IS = "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"
Drops = Mapping[str, Mapping[int, LayerDrops]]
"""By a network's name, and by layer."""


def comparisons(record: RunRecord, drops: Drops, grid: str) -> list[Comparison]:
    """Every row that this run has a number for; ``grid`` says in words what the signals' grid is."""
    rows = []
    found = {sweep.backbone: sweep for sweep in sweeps(record)}
    for backbone in TAU_STAR:
        cohort = record.condition("cohort", backbone)
        if cohort is not None:
            rows.append(_tau(cohort))
        if backbone in found:
            rows += _freezing(found[backbone])
    for fact in FACTS:
        conditions = [c for kind in fact.kinds for c in record.conditions if c.kind == kind and c.layers]
        if fact.backbone is None:
            rows += _definition(fact, record, conditions, grid)
            continue
        for condition in conditions:
            if condition.backbone == fact.backbone:
                rows += _dictionary_row(fact, record, condition, drops.get(condition.name, {}), grid)
    return rows


def agrees(rule: Rule, low: float, high: float, measured: Sequence[float]) -> bool:
    """Whether every measured value satisfies a published one."""
    if rule == "about":
        return all(low / FACTOR <= value <= high * FACTOR for value in measured)
    if rule == "at most":
        return all(value <= high for value in measured)
    return all(low <= value <= high for value in measured)


def _tau(cohort: ConditionRecord) -> Comparison:
    published, theirs = TAU_STAR[cohort.backbone], words.db(COHORT_PSNR, 0)
    return Comparison(
        quantity=f"{words.backbone_title(cohort.backbone)}: layer of highest weight stable rank",
        published=str(published),
        where="Fig. 2",
        measured=f"{cohort.tau} (lead {words.fixed(cohort.margin, 2)} times)",
        verdict=_verdict(cohort.tau == published),
        condition=f"{words.count(len(cohort.signals), 'signal')}, {words.db(cohort.psnr)}; paper about {theirs}",
    )


def _freezing(sweep: Sweep) -> list[Comparison]:
    title, published, rows = words.backbone_title(sweep.backbone), TAU_STAR[sweep.backbone], []
    over = f"{words.count(sweep.signals, 'signal')}, {words.count(sweep.seeds, 'seed')}"
    best = sweep.best_tau()
    if best is not None:
        rows.append(
            Comparison(
                f"{title}: best freeze depth, rest reinitialised",
                str(published),
                "Fig. 2",
                str(best),
                _verdict(best == published),
                over,
            )
        )
    gain = summary(sweep.differences(f"reinit {published}", "none").values()).mean
    if gain is not None:
        theirs = FREEZE_GAIN[sweep.backbone]
        rows.append(
            Comparison(
                f"{title}: frozen at {published}, less nothing frozen",
                words.gain(theirs.frozen - theirs.none),
                "Table 1",
                words.gain(gain),
                _verdict((gain > 0.0) == (theirs.frozen > theirs.none)),
                f"{over}; compared by sign; paper: mean of {theirs.pairs} pairs, {theirs.ahead} of them ahead",
            )
        )
    return rows


def _definition(fact: Fact, record: RunRecord, conditions: Sequence[ConditionRecord], grid: str) -> list[Comparison]:
    """What the paper fixes and this run takes over."""
    if not conditions:
        return []
    verdict = _verdict(fact.low == ACTIVE_THRESHOLD)
    where = f"all dictionaries of this run, on {grid}; {fact.caution}"
    return [Comparison(f"All: {fact.what}", f"{fact.low:g}", fact.where, f"{ACTIVE_THRESHOLD:g}", verdict, where)]


def _dictionary_row(
    fact: Fact, record: RunRecord, condition: ConditionRecord, drops: Mapping[int, LayerDrops], grid: str
) -> list[Comparison]:
    layers = [layer for layer in condition.layers if fact.layers is None or layer.layer in fact.layers]
    values = [value for layer in layers for value in _values(fact, layer, drops.get(layer.layer))]
    if not values or any(math.isnan(value) for value in values):
        return []
    if fact.measure == "drop_worst":
        values = [max(values)]
    unit = _UNITS.get(fact.measure, words.percent)
    bounds = words.span(unit(fact.low), unit(fact.high))
    title = words.backbone_title(condition.backbone)
    if len(fact.kinds) > 1:
        title = words.condition_title(condition.kind, condition.backbone)
    stated = {"about": f"about {bounds}", "at most": f"at most {unit(fact.high)}", "within": bounds}
    data = _data(record, condition, layers, grid, effect=fact.measure.startswith("drop"))
    return [
        Comparison(
            quantity=f"{title}: {fact.what}",
            published=stated[fact.rule],
            where=fact.where,
            measured=words.span(unit(min(values)), unit(max(values))),
            verdict=_verdict(agrees(fact.rule, fact.low, fact.high, values)),
            condition=f"{data}; {fact.caution}" if fact.caution else data,
        )
    ]


def _values(fact: Fact, layer: LayerRecord, drops: LayerDrops | None) -> list[float]:
    if fact.measure == "active":
        return [layer.active_fraction.median] if layer.active_fraction else []
    if fact.measure == "dead":
        return [layer.quality.dead]
    if fact.measure == "magnitude":
        return list(layer.top_magnitude[:1])
    if fact.measure == "dominance":
        first, *others = layer.top_magnitude or (0.0,)
        return [first / others[0]] if others and others[0] > 0.0 else []
    if fact.measure == "firing":
        # "At most" is said of all 16; a range is said of the strongest.
        return list(layer.top_firing if fact.rule == "at most" else layer.top_firing[:1])
    if fact.measure == "drop_worst":
        return [layer.worst_atom_drop] if layer.worst_atom_drop is not None else []
    if drops is None:
        return []
    if fact.measure == "drop_all":
        return [drops.least, drops.most]
    return list(drops.top[: TOP if fact.measure == "drop_top" else TOPS])


def _data(
    record: RunRecord, condition: ConditionRecord, layers: Sequence[LayerRecord], grid: str, *, effect: bool
) -> str:
    """What a number was measured on: which signals, which grid, which layers, and what dictionaries."""
    first, *more = [record.signals[position] for position in condition.signals]
    signals = f"{first} and {len(more)} more" if more else first
    if effect:
        signals = f"on {first}" + (f", of {len(more) + 1} signals" if more else "")
    numbers = _numbers([layer.layer for layer in layers])
    return f"{signals}, {grid}; {numbers}; {_sizes(layers)}"


def _numbers(layers: Sequence[int]) -> str:
    first, last = min(layers), max(layers)
    whole = len(layers) > 2 and sorted(layers) == list(range(first, last + 1))
    return f"layers {first} to {last}" if whole else words.layers(layers)


def _sizes(layers: Sequence[LayerRecord]) -> str:
    """n, k and steps of some dictionaries, each once."""
    kinds = dict.fromkeys((layer.n_atoms, layer.k, layer.steps) for layer in layers)
    return words.listed([f"n{_IS}{n}, k{_IS}{k}, {words.count(steps, 'step')}" for n, k, steps in kinds])


def _plain(value: float | None) -> str:
    return words.significant(value, 2)


def _times(value: float | None) -> str:
    return f"{words.fixed(value, 1)} times"


def _decibels(value: float | None) -> str:
    return words.db(value, 2)


_UNITS: Mapping[str, words.Say] = {
    "magnitude": _plain,
    "dominance": _times,
    **dict.fromkeys(("drop_top", "drop_tops", "drop_all", "drop_worst"), _decibels),
}


def _verdict(same: bool) -> Verdict:
    return "same" if same else "different"
