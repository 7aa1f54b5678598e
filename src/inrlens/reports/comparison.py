"""The paper's numbers beside this run's, with the conditions of each and no verdict beyond same or different."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from inrlens.reports import words
from inrlens.reports.published import COHORT_PSNR, FACTS, FREEZE_GAIN, TAU_STAR, Fact, Rule
from inrlens.reports.sweep import Sweep, summary, sweeps
from inrlens.studies.record import ConditionRecord, LayerRecord, RunRecord

Verdict = Literal["same", "different"]
FACTOR = 2.0
"""A figure published as "about" is the same within this factor either way."""


@dataclass(frozen=True)
class Comparison:
    """One row: what was published and where, what this run measured, and whether the two are the same."""

    quantity: str
    published: str
    where: str
    measured: str
    verdict: Verdict
    condition: str


def comparisons(record: RunRecord, top_drops: Mapping[str, Sequence[float]]) -> list[Comparison]:
    """Every row that this run has a number for; ``top_drops`` are the PSNR drops in dB of the top 2 atoms of the
    layer that the paper shows (layer 2), by backbone."""
    rows = []
    found = {sweep.backbone: sweep for sweep in sweeps(record)}
    for backbone in TAU_STAR:
        cohort = record.condition("cohort", backbone)
        if cohort is not None:
            rows.append(_tau(cohort))
        if backbone in found:
            rows += _freezing(found[backbone])
    for fact in FACTS:
        cohort = record.condition("cohort", fact.backbone)
        if cohort is not None:
            rows += _dictionary_row(fact, cohort, top_drops.get(fact.backbone, ()))
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


def _dictionary_row(fact: Fact, cohort: ConditionRecord, top_drops: Sequence[float]) -> list[Comparison]:
    layers = [layer for layer in cohort.layers if fact.layers is None or layer.layer in fact.layers]
    if fact.layers is not None and len(layers) < len(fact.layers):
        return []
    values = list(top_drops) if fact.measure == "drop_top" else [v for layer in layers for v in _values(fact, layer)]
    if not values or any(math.isnan(value) for value in values):
        return []
    if fact.measure == "drop_worst":
        values = [max(values)]
    unit = words.db if fact.measure.startswith("drop") else _plain if fact.measure == "magnitude" else words.percent
    bounds = words.span(unit(fact.low), unit(fact.high))
    return [
        Comparison(
            quantity=f"{words.backbone_title(fact.backbone)}: {fact.what}",
            published={"about": f"about {bounds}", "at most": f"at most {unit(fact.high)}", "within": bounds}[
                fact.rule
            ],
            where=fact.where,
            measured=words.span(unit(min(values)), unit(max(values))),
            verdict=_verdict(agrees(fact.rule, fact.low, fact.high, values)),
            condition=fact.caution,
        )
    ]


def _values(fact: Fact, layer: LayerRecord) -> list[float]:
    if fact.measure == "active":
        return [layer.active_fraction.median] if layer.active_fraction else []
    if fact.measure == "dead":
        return [layer.quality.dead]
    if fact.measure == "magnitude":
        return list(layer.top_magnitude[:1])
    if fact.measure == "firing":
        # "At most" is said of all 16; a range is said of the strongest.
        return list(layer.top_firing if fact.rule == "at most" else layer.top_firing[:1])
    return [layer.worst_atom_drop] if layer.worst_atom_drop is not None else []


def _plain(value: float | None) -> str:
    return words.significant(value, 2)


def _verdict(same: bool) -> Verdict:
    return "same" if same else "different"
