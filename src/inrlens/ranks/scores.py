"""The scores of layers: every number that may foretell the best freeze depth, beside the advised ``sr(W)``."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.fields.field import Field
from inrlens.ranks.spectrum import effective_rank, participation_ratio, singular_values_from_gram
from inrlens.ranks.stable_rank import ACTIVATION_VARIANTS, layer_moments


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
def layer_scores(field: Field, grid: tuple[int, ...] | None = None) -> dict[str, tuple[float, ...]]:
    """One value a layer for each of ``SCORES``; ``grid`` defaults to the one the field was fitted on.

    W is a layer's weight, H its activations over the grid as ``ranks.stable_rank.ACTIVATION_VARIANTS`` has them.
    ``sr`` is arXiv:2605.08298 eq. 3; the other two are in ``ranks.spectrum``.

    Raises:
        InputError: where no grid is known, or it has another number of axes than the network has coordinates.
    """
    pre, post = layer_moments(field, grid)
    weights = [
        torch.linalg.svdvals(field.encoder.layer(index).weight.detach().double()) for index in range(field.depth)
    ]
    grams = {
        "post": [moments.gram for moments in post],
        "post_centred": [moments.centred_gram() for moments in post],
        "pre": [moments.gram for moments in pre],
    }
    activations = {variant: [singular_values_from_gram(gram) for gram in grams[variant]] for variant in grams}
    scores: dict[str, tuple[float, ...]] = {}
    for measure, of_weights, of_activations in _MEASURES.values():
        scores[of_weights] = tuple(measure(values) for values in weights)
        for variant in ACTIVATION_VARIANTS:
            scores[of_activations.format(variant)] = tuple(measure(values) for values in activations[variant])
    return scores
