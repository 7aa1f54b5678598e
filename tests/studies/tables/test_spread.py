"""Spreads over pictures and over seeds: closed forms, brute force, and numbers that are none."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

import table_rows as made
from inrlens.errors import InputError
from inrlens.studies.tables.spread import Spread, spread

VALUES = st.floats(5.0, 60.0)


def test_two_pictures_and_two_seeds_by_hand() -> None:
    rows = [made.transfer(psnr, image=image, seed=seed) for image, seed, psnr in
            [("a", 0, 30.0), ("a", 1, 32.0), ("b", 0, 40.0), ("b", 1, 44.0)]]  # fmt: skip
    found = spread(rows)
    # Picture means 31 and 42; squares about them 1 + 1 + 4 + 4 over 2 degrees of freedom.
    assert (found.mean, found.images, found.seeds) == (36.5, 2, 2)
    assert found.over_images == pytest.approx(11.0 / math.sqrt(2.0))
    assert found.over_seeds == pytest.approx(math.sqrt(5.0))
    assert found.pooled == pytest.approx(np.std([30.0, 32.0, 40.0, 44.0], ddof=1))


@given(st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=2, max_size=6))
def test_against_numpy(values: list[list[float]]) -> None:
    rows = [made.transfer(one, image=str(i), seed=s) for i, own in enumerate(values) for s, one in enumerate(own)]
    found, table = spread(rows), np.asarray(values)
    assert found.mean == pytest.approx(table.mean())
    assert found.over_images == pytest.approx(table.mean(1).std(ddof=1), abs=1e-9)
    assert found.over_seeds == pytest.approx(math.sqrt(table.var(1, ddof=1).mean()), abs=1e-9)
    assert found.pooled == pytest.approx(table.std(ddof=1), abs=1e-9)


@given(st.lists(VALUES, min_size=2, max_size=5), st.floats(-5.0, 5.0))
def test_a_difference_between_sources_is_not_one_between_seeds(values: list[float], apart: float) -> None:
    rows = [
        made.transfer(one + shift, image=str(i), source=source, seed=seed)
        for i, one in enumerate(values)
        for source, shift in (("faces", 0.0), ("brains", apart))
        for seed in (0, 1)
    ]
    found = spread(rows)
    assert found.over_seeds == pytest.approx(0.0, abs=1e-9)
    assert found.over_images == pytest.approx(np.std(values, ddof=1), abs=1e-9)


def test_a_single_one_has_no_spread() -> None:
    assert spread([made.single(30.0)]) == Spread(30.0, None, None, None, 1, 1)
    one_picture = spread([made.single(30.0, seed=seed) for seed in (0, 1)])
    assert (one_picture.over_images, one_picture.over_seeds) == (None, 0.0)
    one_seed = spread([made.single(30.0, image=image) for image in "ab"])
    assert (one_seed.over_images, one_seed.over_seeds) == (0.0, None)
    assert spread([]) == Spread(None, None, None, None, 0, 0)


def test_a_cohort_of_its_own_is_a_seed_of_its_own() -> None:
    rows = [made.transfer(30.0, seed=seed, cohort_seed=other) for seed in (0, 1) for other in (0, 1, 2)]
    assert spread(rows).seeds == 6


def test_what_is_no_number_is_counted() -> None:
    values = (30.0, math.inf, -math.inf, math.nan)
    found = spread([made.single(value, image=str(i)) for i, value in enumerate(values)])
    assert (found.mean, found.images, found.infinite, found.not_a_number) == (30.0, 1, 2, 1)
    assert spread([made.single(30.0, ssim=0.5), made.single(30.0)], "ssim").missing == 1
    assert spread([made.single(math.nan)]).mean is None


def test_an_unknown_measure() -> None:
    with pytest.raises(InputError, match="measure 'mse' is not known; allowed are psnr, ssim, lpips"):
        spread([], "mse")


def test_a_picture_s_conditions_weigh_alike_however_many_seeds_they_have() -> None:
    rows = [made.transfer(30.0, image="a", source="faces", seed=seed) for seed in (0, 1, 2)]
    rows.append(made.transfer(50.0, image="a", source="brains", seed=0))
    assert spread(rows).mean == pytest.approx(40.0)
