"""Pearson's correlation over the grid between the maps of two dictionaries: every atom with every atom, in tiles."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float64
from scipy.sparse import csr_array
from torch import Tensor

from inrlens.atoms.codes import Codes
from inrlens.rows import tiles

_STILL = 1e-4
"""A map whose standard deviation is at most this share of its root mean square counts as the same everywhere: the
products of two such maps cancel to fewer digits than a correlation needs."""
_ATOM_TILE = 256


@dataclass(frozen=True, eq=False)
class Maps:
    """The maps of a dictionary's n atoms that vary over the grid, as one sparse matrix ``codes`` ``(N, p)``.

    ``mean`` ``(p,)`` is each one's mean, ``distance`` ``(p,)`` its distance from that mean. ``alive`` ``(n,)``: fires
    somewhere. ``varies`` ``(n,)``: is not the same everywhere, so that it has correlations at all; p of them do.
    """

    codes: csr_array
    mean: np.ndarray
    distance: np.ndarray
    alive: Bool[Tensor, " n"]
    varies: Bool[Tensor, " n"]

    @cached_property
    def by_atom(self) -> csr_array:
        """``codes`` the other way round, ``(p, N)``."""
        return self.codes.T.tocsr()


def maps_of(codes: Codes) -> Maps:
    """The maps of all atoms, in float64."""
    fires = codes.values > 0.0
    atoms = codes.indices[fires].cpu().numpy()
    values = codes.values[fires].double().cpu().numpy()
    ends = np.concatenate([[0], np.cumsum(fires.sum(1).cpu().numpy())])
    rows, n = codes.values.shape[0], codes.n_atoms
    count = np.bincount(atoms, minlength=n)
    mean = np.bincount(atoms, values, minlength=n) / rows
    # Not the sum of squares less that of the mean, which cancels for a map that hardly varies.
    about = np.bincount(atoms, (values - mean[atoms]) ** 2, minlength=n) + (rows - count) * mean**2
    varies = about > _STILL**2 * np.bincount(atoms, values**2, minlength=n)
    kept = csr_array((values, atoms, ends), shape=(rows, n))[:, varies]
    distance = np.sqrt(about[varies])
    return Maps(kept, mean[varies], distance, torch.from_numpy(count > 0), torch.from_numpy(varies))


def correlation_tiles(a: Maps, b: Maps) -> Iterator[tuple[slice, Float64[Tensor, "rows q"]]]:
    """``(z_a . z_b - N mean_a mean_b) / (|z_a - mean_a| |z_b - mean_b|)`` between the maps that vary, in their order.

    Each tile holds some of a's maps, as the slice says, against all of b's; the next one overwrites it. Rounding may
    carry a value past -1 or 1.
    """
    room = np.empty((min(_ATOM_TILE, len(a.mean)), len(b.mean)))
    for part in tiles(len(a.mean), _ATOM_TILE):
        block = room[: part.stop - part.start]
        (a.by_atom[part] @ b.codes).toarray(out=block)
        block -= np.outer(a.codes.shape[0] * a.mean[part], b.mean)
        block /= np.outer(a.distance[part], b.distance)
        yield part, torch.from_numpy(block)


def correlations(a: Maps, b: Maps) -> Float64[Tensor, "p q"]:
    """The whole table of the maps that vary."""
    table = torch.empty(len(a.mean), len(b.mean), dtype=torch.float64)
    for part, block in correlation_tiles(a, b):
        table[part] = block
    return table
