"""Numbers in words: rounding, signs, units, and values that are no numbers."""

import math

import pytest

from inrlens.reports import words

T = words.THIN


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [
        (1.005, 1, "1.0"),
        (-0.004, 2, "0.00"),
        (-1.25, 1, "\u22121.2"),
        (12345.6, 0, f"12{T}346"),
        (None, 2, "\u2013"),
        (math.inf, 2, "\u221e"),
        (-math.inf, 2, "\u2212\u221e"),
        (math.nan, 2, "not a number"),
    ],
)
def test_fixed(value: float | None, digits: int, said: str) -> None:
    assert words.fixed(value, digits) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (9.996, "10.0"),
        (0.09996, "0.100"),
        (0.00123456, "0.00123"),
        (456.7, "457"),
        (1.234e-7, "1.23e\u22127"),
        (-2.5e6, "\u22122.50e6"),
        (None, "\u2013"),
        (math.inf, "\u221e"),
    ],
)
def test_significant(value: float | None, said: str) -> None:
    assert words.significant(value) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, f"0{T}%"),
        (1.0, f"100{T}%"),
        (0.00002, f"under 0.01{T}%"),
        (0.99999, f"over 99.99{T}%"),
        (0.0008, f"0.08{T}%"),
        (0.0123, f"1.2{T}%"),
        (0.994, f"99.4{T}%"),
        (0.5, f"50{T}%"),
        (math.nan, "not a number"),
        (None, "\u2013"),
    ],
)
def test_percent(share: float | None, said: str) -> None:
    assert words.percent(share) == said


def test_signs_and_units() -> None:
    assert words.gain(0.5) == f"+0.50{T}dB"
    assert words.gain(-0.5) == f"\u22120.50{T}dB"
    assert words.gain(0.001) == f"0.00{T}dB"
    assert words.gain(None) == words.db(None) == "not measured"
    assert words.gain(math.inf) == f"\u221e{T}dB"
    assert words.db(math.nan) == "not a number"


def test_spans_lists_and_lengths() -> None:
    assert words.span(f"1{T}%", f"2{T}%") == f"1 to 2{T}%"
    assert words.span("3", "3") == "3"
    assert words.span(f"1{T}000", f"2{T}000") == f"1{T}000 to 2{T}000"
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.count(1, "fit") == "1 fit"
    assert words.count(1200, "step") == f"1{T}200 steps"
    assert [words.duration(s) for s in (2.71, 59.6, 61.0, 3725.0)] == [
        f"2.7{T}s", f"1{T}min 0{T}s", f"1{T}min 1{T}s", f"1{T}h 2{T}min",
    ]  # fmt: skip
    assert words.sentence("a thing") == "A thing."


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.4377, f"+0.438{T}dB"),
        (-0.000016, f"\u22121.60e\u22125{T}dB"),
        (0.0, f"0{T}dB"),
        (math.inf, f"\u221e{T}dB"),
        (math.nan, "not a number"),
        (None, "not measured"),
    ],
)
def test_changes_of_any_size(value: float | None, said: str) -> None:
    assert words.change(value) == said


def test_locality_of_an_atom_without_effect() -> None:
    assert words.locality(0.5) == f"50{T}%"
    assert words.locality(None) == words.locality(math.nan) == "no effect"
