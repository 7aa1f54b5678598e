"""Readings of the paper: distances that are known because the rows are made of the published numbers."""

import math
from dataclasses import replace
from statistics import fmean

import pytest

from inrlens.reports.study.published import Published, published
from inrlens.reports.study.tables.readings import ACTIVATIONS, WEIGHTS, Reading, found_readings, ln_rms, readings
from inrlens.reports.study.told import ToldStudy, told
from inrlens.studies.tables.records import CohortRow, TransferRow
from study_rows import STUDY, made_up_store

NEAR, FAR = (("cohort.steps", 1),), (("cohort.steps", 2),)


def theirs(tau: int | None) -> Published:
    """The paper's numbers for faces, SIREN."""
    found = published("CelebA", "CelebA", "siren", tau)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def whole() -> ToldStudy:
    return told(made_up_store(), STUDY)


def cohort(study: ToldStudy, variant: tuple[tuple[str, int], ...], off: float, seed: int = 0) -> CohortRow:
    """A cohort whose scores are the published ones times ``exp(off)``; sr(H) only in one variant."""
    one = next(row for row in study.rows.cohorts if (row.source, row.backbone) == ("faces", "siren"))
    weights = tuple(math.exp(off) * (theirs(tau).sr_w or 0.0) for tau in range(5))
    activations = tuple(math.exp(-off) * (theirs(tau).sr_h or 0.0) for tau in range(5))
    scores = {WEIGHTS: weights, **dict.fromkeys(ACTIVATIONS, tuple(10.0 * value for value in activations))}
    return replace(one, variant=variant, seed=seed, scores={**scores, "sr(H) post_centred": activations})


def moved(study: ToldStudy, variant: tuple[tuple[str, int], ...], off: dict[int | None, float]) -> list[TransferRow]:
    """Transfers to two pictures whose mean is the published one plus ``off`` published deviations."""
    one = next(row for row in study.rows.transfers if (row.source, row.target) == ("faces", "faces"))
    return [
        replace(
            one,
            backbone="siren",
            variant=variant,
            freeze=tau,
            rest="warm" if tau is None else "reinit",
            image=image,
            psnr=theirs(tau).psnr_mean + deviations * theirs(tau).psnr_std + more,
        )
        for tau, deviations in off.items()
        for image, more in (("a.png", 3.0), ("b.png", -3.0))
    ]


@pytest.fixture(scope="module")
def study(whole: ToldStudy) -> ToldStudy:
    cohorts = (cohort(whole, FAR, 0.5), cohort(whole, NEAR, 0.1), cohort(whole, NEAR, 0.1, seed=1))
    transfers = [
        *moved(whole, NEAR, {None: 0.5, 0: -0.9, 1: 1.2}),
        *moved(whole, FAR, {2: 2.0}),
        replace(moved(whole, NEAR, {3: 0.0})[0], rest="warm"),
    ]
    return replace(whole, rows=replace(whole.rows, cohorts=cohorts, transfers=tuple(transfers)))


@pytest.fixture(scope="module")
def found(study: ToldStudy) -> tuple[Reading, Reading]:
    near, far = found_readings(study)
    return near, far


def test_the_nearest_comes_first(found: tuple[Reading, Reading]) -> None:
    assert [one.variant for one in found] == [NEAR, FAR]
    assert [one.seeds for one in found] == [2, 1]


def test_distances_are_those_that_the_rows_were_made_with(found: tuple[Reading, Reading]) -> None:
    for one, off in zip(found, (0.1, 0.5), strict=True):
        assert one.distance[WEIGHTS] == pytest.approx(off)
        assert one.distance["sr(H) post_centred"] == pytest.approx(off)
        assert one.distance["sr(H) pre"] == pytest.approx(abs(math.log(10.0) - off))
        assert one.nearness == pytest.approx(off)
        assert one.top == one.their_top == 1


def test_psnrs_are_compared_setting_by_setting(found: tuple[Reading, Reading]) -> None:
    near, far = found
    off = [deviations * theirs(tau).psnr_std for tau, deviations in ((None, 0.5), (0, -0.9), (1, 1.2))]
    assert near.psnr_rms == pytest.approx(math.sqrt(fmean(value**2 for value in off)))
    # A warm rest has no counterpart.
    assert (near.within, near.compared, near.pictures) == (2, 3, 2)
    assert (far.within, far.compared) == (0, 1)


def test_the_table_shows_them(study: ToldStudy) -> None:
    (table,) = readings(study)
    assert [row[3] for row in table.rows] == ["cohort.steps = 1", "cohort.steps = 2"]
    assert table.rows[0][8] == "as published"


def test_one_reading_alone_or_without_a_counterpart_is_no_table(whole: ToldStudy, study: ToldStudy) -> None:
    assert readings(whole) == []
    strange = tuple(replace(row, source="mri") for row in study.rows.cohorts)
    assert found_readings(replace(study, rows=replace(study.rows, cohorts=strange))) == []


def test_a_rank_that_is_not_positive_is_infinitely_far() -> None:
    assert ln_rms((2.0, 0.0), (2.0, 1.0)) == math.inf
    assert ln_rms((2.0, math.e), (2.0, 1.0)) == pytest.approx(math.sqrt(0.5))
