"""The k largest positive codes of every row, exactly, and cheaper than a general top-k.

A row's columns are split into groups. The k-th largest of the groups' maxima is a threshold that at least k columns
reach, and few more: only those are looked at again. A group's maximum is one pass over the row; what follows works on a
sixteenth of it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

_GROUP = 16
"""Columns a group, where there are enough of them."""


@dataclass(frozen=True, eq=False)
class SparseRows:
    """What fires in each of b rows, row after row: s codes in all.

    ``counts`` ``(b,)`` are 0 to k; ``atoms`` ``(s,)`` rise within a row; ``codes`` ``(s,)`` are above 0. ``finite`` is
    False where a row held NaN, whose largest entries are not defined.
    """

    counts: Int[Tensor, " b"]
    atoms: Int[Tensor, " s"]
    codes: Float[Tensor, " s"]
    finite: bool


def top_codes(u: Float[Tensor, "b n"], k: int) -> SparseRows:
    """``TopK(ReLU(u), k)`` of every row, without its zeros; of equal codes at the k-th place, the first columns."""
    return by_threshold(u, k) if u.device.type == "cpu" else by_topk(u, k)


def by_topk(u: Float[Tensor, "b n"], k: int) -> SparseRows:
    """``top_codes`` through torch's own top-k, as on a GPU; of equal codes at the k-th place, any."""
    values, atoms = torch.topk(u, k, dim=1, sorted=False)
    atoms, order = atoms.sort(dim=1)
    values = values.gather(1, order)
    fires = values > 0.0
    return SparseRows(fires.sum(1), atoms[fires], values[fires], not bool(values.isnan().any()))


def by_threshold(u: Float[Tensor, "b n"], k: int) -> SparseRows:
    """``top_codes`` through the maxima of groups, in numpy, whose sort uses the widest vectors there are."""
    rows, n = u.shape
    array = u.numpy()
    maxima = _group_maxima(u, k)
    maxima.sort(axis=1)
    # A sort puts NaN last.
    finite = not bool(np.isnan(maxima[:, -1]).any())
    threshold = np.maximum(maxima[:, -k, None], np.finfo(array.dtype).smallest_subnormal)
    flat = np.flatnonzero(array >= threshold)
    values = array.reshape(-1)[flat]
    row = flat // n
    counts = np.bincount(row, minlength=rows)
    if counts.max(initial=0) > k:
        kept = _largest(values, row, counts, k)
        flat, values, row = flat[kept], values[kept], row[kept]
        counts = np.minimum(counts, k)
    return SparseRows(torch.from_numpy(counts), torch.from_numpy(flat - row * n), torch.from_numpy(values), finite)


def _group_maxima(u: Tensor, k: int) -> "np.ndarray[tuple[int, int], np.dtype[np.floating]]":
    """The maximum of every group ``(b, groups)``, at least k of them; columns that fill no group are their own."""
    n = u.shape[1]
    size = _GROUP
    while size > 1 and n // size < 2 * k:
        size //= 2
    groups = n // size
    # Neighbouring columns fall into different groups: so the maximum runs over whole vectors.
    maxima = u[:, : groups * size].view(-1, size, groups).amax(1)
    return torch.cat([maxima, u[:, groups * size :]], dim=1).numpy()


def _largest(
    values: "np.ndarray[tuple[int], np.dtype[np.floating]]",
    row: "np.ndarray[tuple[int], np.dtype[np.integer]]",
    counts: "np.ndarray[tuple[int], np.dtype[np.integer]]",
    k: int,
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Which entries, listed row after row, are among the k largest of their row; of equal ones the first."""
    widest = int(counts.max())
    first = np.cumsum(counts) - counts
    padded = np.full((len(counts), widest), -np.inf, dtype=values.dtype)
    padded[row, np.arange(len(values)) - first[row]] = values
    least = np.sort(padded, axis=1)[:, widest - k]
    kept: np.ndarray[tuple[int], np.dtype[np.bool_]] = values >= least[row]
    surplus = np.bincount(row[kept], minlength=len(counts)) - k
    for crowded in np.flatnonzero(surplus > 0):
        own = slice(int(first[crowded]), int(first[crowded] + counts[crowded]))
        equal = np.flatnonzero(values[own] == least[crowded])
        kept[own.start + equal[len(equal) - surplus[crowded] :]] = False
    return kept
