"""The atoms most like each atom: by where they fire, or by their direction."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from inrlens.atoms.codes import Codes
from inrlens.atoms.correlation import Maps, correlation_tiles, maps_of
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.rows import tiles

_ATOM_TILE = 256


@dataclass(frozen=True, eq=False)
class Alike:
    """For each of n atoms the ``count`` atoms most like it, ``atom`` ``(n, count)``, and how much, ``value``, from -1
    to 1; best first, the first of equals first; -1 and NaN where there are fewer."""

    atom: Int64[Tensor, "n count"]
    value: Float64[Tensor, "n count"]


def most_alike(codes_a: Codes, codes_b: Codes, count: int = 5) -> Alike:
    """The atoms of b whose maps correlate most with each atom's of a, over the grid; float64, on the CPU.

    Atoms whose code is the same everywhere, dead ones among them, correlate with nothing and have no partner. Given the
    same codes twice, an atom is not its own partner.

    Raises:
        InputError: where the grids differ, ``count`` is below 1, or a code is not finite.
    """
    if codes_a.grid != codes_b.grid:
        raise InputError(f"the codes lie on different grids, {codes_a.grid} and {codes_b.grid}: encode both on one.")
    if not all(bool(torch.isfinite(codes.values).all()) for codes in (codes_a, codes_b)):
        raise InputError("the codes hold numbers that are not finite: train their dictionary again.")
    maps_a = maps_of(codes_a)
    return most_alike_maps(maps_a, maps_a if codes_b is codes_a else maps_of(codes_b), count)


def most_alike_maps(maps_a: Maps, maps_b: Maps, count: int = 5) -> Alike:
    """``most_alike`` from maps of finite codes on one grid, for those who compare a dictionary with many.

    Raises:
        InputError: where ``count`` is below 1.
    """
    _check_count(count)
    return _best(correlation_tiles(maps_a, maps_b), maps_a.varies, maps_b.varies, maps_a is maps_b, count)


@torch.no_grad()
def closest(
    sae_a: SparseAutoencoder,
    sae_b: SparseAutoencoder,
    alive_a: Bool[Tensor, " n_a"],
    alive_b: Bool[Tensor, " n_b"],
    count: int = 5,
) -> Alike:
    """The atoms of b that point most into each atom's direction, by cosine; both of one layer of one network.

    Atoms that are not ``alive``, those that fire nowhere, have no partner and are nobody's. Given the same dictionary
    twice, an atom is not its own partner, whatever is alive in either.

    Raises:
        InputError: where the dictionaries are of different layers or networks, ``count`` is below 1, or an atom is not
            finite.
    """
    _check_count(count)
    digests = {sae_a.origin.field_digest, sae_b.origin.field_digest} - {""}
    if (sae_a.layer, sae_a.width) != (sae_b.layer, sae_b.width) or len(digests) > 1:
        raise InputError(
            "directions can be compared only between dictionaries of the same layer of the same network; compare their "
            "maps with most_alike."
        )
    if not all(bool(torch.isfinite(sae.decoder).all()) for sae in (sae_a, sae_b)):
        raise InputError("a dictionary holds numbers that are not finite: train it again.")
    atoms_a, atoms_b = (
        F.normalize(sae.decoder.cpu()[alive.cpu()], dim=1) for sae, alive in ((sae_a, alive_a), (sae_b, alive_b))
    )
    return _best(_product_tiles(atoms_a, atoms_b), alive_a.cpu(), alive_b.cpu(), sae_a is sae_b, count)


def _check_count(count: int) -> None:
    if count < 1:
        raise InputError(f"the number of atoms to find for each must be at least 1, not {count}.")


def _product_tiles(a: Tensor, b: Tensor) -> Iterator[tuple[slice, Tensor]]:
    for part in tiles(a.shape[0], _ATOM_TILE):
        yield part, a[part] @ b.T


def _best(
    blocks: Iterable[tuple[slice, Tensor]],
    usable_a: Bool[Tensor, " n_a"],
    usable_b: Bool[Tensor, " n_b"],
    same: bool,
    count: int,
) -> Alike:
    """From tiles of the measure between usable atoms, in their order; tiles are overwritten."""
    atoms_a, atoms_b = usable_a.nonzero()[:, 0], usable_b.nonzero()[:, 0]
    atom = torch.full((usable_a.numel(), count), -1, dtype=torch.int64)
    value = torch.full((usable_a.numel(), count), math.nan, dtype=torch.float64)
    for part, block in blocks:
        table = block.numpy()
        lines = np.arange(len(table))
        if same:
            table[(atoms_a[part, None] == atoms_b).numpy()] = -np.inf
        for place in range(min(count, len(atoms_b))):
            best = table.argmax(1)
            # What is left of a line is excluded where its best is: no partner but the atom itself, or taken already.
            there = torch.from_numpy(table[lines, best] > -np.inf)
            atom[atoms_a[part][there], place] = atoms_b[torch.from_numpy(best)][there]
            likeness = torch.from_numpy(table[lines, best].clip(-1.0, 1.0).astype(np.float64))
            value[atoms_a[part][there], place] = likeness[there]
            table[lines, best] = -np.inf
    return Alike(atom, value)
