"""Pairs of atoms whose joint effect is not the sum of their single effects.

A pair can only interact where both atoms fire. Which pairs may do so most is read off the effects; what they do is then
computed exactly, on the coordinates that they share.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inrlens.atoms.codes import check_codes
from inrlens.atoms.effects import Effects
from inrlens.atoms.suffix import Suffix
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.network import Network
from inrlens.metrics import psnr_from_mse
from inrlens.rows import tiles
from inrlens.signals.signal import Signal

_TILE = 1024


@dataclass(frozen=True)
class Interaction:
    """Two atoms taken out together.

    ``together`` is the number of coordinates where both fire. There, with ``Delta_ab = f - f^{-ab}``, ``excess`` is
    ``sum ||Delta_ab - Delta_a - Delta_b||^2`` over ``sum ||Delta_a + Delta_b||^2``: 0 where effects add up (always
    after the last layer), 1 where the joint effect is as far from their sum as no effect at all. ``first_drop``,
    ``second_drop`` and ``joint_drop``: by how many dB the PSNR falls when atom ``first``, atom ``second`` and both are
    removed, None without a signal.
    """

    first: int
    second: int
    together: int
    excess: float
    first_drop: float | None
    second_drop: float | None
    joint_drop: float | None


@torch.no_grad()
def interactions(
    field: Network,
    sae: SparseAutoencoder,
    effects: Effects,
    pairs: Sequence[tuple[int, int]] | None = None,
    *,
    candidates: int = 256,
) -> list[Interaction]:
    """The joint effects of pairs of atoms, those first whose effects are furthest from adding up.

    Args:
        field: the network.
        sae: the dictionary.
        effects: the atlas of that dictionary; its signal gives the drops.
        pairs: of atoms; default: the ``candidates`` pairs of largest ``sum_x ||Delta_a(x)|| ||Delta_b(x)||``.
        candidates: how many pairs are tried where none are named.

    Raises:
        InputError: where the effects are not this dictionary's in this field; for an atom that does not exist, a pair
            of one atom with itself, or fewer than 1 candidate.
    """
    codes = effects.codes
    check_codes(field, sae, codes)
    if pairs is None:
        if candidates < 1:
            raise InputError(f"the number of candidate pairs must be at least 1, not {candidates}.")
        pairs = overlapping_pairs(effects, candidates)
    for pair in pairs:
        for atom in pair:
            codes.check_atom(atom)
        if pair[0] == pair[1]:
            raise InputError(f"atom {pair[0]} is paired with itself: a pair needs two atoms.")
    suffix = Suffix(field, sae, effects.head)
    by_atom = _ByAtom(effects)
    x = field.grid_coordinates(codes.grid)
    found = [_joint(field, sae, effects, suffix, by_atom, x, first, second) for first, second in pairs]
    return sorted(found, key=lambda one: -one.excess if math.isfinite(one.excess) else 0.0)


class _ByAtom:
    """Codes and effects atom by atom: for each, the rows where it fires, in order."""

    def __init__(self, effects: Effects) -> None:
        codes = effects.codes
        row, slot = (codes.values > 0.0).nonzero(as_tuple=True)
        atom = codes.indices[row, slot]
        order = torch.argsort(atom, stable=True)
        self._row, self._slot = row[order], slot[order]
        self._ends = torch.searchsorted(atom[order], torch.arange(codes.n_atoms + 1, device=atom.device)).tolist()
        self._effects = effects

    def __call__(self, atom: int) -> tuple[Tensor, Tensor, Tensor]:
        """Rows ``(s,)``, codes ``(s,)`` and effects ``(s, c)`` of one atom."""
        part = slice(self._ends[atom], self._ends[atom + 1])
        row, slot = self._row[part], self._slot[part]
        return row, self._effects.codes.values[row, slot], self._effects.delta[row, slot]


def overlapping_pairs(effects: Effects, count: int) -> list[tuple[int, int]]:
    """The pairs of largest ``sum_x ||Delta_a(x)|| ||Delta_b(x)||``, among atoms that fire together."""
    codes = effects.codes
    n, k = codes.n_atoms, codes.values.shape[1]
    left, right = torch.triu_indices(k, k, 1, device=codes.values.device)
    weights = codes.values.new_zeros(n * n)
    for part in tiles(codes.values.shape[0], _TILE):
        size = effects.delta[part].square().sum(2).sqrt()
        atoms = codes.indices[part].long()
        one, other = atoms[:, left], atoms[:, right]
        key = torch.minimum(one, other) * n + torch.maximum(one, other)
        weights.index_add_(0, key.reshape(-1), (size[:, left] * size[:, right]).reshape(-1))
    largest, keys = torch.topk(weights, min(count, n * n))
    return [(key // n, key % n) for key in keys[largest > 0.0].tolist()]


def _joint(
    field: Network,
    sae: SparseAutoencoder,
    effects: Effects,
    suffix: Suffix,
    by_atom: _ByAtom,
    x: Tensor,
    first: int,
    second: int,
) -> Interaction:
    (rows, z, delta), (other_rows, other_z, other_delta) = by_atom(first), by_atom(second)
    shared, here, there = _common(rows, other_rows)
    total = delta[here] + other_delta[there]
    joint = torch.empty_like(total)
    for part in tiles(shared.numel(), suffix.rows):
        u = suffix.enter(field.run_to(x[shared[part]], sae.layer))
        u -= z[here[part], None] * suffix.reach[first] + other_z[there[part], None] * suffix.reach[second]
        joint[part] = effects.output[shared[part]] - suffix.finish(u, x[shared[part]])
    whole = float(total.double().square().sum())
    excess = float((joint - total).double().square().sum()) / whole if whole > 0.0 else math.nan
    if effects.signal is None:
        return Interaction(first, second, shared.numel(), excess, None, None, None)
    alone, other_alone = _all_but(rows, here), _all_but(other_rows, there)
    drop = _drop(
        effects,
        effects.signal,
        torch.cat([shared, rows[alone], other_rows[other_alone]]),
        torch.cat([joint, delta[alone], other_delta[other_alone]]),
    )
    first_drop, second_drop = (float(effects.psnr_drop[atom]) for atom in (first, second))
    return Interaction(first, second, shared.numel(), excess, first_drop, second_drop, drop)


def _common(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What two rising lists share, and its places in either."""
    if not one.numel() or not other.numel():
        return one[:0], one[:0], one[:0]
    place = torch.searchsorted(other, one).clamp_max(other.numel() - 1)
    here = (other[place] == one).nonzero()[:, 0]
    return one[here], here, place[here]


def _all_but(rows: Tensor, places: Tensor) -> Tensor:
    """A mask of all entries but those at ``places``."""
    left = torch.ones(rows.numel(), dtype=torch.bool, device=rows.device)
    left[places] = False
    return left


def _drop(effects: Effects, signal: Signal, rows: Tensor, change: Tensor) -> float:
    """The dB that the PSNR falls when ``change`` is taken from the output at ``rows``, over the samples used."""
    target = signal.values.to(effects.output)
    if signal.mask is not None:
        counts = signal.mask.to(rows.device)[rows]
        rows, change = rows[counts], change[counts]
    used = signal.used
    squared = (effects.output[used].clamp(0.0, 1.0) - target[used]).double().square().sum()
    count = signal.used_count * signal.channels
    after = ((effects.output[rows] - change).clamp(0.0, 1.0) - target[rows]).double().square().sum()
    before = (effects.output[rows].clamp(0.0, 1.0) - target[rows]).double().square().sum()
    total, moved = float(squared), float(squared + after - before)
    return psnr_from_mse(total / count) - psnr_from_mse(max(moved, 0.0) / count)
