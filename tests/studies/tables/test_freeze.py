"""The freeze sweep and the predictors of its best depth, against tables made by hand and brute force."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

import table_rows as made
from inrlens.studies.tables.freeze import freeze_sweeps
from inrlens.studies.tables.predictors import (
    PredictorRecord,
    argmax,
    predictor_records,
    share_interval,
)
from inrlens.studies.tables.records import CohortRow, TransferRow

VALUES = st.floats(5.0, 60.0)


def test_a_sweep_by_hand() -> None:
    rows = made.sweep_rows({"a": (40.0, 42.0, 30.0), "b": (39.0, 38.0, 31.0)})
    rows += [made.transfer(50.0, setting="none"), made.transfer(20.0, setting="scratch")]
    (sweep,) = freeze_sweeps(rows)
    assert {name: found.mean for name, found in sweep.psnr.items()} == {
        "scratch": 20.0, "none": 50.0, "reinit 0": 39.5, "reinit 1": 40.0, "reinit 2": 30.5,
    }  # fmt: skip
    assert (sweep.depths, sweep.best_depth, sweep.best_by_image) == ((0, 1, 2), 1, {"a": 1, "b": 0})
    assert (sweep.by_depth, sweep.seeds) == ({0: 39.5, 1: 40.0, 2: 30.5}, 1)


def test_depths_are_compared_over_what_all_have() -> None:
    rows = made.sweep_rows({"a": (40.0, 41.0), "b": (90.0,)})
    rows += [made.transfer(99.0, setting="reinit 0", seed=1), made.transfer(math.nan, setting="reinit 1", seed=1)]
    (sweep,) = freeze_sweeps(rows)
    assert sweep.by_image == {"a": {0: 40.0, 1: 41.0}}
    assert sweep.psnr["reinit 0"].images == 2
    assert sweep.psnr["reinit 1"].not_a_number == 1
    apart = [made.transfer(40.0, setting=f"reinit {tau}", image=image) for tau, image in enumerate("ab")]
    (nothing,) = freeze_sweeps([*apart, made.transfer(math.inf, setting="reinit 1", image="a")])
    assert (nothing.best_depth, nothing.by_depth, nothing.by_image) == (None, {}, {})


def test_configurations_do_not_mix() -> None:
    rate = [(("transfer.learning_rate", value),) for value in (1e-4, 1e-3)]
    rows: list[TransferRow] = []
    for value, changes in enumerate(
        [
            {},
            {"source": "brains"},
            {"target": "brains"},
            {"backbone": "ffmlp"},
            {"cohort_seed": 1},
            {"variant": rate[0]},
        ]
    ):
        rows += made.sweep_rows({"a": (30.0 + value, 20.0)}, **changes)
    rows += made.sweep_rows({"a": (50.0, 20.0)}, rest="warm")
    rows += made.sweep_rows({"a": (99.0, 20.0)}, split="validation")
    assert [sweep.by_depth[0] for sweep in freeze_sweeps(rows)] == [30.0, 31.0, 32.0, 33.0, 34.0, 35.0, 50.0]


def test_scratch_stands_where_its_variant_agrees() -> None:
    variants = [(("cohort.stop_psnr", stop), ("transfer.learning_rate", rate)) for stop in (30, 40) for rate in (1, 2)]
    rows = [row for one in variants for row in made.sweep_rows({"a": (30.0,)}, variant=one)]
    rows += [made.transfer(float(r), setting="scratch", variant=(("transfer.learning_rate", r),)) for r in (1, 2)]
    found = [sweep.psnr["scratch"].mean for sweep in freeze_sweeps(rows)]
    assert found == [1.0, 2.0, 1.0, 2.0]


def record(name: str, rows: list[TransferRow], cohorts: list[CohortRow], rest: str = "reinit") -> PredictorRecord:
    (found,) = [one for one in predictor_records(freeze_sweeps(rows), cohorts, rest) if one.predictor == name]
    return found


ROWS = [
    *made.sweep_rows({"a": (40.0, 44.0, 30.0), "b": (40.0, 38.0, 30.0)}),
    *made.sweep_rows({"c": (36.0, 33.0, 30.0)}, target="brains"),
    *made.sweep_rows({"a": (20.0, 20.0, 10.0), "b": (20.0, 20.0, 10.0)}, backbone="ffmlp"),
]
COHORTS = [
    made.cohort({"sr(W)": (1.0, 9.0, 3.0), "sr(H) post": (5.0, 1.0, math.nan)}),
    made.cohort({"sr(W)": (1.0, 9.0, 3.0), "sr(H) post": (math.nan,) * 3}, backbone="ffmlp"),
]


def test_predictors_by_hand() -> None:
    found = predictor_records(freeze_sweeps(ROWS), COHORTS)
    assert [one.predictor for one in found] == ["sr(W)", "sr(H) post", "layer 0", "layer 1", "random"]
    weights = found[0]
    # Best depths are 1, 0 and a tie of 0 and 1; layer 1 loses 0, 3 and 0 dB.
    assert (weights.right, weights.configurations, weights.loss_mean, weights.loss_worst) == (2.0, 3, 1.0, 3.0)
    assert [one.best_depth for one in weights.predictions] == [1, 0, 0]
    # By picture: a and b lose 0 against the configurations' best depths, c 3; against their own b loses 2 and 0.
    assert (weights.loss_by_image.mean, weights.loss_by_image.images) == (1.0, 3)
    assert weights.loss_to_own.mean == pytest.approx((0.0 + 1.0 + 3.0) / 3.0)
    assert (weights.loss_of_worst.mean, weights.loss_of_worst.images) == (3.0, 1)
    # By network: SIREN's means over targets are 38, 37 and 30.
    assert (weights.networks_right, weights.networks) == (1.0, 2)
    assert (weights.untried, weights.seeds) == (0, 1)


def test_a_score_that_names_no_layer_is_left_out() -> None:
    activations = record("sr(H) post", ROWS, COHORTS)
    assert (activations.configurations, activations.untried) == (2, 1)
    assert (activations.right, activations.loss_worst) == (1.0, 1.0)


def test_a_loss_however_small_is_not_right() -> None:
    rows = made.sweep_rows({"a": (40.0, 39.999, 30.0)})
    assert record("layer 0", rows, COHORTS).right == 1.0
    assert record("layer 1", rows, COHORTS).right == 0.0


def test_random_is_an_exact_expectation() -> None:
    found = record("random", ROWS, COHORTS)
    assert found.right == pytest.approx(1 / 3 + 1 / 3 + 2 / 3)
    assert found.loss_mean == pytest.approx(np.mean([(0 + 1 + 11) / 3, (0 + 3 + 6) / 3, (0 + 0 + 10) / 3]))
    assert (found.loss_worst, found.low, found.high) == (11.0, None, None)
    assert found.loss_of_worst.mean == 11.0


def test_a_depth_that_was_not_run() -> None:
    rows = made.sweep_rows({"a": (30.0,)})
    found = record("layer 1", rows, COHORTS)
    assert (found.configurations, found.untried, found.loss_mean, found.low) == (0, 1, None, None)
    assert found.loss_by_image.mean is None


def test_the_start_of_the_rest_is_a_question_of_its_own() -> None:
    rows = ROWS + made.sweep_rows({"a": (50.0, 49.0, 48.0)}, rest="warm")
    assert record("sr(W)", rows, COHORTS, "warm").loss_worst == 1.0
    assert record("sr(W)", rows, COHORTS) == record("sr(W)", ROWS, COHORTS)


@settings(max_examples=10)
@given(
    st.lists(st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=3), min_size=1, max_size=4),
    st.lists(st.integers(0, 2), min_size=4, max_size=4),
)
def test_predictors_against_brute_force(tables: list[list[list[float]]], named: list[int]) -> None:
    rows, cohorts, losses = [], [], []
    for index, table in enumerate(tables):
        rows += made.sweep_rows({str(i): own for i, own in enumerate(table)}, source=str(index))
        cohorts.append(made.cohort({"sr(W)": np.eye(3)[named[index]].tolist()}, source=str(index)))
        means = [math.fsum(own[tau] for own in table) / len(table) for tau in range(3)]
        losses.append(max(means) - means[named[index]])
    found = record("sr(W)", rows, cohorts)
    assert found.loss_mean == pytest.approx(np.mean(losses), abs=1e-9)
    assert found.loss_worst == pytest.approx(max(losses), abs=1e-9)
    assert found.right == sum(loss == 0.0 for loss in losses)
    assert found.configurations == found.networks == len(tables)
    by_layer = [np.mean(table, axis=0).max() - np.mean(table, axis=0) for table in tables]
    assert record("random", rows, cohorts).loss_mean == pytest.approx(np.mean(by_layer), abs=1e-9)
    assert record("layer 1", rows, cohorts).loss_mean == pytest.approx(np.mean([one[1] for one in by_layer]), abs=1e-9)


@pytest.mark.parametrize(("right", "of"), [(0, 6), (5, 6), (6, 6), (3, 40)])
def test_the_interval_of_a_share(right: int, of: int) -> None:
    low, high = share_interval(right, of) or (-1.0, -1.0)
    # Clopper and Pearson's ends are quantiles of beta distributions.
    assert low == pytest.approx(stats.beta.ppf(0.025, right, of - right + 1) if right else 0.0)
    assert high == pytest.approx(stats.beta.ppf(0.975, right + 1, of - right) if right < of else 1.0)
    assert share_interval(0, 0) is None


def test_argmax_takes_the_first_of_equals_and_no_nan() -> None:
    assert argmax((math.nan, 2.0, 2.0)) == 1
    assert argmax((1.0, math.inf)) == 1
    assert argmax((math.nan,)) is None
    assert argmax(()) is None
