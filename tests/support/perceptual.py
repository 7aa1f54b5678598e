"""Weights of LPIPS that need no download."""

import math

import torch
from torch import Tensor

import toys
from inrlens.metrics.lpips_weights import HEADS, SHAPES

Weights = dict[str, Tensor]


def random_weights(seed: int = 0) -> Weights:
    """Weights of the right shapes that keep the size of activations about even from layer to layer."""
    draws = toys.generator(seed)
    weights = {}
    for name, shape in SHAPES.items():
        numbers = torch.randn(shape, generator=draws)
        if name in HEADS:
            weights[name] = numbers.abs()
        else:
            weights[name] = numbers * (2.0 / math.prod(shape[1:])) ** 0.5 if len(shape) == 4 else 0.1 * numbers
    return weights
