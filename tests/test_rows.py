"""Tiles cover; a round of batches is a permutation; random streams do not meet."""

import itertools
import math

import pytest
import torch
from hypothesis import given, strategies as st

import toys
from inrlens.errors import InputError
from inrlens.rows import Batches, tiles
from inrlens.seeding import generator


@given(st.integers(0, 200), st.integers(1, 70))
def test_tiles_cover_all_rows_once_and_in_order(rows: int, size: int) -> None:
    parts = list(tiles(rows, size))
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(rows))
    assert all(1 <= part.stop - part.start <= size for part in parts)


def test_a_tile_without_rows() -> None:
    with pytest.raises(InputError, match="a tile must hold at least 1 coordinate, not 0"):
        list(tiles(4, 0))


@given(st.integers(2, 60), st.integers(1, 59), st.integers(0, 5))
def test_every_round_of_batches_is_a_permutation_in_even_parts(rows: int, batch: int, seed: int) -> None:
    batch = min(batch, rows - 1)
    a_round = math.ceil(rows / batch)
    drawn = list(itertools.islice(Batches(rows, batch, toys.generator(seed)), 2 * a_round))
    for part in (drawn[:a_round], drawn[a_round:]):
        sizes = [len(which) for which in part if isinstance(which, torch.Tensor)]
        assert len(sizes) == a_round
        assert 1 <= min(sizes) <= max(sizes) <= min(batch, min(sizes) + 1)
        assert sorted(int(i) for which in part for i in which) == list(range(rows))


@given(st.integers(2, 40), st.integers(1, 45), st.integers(0, 30))
def test_batches_continue_from_their_state(rows: int, batch: int, taken: int) -> None:
    first = Batches(rows, batch, toys.generator(1))
    for _ in range(taken):
        next(first)
    second = Batches(rows, batch, toys.generator(2))
    second.restore(*first.state())
    for one, two in itertools.islice(zip(first, second, strict=True), 2 * rows):
        assert one == two if isinstance(one, slice) else torch.equal(one, two)


@pytest.mark.parametrize("batch", [None, 7, 8])
def test_a_batch_of_all_rows_is_the_slice_of_them(batch: int | None) -> None:
    assert list(itertools.islice(Batches(7, batch, toys.generator()), 3)) == [slice(0, 7)] * 3


def test_a_stream_depends_on_seed_and_on_every_word_of_its_purpose() -> None:
    def first(seed: int, *purpose: str | int) -> list[float]:
        return torch.rand(4, generator=generator(seed, *purpose)).tolist()

    assert first(1, "encoder") == first(1, "encoder")
    different = [first(1, "encoder"), first(2, "encoder"), first(1, "head"), first(1, "sae", 1), first(1, "sae", 2)]
    assert len({tuple(draws) for draws in different}) == len(different)


def test_a_negative_seed() -> None:
    with pytest.raises(InputError, match="seed must be 0 or more, not -1"):
        generator(-1, "encoder")
