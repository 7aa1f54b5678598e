"""The part of a layer's space that a dictionary uses at a coordinate, whatever atoms span it."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from inrlens.atoms.codes import Codes
from inrlens.rows import tiles
from inrlens.workers import cores, on_cores

_DEPENDENT = 1e-6
"""Directions of this share of the largest singular value or less are not counted into a span."""
_COORDINATE_TILE = 64


@dataclass(frozen=True, eq=False)
class SubspaceOverlap:
    """Whether two dictionaries use the same part of the layer's space at a coordinate, whatever atoms span it.

    Over r coordinates at which something fires in both: ``coordinate`` ``(r,)`` is the row of the codes; ``overlap``
    ``(r,)`` is ``||Q_a^T Q_b||_F^2 / min(p, q)``, 0 to 1, for orthonormal bases Q of the spans of the firing atoms and
    their dimensions p and q; ``chance`` ``(r,)`` is ``max(p, q) / d``, what random subspaces have on average.
    """

    coordinate: Int64[Tensor, " r"]
    overlap: Float64[Tensor, " r"]
    chance: Float64[Tensor, " r"]


def evenly_spaced(grid: tuple[int, ...], rows: int) -> Int64[Tensor, " r"]:
    """Rows of a grid: every s-th coordinate along each axis, s the smallest for which they are at most ``rows``."""
    step = 1
    while math.prod(-(-side // step) for side in grid) > rows:
        step += 1
    chosen = torch.zeros(1, dtype=torch.int64)
    for side in grid:
        along = torch.arange((side - 1) % step // 2, side, step)
        chosen = (chosen[:, None] * side + along).reshape(-1)
    return chosen


def subspace_overlap(
    atoms_a: Float64[Tensor, "n_a d"],
    atoms_b: Float64[Tensor, "n_b d"],
    codes_a: Codes,
    codes_b: Codes,
    chosen: Int64[Tensor, " r"],
) -> SubspaceOverlap:
    """The overlap at each of the ``chosen`` rows of the codes; atoms are of unit norm, float64, on the CPU."""
    sides = []
    for atoms, codes in ((atoms_a, codes_a), (atoms_b, codes_b)):
        here = chosen.to(codes.values.device)
        sides.append((atoms, codes.indices[here].long().cpu(), (codes.values[here] > 0.0).cpu()))
    width = atoms_a.shape[1]

    def compare(part: slice) -> tuple[Tensor, Tensor, Tensor]:
        (basis_a, p), (basis_b, q) = (_basis(atoms, names[part], fires[part]) for atoms, names, fires in sides)
        both = (p > 0) & (q > 0)
        shared = (basis_a @ basis_b.mT).square().sum((1, 2))
        return both, shared / torch.minimum(p, q), torch.maximum(p, q).double() / width

    # One torch thread a core: the many small decompositions would wait for each other's threads.
    parts = on_cores(compare, tiles(chosen.shape[0], _COORDINATE_TILE), cores())
    both, overlap, chance = (torch.cat(column) for column in zip(*parts, strict=True))
    return SubspaceOverlap(chosen[both], overlap[both].clamp(0.0, 1.0), chance[both])


def _basis(
    atoms: Float64[Tensor, "n d"], names: Int64[Tensor, "r k"], fires: Bool[Tensor, "r k"]
) -> tuple[Float64[Tensor, "r k d"], Int64[Tensor, " r"]]:
    """Orthonormal rows that span each coordinate's firing atoms, padded with zero rows; and how many they are.

    With ``W W^T = V diag(s^2) V^T``, the rows of ``diag(1/s) V^T W`` are the right singular vectors of W.
    """
    w = torch.where(fires[:, :, None], atoms[names], 0.0)
    squares, vectors = torch.linalg.eigh(w @ w.mT)
    spans = squares > _DEPENDENT**2 * squares[:, -1:].clamp_min(torch.finfo(w.dtype).tiny)
    scale = torch.where(spans, squares, torch.inf).rsqrt()
    return (vectors * scale[:, None]).mT @ w, spans.sum(1)
