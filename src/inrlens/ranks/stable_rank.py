"""Stable ranks of weights and of activations, exact over the whole grid."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.fields.field import EVALUATION_TILE, Field
from inrlens.rows import tiles

ACTIVATION_VARIANTS = ("post", "post_centred", "pre")
"""``post``: after the nonlinearity, uncentred; ``post_centred``: the same less each unit's mean over the grid;
``pre``: ``W h + b``, uncentred."""


def stable_rank(matrix: Float[Tensor, "rows columns"]) -> float:
    """``sr(A) = ||A||_F^2 / ||A||_2^2`` (arXiv:2605.08298 eq. 3), between 1 and rank(A); 0 for the zero matrix."""
    values = torch.linalg.svdvals(matrix.detach().double())
    top = float(values[0].square())
    return float(values.square().sum()) / top if top > 0.0 else 0.0


def stable_rank_from_gram(gram: Float[Tensor, "d d"]) -> float:
    """The stable rank of A from its Gram matrix ``A^T A``, whose eigenvalues are the squared singular values of A."""
    top = float(torch.linalg.eigvalsh(gram.double())[-1])
    return float(torch.trace(gram.double())) / top if top > 0.0 else 0.0


def weight_stable_ranks(field: Field) -> tuple[float, ...]:
    """``sr(W_l)`` of every layer."""
    return tuple(stable_rank(field.encoder.layer(index).weight) for index in range(field.depth))


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
def layer_moments(field: Field, grid: tuple[int, ...] | None = None) -> tuple[list[Moments], list[Moments]]:
    """Moments of every layer's pre-activations and activations over a grid, tile by tile."""
    x = field.grid_coordinates(grid)
    width = [field.encoder.layer(index).weight.shape[0] for index in range(field.depth)]

    def zeros() -> list[tuple[Tensor, Tensor]]:
        exact = x.new_zeros(0, dtype=torch.float64)
        return [(exact.new_zeros(d), exact.new_zeros(d, d)) for d in width]

    sums = {"pre": zeros(), "post": zeros()}
    for rows in tiles(x.shape[0], EVALUATION_TILE):
        h = field.encoder.run(x[rows], 0, 0)
        for index in range(field.depth):
            layer = field.encoder.layer(index)
            u = layer.preactivation(h)
            h = layer.nonlinearity.value(layer.scale * u, None)
            for (total, gram), values in ((sums["pre"][index], u), (sums["post"][index], h)):
                exact = values.double()
                total += exact.sum(0)
                gram.addmm_(exact.T, exact)
    n = x.shape[0]
    pre, post = ([Moments(n, total, gram) for total, gram in sums[key]] for key in ("pre", "post"))
    return pre, post


def activation_stable_ranks(field: Field, grid: tuple[int, ...] | None = None) -> dict[str, tuple[float, ...]]:
    """``sr(H_l)`` of every layer over a grid, in each of ``ACTIVATION_VARIANTS``."""
    pre, post = layer_moments(field, grid)
    return {
        "post": tuple(stable_rank_from_gram(moments.gram) for moments in post),
        "post_centred": tuple(stable_rank_from_gram(moments.centred_gram()) for moments in post),
        "pre": tuple(stable_rank_from_gram(moments.gram) for moments in pre),
    }
