"""Stable ranks of weights and of activations, exact over the whole grid."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Inexact
from torch import Tensor

from inrlens.fields.field import Field
from inrlens.fields.network import EVALUATION_TILE, Network
from inrlens.fields.require_field import require_field
from inrlens.rows import tiles

ACTIVATION_VARIANTS = ("post", "post_centred", "pre")
"""``post``: after the nonlinearity, uncentred; ``post_centred``: the same less each unit's mean over the grid;
``pre``: ``W h + b``, uncentred."""


def singular_values(matrix: Inexact[Tensor, "rows columns"]) -> Float[Tensor, " d"]:
    """The singular values of a real or complex matrix, largest first, in float64."""
    exact = torch.complex128 if matrix.is_complex() else torch.float64
    values: Tensor = torch.linalg.svdvals(matrix.detach().to(exact))
    return values


def stable_rank(matrix: Inexact[Tensor, "rows columns"]) -> float:
    """``sr(A) = ||A||_F^2 / ||A||_2^2`` (arXiv:2605.08298 eq. 3), between 1 and rank(A); 0 for the zero matrix."""
    values = singular_values(matrix)
    top = float(values[0].square())
    return float(values.square().sum()) / top if top > 0.0 else 0.0


def stable_rank_from_gram(gram: Float[Tensor, "d d"]) -> float:
    """The stable rank of A from its Gram matrix ``A^T A``, whose eigenvalues are the squared singular values of A."""
    top = float(torch.linalg.eigvalsh(gram.double())[-1])
    return float(torch.trace(gram.double())) / top if top > 0.0 else 0.0


def weight_stable_ranks(field: Network) -> tuple[float, ...]:
    """``sr(W_l)`` of every layer; of a complex layer that of its complex matrix, half that of its real block matrix.

    NaN where a layer of a wrapped network has no one matrix (``Network.matrix``).
    """
    matrices = [field.matrix(index) for index in range(field.depth)]
    return tuple(math.nan if matrix is None else stable_rank(matrix) for matrix in matrices)


@dataclass(frozen=True)
class Moments:
    """Running sums over rows: their number, their sum ``(d,)`` and their Gram matrix ``(d, d)``, in float64."""

    rows: int
    total: Float[Tensor, " d"]
    gram: Float[Tensor, "d d"]

    def centred_gram(self) -> Float[Tensor, "d d"]:
        """The Gram matrix of the rows less their mean."""
        return self.gram - torch.outer(self.total, self.total) / self.rows


@torch.no_grad()
def layer_moments(field: Network, grid: tuple[int, ...] | None = None) -> tuple[list[Moments | None], list[Moments]]:
    """Moments of every layer's pre-activations (None where it has none) and activations over a grid, tile by tile."""
    x = field.grid_coordinates(grid)
    sums: dict[tuple[str, int], Moments] = {}
    for rows in tiles(x.shape[0], EVALUATION_TILE):
        for index, pair in enumerate(field.layer_values(x[rows])):
            for key, values in zip(("pre", "post"), pair, strict=True):
                if values is not None:
                    _add(sums, (key, index), values.double())
    layers = range(field.depth)
    return [sums.get(("pre", index)) for index in layers], [sums["post", index] for index in layers]


@torch.no_grad()
def encoding_stable_rank(field: Field, grid: tuple[int, ...] | None = None) -> float:
    """``sr`` of the ``(N, e)`` matrix that enters layer 0 over a grid: features, or coordinates without an encoding.

    It stands for the tables of a hash encoding, which are looked up and no matrix: all that a layer sees of them.

    Raises:
        InputError: where it is no field of ours.
    """
    require_field(field, "encoding_stable_rank")
    x = field.grid_coordinates(grid)
    sums: dict[tuple[str, int], Moments] = {}
    for rows in tiles(x.shape[0], EVALUATION_TILE):
        _add(sums, ("encoding", 0), field.encoder.run(x[rows], 0, 0).double())
    return stable_rank_from_gram(sums["encoding", 0].gram)


def _add(sums: dict[tuple[str, int], Moments], key: tuple[str, int], values: Float[Tensor, "rows d"]) -> None:
    d = values.shape[1]
    before = sums.get(key) or Moments(0, values.new_zeros(d), values.new_zeros(d, d))
    total, gram = before.total + values.sum(0), before.gram.addmm_(values.T, values)
    sums[key] = Moments(before.rows + values.shape[0], total, gram)


def activation_stable_ranks(field: Network, grid: tuple[int, ...] | None = None) -> dict[str, tuple[float, ...]]:
    """``sr(H_l)`` of every layer over a grid, in each of ``ACTIVATION_VARIANTS``; NaN where there is no ``pre``."""
    pre, post = layer_moments(field, grid)
    return {
        "post": tuple(stable_rank_from_gram(moments.gram) for moments in post),
        "post_centred": tuple(stable_rank_from_gram(moments.centred_gram()) for moments in post),
        "pre": tuple(math.nan if moments is None else stable_rank_from_gram(moments.gram) for moments in pre),
    }
