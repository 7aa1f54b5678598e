"""A recipe's optimisers and its schedule."""

import math

import torch
from torch import Tensor

from inrlens.fitting.recipes import Recipe
from inrlens.fitting.stack import Stack

_SMALLEST_MUON_SIDE = 8
_MUON_EPS = 1e-20
"""Torch's own 1e-7 is larger than whole gradients of a mean over all coordinates, and would swallow them."""


class Optimisers:
    """Moves a stack's parameters as the recipe says.

    Muon (Jordan et al. 2024, as ``torch.optim.Muon``) takes each layer's matrix whose sides are both at least 8: for
    matrices that read a few coordinates, and for heads and biases, its orthogonal step means nothing; Adam takes them.
    """

    def __init__(self, stack: Stack, recipe: Recipe) -> None:
        by_muon = _hidden_matrices(stack) if recipe.optimizer == "muon" else []
        chosen = {id(matrix) for matrix in by_muon}
        rest = [parameter for parameter in stack.parameters if id(parameter) not in chosen]
        self._recipe = recipe
        self.all: list[torch.optim.Optimizer] = [torch.optim.Adam(rest, lr=recipe.learning_rate, fused=True)]
        if by_muon:
            rate, momentum = recipe.muon_learning_rate, recipe.muon_momentum
            self.all.append(torch.optim.Muon(by_muon, lr=rate, momentum=momentum, weight_decay=0.0, eps=_MUON_EPS))
        self._rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in self.all]

    def step(self, number: int) -> None:
        """Takes step ``number`` (from 0) with the gradients at hand."""
        factor = _factor(self._recipe, number)
        for optimizer, rates in zip(self.all, self._rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            optimizer.step()


def memory_like(optimizer: torch.optim.Optimizer, parameter: Tensor) -> dict[str, Tensor]:
    """What an optimiser of ours remembers of one parameter, by name: tensors of the right shape and number type."""
    if isinstance(optimizer, torch.optim.Muon):
        return {"momentum_buffer": parameter}
    return {"step": torch.tensor(0.0), "exp_avg": parameter, "exp_avg_sq": parameter}


def _hidden_matrices(stack: Stack) -> list[torch.nn.Parameter]:
    return [
        parameter
        for layers in stack.modules
        for layer in layers
        for parameter in layer.parameters()
        if parameter.ndim == 2 and min(parameter.shape) >= _SMALLEST_MUON_SIDE
    ]


def _factor(recipe: Recipe, step: int) -> float:
    if recipe.schedule == "constant":
        return 1.0
    return 0.5 * (1.0 + math.cos(math.pi * step / recipe.steps))
