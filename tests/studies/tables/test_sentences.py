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
from inrlens.studies.tables.records import StudyRows, TransferRow
from inrlens.studies.tables.sentences import (
    advice_sentence,
    comparison_sentence,
    factors_sentence,
    freeze_sentence,
    frozen_against_none,
    predictor_sentence,
    study_sentences,
)
from prose import plain, says

SETS = ("faces", "brains", "photos")
FEW = "too narrow for so few pictures"


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
    low, high = (round(end or math.nan, 1) for end in (found.comparison.low, found.comparison.high))
    frozen = (9, "pairs", "SIREN", "layers", 0, 1, 2.1, "dB below no freeze")
    behind = (95, "%", low, high, 9, "pictures", 1, "seed")
    said = freeze_sentence(found, published=3.1)
    assert says(said, *frozen, *behind, "paper", 3.1, "dB", never=("above", "not told apart", FEW))


def test_other_recipes_stay_out_of_a_comparison() -> None:
    other = [
        replace(row, variant=(("steps", 9),), psnr=row.psnr + 5.0 * (row.freeze is not None)) for row in paper_like(1)
    ]
    found = frozen_against_none([*paper_like(-2.0), *other], "siren", "reinit", 1)
    assert found.comparison.difference == pytest.approx(-2.0)
    assert frozen_against_none(other, "siren", "reinit", 1, (("steps", 9),)).comparison.difference == pytest.approx(6.0)


def test_what_is_not_told_apart_is_not_claimed() -> None:
    found = frozen_against_none(paper_like(0.05, 3.0), "siren", "reinit", 1)
    low, high = (round(end or math.nan, 2) for end in (found.comparison.low, found.comparison.high))
    assert low < 0.0 < high
    open_question = (9, "pairs", "SIREN", "layers", 0, 1, "no freeze", "not told apart", 0.05, "dB")
    behind = (95, "%", low, high, 9, "pictures", 1, "seed")
    assert says(freeze_sentence(found), *open_question, *behind, never=("above", "below", "paper", FEW))


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
    assert says(comparison_sentence("one", "two", paired(a, b)), FEW)
    alone = comparison_sentence("one", "two", paired(a[:1], b[:1]))
    apart = ("one", "two", "not told apart", 10, "dB", "no interval", 1, "picture", 1, "seed")
    assert says(alone, *apart, never=("above", "below", "%"))
    assert says(comparison_sentence("one", "two", paired(a, [])), "one", "two", "no picture in common", never="apart")


def predictors(layer_1: float) -> dict[str, str]:
    rows = made.sweep_rows({"a": (40.0, layer_1, 30.0), "b": (41.0, layer_1 + 1.0, 31.0)})
    rows += made.sweep_rows({"c": (30.0, 40.0, 30.0)}, target="brains")
    found = predictor_records(freeze_sweeps(rows), [made.cohort({"sr(W)": (1.0, 2.0, 0.0)})])
    return {one.predictor: predictor_sentence(one) for one in found}


def test_predictors_in_words() -> None:
    found = predictors(39.6)
    right = ("argmax sr(W)", "best depth", 1, "of", 2, 95, "%", 1, 99, "%", 3, "pictures", 1, "seed")
    worst = ("wrong", "costs", 0.4, "dB", 95, "%", 0.4, 0.4, FEW, 2, "pictures", "at most")
    mean = (0.2, "dB", 95, "%", 0, 0.4, FEW, 3, "pictures", "not told apart from", 0, "on average")
    assert says(found["sr(W)"], *right, *worst, *mean)
    assert found["sr(W)"].count("not told apart") == 1
    assert says(found["layer 1"], "layer 1", "best depth in 1 of 2")
    assert says(found["random"], "layer at random", "best depth in 0.7 of 2", "on average", "3 pictures")
    always = ("argmax sr(W)", "best depth", 2, "of", 2, 95, "%", 16, 100, "%", 3, "pictures", 1, "seed")
    assert says(predictors(44.0)["sr(W)"], *always, never=("wrong", "costs"))


def test_a_predictor_that_could_not_be_judged() -> None:
    found = predictor_records(freeze_sweeps(made.sweep_rows({"a": (40.0,)})), [made.cohort({"sr(W)": (1.0, 2.0)})])
    said = predictor_sentence(found[0])
    assert says(said, "argmax sr(W)", "not be judged", 1, "configuration without the depth", never="best")


def test_advice_in_words() -> None:
    rows = paper_like(-2.0)
    (found,) = best_for_budget(rows, "siren", (500,))
    best = (500, "steps", "SIREN", "best", "no freeze", 40, "dB", 2, "dB above", 0, 1, "frozen", "reinitialised")
    behind = (95, "%", 1.9, 2.1, 9, "pictures", 1, "seed")
    assert says(advice_sentence(found), *best, *behind, never=("not told apart", "warm", FEW))
    (close,) = best_for_budget(paper_like(-0.05, 3.0), "siren", (500,))
    said = advice_sentence(close)
    assert says(said, "no freeze", "not told apart", "layers 0 to 1 frozen", never=("best", "above"))
    rate: Any = (("transfer.rate", 0.1),)
    (alone,) = best_for_budget([replace(row, variant=rate) for row in rows if row.freeze is None], "siren", (500,))
    only = (500, "steps", "SIREN", 40, "dB", "no freeze", "transfer.rate", 0.1, "only choice", 9, "pictures", 1, "seed")
    assert says(advice_sentence(alone), *only, never=("best", "above"))


def test_factors_in_words() -> None:
    rows = [replace(row, psnr=row.psnr + 20.0 * rate, variant=(("transfer.rate", rate),))
            for rate in (0, 1) for row in paper_like(-2.0)]  # fmt: skip
    text = factors_sentence("siren", decided_by(rows, "siren"))
    assert says(text, "SIREN", "transfer.rate by 20.0 dB", "9 pictures", "1 seed", "setting by 11.0 dB")
    assert factors_sentence("siren", ()) == ""


def test_a_study_in_words() -> None:
    cohorts = tuple(made.cohort({"sr(W)": (1.0, 9.0, 3.0)}, source=source) for source in SETS)
    best, *predicted, decided = study_sentences(StudyRows(cohorts, tuple(paper_like(-2.1))), {"siren": 3.1})
    assert says(best, "9 source-target pairs", "SIREN", "layers 0 to 1", "its best depth here", "2.1 dB below")
    assert says(best, "paper", "3.1 dB", never="above")
    for said, name in zip(predicted, ("argmax sr(W)", "layer 0", "layer 1", "layer at random"), strict=True):
        assert says(said, name, "best depth")
    assert says(decided, "SIREN", "setting by 11.1 dB")
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
