"""The scores of layers: every number that may foretell the best freeze depth, beside the advised ``sr(W)``."""

import math
from collections.abc import Callable

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


_MEASURES: dict[str, tuple[Callable[[Tensor], float], str, str]] = {
    "sr": (_stable_rank, "sr(W)", "sr(H) {}"),
    "effective rank": (effective_rank, "effective rank W", "effective rank H {}"),
    "participation ratio": (participation_ratio, "participation ratio W", "participation ratio H {}"),
}
SCORES: tuple[str, ...] = tuple(
    name
    for _, of_weights, of_activations in _MEASURES.values()
    for name in (of_weights, *(of_activations.format(variant) for variant in ACTIVATION_VARIANTS))
)
"""The names of all scores: stable rank, effective rank and participation ratio of W and of each variant of H."""


@torch.no_grad()
def layer_scores(field: Network, grid: tuple[int, ...] | None = None) -> dict[str, tuple[float, ...]]:
    """One value a layer for each of ``SCORES``; ``grid`` defaults to the one the field was fitted on.

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
    for measure, of_weights, of_activations in _MEASURES.values():
        of_all = {of_weights: weights} | {of_activations.format(key): activations[key] for key in ACTIVATION_VARIANTS}
        for name, layers in of_all.items():
            scores[name] = tuple(math.nan if values is None else measure(values) for values in layers)
    return scores
