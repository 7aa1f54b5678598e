"""Are atoms real? The atoms of two dictionaries beside each other, by direction and by map.

What a layer truly uses should be found again by another training. Every atom is given its best partner freely, so that
two atoms may share one, and also one to one, where partners are all different by construction: only the free partners
can show that two atoms are the same one twice.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float64, Int64
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from inrlens.atoms.codes import Codes
from inrlens.atoms.correlation import correlations, maps_of
from inrlens.atoms.subspaces import SubspaceOverlap, evenly_spaced, subspace_overlap
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError

ALIKE = 0.7
"""A cosine or a correlation above this counts as the same atom found again."""


@dataclass(frozen=True, eq=False)
class Partners:
    """For each of a dictionary's n atoms, ``atom`` ``(n,)`` of the other one and its ``value``; -1 and NaN: none."""

    atom: Int64[Tensor, " n"]
    value: Float64[Tensor, " n"]


@dataclass(frozen=True, eq=False)
class Likeness:
    """Who is like whom by one measure, between -1 and 1.

    ``free_a`` and ``free_b``: every atom's best partner, the first of equals, whoever else has it too. ``paired_a``
    and ``paired_b``: the one-to-one pairs whose sum is largest, seen from either side; where one dictionary has fewer
    atoms to pair, atoms of the other stay alone.
    """

    free_a: Partners
    free_b: Partners
    paired_a: Partners
    paired_b: Partners


@dataclass(frozen=True)
class LikenessSummary:
    """A ``Likeness`` in numbers; None where no atom has a partner.

    ``pairs``: number of one-to-one pairs. ``pw_mcc``: the mean of their values; for cosines this is the pairwise
    dictionary mean correlation coefficient of Song et al. 2025 (arXiv:2505.20254), except that the cosine keeps its
    sign, since codes are not negative and an atom's opposite is another atom, and that dead atoms are left out.
    ``paired_above``: share of the pairs above 0.7. ``free_above_a``, ``free_above_b``: share of a dictionary's atoms
    whose free best partner is above 0.7. ``collisions_a``, ``collisions_b``: share of its atoms whose free best partner
    is also that of another of its atoms.
    """

    pairs: int
    pw_mcc: float | None
    paired_above: float | None
    free_above_a: float | None
    free_above_b: float | None
    collisions_a: float | None
    collisions_b: float | None


@dataclass(frozen=True)
class MatchSummary:
    """A ``Match`` in numbers.

    ``atoms_*`` and ``alive_*`` count all atoms and those that fire somewhere. ``cosine`` is None where widths differ;
    ``subspace_overlap`` and ``subspace_chance`` (means over coordinates) also where nothing fires in both.
    """

    atoms_a: int
    atoms_b: int
    alive_a: int
    alive_b: int
    cosine: LikenessSummary | None
    maps: LikenessSummary
    subspace_overlap: float | None
    subspace_chance: float | None


@dataclass(frozen=True, eq=False)
class Match:
    """Two dictionaries compared; ``match`` says how.

    ``alive_a`` and ``alive_b`` ``(n,)``: whether an atom fires somewhere on the grid. ``cosine``: who is like whom by
    direction, -1 to 1; None where widths differ. ``maps``: the same by the correlation of maps. Both hold every atom's
    free best partner (``free_a``, ``free_b``) and the one-to-one pairs (``paired_a``, ``paired_b``), each an ``atom``
    and a ``value`` ``(n,)``. ``subspaces``: at r coordinates, the ``overlap`` ``(r,)`` of what the firing atoms span,
    0 to 1, and its ``chance``; None where widths differ.
    """

    alive_a: Bool[Tensor, " n_a"]
    alive_b: Bool[Tensor, " n_b"]
    cosine: Likeness | None
    maps: Likeness
    subspaces: SubspaceOverlap | None

    def summary(self) -> MatchSummary:
        """Its numbers."""
        seen = self.subspaces if self.subspaces is not None and self.subspaces.overlap.numel() else None
        return MatchSummary(
            atoms_a=self.alive_a.numel(),
            atoms_b=self.alive_b.numel(),
            alive_a=int(self.alive_a.sum()),
            alive_b=int(self.alive_b.sum()),
            cosine=None if self.cosine is None else _summary(self.cosine),
            maps=_summary(self.maps),
            subspace_overlap=None if seen is None else float(seen.overlap.mean()),
            subspace_chance=None if seen is None else float(seen.chance.mean()),
        )


@torch.no_grad()
def match(
    dictionary_a: SparseAutoencoder,
    dictionary_b: SparseAutoencoder,
    codes_a: Codes,
    codes_b: Codes,
    *,
    rows: int = 4096,
) -> Match:
    """Compares every atom of one dictionary with every atom of another; float64, on the CPU.

    ``cosine``: of the atoms. It means something where both dictionaries describe the same layer of the same network;
    None where their widths differ. ``maps``: Pearson's correlation of z_a and z_b over the grid, whatever layers and
    networks they come from. ``subspaces``: at evenly spaced coordinates, every s-th along each axis of the grid with
    the smallest s for which they are at most ``rows``; None where widths differ.

    Dead atoms have no partner and are nobody's. For maps the same holds of atoms whose code is the same everywhere
    (a standard deviation of at most 1e-4 of the root mean square), which correlate with nothing.

    Raises:
        InputError: where codes are not of their dictionary, the grids differ, ``rows`` is below 1, or an atom or a code
            is not finite.
    """
    _check(dictionary_a, dictionary_b, codes_a, codes_b, rows)
    maps_a, maps_b = maps_of(codes_a), maps_of(codes_b)
    cosine, subspaces = None, None
    if dictionary_a.width == dictionary_b.width:
        atoms_a, atoms_b = (
            F.normalize(dictionary.decoder.double().cpu(), dim=1) for dictionary in (dictionary_a, dictionary_b)
        )
        cosine = _likeness(atoms_a[maps_a.alive] @ atoms_b[maps_b.alive].T, maps_a.alive, maps_b.alive)
        subspaces = subspace_overlap(atoms_a, atoms_b, codes_a, codes_b, evenly_spaced(codes_a.grid, rows))
    maps = _likeness(correlations(maps_a, maps_b), maps_a.varies, maps_b.varies)
    return Match(maps_a.alive, maps_b.alive, cosine, maps, subspaces)


def _check(
    dictionary_a: SparseAutoencoder, dictionary_b: SparseAutoencoder, codes_a: Codes, codes_b: Codes, rows: int
) -> None:
    for name, dictionary, codes in (("a", dictionary_a, codes_a), ("b", dictionary_b, codes_b)):
        if codes.n_atoms != dictionary.n_atoms:
            raise InputError(
                f"codes_{name} speak of {codes.n_atoms} atoms, dictionary_{name} has {dictionary.n_atoms}: give the "
                "codes that it encodes."
            )
        if not bool(torch.isfinite(dictionary.decoder).all() and torch.isfinite(codes.values).all()):
            raise InputError(f"dictionary_{name} or its codes hold numbers that are not finite: train it again.")
    if codes_a.grid != codes_b.grid:
        raise InputError(f"the codes lie on different grids, {codes_a.grid} and {codes_b.grid}: encode both on one.")
    if rows < 1:
        raise InputError(f"rows must be at least 1, not {rows}.")


def _likeness(
    table: Float64[Tensor, "p q"], usable_a: Bool[Tensor, " n_a"], usable_b: Bool[Tensor, " n_b"]
) -> Likeness:
    """From the measure between usable atoms, in their order; ``table`` is overwritten."""
    own_a, own_b = usable_a.nonzero()[:, 0], usable_b.nonzero()[:, 0]
    n_a, n_b = usable_a.numel(), usable_b.numel()
    if not table.numel():
        none_a, none_b = (_partners(n, own_a[:0], own_a[:0], table.new_empty(0)) for n in (n_a, n_b))
        return Likeness(none_a, none_b, none_a, none_b)
    values = table.clamp_(-1.0, 1.0).numpy()
    best_a, best_b = torch.from_numpy(values.argmax(1)), torch.from_numpy(values.argmax(0))
    free_a = _partners(n_a, own_a, own_b[best_a], table.gather(1, best_a[:, None])[:, 0])
    free_b = _partners(n_b, own_b, own_a[best_b], table.gather(0, best_b[None])[0])
    # Negated in place: asked to maximise, the solver would copy the table.
    first, second = (torch.from_numpy(index) for index in linear_sum_assignment(table.neg_().numpy()))
    paired = -table[first, second]
    return Likeness(
        free_a,
        free_b,
        _partners(n_a, own_a[first], own_b[second], paired),
        _partners(n_b, own_b[second], own_a[first], paired),
    )


def _partners(n: int, own: Tensor, other: Tensor, values: Tensor) -> Partners:
    atom = torch.full((n,), -1, dtype=torch.int64)
    value = torch.full((n,), math.nan, dtype=torch.float64)
    atom[own], value[own] = other, values
    return Partners(atom, value)


def _summary(likeness: Likeness) -> LikenessSummary:
    paired = likeness.paired_a.value[likeness.paired_a.atom >= 0]
    return LikenessSummary(
        pairs=paired.numel(),
        pw_mcc=float(paired.mean()) if paired.numel() else None,
        paired_above=_share(paired > ALIKE),
        free_above_a=_share(_found(likeness.free_a)),
        free_above_b=_share(_found(likeness.free_b)),
        collisions_a=_share(_collides(likeness.free_a)),
        collisions_b=_share(_collides(likeness.free_b)),
    )


def _found(partners: Partners) -> Tensor:
    return partners.value[partners.atom >= 0] > ALIKE


def _collides(partners: Partners) -> Tensor:
    chosen = partners.atom[partners.atom >= 0]
    return torch.bincount(chosen)[chosen] > 1


def _share(of: Tensor) -> float | None:
    return float(of.double().mean()) if of.numel() else None
