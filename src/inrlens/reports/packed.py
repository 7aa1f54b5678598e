"""All maps of a layer as one short text, for the page's script to draw."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from inrlens.atoms.codes import Codes
from inrlens.reports.views import GAP, block_of

LONGEST_SIDE = 96
"""Cells: maps of a larger grid are averaged down; 96 x 96 cells are few enough for gaps of 2 bytes."""
_GAP = 128
_BARS = 32
"""Cells that a bar is high at most."""


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
    """The maps of ``atoms``, in that order, drawn as ``pictures.heat_map`` draws them: pictures as they are, volumes as
    three slices through the map's largest code, values along one axis as bars; averaged down until they are at most
    ``LONGEST_SIDE`` cells wide and high."""
    found = _entries(codes, atoms)
    layout = _sections(codes.grid) if len(codes.grid) > 2 else _whole(codes.grid)
    position, cell, value = _cells(found, layout, _peaks(found, len(atoms)))
    top = np.zeros(len(atoms), dtype=np.float32)
    np.maximum.at(top, position, value)
    level = np.rint(value / top[position] * np.float32(255.0)).astype(np.uint8)
    kept = level > 0
    position, cell, level = position[kept], cell[kept], level[kept]
    height, width = layout.shape
    if len(codes.grid) == 1:
        height = _BARS
        position, cell, level = _bars(position, cell, level, width)
    first = np.ones(len(position), dtype=bool)
    first[1:] = position[1:] != position[:-1]
    before = np.where(first, -1, np.concatenate([[-1], cell[:-1]]) if len(cell) else cell)
    stream = _stream(position, cell - before, level, len(atoms))
    return PackedMaps(base64.b64encode(stream.tobytes()).decode("ascii"), height, width)


def packed(values: Sequence[int], size: int) -> str:
    """Whole numbers of ``size`` bytes each, lowest first, in base64."""
    return base64.b64encode(np.asarray(values).astype(f"<u{size}").tobytes()).decode("ascii")


@dataclass(frozen=True)
class _Entries:
    """Every code above 0 of the atoms asked for: the atom's position, its place on the grid, an array an axis, and the
    code."""

    position: NDArray[np.int64]
    place: tuple[NDArray[np.int64], ...]
    code: NDArray[np.float32]


@dataclass(frozen=True)
class _Layout:
    """Where parts of a grid lie in a raster of ``shape`` cells: each part has the axes that run down and across it, the
    corner that it starts from, and the axes that it is cut through. A cell holds blocks of ``block`` samples a side;
    ``size`` is how many samples each cell has."""

    shape: tuple[int, int]
    block: int
    parts: tuple[tuple[int, int, int, int, tuple[int, ...]], ...]
    size: NDArray[np.int64]


def _entries(codes: Codes, atoms: Sequence[int]) -> _Entries:
    positions = torch.full((codes.n_atoms,), -1, dtype=torch.int64)
    positions[torch.tensor(list(atoms), dtype=torch.int64)] = torch.arange(len(atoms))
    row, slot = (codes.values > 0.0).nonzero(as_tuple=True)
    position = positions[codes.indices[row, slot].long().cpu()].numpy()
    code = codes.values[row, slot].cpu().numpy()
    asked = position >= 0
    place = np.unravel_index(row.cpu().numpy()[asked], codes.grid)
    if len(place) == 1:
        place = (np.zeros_like(place[0]), *place)
    return _Entries(position[asked], tuple(place), code[asked])


def _peaks(found: _Entries, atoms: int) -> NDArray[np.int64]:
    """Where each atom's largest code lies, ``(atoms, axes)``: the first of several."""
    peaks = np.zeros((atoms, len(found.place)), dtype=np.int64)
    keys: list[NDArray[np.float64]] = [
        np.asarray(key, dtype=np.float64) for key in (*found.place[::-1], -found.code, found.position)
    ]
    order = np.lexsort(np.stack(keys))
    position, first = np.unique(found.position[order], return_index=True)
    for axis, place in enumerate(found.place):
        peaks[position, axis] = place[order][first]
    return peaks


def _whole(grid: tuple[int, ...]) -> _Layout:
    sides = (1, *grid)[-2:]
    block = block_of(sides, LONGEST_SIDE)
    return _laid(block, [(0, 1, 0, 0, ())], sides)


def _sections(grid: tuple[int, ...]) -> _Layout:
    """As ``views.laid_out`` lays the slices of a volume."""
    sides, leading = grid[-3:], len(grid) - 3
    block = block_of(sides, (LONGEST_SIDE - GAP) // 2)
    down, right = -(-sides[1] // block) + GAP, -(-sides[2] // block) + GAP
    i, j, k = (leading + axis for axis in range(3))
    before = tuple(range(leading))
    parts = [(j, k, 0, 0, (*before, i)), (i, k, down, 0, (*before, j)), (j, i, 0, right, (*before, k))]
    return _laid(block, parts, grid)


def _laid(block: int, parts: list[tuple[int, int, int, int, tuple[int, ...]]], grid: tuple[int, ...]) -> _Layout:
    counts = {axis: np.minimum(block, side - block * np.arange(-(-side // block))) for axis, side in enumerate(grid)}
    shape = (
        max(top + len(counts[down]) for down, _, top, _, _ in parts),
        max(left + len(counts[across]) for _, across, _, left, _ in parts),
    )
    size = np.ones(shape, dtype=np.int64)
    for down, across, top, left, _ in parts:
        size[top : top + len(counts[down]), left : left + len(counts[across])] = np.outer(counts[down], counts[across])
    return _Layout(shape, block, tuple(parts), size.reshape(-1))


def _cells(
    found: _Entries, layout: _Layout, peaks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Every cell of a map that is not 0, by atom and then by place: the atom's position, the cell, its mean code."""
    cells = layout.shape[0] * layout.shape[1]
    keys, codes = [], []
    for down, across, top, left, cut in layout.parts:
        kept = np.ones(len(found.code), dtype=bool)
        for axis in cut:
            kept &= found.place[axis] == peaks[found.position, axis]
        y, x = (found.place[axis][kept] // layout.block for axis in (down, across))
        keys.append(found.position[kept] * cells + (top + y) * layout.shape[1] + left + x)
        codes.append(found.code[kept])
    key, which = np.unique(np.concatenate(keys), return_inverse=True)
    total = np.bincount(which, np.concatenate(codes).astype(np.float64), minlength=len(key))
    position, cell = np.divmod(key, cells)
    return position, cell, (total / layout.size[cell]).astype(np.float32)


def _bars(
    position: NDArray[np.int64], column: NDArray[np.int64], level: NDArray[np.uint8], width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Cells of one row as bars of as many rows as their level asks for, from the lowest row up."""
    rows = -(-level.astype(np.int64) * _BARS // 255)
    which = np.repeat(np.arange(len(level)), rows)
    above = np.arange(len(which)) - np.repeat(np.cumsum(rows) - rows, rows)
    cell = (_BARS - 1 - above) * width + column[which]
    order = np.lexsort((cell, position[which]))
    return position[which][order], cell[order], level[which][order]


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
