"""The scores of layers: every number that may foretell the best freeze depth, beside the advised ``sr(W)``."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.fields.network import Network
from inrlens.ranks.spectrum import effective_rank, participation_ratio, singular_values_from_gram
from inrlens.ranks.stable_rank import ACTIVATION_VARIANTS, layer_moments, singular_values


def _stable_rank(singular_values: Float[Tensor, " d"]) -> float:
    squares = singular_values.square()
    top = float(squares.max())
    return float(squares.sum()) / top if top > 0.0 else 0.0


@dataclass(frozen=True)
class Score:
    """A number of a matrix, from its singular values, that may foretell the best freeze depth: the higher, the better.

    ``name`` is what the command line calls it; ``weights`` is its name for a layer's W, ``activations`` for its H, with
    ``{}`` for the variant of ``ranks.stable_rank.ACTIVATION_VARIANTS``; ``digits`` are shown behind the point.
    """

    name: str
    weights: str
    activations: str
    digits: int
    of: Callable[[Float[Tensor, " d"]], float]

    @property
    def names(self) -> tuple[str, ...]:
        """What its values are called: W's, then each variant of H's."""
        return (self.weights, *(self.activations.format(variant) for variant in ACTIVATION_VARIANTS))


SCORES: dict[str, Score] = {
    one.name: one
    for one in (
        Score("stable-rank", "sr(W)", "sr(H) {}", 2, _stable_rank),
        Score("effective-rank", "effective rank W", "effective rank H {}", 1, effective_rank),
        Score("participation-ratio", "participation ratio W", "participation ratio H {}", 1, participation_ratio),
    )
}
"""Every score, which studies, their tables, predictors and ``inrlens ranks`` read."""


@torch.no_grad()
def layer_scores(field: Network, grid: tuple[int, ...] | None = None) -> dict[str, tuple[float, ...]]:
    """One value per layer for each name of each of ``SCORES``; ``grid`` defaults to the one the field was fitted on.

    W is a layer's weight (complex where the layer is), H its activations over the grid as
    ``ranks.stable_rank.ACTIVATION_VARIANTS`` has them. ``sr`` is arXiv:2605.08298 eq. 3; the other two are in
    ``ranks.spectrum``. NaN where a layer of a wrapped network has no one W (``Network.matrix``).

    Raises:
        InputError: where no grid is known, or it has another number of axes than the network has coordinates.
    """
    pre, post = layer_moments(field, grid)
    matrices = [field.matrix(index) for index in range(field.depth)]
    weights = [None if matrix is None else singular_values(matrix) for matrix in matrices]
    grams: dict[str, list[Tensor | None]] = {
        "post": [moments.gram for moments in post],
        "post_centred": [moments.centred_gram() for moments in post],
        "pre": [None if moments is None else moments.gram for moments in pre],
    }
    activations = {
        variant: [None if gram is None else singular_values_from_gram(gram) for gram in grams[variant]]
        for variant in grams
    }
    scores: dict[str, tuple[float, ...]] = {}
    for score in SCORES.values():
        of_all = zip(score.names, (weights, *(activations[variant] for variant in ACTIVATION_VARIANTS)), strict=True)
        for name, layers in of_all:
            scores[name] = tuple(math.nan if values is None else score.of(values) for values in layers)
    return scores
