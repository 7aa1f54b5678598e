"""Cuts that fit a budget: what is cut first, what it costs, and the study's file afterwards."""

from dataclasses import replace

import pytest

import priced
from inrlens.errors import InputError
from inrlens.studies.cells.plan import StudyPlan
from inrlens.studies.config.model import DataSpec, DictionarySpec, RecipeSpec, SingleSpec, TransferSpec
from inrlens.studies.price.budget import Proposal, apply_cut, propose_cut
from inrlens.studies.price.calibrate import Calibration
from inrlens.studies.price.changes import Change, apply_changes
from inrlens.studies.price.estimate import estimate
from inrlens.studies.price.operations import plan_operations
from inrlens.studies.price.power import PairedSpread
from inrlens.studies.price.reduce import Cut, Cuttable, swept
from prose import numbers, says

RATE = Calibration({"everything": 1e9}, 2, "a machine")


def propose(plan: StudyPlan, share: float, **numbers) -> Proposal:
    """The cut to a share of the plan's time."""
    return propose_cut(plan, RATE, share * estimate(plan, RATE).seconds, **numbers)


def changed(proposal: Proposal) -> dict[str, object]:
    return {change.path: change.after for change in proposal.changes}


def test_nothing_is_cut_from_what_fits() -> None:
    plan = priced.whole_study()
    found = propose(plan, 1.0)
    assert (found.changes, found.fits, found.seconds, found.after) == ((), True, found.seconds_before, found.before)
    assert says(found.sentence, "within", "nothing", "cut")
    assert apply_cut(plan.spec, found) == plan.spec
    assert found.before.images == {"toys": 12}


def test_a_seed_goes_before_pictures_do() -> None:
    plan = priced.whole_study()
    found = propose(plan, 0.75)
    assert changed(found) == {"seeds": (0, 1)}
    assert found.fits
    assert found.seconds <= 0.75 * found.seconds_before
    assert (found.after.images, found.after.seeds) == ({"toys": 12}, 2)
    assert found.after.detectable_db > found.before.detectable_db
    told = numbers(found.sentence)[-2:]
    assert told == [round(one.detectable_db, 2) for one in (found.before, found.after)]
    assert says(found.sentence, "cut brings", "smallest difference", "paired", "from", "dB", "to", "dB")


def test_pictures_go_where_seeds_differ_more_than_they() -> None:
    noisy = PairedSpread(0.1, 3.0, "")
    found = propose(priced.whole_study(images=12, seeds=3), 0.9, spread=noisy)
    assert set(changed(found)) == {"transfers[0].images"}


def test_as_many_pictures_stay_as_fit() -> None:
    plan = priced.whole_study(images=40, seeds=1)
    found = propose(plan, 0.5)
    (change,) = found.changes
    assert (change.path, change.before) == ("transfers[0].images", None)
    images = change.after
    one_more = Cuttable(plan).kept(Cut(images=images + 1, seeds=1, cohort_seeds=1))
    assert estimate(replace(plan, cells=tuple(one_more.values())), RATE).seconds > 0.5 * found.seconds_before
    assert found.after.images == {"toys": images}
    assert apply_cut(plan.spec, found).transfers[0].images == images


def test_the_time_of_a_cut_is_that_of_its_own_plan() -> None:
    plan = priced.whole_study(images=20, seeds=1)
    found = propose(plan, 0.6)
    smaller = priced.whole_study(images=found.after.images["toys"], seeds=1)
    assert estimate(smaller, RATE).seconds == pytest.approx(found.seconds)


def test_resolution_goes_when_eight_pictures_do_not_fit() -> None:
    plan = priced.whole_study(images=8, seeds=1, grid=(64, 64))
    found = propose(plan, 0.6)
    assert changed(found) == {"data.toys.size": (48, 48)}
    assert apply_cut(plan.spec, found).data[0].size == (48, 48)
    smaller = priced.whole_study(images=8, seeds=1, grid=(48, 48))
    assert estimate(smaller, RATE).seconds == pytest.approx(found.seconds)


def test_pictures_stay_at_32_pixels_and_then_steps_go() -> None:
    plan = priced.whole_study(images=8, seeds=1, grid=(40, 40), steps=400)
    found = propose(plan, 0.6)
    assert changed(found) == {
        "backbones.siren.cohort.steps": 200,
        "backbones.siren.transfer.steps": 200,
    }
    after = apply_cut(plan.spec, found).backbones[0]
    assert after.cohort.overrides == (("steps", (200,)),)
    assert after.single == plan.spec.backbones[0].single
    smaller = priced.whole_study(images=8, seeds=1, grid=(40, 40), steps=200)
    assert estimate(smaller, RATE).seconds == pytest.approx(found.seconds)


def test_a_sweep_of_dictionaries_goes_before_steps() -> None:
    plan = priced.whole_study(images=8, seeds=1, grid=(40, 40), sweep=True, steps=400)
    slow = Calibration({"siren": 1e9, "dictionary of": 1e6}, 2, "a machine")
    alone = replace(plan, cells=tuple(Cuttable(plan).kept(Cut(sweep=True)).values()))
    budget = (estimate(alone, slow).seconds + estimate(plan, slow).seconds) / 2
    found = propose_cut(plan, slow, budget)
    assert changed(found) == {"dictionaries[0].n_atoms": (32,), "dictionaries[0].k": (8,)}
    assert found.seconds == pytest.approx(estimate(alone, slow).seconds)
    group = apply_cut(plan.spec, found).dictionaries[0]
    assert (group.n_atoms, group.k) == ((32,), (8,))


def test_steps_that_are_an_axis_stay() -> None:
    plan = priced.whole_study(images=8, seeds=1, grid=(40, 40), steps=400)
    searched = RecipeSpec("small", (("steps", (100, 400)),))
    backbones = (replace(plan.spec.backbones[0], transfer=searched),)
    found = propose(replace(plan, spec=replace(plan.spec, backbones=backbones)), 0.8)
    assert changed(found).keys() <= {"backbones.siren.cohort.steps", "transfers[0].images"}


def test_where_nothing_fits_the_least_is_said() -> None:
    plan = priced.whole_study()
    found = propose_cut(plan, RATE, 1e-9)
    assert not found.fits
    least = ("one picture", "one seed", "0.5 of the resolution", "0.25 of the steps")
    assert says(found.sentence, "nothing fits under 0.1 s", "even", *least, "more time", never="none")
    assert found.after.images == {"toys": 1}
    assert found.after.detectable_db == float("inf")


def test_fewer_pictures_than_eight_come_before_giving_up() -> None:
    plan = priced.whole_study(images=10, seeds=1, grid=(32, 32))
    smallest = propose_cut(plan, RATE, 1e-9)
    found = propose_cut(plan, RATE, smallest.seconds)
    assert found.fits
    assert found.after.images == {"toys": 1}


def test_done_cells_cost_nothing_as_long_as_their_keys_stay() -> None:
    plan = priced.whole_study()
    done = frozenset(cell.key for cell in plan.cells[: len(plan.cells) // 2])
    left = estimate(plan, RATE, done=done).seconds
    assert propose_cut(plan, RATE, left, done=done).changes == ()
    assert propose_cut(plan, RATE, left).changes != ()


def test_a_cut_of_steps_makes_done_cells_anew() -> None:
    """Their keys change with their steps, so that what was done counts for nothing."""
    plan = priced.whole_study(images=8, seeds=1, grid=(40, 40), steps=400)
    done = frozenset({next(cell.key for cell in plan.cells if cell.kind == "transfer")})
    found = propose(plan, 0.6, done=done)
    smaller = priced.whole_study(images=8, seeds=1, grid=(40, 40), steps=200)
    assert found.seconds_before < estimate(plan, RATE).seconds
    assert found.seconds == pytest.approx(estimate(smaller, RATE).seconds)


def test_of_cuts_that_tell_as_much_the_one_with_most_seeds_is_taken() -> None:
    """Where seeds do not differ, a third one tells nothing; it is kept while there is time for it."""
    alike = PairedSpread(1.0, 0.0, "")
    found = propose(priced.whole_study(images=12, seeds=4), 0.8, spread=alike)
    assert changed(found) == {"seeds": (0, 1, 2)}


def test_two_runs_propose_the_same() -> None:
    plan = priced.whole_study(sweep=True)
    for share in (0.9, 0.5, 0.2, 0.05):
        assert propose(plan, share) == propose(plan, share)


def test_a_tighter_budget_never_takes_longer() -> None:
    plan = priced.whole_study(images=20, sweep=True)
    seconds = [propose(plan, share).seconds for share in (1.0, 0.8, 0.6, 0.4, 0.2)]
    assert seconds == sorted(seconds, reverse=True)


def test_dictionaries_without_their_sweep() -> None:
    paper = swept(DictionarySpec(n_atoms=(512, 4096, 8192), k=(16, 32, 64), seeds=(3, 4)))
    assert (paper.n_atoms, paper.k, paper.seeds) == ((4096,), (32,), (3,))
    other = swept(DictionarySpec(n_atoms=(10, 20, 30), k=(16, 25)))
    assert (other.n_atoms, other.k) == ((20,), (16,))


def test_what_dictionaries_need_is_kept() -> None:
    plan = priced.whole_study(images=3, seeds=1, sweep=True)
    kept = Cuttable(plan).kept(Cut(images=0, sweep=True))
    assert [cell.kind for cell in kept.values()] == ["cohort", "dictionary", "analysis"]


def test_changes_find_names_with_dots() -> None:
    spec = priced.study(
        data=(DataSpec("a", "bundled", None), DataSpec("a.b", "bundled", None)),
        transfers=(TransferSpec(freeze=(0,)), TransferSpec(freeze=(1,))),
        singles=(SingleSpec(),),
    )
    changes = (
        Change("data.a.b.size", None, (5, 6), ""),
        Change("transfers[1].images", None, 4, ""),
        Change("cohort_seeds", (0, 1), (0,), ""),
    )
    after = apply_changes(spec, changes)
    assert [one.size for one in after.data] == [None, (5, 6)]
    assert [one.images for one in after.transfers] == [None, 4]
    assert after.cohort_seeds == (0,)
    assert after.singles == spec.singles


def test_a_budget_is_positive() -> None:
    with pytest.raises(InputError, match="a positive number of seconds, not 0"):
        propose_cut(priced.whole_study(images=1, seeds=1), RATE, 0.0)


def test_cells_alike_cost_alike() -> None:
    plan = priced.whole_study(images=3, seeds=2, sweep=True)
    study = Cuttable(plan)
    assert study.operations(Cut()) == plan_operations(plan)
    assert len(set(study.alike.values())) < len(plan.cells)
    smaller = priced.whole_study(images=3, seeds=2, sweep=True, grid=(32, 32), steps=25)
    found = study.operations(Cut(scale=0.5, steps=0.5))
    assert list(found.values()) == list(plan_operations(smaller).values())


def test_a_picture_of_two_data_sets_stays_while_one_of_them_keeps_it() -> None:
    shared, other = (priced.transfer(None, None, image=number) for number in (0, 1))
    second = [replace(cell, place={**cell.place, "target": "two"}) for cell in (other, shared)]
    kept = Cuttable(priced.plan([shared, *second])).kept(Cut(images=1))
    assert set(kept) == {shared.key, other.key}
