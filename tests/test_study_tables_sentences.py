"""Sentences say what the numbers say, and claim nothing where an interval spans 0."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

import table_rows as made
from inrlens.studies.tables import phrases
from inrlens.studies.tables.advice import best_for_budget
from inrlens.studies.tables.factors import decided_by
from inrlens.studies.tables.freeze import freeze_sweeps
from inrlens.studies.tables.paired import PairedComparison, paired
from inrlens.studies.tables.predictors import predictor_records
from inrlens.studies.tables.rows import StudyRows, TransferRow
from inrlens.studies.tables.sentences import (
    advice_sentence,
    comparison_sentence,
    factors_sentence,
    freeze_sentence,
    frozen_against_none,
    predictor_sentence,
    study_sentences,
)

SETS = ("faces", "brains", "photos")


def plain(text: str) -> str:
    return text.replace(phrases.THIN, " ").replace(phrases.MINUS, "-")


def paper_like(gain: float, wobble: float = 0.1) -> list[TransferRow]:
    """Nine pairs, three pictures a target; frozen at layer 1 ends ``gain`` dB above no freeze, give or take."""
    rows = []
    for source in SETS:
        for target in SETS:
            for index, image in enumerate("abc"):
                where: dict[str, Any] = {"source": source, "target": target, "image": f"{target} {image}"}
                up = wobble * (index - 1)
                rows.append(made.transfer(40.0, setting="none", **where))
                for tau, down in enumerate((2.0, 0.0, 9.0)):
                    rows.append(made.transfer(40.0 + gain + up - down, setting=f"reinit {tau}", **where))
    return rows


def test_a_frozen_setting_below_no_freeze() -> None:
    found = frozen_against_none(paper_like(-2.1, 1.0), "siren", "reinit", 1)
    assert found.pairs == 9
    text = plain(freeze_sentence(found, published=3.1))
    low, high = (phrases.number(end or math.nan) for end in (found.comparison.low, found.comparison.high))
    assert text == (
        "Over 9 source-target pairs SIREN frozen at layers 0 to 1 ends 2.1 dB below no freeze (95 % interval "
        f"{plain(low)} to {plain(high)}, 9 pictures, 1 seed); the paper has +3.1 dB."
    )


def test_what_is_not_told_apart_is_not_claimed() -> None:
    text = plain(freeze_sentence(frozen_against_none(paper_like(0.05, 3.0), "siren", "reinit", 1)))
    assert text.startswith(
        "Over 9 source-target pairs SIREN frozen at layers 0 to 1 and no freeze are not told apart: the difference is "
        "+0.05 dB (95 % interval -"
    )
    assert text.endswith(", 9 pictures, 1 seed).")


@given(st.floats(-5.0, 5.0), st.floats(0.0, 3.0), st.floats(0.0, 3.0))
def test_above_and_below_are_said_only_with_the_interval_on_one_side(middle: float, down: float, up: float) -> None:
    found = PairedComparison(middle, middle - down, middle + up, 9, 3, 0.5, 1.0, False, 0)
    text = comparison_sentence("warm", "cold", found)
    assert ("above" in text) == (middle - down > 0.0)
    assert ("below" in text) == (middle + up < 0.0)
    assert ("not told apart" in text) == (middle - down <= 0.0 <= middle + up)
    assert "9 pictures, 3 seeds" in text


def test_few_pictures_are_said_to_be_few_and_one_has_no_interval() -> None:
    a, b = ([made.transfer(one, image=i) for i in "ab"] for one in (40.0, 30.0))
    assert "too narrow for so few pictures" in comparison_sentence("a", "b", paired(a, b))
    alone = plain(comparison_sentence("a", "b", paired(a[:1], b[:1])))
    assert alone == "A and b are not told apart: the difference is +10.0 dB (no interval, 1 picture, 1 seed)."
    assert comparison_sentence("a", "b", paired(a, [])) == "A and b have no picture in common yet."


def predictors(layer_1: float) -> dict[str, str]:
    rows = made.sweep_rows({"a": (40.0, layer_1, 30.0), "b": (41.0, layer_1 + 1.0, 31.0)})
    rows += made.sweep_rows({"c": (30.0, 40.0, 30.0)}, target="brains")
    found = predictor_records(freeze_sweeps(rows), [made.cohort({"sr(W)": (1.0, 2.0, 0.0)})])
    return {one.predictor: plain(predictor_sentence(one)) for one in found}


def test_predictors_in_words() -> None:
    found = predictors(39.6)
    assert found["sr(W)"] == (
        "argmax sr(W) is the best depth in 1 of 2 configurations (95 % interval 1 to 99 %, 3 pictures, 1 seed); where "
        "it is wrong it costs 0.4 dB (95 % interval 0.4 to 0.4, too narrow for so few pictures, 2 pictures) at most, "
        "and over all of them 0.2 dB (95 % interval 0.0 to 0.4, too narrow for so few pictures, 3 pictures, not told "
        "apart from 0) on average."
    )
    assert found["layer 1"].startswith("Layer 1 is the best depth in 1 of 2 configurations")
    assert found["random"].startswith(
        "A layer at random is the best depth in 0.7 of 2 configurations on average (3 pic"
    )
    assert predictors(44.0)["sr(W)"].endswith(
        "in 2 of 2 configurations (95 % interval 16 to 100 %, 3 pictures, 1 seed)."
    )


def test_a_predictor_that_could_not_be_judged() -> None:
    found = predictor_records(freeze_sweeps(made.sweep_rows({"a": (40.0,)})), [made.cohort({"sr(W)": (1.0, 2.0)})])
    assert predictor_sentence(found[0]) == (
        "argmax sr(W) could not be judged; 1 configuration without the depth it names."
    )


def test_advice_in_words() -> None:
    rows = paper_like(-2.0)
    (found,) = best_for_budget(rows, "siren", (500,))
    assert plain(advice_sentence(found)).startswith(
        "With 500 steps, SIREN does best with no freeze, 40.0 dB: 2.0 dB above layers 0 to 1 frozen with a "
        "reinitialised rest (95 % interval 1.9 to 2.1, 9 pictures, 1 seed)."
    )
    (close,) = best_for_budget(paper_like(-0.05, 3.0), "siren", (500,))
    assert "not told apart from layers 0 to 1 frozen" in advice_sentence(close)
    rate: Any = (("transfer.rate", 0.1),)
    (alone,) = best_for_budget([replace(row, variant=rate) for row in rows if row.freeze is None], "siren", (500,))
    assert plain(advice_sentence(alone)) == (
        "With 500 steps, SIREN comes to 40.0 dB with no freeze (transfer.rate = 0.1), the only choice that was tried "
        "(9 pictures, 1 seed)."
    )


def test_factors_in_words() -> None:
    rows = [replace(row, psnr=row.psnr + 20.0 * rate, variant=(("transfer.rate", rate),))
            for rate in (0, 1) for row in paper_like(-2.0)]  # fmt: skip
    text = plain(factors_sentence("siren", decided_by(rows, "siren")))
    assert text.startswith(
        "For SIREN the mean PSNR moves with transfer.rate by 20.0 dB (9 pictures, 1 seed), setting by "
    )
    assert factors_sentence("siren", ()) == ""


def test_a_study_in_words() -> None:
    cohorts = tuple(made.cohort({"sr(W)": (1.0, 9.0, 3.0)}, source=source) for source in SETS)
    said = [plain(one) for one in study_sentences(StudyRows(cohorts, tuple(paper_like(-2.1))), {"siren": 3.1})]
    assert said[0].startswith(
        "Over 9 source-target pairs SIREN frozen at layers 0 to 1 (its best depth here) ends 2.1 dB"
    )
    assert said[0].endswith("the paper has +3.1 dB.")
    assert [one.split(" is the best")[0] for one in said[1:5]] == [
        "argmax sr(W)",
        "Layer 0",
        "Layer 1",
        "A layer at random",
    ]
    assert said[5].startswith("For SIREN the mean PSNR moves with setting by 11.1 dB")
    assert study_sentences(StudyRows()) == ()


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [
        (-0.04, 1, "0.0"),
        (-2.55, 2, "-2.55"),
        (3.0, 1, "+3.0"),
        (math.inf, 1, "\N{INFINITY}"),
        (math.nan, 1, "not a number"),
    ],
)
def test_numbers(value: float, digits: int, said: str) -> None:
    assert plain(phrases.number(value, digits, sign=True)) == said
