"""The bootstrap against enumeration and scipy; pairs by picture, source and seed."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

import table_rows as made
from inrlens.studies.tables.bootstrap import MeanInterval, mean_interval
from inrlens.studies.tables.paired import paired
from inrlens.studies.tables.records import TransferRow

VALUES = st.floats(-20.0, 20.0)


def enumerated(values: list[float]) -> np.ndarray:
    """The means of all samples of as many values drawn with replacement, all equally likely."""
    return np.sort([np.mean(sample) for sample in itertools.product(values, repeat=len(values))])


@pytest.mark.parametrize("values", [[1.0, 2.0, 4.0], [-3.0, 0.5, 0.7, 8.0]])
def test_interval_of_few_values_is_that_of_all_their_samples(values: list[float]) -> None:
    found, means = mean_interval(values), enumerated(values)
    assert found.few
    for end, level in ((found.low, 0.025), (found.high, 0.975)):
        # The ends are draws from a step function: the step at that share of all samples, give or take 0.5 % of them.
        near = np.quantile(means, [level - 0.005, level + 0.005], method="inverted_cdf")
        assert near[0] - 1e-9 <= end <= near[1] + 1e-9  # type: ignore[operator]
    assert found.mean == pytest.approx(np.mean(values))
    assert found.sd == pytest.approx(np.std(values, ddof=1))


@pytest.mark.parametrize("n", [6, 9, 40, 100])
def test_interval_against_scipy(n: int) -> None:
    values = np.random.default_rng(n).gamma(2.0, 1.5, size=n)
    found = mean_interval(values.tolist())
    other = stats.bootstrap(
        (values,), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    width = other.high - other.low
    assert found.low == pytest.approx(other.low, abs=0.04 * width)
    assert found.high == pytest.approx(other.high, abs=0.04 * width)
    assert not found.few


@given(st.lists(VALUES, min_size=2, max_size=12), VALUES)
def test_interval_moves_with_its_values(values: list[float], shift: float) -> None:
    one, other = (mean_interval(own, resamples=300) for own in (values, [value + shift for value in values]))
    assert min(values) - 1e-9 <= one.low <= one.high <= max(values) + 1e-9  # type: ignore[operator]
    for name in ("mean", "low", "high"):
        assert getattr(other, name) == pytest.approx(getattr(one, name) + shift, abs=1e-9)


def test_interval_depends_on_its_seed_alone() -> None:
    values = [1.1, 2.2, 5.3, 9.7, 11.9, 30.01, 44.4, 51.7]
    assert mean_interval(values, seed=1) == mean_interval(values, seed=1)
    assert mean_interval(values, seed=1).low != mean_interval(values, seed=2).low


def test_interval_of_hardly_anything() -> None:
    assert mean_interval([]) == MeanInterval(None, None, None, None, 0)
    assert mean_interval([3.0]) == MeanInterval(3.0, None, None, None, 1)
    assert not mean_interval([3.0]).told_apart
    same = mean_interval([3.0, 3.0])
    assert (same.low, same.high, same.few, same.told_apart) == (3.0, 3.0, True, True)


def rows(values: dict[tuple[str, int], float], **changes: object) -> list[TransferRow]:
    return [made.transfer(psnr, image=image, seed=seed, **changes) for (image, seed), psnr in values.items()]


@given(st.lists(st.tuples(VALUES, VALUES, VALUES, VALUES), min_size=2, max_size=8))
def test_pairs_against_numpy(values: list[tuple[float, float, float, float]]) -> None:
    a = [made.transfer(own[s], image=str(i), seed=s) for i, own in enumerate(values) for s in (0, 1)]
    b = [made.transfer(own[2 + s], image=str(i), seed=s) for i, own in enumerate(values) for s in (0, 1)]
    table = np.asarray(values)
    apart = (table[:, 0] - table[:, 2] + table[:, 1] - table[:, 3]) / 2.0
    found = paired(a, b, resamples=200)
    assert found.difference == pytest.approx(apart.mean(), abs=1e-9)
    assert found.sd == pytest.approx(apart.std(ddof=1), abs=1e-9)
    assert (found.images, found.seeds) == (len(values), 2)
    back = paired(b, a, resamples=200)
    assert back.difference == pytest.approx(-apart.mean(), abs=1e-9)
    expected = mean_interval(apart.tolist(), resamples=200)
    assert found.low == pytest.approx(expected.low, abs=1e-9)


def test_what_one_side_lacks_is_left_out() -> None:
    a = rows({("a", 0): 30.0, ("a", 1): 50.0, ("b", 0): 31.0})
    b = rows({("a", 0): 29.0, ("b", 0): 31.5, ("c", 0): 90.0}, setting="reinit 0")
    found = paired(a, b)
    assert (found.difference, found.images, found.seeds, found.ahead) == (0.25, 2, 1, 0.5)
    assert found.few
    assert paired(a, rows({("z", 0): 30.0})).difference is None


def test_sources_are_held_against_themselves() -> None:
    both = [("faces", 40.0, 39.0), ("brains", 20.0, 18.0)]
    a = [made.transfer(one, source=source) for source, one, _ in both]
    b = [made.transfer(other, source=source, setting="reinit 1") for source, _, other in both]
    assert paired(a, b).difference == 1.5
    assert paired(a, b[:1]).difference == 1.0
    assert paired(a, b[1:]).difference == 2.0


def test_scratch_stands_against_every_cohort() -> None:
    moved = [made.transfer(40.0 + s, source=source, seed=s) for source in ("faces", "brains") for s in (0, 1)]
    scratch = [made.transfer(30.0 + 2 * s, setting="scratch", seed=s) for s in (0, 1)]
    found = paired(moved, scratch)
    assert (found.difference, found.seeds) == (9.5, 2)
    alone = [made.single(30.0 + 2 * s, seed=s) for s in (0, 1)]
    assert paired(moved, alone).difference == 9.5


def test_lower_lpips_is_ahead() -> None:
    a, b = ([made.single(30.0, image=i, lpips=value) for i in "ab"] for value in (0.1, 0.2))
    assert paired(a, b, "lpips").ahead == 1.0
    assert paired(b, a, "lpips").ahead == 0.0
    assert paired(a, a, "lpips").ahead == 0.0


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_left_out_and_counted(broken: float) -> None:
    a = rows({("a", 0): 30.0, ("b", 0): broken, ("c", 0): 33.0})
    b = rows({("a", 0): 29.0, ("b", 0): broken, ("c", 0): 30.0})
    found = paired(a, b)
    assert (found.difference, found.images, found.left_out) == (2.0, 2, 1)


def test_one_picture_has_no_interval() -> None:
    found = paired(rows({("a", 0): 30.0}), rows({("a", 0): 20.0}))
    assert (found.difference, found.low, found.high, found.sd, found.few) == (10.0, None, None, None, False)
    assert not found.told_apart
