"""Rows in tiles and batches: a coordinate network treats every coordinate by itself, so any split is right."""

from collections.abc import Iterator

import torch
from torch import Tensor

from inrlens.errors import InputError


def tiles(rows: int, size: int) -> Iterator[slice]:
    """Consecutive slices of at most ``size`` rows that cover ``range(rows)`` in order.

    Raises:
        InputError: where ``size`` is below 1.
    """
    if size < 1:
        raise InputError(f"a tile must hold at least 1 coordinate, not {size}.")
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def batches(rows: int, batch: int | None, draws: torch.Generator) -> Iterator[slice | Tensor]:
    """Endlessly all rows (``batch=None`` or at least ``rows``), or batches of a fresh permutation each round.

    Within a round every row is seen once; the last batch of a round may be smaller.
    """
    while True:
        if batch is None or batch >= rows:
            yield slice(0, rows)
        else:
            order = torch.randperm(rows, generator=draws)
            yield from (order[part] for part in tiles(rows, batch))
