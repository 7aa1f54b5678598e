"""Rows in tiles and batches: a coordinate network treats every coordinate by itself, so any split is right."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import TypeVar

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.workers import cores, on_cores, torch_on_one_thread

Result = TypeVar("Result")


def tiles(rows: int, size: int) -> Iterator[slice]:
    """Consecutive slices of at most ``size`` rows that cover ``range(rows)`` in order.

    Raises:
        InputError: where ``size`` is below 1.
    """
    if size < 1:
        raise InputError(f"a tile must hold at least 1 coordinate, not {size}.")
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def over_tiles(
    rows: int, size: int, worker: Callable[[], Callable[[slice], Result]], device: torch.device
) -> list[Result]:
    """The results of a worker on every tile of at most ``size`` rows, in order; on a CPU every core takes its share.

    ``worker`` is called once a core and gives what does the tiles there, with buffers of its own.
    """
    count = min(cores(), max(1, rows // size)) if device.type == "cpu" else 1

    @torch.no_grad()
    def work(core: int) -> list[Result]:
        share = slice(rows * core // count, rows * (core + 1) // count)
        do = worker()
        return [
            do(slice(share.start + part.start, share.start + part.stop))
            for part in tiles(share.stop - share.start, size)
        ]

    with torch_on_one_thread() if count > 1 else nullcontext():
        return [result for found in on_cores(work, range(count), count) for result in found]


def within(part: slice, rows: slice | Tensor) -> slice | Tensor:
    """The rows that a tile means: the tile itself where ``rows`` is the whole slice, else those of ``rows`` there."""
    return part if isinstance(rows, slice) else rows[part]


def row_count(rows: slice | Tensor) -> int:
    """How many rows a slice ``start:stop`` or an index tensor names."""
    return int(rows.stop - rows.start) if isinstance(rows, slice) else int(rows.shape[0])


class Batches:
    """Endlessly all rows (``batch=None`` or at least ``rows``), or batches of a fresh permutation each round.

    Within a round every row is seen once; it is split evenly into as few batches of at most ``batch`` rows as it
    takes, since a small last batch would be a noisy step. ``state`` and ``restore`` continue
    the same sequence in another process.
    """

    def __init__(self, rows: int, batch: int | None, draws: torch.Generator) -> None:
        self._rows = rows
        self._parts = 1 if batch is None else -(-rows // batch)
        self._draws = draws
        self._start_round()

    def __iter__(self) -> "Batches":
        return self

    def __next__(self) -> slice | Tensor:
        if self._parts == 1:
            return slice(0, self._rows)
        if self._part == self._parts:
            self._start_round()
        start, stop = (self._rows * part // self._parts for part in (self._part, self._part + 1))
        self._part += 1
        return self._order[start:stop]

    def state(self) -> tuple[Tensor, int]:
        """The generator's state before this round's permutation, and how many of its batches were given out."""
        return self._before, self._part

    def restore(self, before: Tensor, part: int) -> None:
        """Continues from what ``state`` gave.

        Raises:
            ValueError: where there is no such part of a round.
        """
        if not 0 <= part <= self._parts:
            raise ValueError(f"part {part} of a round of {self._parts}")
        self._draws.set_state(before)
        self._start_round()
        self._part = part

    def _start_round(self) -> None:
        self._before = self._draws.get_state()
        self._order = torch.arange(0) if self._parts == 1 else torch.randperm(self._rows, generator=self._draws)
        self._part = 0
