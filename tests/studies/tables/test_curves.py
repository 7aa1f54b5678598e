"""Mean curves over common steps, when they reach a PSNR, and the best setting for a budget."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import table_rows as made
from inrlens.studies.tables.advice import best_for_budget
from inrlens.studies.tables.curves import MeanCurve, Option, first_reaches, mean_curve, mean_curves, psnr_at
from inrlens.studies.tables.records import Curve, TransferRow


def fit(steps: list[int], psnr: list[float], end: float, rate: float = 0.5, **changes: Any) -> TransferRow:
    """A transfer with this history whose last step, 100, ended at ``end`` dB."""
    curve = Curve(tuple(steps), tuple(psnr), tuple(rate * one for one in steps))
    return made.transfer(end, **{"curve": curve, "steps": 100, "seconds": 100 * rate, **changes})


def test_a_mean_curve_by_hand() -> None:
    found = mean_curve([fit([0, 50], [10.0, 20.0], 30.0), fit([0, 80], [10.0, 50.0], 60.0, rate=1.0, image="b")])
    # At step 50 the second picture stands at 35 dB after 50 s, at step 80 the first at 26 dB after 40 s.
    assert found == MeanCurve((0.0, 50.0, 80.0, 100.0), (10.0, 27.5, 38.0, 45.0), (0.0, 37.5, 60.0, 75.0), 2, 1)


def test_a_picture_with_more_seeds_weighs_no_more() -> None:
    rows = [fit([0], [10.0], 30.0, seed=seed) for seed in range(3)] + [fit([0], [20.0], 50.0, image="b")]
    found = mean_curve(rows)
    assert found is not None
    assert (found.psnr, found.images, found.seeds) == ((15.0, 40.0), 2, 3)


def test_a_fit_that_stopped_early_stays_where_it_ended() -> None:
    found = mean_curve([replace(fit([0, 10], [10.0, 40.0], 40.0, image="b"), steps=10), fit([0], [10.0], 30.0)])
    assert found is not None
    assert (found.steps, found.psnr) == ((0.0, 10.0, 100.0), (10.0, 26.0, 35.0))


def test_what_is_no_number_is_left_out_and_counted() -> None:
    found = mean_curve([fit([0], [math.inf], 30.0), fit([0], [10.0], math.nan), fit([0], [10.0], 30.0)])
    assert found is not None
    assert (found.psnr, found.left_out) == ((10.0, 30.0), 2)
    assert mean_curve([fit([0], [math.nan], 30.0)]) is None
    assert mean_curve([]) is None


def test_a_curve_for_every_setting_and_variant() -> None:
    rate: Any = (("transfer.learning_rate", 1.0),)
    rows = [fit([0], [1.0], 3.0), fit([0], [2.0], 3.0, setting="warm 1"), fit([0], [4.0], 3.0, variant=rate)]
    found = mean_curves(rows)
    assert {option: curve.psnr[0] for option, curve in found.items()} == {
        Option("none", ()): 1.0, Option("warm 1", ()): 2.0, Option("none", rate): 4.0,
    }  # fmt: skip


def test_when_a_curve_reaches_a_psnr() -> None:
    curve = MeanCurve((0.0, 10.0, 20.0, 30.0), (10.0, 20.0, 15.0, 40.0), (0.0, 1.0, 3.0, 4.0), 1, 1)
    for psnr, steps, seconds in [(5.0, 0.0, 0.0), (15.0, 5.0, 0.5), (20.0, 10.0, 1.0), (27.5, 25.0, 3.5)]:
        found = first_reaches(curve, psnr)
        assert found is not None
        assert (found.steps, found.seconds) == (steps, seconds)
    assert first_reaches(curve, 41.0) is None


@given(st.lists(st.floats(5.0, 60.0), min_size=2, max_size=8), st.floats(5.0, 60.0))
def test_nothing_is_reached_before_it_is_reached(psnr: list[float], wanted: float) -> None:
    steps = tuple(10.0 * i for i in range(len(psnr)))
    found = first_reaches(MeanCurve(steps, tuple(psnr), steps, 1, 1), wanted)
    assert (found is None) == (max(psnr) < wanted)
    if found is not None:
        assert np.interp(found.steps, steps, psnr) >= wanted - 1e-6
        assert all(value < wanted for at, value in zip(steps, psnr, strict=True) if at < found.steps)


def test_psnr_at_a_budget() -> None:
    row = fit([10, 60], [20.0, 30.0], 50.0)
    assert psnr_at(row, (5, 10, 35, 80, 100, 900)) == (None, 20.0, 25.0, 40.0, 50.0, 50.0)
    assert psnr_at(row, (1.0, 17.5, 60.0), "seconds") == (None, 25.0, 50.0)
    assert psnr_at(fit([0], [math.nan], 30.0), (1, 2)) == (None, None)
    assert psnr_at(fit([0], [10.0], 30.0, rate=math.nan), (1,), "seconds") == (None,)


def crossing(**changes: Any) -> list[TransferRow]:
    """Frozen rises at once and stays, unfrozen starts low and ends high; they cross at step 50."""
    rows = []
    for index, image in enumerate("abcdefgh"):
        up = 0.1 * index
        rows.append(fit([0, 50], [10.0 + up, 30.0 + up], 50.0 + 2 * up, image=image, **changes))
        where = {"setting": "reinit 1", **changes}
        rows.append(fit([0, 10, 50], [10.0 + up, 28.0 + up, 30.0 + up], 31.0 + up, rate=0.2, image=image, **where))
    return rows


def test_advice_changes_with_the_budget() -> None:
    early, late = best_for_budget(crossing(), "siren", (20, 100))
    assert (early.best.setting, early.runner_up, early.budget) == ("reinit 1", Option("none", ()), 20.0)
    assert early.lead is not None
    assert early.psnr == pytest.approx(28.5 + 0.35)
    assert early.lead.difference == pytest.approx(28.5 - 18.0)
    assert early.lead.told_apart
    assert (late.best.setting, late.images, late.seeds) == ("none", 8, 1)
    assert late.lead is not None
    assert late.lead.difference == pytest.approx(19.35)
    assert late.lead.low is not None
    assert 19.0 < late.lead.low < 19.35


def test_advice_for_seconds_counts_what_a_step_costs() -> None:
    (by_steps,) = best_for_budget(crossing(), "siren", (60,))
    (by_seconds,) = best_for_budget(crossing(), "siren", (22.0,), "seconds")
    assert (by_steps.best.setting, by_seconds.best.setting) == ("none", "reinit 1")
    assert by_seconds.unit == "seconds"


def test_advice_where_two_are_not_told_apart() -> None:
    rows = [
        fit([0], [10.0], psnr, image=image, setting=setting)
        for setting, values in (("none", (30.0, 33.0, 30.0)), ("warm 0", (31.0, 30.0, 31.5)))
        for image, psnr in zip("abc", values, strict=True)
    ]
    (found,) = best_for_budget(rows, "siren", (100,))
    assert found.lead is not None
    assert found.best.setting == "none"
    assert not found.lead.told_apart
    assert found.lead.few


def test_advice_compares_over_common_pictures() -> None:
    rows = [
        fit([0], [10.0], 30.0),
        fit([0], [10.0], 90.0, image="b"),
        fit([0], [10.0], 31.0, setting="scratch"),
        fit([0], [10.0], 99.0, split="validation", setting="warm 0"),
        fit([0], [10.0], 99.0, backbone="ffmlp", setting="warm 0"),
    ]
    (found,) = best_for_budget(rows, "siren", (100,))
    assert (found.best.setting, found.psnr, found.images) == ("scratch", 31.0, 1)
    (none,) = best_for_budget(rows, "siren", (100,), source="faces", target="faces")
    assert (none.best, none.source) == (found.best, "faces")
    assert best_for_budget(rows, "siren", (100,), target="brains") == ()
    assert best_for_budget([fit([10], [1.0], 30.0)], "siren", (5,)) == ()


def test_a_single_option_has_no_runner_up() -> None:
    (found,) = best_for_budget([fit([0], [10.0], 30.0)], "siren", (100,))
    assert (found.runner_up, found.lead, found.psnr) == (None, None, 30.0)


def test_a_mean_curve_begins_where_the_last_of_its_fits_does() -> None:
    found = mean_curve([fit([0, 50], [10.0, 20.0], 30.0), fit([20, 50], [10.0, 20.0], 30.0, image="b")])
    assert found is not None
    assert found.steps == (20.0, 50.0, 100.0)
