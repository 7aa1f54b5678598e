"""Time on several workers, and numbers in words."""

import pytest
from hypothesis import given, strategies as st

from inrlens.studies.cells.cell import Cell
from inrlens.studies.price import format
from inrlens.studies.price.schedule import schedule


def cells(needs: dict[str, tuple[str, ...]]) -> list[tuple[str, Cell]]:
    return [(key, Cell("cohort", {}, own)) for key, own in needs.items()]


def test_a_chain_takes_its_sum_whatever_the_workers() -> None:
    found = schedule(cells({"a": (), "b": ("a",), "c": ("b",)}), {"a": 1.0, "b": 2.0, "c": 3.0}, 4)
    assert (found.seconds, found.work_seconds, found.longest_chain_seconds) == (6.0, 6.0, 6.0)


def test_one_long_cell_at_the_end_leaves_the_others_idle() -> None:
    order = cells({"a": (), "b": (), "c": (), "long": ()})
    found = schedule(order, {"a": 1.0, "b": 1.0, "c": 1.0, "long": 5.0}, 2)
    assert found.seconds == 6.0
    assert found.longest_chain_seconds == 5.0


def test_a_free_worker_does_not_take_what_still_waits() -> None:
    order = cells({"first": (), "after": ("first",), "other": ()})
    found = schedule(order, {"first": 3.0, "after": 1.0, "other": 2.0}, 2)
    assert found.seconds == 4.0


def test_needs_that_are_done_take_no_time() -> None:
    assert schedule(cells({"b": ("a",)}), {"b": 2.0}, 1).seconds == 2.0
    assert schedule([], {}, 2).seconds == 0.0


@given(
    st.lists(st.tuples(st.floats(0.0, 10.0), st.sets(st.integers(0, 30), max_size=3)), min_size=1, max_size=30),
    st.integers(1, 5),
)
def test_bounds_of_list_scheduling(drawn: list[tuple[float, set[int]]], workers: int) -> None:
    needs = {str(place): tuple(str(one) for one in own if one < place) for place, (_, own) in enumerate(drawn)}
    seconds = {str(place): cost for place, (cost, _) in enumerate(drawn)}
    found = schedule(cells(needs), seconds, workers)
    least = max(found.longest_chain_seconds, found.work_seconds / workers)
    assert least <= found.seconds * (1 + 1e-12)
    # Graham 1966: no worker waits unless a longest chain runs.
    assert found.seconds <= found.work_seconds / workers + found.longest_chain_seconds + 1e-9
    assert schedule(cells(needs), seconds, 1).seconds == pytest.approx(found.work_seconds)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0.0 s"),
        (0.01, "under 0.1 s"),
        (9.94, "9.9 s"),
        (45.2, "45 s"),
        (59.9, "1.0 min"),
        (720.0, "12 min"),
        (3.2 * 3600, "3.2 h"),
        (3600.0 * 24 * 60, "60 days"),
        (3600 * 24 * 365.25 * 2000, "2,000 years"),
        (float("inf"), "no end"),
    ],
)
def test_durations_in_words(seconds: float, said: str) -> None:
    assert format.duration(seconds) == said


def test_operations_and_memory_in_words() -> None:
    assert format.operations(1.14e18) == "1.1e18 operations"
    assert format.operations(9.96e11) == "1.0e12 operations"
    assert format.operations(0.0) == "0 operations"
    assert format.memory(3 * 2**29) == "1.5 GiB"
    assert format.memory(300 * 2**20) == "300 MiB"
    assert format.memory(12) == "12 bytes"


def test_the_longest_chain_takes_the_longer_of_two_needs() -> None:
    order = cells({"short": (), "long": (), "both": ("short", "long")})
    found = schedule(order, {"short": 2.0, "long": 5.0, "both": 1.0}, 2)
    assert (found.seconds, found.longest_chain_seconds) == (6.0, 6.0)
