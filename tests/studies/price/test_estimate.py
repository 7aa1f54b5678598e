"""The estimate of a plan at given rates: sums, dependencies, what is done, and a GPU."""

import math

import pytest

import priced
from inrlens.errors import InputError
from inrlens.studies.price.calibrate import Calibration
from inrlens.studies.price.estimate import estimate
from inrlens.studies.price.operations import plan_operations
from prose import says

RATES = {
    "siren cohort": 1e9,
    "siren transfer, 4 of 4 layers trained": 2e9,
    "siren transfer, 3 of 4 layers trained": 4e9,
    "dictionary of 16 atoms, k 4": 1e9,
    "analysis, 2 layers after": 1e9,
}


def calibration(workers: int = 2) -> Calibration:
    return Calibration(RATES, workers, "a machine")


def test_kinds_and_sums() -> None:
    plan = priced.whole_study(images=2, seeds=1)
    found = estimate(plan, calibration())
    counted = plan_operations(plan)
    assert {kind: cost.cells for kind, cost in found.by_kind.items()} == {
        "cohort": 1,
        "single": 0,
        "transfer": 6,
        "dictionary": 0,
        "analysis": 0,
    }
    assert found.operations == pytest.approx(sum(counted.values()))
    transfers = [cell for cell in plan.cells if cell.kind == "transfer"]
    by_hand = sum(counted[cell.key] / (4e9 if cell.settings["freeze"] == 0 else 2e9) for cell in transfers)
    assert found.by_kind["transfer"].seconds == pytest.approx(by_hand)
    assert (found.workers, found.machine, found.done, found.bounds) == (2, "a machine", 0, None)


def test_time_waits_for_the_cohort() -> None:
    plan = priced.whole_study(images=4, seeds=1)
    found = estimate(plan, calibration(1000))
    counted = plan_operations(plan)
    cohort = counted[plan.cells[0].key] / 1e9
    longest = max(
        counted[cell.key] / (4e9 if cell.settings["freeze"] == 0 else 2e9) for cell in plan.cells if cell.needs
    )
    assert found.seconds == pytest.approx(cohort + longest) == pytest.approx(found.longest_chain_seconds)
    alone = estimate(plan, calibration(1))
    assert alone.seconds == pytest.approx(alone.work_seconds)


def test_done_cells_cost_nothing() -> None:
    plan = priced.whole_study(images=2, seeds=1)
    done = {plan.cells[0].key, "another study's"}
    found = estimate(plan, calibration(), done=done)
    assert found.by_kind["cohort"].cells == 0
    assert found.done == 1
    everything = estimate(plan, calibration(), done={cell.key for cell in plan.cells})
    assert (everything.seconds, everything.operations, everything.memory.largest) == (0.0, 0.0, None)


def test_a_gpu_is_an_assumption_that_is_said() -> None:
    plan = priced.whole_study(images=2, seeds=1)
    found = estimate(plan, calibration(), gpu_tflops=50.0)
    assert found.gpu is not None
    assert found.gpu.seconds == pytest.approx(found.operations / (50e12 * 0.25))
    assert says(found.gpu.assumption, 0.1, "s", 25, "%", 50, "TFLOP/s", "assumption", "not a measurement")
    assert estimate(plan, calibration()).gpu is None
    with pytest.raises(InputError, match="a positive number of TFLOP/s, not 0"):
        estimate(plan, calibration(), gpu_tflops=0.0)
    with pytest.raises(InputError, match=r"utilisation must lie within \(0, 1\], not 2"):
        estimate(plan, calibration(), gpu_tflops=1.0, gpu_utilisation=2.0)


def test_a_fit_that_may_stop_early_is_an_upper_bound() -> None:
    source = priced.cohort(stop_psnr=30.0)
    found = estimate(priced.plan([source, priced.transfer(source, 0)]), calibration())
    assert says(found.bounds or "", 1, "of", 2, "cells", "early", "stop_psnr", "all", "counted")


def test_every_second_counts_the_same_whatever_the_order() -> None:
    plan = priced.whole_study(images=3, seeds=2, sweep=True)
    found = estimate(plan, calibration())
    assert math.isclose(sum(cost.seconds for cost in found.by_kind.values()), found.work_seconds)
    assert found.by_kind["dictionary"].cells == found.by_kind["analysis"].cells == 6
