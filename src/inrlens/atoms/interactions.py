"""Pairs of atoms whose joint effect is not the sum of their single effects.

A pair can only interact where both atoms fire. Which pairs may do so most is read off the effects; what they do is then
computed exactly, on the coordinates that they share.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inrlens.atoms.effects import Effects
from inrlens.atoms.suffix import Suffix
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.field import Field
from inrlens.metrics import psnr_from_mse
from inrlens.rows import tiles

_TILE = 1024


@dataclass(frozen=True)
class Interaction:
    """Two atoms taken out together.

    ``together`` is the number of coordinates where both fire. There, with ``Delta_ab = f - f^{-ab}``, ``excess`` is
    ``sum ||Delta_ab - Delta_a - Delta_b||^2`` over ``sum ||Delta_a + Delta_b||^2``: 0 where effects add up (always
    after the last layer), 1 where the joint effect is as far from their sum as no effect at all. The drops are the dB
    that the PSNR falls when the first, the second and both are removed, None without a signal.
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
    field: Field,
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
        InputError: for an atom that does not exist, a pair of one atom with itself, or fewer than 1 candidate.
    """
    codes = effects.codes
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
    x = field.grid_coordinates(codes.grid)
    found = [_one(field, sae, effects, suffix, x, first, second) for first, second in pairs]
    return sorted(found, key=lambda one: -one.excess if math.isfinite(one.excess) else 0.0)


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


def _one(
    field: Field, sae: SparseAutoencoder, effects: Effects, suffix: Suffix, x: Tensor, first: int, second: int
) -> Interaction:
    codes = effects.codes
    z_first, z_second = (codes.map(atom).reshape(-1) for atom in (first, second))
    shared = ((z_first > 0.0) & (z_second > 0.0)).nonzero()[:, 0]
    alone = [effects.of(atom).reshape(x.shape[0], -1) for atom in (first, second)]
    both = alone[0] + alone[1]
    excess = whole = 0.0
    for part in tiles(shared.numel(), suffix.rows):
        rows = shared[part]
        u = suffix.enter(field.encoder.run(x[rows], 0, sae.layer + 1))
        u -= z_first[rows, None] * suffix.reach[first] + z_second[rows, None] * suffix.reach[second]
        joint = effects.output[rows] - suffix.finish(u)
        excess += float((joint - both[rows]).double().square().sum())
        whole += float(both[rows].double().square().sum())
        both[rows] = joint
    drops: list[float | None] = [None, None, None]
    if effects.signal is not None:
        target = effects.signal.values.to(effects.output)
        removed = (effects.output, *(effects.output - change for change in (*alone, both)))
        psnrs = [_psnr(output, target) for output in removed]
        drops = [psnrs[0] - psnr for psnr in psnrs[1:]]
    ratio = excess / whole if whole > 0.0 else math.nan
    return Interaction(first, second, shared.numel(), ratio, *drops)


def _psnr(output: Tensor, target: Tensor) -> float:
    return psnr_from_mse(float((output.clamp(0.0, 1.0) - target).double().square().mean()))
