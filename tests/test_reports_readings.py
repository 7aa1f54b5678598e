"""Readings of hand-written numbers: agreement, disagreement, ties, and values that are missing or infinite."""

import math
from dataclasses import replace
from typing import Any

import pytest

from inrlens.atoms.statistics import Spread
from inrlens.dictionaries.evaluate import SaeQuality
from inrlens.fitting.history import Divergence, Record
from inrlens.reports.comparison import Comparison, Drops, LayerDrops, agrees, comparisons
from inrlens.reports.published import FACTS, FREEZE_GAIN, TAU_STAR
from inrlens.reports.readings import ablations, atoms, fits, freeze, ranks
from inrlens.reports.readings.troubles import troubles
from inrlens.reports.sections.closing import reading as closing_reading
from inrlens.reports.sweep import Sweep, summary, sweeps
from inrlens.studies.record import ConditionRecord, LayerRecord, Machine, Ranks, RunRecord, TransferRecord

THIN = "\u202f"


def condition(
    backbone: str = "siren", weight: tuple[float, ...] = (2.0, 50.0, 20.0), **changes: Any
) -> ConditionRecord:
    tau = max(range(len(weight)), key=lambda layer: (weight[layer], -layer))
    plain = ConditionRecord(
        name=f"cohort_{backbone}",
        kind="cohort",
        backbone=backbone,
        file="f",
        history="h",
        signals=(0, 1),
        recipe={},
        seed=0,
        psnr=30.0,
        psnrs=(29.0, 31.0),
        ssim=None,
        seconds=4.0,
        steps=100,
        outcome="finished",
        divergences=(),
        ranks_initial=Ranks((2.0, 66.0, 66.0), {}),
        ranks=Ranks(weight, {"post": (9.0, 3.0, 1.0), "pre": (1.0, 4.0, 2.0)}),
        tau=tau,
        margin=1.5,
        advice="",
        notes={},
    )
    return replace(plain, **changes)


def quality(dead: float = 0.0, fidelity: float = 40.0) -> SaeQuality:
    return SaeQuality("grid", 100, 0.1, 0.9, 0.05, 1.0 - dead, dead, 0.01, fidelity, 30.0, 31.0)


def layer(number: int = 2, **changes: Any) -> LayerRecord:
    plain = LayerRecord(
        layer=number,
        file="f",
        n_atoms=64,
        k=4,
        steps=10,
        seconds=1.0,
        outcome="finished",
        quality=quality(),
        between=quality(fidelity=38.0),
        active_fraction=Spread(0.012, 0.01, 0.02),
        ipr=Spread(0.02, 0.01, 0.03),
        top_atoms=(5, 7),
        top_magnitude=(0.3, 0.1),
        top_firing=(0.4, 0.2),
        psnr_drop=Spread(0.1, 0.0, 0.2),
        worst_atom=9,
        worst_atom_drop=2.5,
        worst_atom_rank=11,
    )
    return replace(plain, **changes)


DEAD: dict[str, Any] = {
    "quality": quality(dead=1.0),
    "active_fraction": None,
    "ipr": None,
    "top_atoms": (),
    "top_magnitude": (),
    "top_firing": (),
    "psnr_drop": None,
    "worst_atom": None,
    "worst_atom_drop": None,
    "worst_atom_rank": None,
}


def transfer(freeze_at: int | None, rest: Any, psnr: float, signal: int = 2, **changes: Any) -> TransferRecord:
    plain = TransferRecord("siren", signal, freeze_at, rest, 0, psnr, None, 1.0, "finished", (), None)
    return replace(plain, **changes)


def run(transfers: list[TransferRecord], *conditions: ConditionRecord, **changes: Any) -> RunRecord:
    machine = Machine("cpu", 2, 2, "cpu", "3.11", "2", "Linux")
    plain = RunRecord(
        "demo", "0", "2026-01-01", 9.0, "finished", machine, 0, {}, ("a", "b", "c"), conditions, tuple(transfers)
    )
    return replace(plain, **changes)


def sweep(reinit: list[float], none: float = 30.0, scratch: float = 25.0) -> Sweep:
    """Two signals: the second is fitted 2 dB better in every setting."""
    entries = []
    for signal, extra in ((2, 0.0), (3, 2.0)):
        entries += [transfer(tau, "reinit", value + extra, signal) for tau, value in enumerate(reinit)]
        entries += [transfer(None, "warm", none + extra, signal), transfer(None, "reinit", scratch + extra, signal)]
    return sweeps(run(entries, condition()))[0]


def said(text: str) -> str:
    return text.replace(THIN, " ")


def test_a_sweep_that_agrees_with_the_rank_and_the_paper() -> None:
    found = sweep([31.0, 33.0, 28.0])
    assert found.fits == found.signals == 2
    assert said(freeze.best_reading(found, 1)) == (
        "For SIREN the best freeze depth with the rest reinitialised is 1 (34.0 dB), as tau* = 1 says, and "
        "3.00 dB above freezing nothing (ahead in 2 of 2 fits)."
    )
    beside = said(freeze.paper_reading(found, 1))
    assert "the weights point to layer 1, as in the paper; the best depth is 1, as in the paper" in beside
    assert beside.endswith("frozen at 1 it is also ahead of freezing nothing (+3.00 dB).")


def test_a_sweep_that_disagrees_with_both() -> None:
    found = sweep([35.0, 33.0, 28.0], none=40.0)
    assert said(freeze.best_reading(found, 2)) == (
        "For SIREN the best freeze depth with the rest reinitialised is 0 (36.0 dB), 7.00 dB above tau* = 2, and "
        "5.00 dB below freezing nothing (ahead in 0 of 2 fits)."
    )
    beside = said(freeze.paper_reading(found, 2))
    assert "the weights point to layer 2, not to 1; the best depth is 0, not 1 (2.00 dB apart)" in beside
    assert beside.endswith("it is not ahead of freezing nothing (\u22127.00 dB).")


def test_a_sweep_of_ties() -> None:
    found = sweep([33.0, 33.0, 33.0], none=33.0)
    assert found.best_tau() == 0
    assert said(freeze.best_reading(found, 1)) == (
        "For SIREN the best freeze depth with the rest reinitialised is 0 (34.0 dB), level with tau* = 1 (0.00 dB "
        "above it), and level with freezing nothing (0.00 dB, ahead in 0 of 2 fits)."
    )
    assert "depth 1 is level with the best, 0 (0.00 dB apart)" in said(freeze.paper_reading(found, 1))


def test_a_sweep_with_missing_infinite_and_undefined_values() -> None:
    only = sweeps(run([transfer(0, "reinit", 20.0)]))[0]
    alone = "For SIREN the best freeze depth with the rest reinitialised is 0 (20.0 dB)."
    assert said(freeze.best_reading(only, None)) == alone
    assert freeze.scratch_reading(only) == ""
    assert "the best depth is 0, not 1" in freeze.paper_reading(only, None)
    exact = sweep([math.inf, 30.0, 30.0])
    assert "(\u221e dB), \u221e dB above tau* = 1" in said(freeze.best_reading(exact, 1))
    lost = sweep([20.0, math.nan, 10.0])
    assert "where tau* = 1 did not end in a number" in freeze.best_reading(lost, 1)
    broken = sweep([math.nan, math.nan, math.nan], none=math.nan)
    assert freeze.best_reading(broken, 1) == "For SIREN no freeze depth was measured to its end."
    assert freeze.paper_reading(replace(only, backbone="other"), 1) == ""


def test_scratch_and_warm_are_read() -> None:
    found = sweep([20.0, 20.0, 20.0], none=30.0, scratch=25.0)
    assert said(freeze.scratch_reading(found)) == (
        "Starting from the cohort's weights gains 5.00 dB against starting from scratch."
    )
    assert "costs 1.00 dB" in said(freeze.scratch_reading(sweep([20.0], none=24.0)))
    assert "is level with starting from scratch" in freeze.scratch_reading(sweep([20.0], none=25.05))


def test_an_interrupted_sweep_compares_only_what_every_setting_saw() -> None:
    entries = [transfer(0, "reinit", 10.0), transfer(None, "warm", 12.0), transfer(0, "reinit", 90.0, signal=3)]
    entries.append(transfer(None, "warm", 95.0, signal=3, outcome="interrupted"))
    found = sweeps(run(entries, condition()))[0]
    assert (found.fits, found.left_out) == (1, 1)
    assert found.summary("reinit 0").mean == 10.0
    assert sweeps(run([transfer(0, "reinit", 1.0, outcome="interrupted")])) == []


def test_summary_of_few_infinite_and_undefined_values() -> None:
    assert summary([]).mean is None
    assert summary([2.0]).deviation is None
    assert summary([1.0, 3.0]).deviation == pytest.approx(math.sqrt(2.0))
    assert summary([1.0, math.inf]).mean == math.inf
    assert summary([1.0, math.inf]).deviation is None
    assert summary([1.0, math.nan]).mean is None


def test_ranks_name_the_lead_and_the_start() -> None:
    assert ranks.weight_reading([condition()]) == (
        "The weights' stable rank is highest at layer 1 of the cohort SIREN "
        "(50.0, 2.5 times the next, layer 2; 66.0 before training)."
    )
    assert "level with layer 2" in ranks.weight_reading([condition(weight=(1.0, 7.0, 7.0))])
    assert "(7.0;" in ranks.weight_reading([condition(weight=(7.0,), ranks_initial=Ranks((5.0,), {}))])
    assert ranks.lead(1.02, 1.0) == "nearly level with"
    assert ranks.lead(1.0, 0.0) == "above"
    text = ranks.activation_reading([condition()])
    assert text == "In the cohort SIREN 1 of 2 variants peaks at the weights' layer 1 (post 0 and pre 1)."
    assert "no variant peaks" in ranks.activation_reading([condition(tau=2)])


def test_fits_are_ordered_and_ties_and_failures_named() -> None:
    better = condition("ffmlp", psnr=35.0, psnrs=(35.0,), kind="single")
    assert said(fits.quality_reading([condition(), better])) == (
        "The single FFMLP fits best: single FFMLP 35.0 dB and cohort SIREN 30.0 dB (mean of 2 signals, 29.0 to 31.0)."
    )
    tie = fits.quality_reading([condition(psnr=35.0), better])
    assert tie.startswith("The cohort SIREN and the single FFMLP fit equally well")
    lost = condition(psnr=math.nan)
    assert "no network" in fits.quality_reading([lost, lost]).lower()
    assert "fits best" in fits.quality_reading([lost, better])
    assert said(fits.quality_reading([condition(psnr=math.inf, psnrs=(math.inf,))])).endswith("reaches \u221e dB.")
    rows = tuple(Record(step, 1.0, psnr, float(step)) for step, psnr in ((0, 5.0), (8, 20.0), (10, 21.5)))
    assert "+1.5 dB over the last fifth" in said(fits.history_reading([(condition(), rows)]))
    endless = (*rows, Record(12, 0.0, math.inf, 12.0))
    assert "fifth" not in fits.history_reading([(condition(), endless[-1:])])


def test_atoms_alive_and_dead() -> None:
    alive = condition(layers=(layer(0), layer(2, active_fraction=Spread(0.4, 0.3, 0.5), quality=quality(dead=0.6))))
    gone = condition("ffmlp", layers=(layer(0, **DEAD),))
    assert said(atoms.spread_reading([alive, gone])) == (
        "The median living atom is active on 1.2 % at layer 0 and 40 % at layer 2 of the cohort SIREN and "
        "on none in the cohort FFMLP, where no atom is alive."
    )
    assert "0 to 60 % in the cohort SIREN (most at layer 2)" in said(atoms.dead_reading([alive, gone]))
    assert "100 % in the cohort FFMLP" in said(atoms.dead_reading([alive, gone]))
    assert "over the second's is 3.0 in the cohort SIREN (layer 0)" in atoms.profile_reading([alive, gone])
    assert atoms.profile_reading([gone]) == "No layer has two living atoms to compare."
    assert "40 % of the coordinates" in said(atoms.firing_reading([alive]))
    assert atoms.firing_reading([gone]) == "No atom fires anywhere."
    assert atoms.gallery_reading(gone) == "No atom of the cohort FFMLP is alive."
    assert "20 to 40 %" in said(atoms.gallery_reading(alive))
    assert "40.0 dB on the grid, 38.0 dB between" in said(atoms.quality_reading([alive]))
    assert (
        "no dictionary"
        in atoms.quality_reading([condition(layers=(layer(quality=quality(fidelity=math.nan)),))]).lower()
    )


def test_ablations_compare_supports_and_place_the_worst_atom() -> None:
    siren = condition(layers=(layer(),))
    ffmlp = condition("ffmlp", layers=(layer(worst_atom_rank=1, worst_atom_drop=10.0),))
    text = said(ablations.support_reading([(siren, [0.01, 0.03]), (ffmlp, [0.4, 0.4])]))
    assert "1.0 to 3.0 % of the picture in the cohort SIREN and 40 % of the picture in the cohort FFMLP" in text
    assert "those of the cohort FFMLP cover 20.0 times as much" in text
    assert "about the same" in ablations.support_reading([(siren, [0.4]), (ffmlp, [0.4])])
    assert ablations.support_reading([(siren, [])]) == "No atom is alive at this layer."
    worst = said(ablations.worst_reading([siren, ffmlp], 2))
    assert "Of all 64 atoms at layer 2, the one that costs the cohort SIREN most (2.50 dB) is number 11" in worst
    assert "costs the cohort FFMLP most (10.00 dB) is number 1 " in worst
    assert "none costs the cohort SIREN anything" in ablations.worst_reading(
        [condition(layers=(layer(worst_atom_drop=-0.1),))], 2
    )
    assert "no atom of the cohort SIREN is alive" in ablations.worst_reading([condition(layers=(layer(2, **DEAD),))], 2)
    assert "exactly 0" in ablations.outside_reading(0.0, 3)
    assert "not exactly 0" in ablations.outside_reading(0.25, 3)


def test_troubles_are_told_and_a_clean_run_has_none() -> None:
    assert troubles(run([], condition())) == []
    fell = Divergence(40, "PSNR fell", 30.0, 20.0)
    bad = condition(divergences=(fell,), outcome="diverged", layers=(layer(outcome="interrupted"),))
    wrong = transfer(0, "reinit", 9.0, divergences=(Divergence(3, "non-finite loss", 9.0, math.nan),))
    told = [said(text) for text in troubles(run([wrong], bad, outcome="interrupted"))]
    assert told[0].startswith("This run was interrupted: it reached 1 network, 1 transfer and 1 dictionary;")
    assert any(
        text.startswith("Cohort SIREN diverged at step 40 (PSNR fell from 30.0 dB to 20.0 dB). It ended at ")
        and text.endswith(", more than 6 dB below its best.")
        for text in told
    )
    assert any("layer 2, was interrupted after 10 steps" in text for text in told)
    assert any("1 of 1 transfer of SIREN diverged on the way, none of them to the end" in text for text in told)


def rows_of(record: RunRecord, drops: Drops | None = None) -> dict[str, Comparison]:
    return {row.quantity: row for row in comparisons(record, drops or {}, "9 \N{MULTIPLICATION SIGN} 7")}


def test_published_numbers_are_compared_by_their_rules() -> None:
    assert agrees("about", 1.0, 1.0, [0.5, 2.0])
    assert not agrees("about", 1.0, 1.0, [0.4])
    assert agrees("at most", 0.0, 0.05, [0.05])
    assert not agrees("at most", 0.0, 0.05, [0.01, 0.06])
    assert agrees("within", 2.0, 3.0, [2.0, 3.0])
    assert not agrees("within", 2.0, 3.0, [1.9])
    siren = condition(layers=(layer(),))
    drops = {"cohort_siren": {2: LayerDrops((2.1, 2.9, 0.5, 9.0), -0.1, 9.1)}}
    rows = rows_of(run([], siren), drops)
    assert rows["SIREN: layer of highest weight stable rank"].verdict == "same"
    assert rows["SIREN: median active fraction"].verdict == "same"
    assert rows["SIREN: PSNR lost without one of the top 2, layer 2"].verdict == "same"
    assert rows["SIREN: PSNR lost without one of the top 4 of any layer"].measured == f"0.50 to 9.00{THIN}dB"
    assert rows["SIREN: PSNR lost without one of the top 4 of any layer"].verdict == "same"
    everyone = rows["SIREN: PSNR lost without any one atom of any layer"]
    assert (everyone.measured, everyone.verdict) == (f"\N{MINUS SIGN}0.10 to 9.10{THIN}dB", "different")
    assert rows["SIREN: firing rate of the top 16 atoms"].verdict == "different"
    assert not any("layer 0" in quantity for quantity in rows)
    assert rows_of(run([], condition(weight=(9.0, 1.0, 1.0))))[
        "SIREN: layer of highest weight stable rank"
    ].verdict == ("different")
    assert rows_of(run([], condition("other"))) == {}
    assert not any("active fraction" in name for name in rows_of(run([], condition(layers=(layer(2, **DEAD),)))))


def test_every_row_says_on_what_it_was_measured() -> None:
    deep = condition("ffmlp", layers=tuple(layer(number, n_atoms=2048) for number in range(5)))
    single = condition("ffmlp", kind="single", name="single_ffmlp", signals=(0,), layers=(layer(3), layer(4, steps=20)))
    drops = {"cohort_ffmlp": {number: LayerDrops((1.0,), 0.0, 1.0) for number in range(5)}}
    rows = {name: row for name, row in rows_of(run([], deep, single), drops).items() if "layer of highest" not in name}
    for name, row in rows.items():
        assert "9 \N{MULTIPLICATION SIGN} 7" in row.condition, name
    numbers = "n = 2048, k = 4, 10 steps"
    dead = [said(rows[f"{kind} FFMLP: dead atoms, layers 3 and 4"].condition) for kind in ("Cohort", "Single")]
    at = "9 \N{MULTIPLICATION SIGN} 7"
    assert dead[0].replace("\xa0", " ").startswith(f"a and 1 more, {at}; layers 3 and 4; {numbers}; the paper gives")
    each = "n = 64, k = 4, 10 steps and n = 64, k = 4, 20 steps"
    assert dead[1].replace("\xa0", " ").startswith(f"a, {at}; layers 3 and 4; {each}; the paper")
    everywhere = said(rows["FFMLP: dead atoms, all layers"].condition)
    assert "layers 0 to 4" in everywhere
    worst = said(rows["FFMLP: most PSNR lost without one atom, layer 2"].condition)
    assert worst.startswith(f"on a, of 2 signals, {at}; layer 2; ")
    tier = rows["FFMLP: the top atom's mean magnitude over the next, layer 2"]
    assert (tier.published, tier.measured, tier.verdict) == ("about 7.0 times", "3.0 times", "different")
    defined = rows["All: code above which an atom counts as active"]
    assert (defined.published, defined.measured, defined.verdict) == ("0.01", "0.01", "same")
    assert not rows_of(run([], condition("other")))


STATED = (
    ("active.threshold", "Sec. 4.2", None, 0.01, 0.01),
    ("active.fraction", "Fig. 4", "siren", 0.01, 0.01),
    ("active.fraction", "Fig. 4", "ffmlp", 0.30, 0.50),
    ("dead.fraction", "Fig. 4", "siren", 0.0, 0.04),
    ("dead.fraction", "App. A.2", "siren", 0.0, 0.27),
    ("dead.fraction", "Fig. 4", "ffmlp", 0.003, 0.591),
    ("dead.fraction", "App. A.2", "ffmlp", 0.59, 0.74),
    ("magnitude.top", "Sec. 4.3", "siren", 0.05, 0.05),
    ("magnitude.top", "Sec. 4.3", "ffmlp", 0.35, 0.35),
    ("magnitude.top", "Sec. 4.3", "ffmlp", 7.0, 7.0),
    ("firing.rate", "Fig. 10", "siren", 0.0, 0.05),
    ("firing.rate", "Fig. 10", "ffmlp", 0.7, 0.9),
    ("ablation.drop", "Sec. 4.3", "siren", 2.0, 3.0),
    ("ablation.drop", "App. C", "siren", 0.2, 9.2),
    ("ablation.drop", "Fig. 5", "ffmlp", 10.58, 10.58),
    ("ablation.drop", "App. C", "ffmlp", 9.36, 9.36),
)
"""Every statement of the paper about dictionaries: its name, where it stands, of which backbone, from and to."""


def test_every_published_statement_about_dictionaries_has_its_row() -> None:
    known = {(fact.id, fact.where, fact.backbone, fact.low, fact.high) for fact in FACTS}
    assert set(STATED) <= known
    assert {fact.id for fact in FACTS} == {name for name, *_ in STATED}
    conditions = [
        condition(backbone, name=f"cohort_{backbone}", layers=tuple(layer(number) for number in range(5)))
        for backbone in ("siren", "ffmlp")
    ]
    drops = {one.name: {number: LayerDrops((1.0, 0.5), 0.0, 2.5) for number in range(5)} for one in conditions}
    rows = rows_of(run([], *conditions), drops)
    for fact in FACTS:
        assert any(fact.what in quantity and row.where == fact.where for quantity, row in rows.items()), fact


def test_the_closing_sentence_counts() -> None:
    same = Comparison("q", "1", "w", "1", "same", "")
    other = replace(same, verdict="different")
    assert closing_reading([same]).startswith("The one figure")
    assert closing_reading([same, same]).startswith("All 2 figures")
    assert closing_reading([other]).startswith("None of the 1 figure ")
    assert closing_reading([same, other, other]).startswith("1 of the 3 figures")


def test_the_published_table_is_consistent() -> None:
    assert set(TAU_STAR) == set(FREEZE_GAIN) == {fact.backbone for fact in FACTS} - {None}
    for fact in FACTS:
        assert fact.low <= fact.high
        assert fact.rule != "about" or fact.low == fact.high
