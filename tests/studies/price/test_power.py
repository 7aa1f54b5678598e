"""What a paired comparison can tell: against closed forms and simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from inrlens.errors import InputError
from inrlens.studies.price.power import ASSUMED, PairedSpread, detectable, paired_spread, power_of
from inrlens.studies.tables.records import Curve, TransferRow
from prose import says


def test_many_images_follow_the_normal_law() -> None:
    expected = (stats.norm.isf(0.025) + stats.norm.isf(0.2)) / math.sqrt(5000)
    assert detectable(1.0, 5000) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("images", [3, 8, 30])
def test_a_simulated_comparison_finds_it_four_times_in_five(images: int) -> None:
    draws, trials = np.random.default_rng(1), 20_000
    difference = detectable(1.7, images)
    pairs = draws.normal(difference, 1.7, (trials, images))
    found = stats.ttest_1samp(pairs, 0.0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / trials))


def test_it_scales_with_the_spread_and_falls_with_images() -> None:
    assert detectable(3.0, 10) == pytest.approx(3 * detectable(1.0, 10))
    values = [detectable(1.0, images) for images in range(2, 40)]
    assert values == sorted(values, reverse=True)
    assert detectable(0.0, 5) == 0.0
    assert detectable(1.0, 1) == math.inf


def test_numbers_that_are_not_allowed_are_refused() -> None:
    with pytest.raises(InputError, match=r"0 < level < power < 1 must hold, not sd -1, level 0.05 and power 0.8"):
        detectable(-1.0, 5)
    with pytest.raises(InputError, match=r"power 0.01"):
        detectable(1.0, 5, power=0.01)


def test_seeds_take_off_what_differs_between_them_alone() -> None:
    spread = PairedSpread(1.0, 0.6, "")
    assert spread.of_means(1) == pytest.approx(math.sqrt(1.36))
    assert spread.of_means(1_000_000) == pytest.approx(1.0, abs=1e-3)
    told = power_of(spread, {"a": 10, "b": 40}, seeds=2, cohort_seeds=2)
    sd = math.sqrt(1.0 + 0.36 / 4)
    assert told.detectable_db == pytest.approx((detectable(sd, 10) + detectable(sd, 40)) / 2)


def row(image: int, seed: int, freeze: int | None, psnr: float, cohort: str | None = "key") -> TransferRow:
    return TransferRow(
        key=f"{image} {seed} {freeze}",
        source="a",
        target="b",
        backbone="siren",
        image=str(image),
        seed=seed,
        cohort_seed=0,
        cohort=cohort,
        freeze=freeze,
        rest="warm" if freeze is None else "reinit",
        split="test",
        variant=(),
        psnr=psnr,
        ssim=None,
        lpips=None,
        steps=1,
        seconds=1.0,
        outcome="finished",
        curve=Curve((), (), ()),
    )


def test_a_store_s_own_spread_is_found_again() -> None:
    draws = np.random.default_rng(3)
    rows = []
    for image in range(400):
        level, own = draws.normal(30.0, 3.0), draws.normal(0.0, 1.5)
        for seed in range(3):
            rows.append(row(image, seed, None, level))
            rows.append(row(image, seed, 1, level + own + draws.normal(0.0, 0.8)))
    found = paired_spread(rows)
    assert found is not None
    assert found.between == pytest.approx(1.5, rel=0.1)
    assert found.within == pytest.approx(0.8, rel=0.1)
    assert says(found.source, "measured", 1, "no-freeze", "this store", 400, "pictures")


def test_two_pictures_by_hand() -> None:
    rows = [row(0, 0, None, 30.0), row(0, 0, 0, 31.0), row(1, 0, None, 25.0), row(1, 0, 0, 28.0)]
    found = paired_spread(rows)
    assert found is not None
    assert (found.between, found.within) == (pytest.approx(math.sqrt(2.0)), 0.0)


def test_a_store_without_pairs_says_nothing() -> None:
    assert paired_spread([]) is None
    assert paired_spread([row(0, 0, None, 30.0), row(0, 0, 0, 31.0)]) is None
    assert paired_spread([row(image, 0, 0, 30.0 + image, cohort=None) for image in range(3)]) is None


def test_the_assumption_is_that_of_the_correlation_it_states() -> None:
    assert math.sqrt(2 * 2.1**2 * (1 - 0.9)) == pytest.approx(ASSUMED.between, abs=0.2)


def test_the_seeds_part_is_taken_off_the_spread_between_pictures() -> None:
    """Means over two seeds of pictures that are all alike differ by their seeds alone."""
    draws, rows = np.random.default_rng(3), []
    for image in range(400):
        for seed in (0, 1):
            rows += [row(image, seed, None, 30.0), row(image, seed, 0, 31.0 + draws.normal(0.0, 1.0))]
    found = paired_spread(rows)
    assert found is not None
    # Without it the spread would be 1 / sqrt(2); that of a variance over 400 pictures is 7 %.
    assert found.between < 0.35
    assert found.within == pytest.approx(1.0, rel=0.15)
