"""Readings of hand-written numbers: agreement, disagreement, ties, and values that are missing or infinite."""

import math
from dataclasses import replace

import pytest

from inrlens.atoms.statistics import Spread
from inrlens.fitting.history import Divergence, Record
from inrlens.reports.comparison import Comparison, Drops, LayerDrops, agrees, comparisons
from inrlens.reports.published import FACTS, FREEZE_GAIN, TAU_STAR
from inrlens.reports.readings import ablations, atoms, fits, freeze, ranks
from inrlens.reports.readings.troubles import troubles
from inrlens.reports.sections.closing import reading as closing_reading
from inrlens.reports.sweep import summary, sweeps
from inrlens.studies.record import Ranks, RunRecord
from prose import says
from report_records import DEAD, THIN, condition, layer, quality, run, sweep, transfer


def test_a_sweep_that_agrees_with_the_rank_and_the_paper() -> None:
    found = sweep([31.0, 33.0, 28.0])
    assert found.fits == found.signals == 2
    best = ("SIREN", "reinitialised", 1, 34, "dB", "as tau*", 1, 3, "dB", "above", "nothing", 2, "of", 2)
    assert says(freeze.best_reading(found, 1), *best, never=("below", "level"))
    theirs = ("paper", 1, "SIREN", 3.11, "dB", "ahead", 7, "of", 9)
    both = ("weights", 1, "as in the paper", "best", 1, "as in the paper")
    beside = freeze.paper_reading(found, 1)
    assert says(beside, *theirs, *both, "frozen", 1, "also ahead", "nothing", 3, "dB", never=("not", "level"))


def test_a_sweep_that_disagrees_with_both() -> None:
    found = sweep([35.0, 33.0, 28.0], none=40.0)
    best = ("SIREN", "reinitialised", 0, 36, "dB", 7, "dB", "above", 2, 5, "dB", "below", "nothing", 0, "of", 2)
    assert says(freeze.best_reading(found, 2), *best, never="level")
    here = ("weights", 2, "not to", 1, "best", 0, "not", 1, 2, "dB", "frozen", 1, "not ahead", "nothing", -7, "dB")
    assert says(freeze.paper_reading(found, 2), 1, 3.11, 7, 9, *here, never=("as in the paper", "also"))


def test_a_sweep_of_ties() -> None:
    found = sweep([33.0, 33.0, 33.0], none=33.0)
    assert found.best_tau() == 0
    best = ("SIREN", 0, 34, "dB", "level", "tau*", 1, 0, "dB", "level", "nothing", 0, "dB", 0, "of", 2)
    assert says(freeze.best_reading(found, 1), *best, never="below")
    here = ("weights", 1, "as in the paper", 1, "level", 0, 0, "dB", "frozen", 1, "level", "nothing", 0, "dB")
    assert says(freeze.paper_reading(found, 1), 1, 3.11, 7, 9, *here, never=("not", "also"))


def test_a_sweep_with_missing_infinite_and_undefined_values() -> None:
    only = sweeps(run([transfer(0, "reinit", 20.0)]))[0]
    assert says(freeze.best_reading(only, None), "SIREN", 0, 20, "dB", never=("above", "below", "level", "tau*"))
    assert freeze.scratch_reading(only) == ""
    assert says(freeze.paper_reading(only, None), 1, 3.11, 7, 9, "best", 0, "not", 1, never=("weights", "frozen"))
    exact = freeze.best_reading(sweep([math.inf, 30.0, 30.0]), 1)
    assert says(exact, 0, math.inf, "dB", math.inf, "dB", "above", "tau*", 1, math.inf, "above", 2, 2)
    lost = sweep([20.0, math.nan, 10.0])
    assert says(freeze.best_reading(lost, 1), "tau* = 1", "not", "number")
    broken = sweep([math.nan, math.nan, math.nan], none=math.nan)
    assert says(freeze.best_reading(broken, 1), "SIREN", "no freeze depth", never="best")
    assert freeze.paper_reading(replace(only, backbone="other"), 1) == ""


def test_scratch_and_warm_are_read() -> None:
    gains, costs, level = (
        freeze.scratch_reading(found)
        for found in (
            sweep([20.0, 20.0, 20.0], none=30.0, scratch=25.0),
            sweep([20.0], none=24.0),
            sweep([20.0], none=25.05),
        )
    )
    assert says(gains, "cohort's weights", "gains", 5, "dB", "scratch", never=("costs", "level", "warm"))
    assert says(costs, "cohort's weights", "costs", 1, "dB", "scratch", never=("gains", "level"))
    assert says(level, "cohort's weights", "level", "scratch", 0.05, "dB", never=("gains", "costs"))


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
    weights = ("highest", "layer", 1, "cohort SIREN", 50, 2.5, "times", "layer", 2, 66, "before training")
    assert says(ranks.weight_reading([condition()]), *weights, never="level")
    assert says(ranks.weight_reading([condition(weight=(1.0, 7.0, 7.0))]), "layer 1", "level", "layer 2")
    assert says(ranks.weight_reading([condition(weight=(7.0,), ranks_initial=Ranks((5.0,), {}))]), 0, 7, 5)
    assert ranks.lead(1.02, 1.0) == "nearly level with"
    assert ranks.lead(1.0, 0.0) == "above"
    peaks = ranks.activation_reading([condition()])
    assert says(peaks, "cohort SIREN", 1, "of", 2, "layer", 1, "post", 0, "pre", 1, never="no")
    assert says(ranks.activation_reading([condition(tau=2)]), "no variant", "layer 2")


def test_fits_are_ordered_and_ties_and_failures_named() -> None:
    better = condition("ffmlp", psnr=35.0, psnrs=(35.0,), kind="single")
    both = ("single FFMLP", "best", "single FFMLP", 35, "dB", "cohort SIREN", 30, "dB", "mean of", 2, "signals", 29, 31)
    assert says(fits.quality_reading([condition(), better]), *both)
    tie = fits.quality_reading([condition(psnr=35.0), better])
    assert says(tie, "cohort SIREN", "single FFMLP", "equally well", never="best")
    lost = condition(psnr=math.nan)
    assert says(fits.quality_reading([lost, lost]), "no network", "number", never="best")
    assert says(fits.quality_reading([lost, better]), "FFMLP", "best", never="SIREN")
    assert says(fits.quality_reading([condition(psnr=math.inf, psnrs=(math.inf,))]), "cohort SIREN", math.inf, "dB")
    rows = tuple(Record(step, 1.0, psnr, float(step)) for step, psnr in ((0, 5.0), (8, 20.0), (10, 21.5)))
    assert says(fits.history_reading([(condition(), rows)]), "cohort SIREN", 4, "s", 1.5, "dB", "last fifth")
    endless = (*rows, Record(12, 0.0, math.inf, 12.0))
    assert says(fits.history_reading([(condition(), endless[-1:])]), 4, "s", never="fifth")


def test_atoms_alive_and_dead() -> None:
    alive = condition(layers=(layer(0), layer(2, active_fraction=Spread(0.4, 0.3, 0.5), quality=quality(dead=0.6))))
    gone = condition("ffmlp", layers=(layer(0, **DEAD),))
    median = ("median", 1.2, "%", "layer", 0, 40, "%", "layer", 2, "cohort SIREN", "none", "cohort FFMLP", "no atom")
    assert says(atoms.spread_reading([alive, gone]), *median)
    dead = ("dead", 0, 60, "%", "cohort SIREN", "most at layer", 2, 100, "%", "cohort FFMLP")
    assert says(atoms.dead_reading([alive, gone]), *dead)
    assert says(atoms.profile_reading([alive, gone]), "over the second's", 3, "cohort SIREN", "layer", 0, never="FFMLP")
    assert says(atoms.profile_reading([gone]), "no layer", "two living atoms")
    assert says(atoms.firing_reading([alive]), "top", 16, 40, "%", "coordinates", "cohort SIREN", "layer", 0)
    assert says(atoms.firing_reading([gone]), "no atom")
    assert says(atoms.gallery_reading(gone), "no atom", "cohort FFMLP")
    assert says(atoms.gallery_reading(alive), "cohort SIREN", "20 to 40 %")
    kept = ("layer", 0, "cohort SIREN", 40, "dB", "on the grid", 38, "dB", "between")
    assert says(atoms.quality_reading([alive]), *kept)
    undefined = condition(layers=(layer(quality=quality(fidelity=math.nan)),))
    assert says(atoms.quality_reading([undefined]), "no dictionary", "number")


def test_ablations_compare_supports_and_place_the_worst_atom() -> None:
    siren = condition(layers=(layer(),))
    ffmlp = condition("ffmlp", layers=(layer(worst_atom_rank=1, worst_atom_drop=10.0),))
    covers = (1, 3, "%", "picture", "cohort SIREN", 40, "%", "picture", "cohort FFMLP", "cohort FFMLP", 20, "times")
    assert says(ablations.support_reading([(siren, [0.01, 0.03]), (ffmlp, [0.4, 0.4])]), *covers)
    assert says(ablations.support_reading([(siren, [0.4]), (ffmlp, [0.4])]), "about the same", never="times")
    assert says(ablations.support_reading([(siren, [])]), "no atom")
    worst = (64, "atoms", "layer", 2, "cohort SIREN most", 2.5, "dB", 11, "cohort FFMLP most", 10, "dB", 1)
    assert says(ablations.worst_reading([siren, ffmlp], 2), *worst)
    free = ablations.worst_reading([condition(layers=(layer(worst_atom_drop=-0.1),))], 2)
    assert says(free, "none costs", "cohort SIREN", never="most")
    assert says(ablations.worst_reading([condition(layers=(layer(2, **DEAD),))], 2), "no atom", "cohort SIREN")
    assert says(ablations.outside_reading(0.0, 3), 3, "exactly", 0, never="not")
    assert says(ablations.outside_reading(0.25, 3), 0.25, "not exactly", 0)


def test_troubles_are_told_and_a_clean_run_has_none() -> None:
    assert troubles(run([], condition())) == []
    fell = Divergence(40, "PSNR fell", 30.0, 20.0)
    bad = condition(divergences=(fell,), outcome="diverged", layers=(layer(outcome="interrupted"),))
    wrong = transfer(0, "reinit", 9.0, divergences=(Divergence(3, "non-finite loss", 9.0, math.nan),))
    whole, fit, dictionary, moved = troubles(run([wrong], bad, outcome="interrupted"))
    assert says(whole, "interrupted", 1, "network", 1, "transfer", 1, "dictionary")
    diverged = ("cohort SIREN diverged", 40, "fell", 30, "dB", 20, "dB", "ended", 30, "dB", 6, "dB", "below its best")
    assert says(fit, *diverged, never=("recovered", "interrupted"))
    assert says(dictionary, "dictionary", "cohort SIREN", "layer", 2, "interrupted", 10, "steps", never="diverged")
    assert says(moved, 1, "of", 1, "SIREN", "diverged", "none")


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
    at = "9 \N{MULTIPLICATION SIGN} 7"
    many, one = (rows[f"{kind} FFMLP: dead atoms, layers 3 and 4"].condition for kind in ("Cohort", "Single"))
    assert says(many, "a", "1 more", at, "layers 3 and 4", "n = 2048", "k = 4", "10 steps", "the paper")
    twice = ("n = 64", "k = 4", "10 steps", "n = 64", "k = 4", "20 steps")
    assert says(one, "a", at, "layers 3 and 4", *twice, "the paper", never="more")
    assert says(rows["FFMLP: dead atoms, all layers"].condition, "layers 0 to 4")
    worst = rows["FFMLP: most PSNR lost without one atom, layer 2"].condition
    assert says(worst, "on a", "of 2 signals", at, "layer 2")
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
    assert says(closing_reading([same]), "one figure", "the same", never=("none", "different"))
    assert says(closing_reading([same, same]), "all", 2, "the same", never=("none", "different"))
    assert says(closing_reading([other]), "none", 1, "as published", never="the same")
    assert says(closing_reading([same, other, other]), 1, "of", 3, "the same", 2, "different")


def test_the_published_table_is_consistent() -> None:
    assert set(TAU_STAR) == set(FREEZE_GAIN) == {fact.backbone for fact in FACTS} - {None}
    for fact in FACTS:
        assert fact.low <= fact.high
        assert fact.rule != "about" or fact.low == fact.high
