"""Into how many connected pieces each atom's map falls."""

import math

import numpy as np
import torch
from jaxtyping import Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from inrlens.atoms.codes import Codes

_BLOCK = 2**21
"""Codes whose graph is held at once, some 200 MB."""


def map_pieces(codes: Codes) -> Int[Tensor, " n"]:
    """For every atom the number of connected pieces of its support; coordinates touch where they share a side.

    All atoms are one graph, whose nodes are the (atom, coordinate) pairs that fire.
    """
    row, slot = (codes.values > 0.0).nonzero(as_tuple=True)
    atom = codes.indices[row, slot].cpu().numpy().astype(np.int64)
    order = np.argsort(atom.astype(np.int32), kind="stable")
    atom, place = atom[order], row.cpu().numpy()[order]
    ends = np.searchsorted(atom, np.arange(codes.n_atoms + 1))
    pieces = np.zeros(codes.n_atoms, dtype=np.int64)
    first = 0
    while first < codes.n_atoms:
        last = max(first + 1, int(np.searchsorted(ends, ends[first] + _BLOCK, side="right")) - 1)
        block = slice(ends[first], ends[last])
        pieces[first:last] = _count(atom[block] - first, place[block], last - first, codes.grid)
        first = last
    return torch.from_numpy(pieces).to(codes.values.device)


def _count(
    atom: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    place: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    atoms: int,
    grid: tuple[int, ...],
) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Pieces of each of ``atoms`` atoms; pairs are sorted by atom, then by place."""
    size = len(atom)
    if size == 0:
        return np.zeros(atoms, dtype=np.int64)
    key = atom * math.prod(grid) + place
    starts, ends = [], []
    for axis, side in enumerate(grid):
        stride = math.prod(grid[axis + 1 :])
        inner = np.flatnonzero(place // stride % side < side - 1)
        found = np.searchsorted(key, key[inner] + stride)
        joined = key[np.minimum(found, size - 1)] == key[inner] + stride
        starts.append(inner[joined])
        ends.append(found[joined])
    start, end = np.concatenate(starts), np.concatenate(ends)
    graph = coo_array((np.ones(len(start), dtype=np.int8), (start, end)), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    # A piece lies in one atom, so each label is counted at its first node.
    return np.bincount(atom[np.unique(label, return_index=True)[1]], minlength=atoms)
