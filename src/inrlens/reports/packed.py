"""All maps of a layer as one short text, for the page's script to draw."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from inrlens.atoms.codes import Codes
from inrlens.reports.pictures import block_of

LONGEST_SIDE = 96
"""Pixels: maps of a larger grid are averaged down; 96 x 96 cells are few enough for gaps of 2 bytes."""
_GAP = 128


@dataclass(frozen=True)
class PackedMaps:
    """Maps of several atoms, one after the other.

    ``text`` is bytes in base64. An atom's are, for each of its cells that is not black, in row-major order: the gap to
    the cell before (to -1 for the first), at least 1, as one byte below 128, or as two, first the low seven bits and
    128, then the rest; and the cell's level, 1 to 255. A gap of 0 ends an atom. Levels are the colours of
    ``pictures.heat_map``, each map scaled to its own largest value.
    """

    text: str
    height: int
    width: int


def pack_maps(codes: Codes, atoms: Sequence[int]) -> PackedMaps:
    """The maps of ``atoms``, in that order, over a grid of two axes, averaged down as pictures are."""
    height, width = codes.grid
    block = block_of(codes.grid, LONGEST_SIDE)
    shape = (-(-height // block), -(-width // block))
    position, cell, value = _cells(codes, atoms, block, shape)
    top = np.zeros(len(atoms), dtype=np.float32)
    np.maximum.at(top, position, value)
    level = np.rint(value / top[position] * np.float32(255.0)).astype(np.uint8)
    kept = level > 0
    position, cell, level = position[kept], cell[kept], level[kept]
    first = np.ones(len(position), dtype=bool)
    first[1:] = position[1:] != position[:-1]
    before = np.where(first, -1, np.concatenate([[-1], cell[:-1]]) if len(cell) else cell)
    stream = _stream(position, cell - before, level, len(atoms))
    return PackedMaps(base64.b64encode(stream.tobytes()).decode("ascii"), *shape)


def packed(values: Sequence[int], size: int) -> str:
    """Whole numbers of ``size`` bytes each, lowest first, in base64."""
    return base64.b64encode(np.asarray(values).astype(f"<u{size}").tobytes()).decode("ascii")


def _cells(
    codes: Codes, atoms: Sequence[int], block: int, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Every cell of a map that is not 0, by atom and then by place: the atom's position, the cell, its mean code."""
    positions = torch.full((codes.n_atoms,), -1, dtype=torch.int64)
    positions[torch.tensor(list(atoms), dtype=torch.int64)] = torch.arange(len(atoms))
    row, slot = (codes.values > 0.0).nonzero(as_tuple=True)
    position = positions[codes.indices[row, slot].long().cpu()].numpy()
    code = codes.values[row, slot].cpu().numpy()
    y, x = np.divmod(row.cpu().numpy(), codes.grid[1])
    cell = y // block * shape[1] + x // block
    asked = position >= 0
    key, which = np.unique(position[asked] * (shape[0] * shape[1]) + cell[asked], return_inverse=True)
    total = np.bincount(which, code[asked].astype(np.float64), minlength=len(key))
    position, cell = np.divmod(key, shape[0] * shape[1])
    sides = (
        np.minimum(block, side - block * np.arange(blocks)) for side, blocks in zip(codes.grid, shape, strict=True)
    )
    size = np.outer(*sides).reshape(-1)
    return position, cell, (total / size[cell]).astype(np.float32)


def _stream(
    position: NDArray[np.int64], gap: NDArray[np.int64], level: NDArray[np.uint8], atoms: int
) -> NDArray[np.uint8]:
    """The bytes: gap, level, gap, level, ..., 0 for every atom."""
    wide = (gap >= _GAP).astype(np.int64)
    # A 0 after each atom: an entry starts after those before it and the ends of the atoms before its own.
    start = np.concatenate([[0], np.cumsum(2 + wide)])[:-1] + position
    stream = np.zeros(int((2 + wide).sum()) + atoms, dtype=np.uint8)
    stream[start] = np.where(wide, gap % _GAP + _GAP, gap)
    stream[start[wide > 0] + 1] = gap[wide > 0] // _GAP
    stream[start + 1 + wide] = level
    return stream
