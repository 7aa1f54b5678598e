"""A recipe's optimisers and its schedule."""

import math

import torch
from torch import Tensor

from inrlens.fields.encoding import Encoding
from inrlens.fitting.recipes import Recipe
from inrlens.fitting.stack import Stack
from inrlens.workers import on_cores

_BETA_1 = 0.9
_SMALLEST_MUON_SIDE = 8
_MUON_EPS = 1e-20
"""Torch's own 1e-7 is larger than some whole gradients of a mean over all coordinates, and would swallow them."""


class Optimisers:
    """Moves a stack's parameters as the recipe says, on ``cores`` threads.

    Muon (Jordan et al. 2024, as ``torch.optim.Muon``) takes each layer's matrix whose sides are both at least 8: for
    matrices that read a few coordinates, for heads and biases, and for the tables of an encoding, whose rows are looked
    up one by one, its orthogonal step means nothing; Adam takes them.
    """

    def __init__(self, stack: Stack, recipe: Recipe, cores: int = 1) -> None:
        by_muon = _hidden_matrices(stack) if recipe.optimizer == "muon" else []
        chosen = {id(matrix) for matrix in by_muon}
        self._recipe = recipe
        self._cores = cores if by_muon else 1
        self._parameters = stack.parameters
        rest = [parameter for parameter in self._parameters if id(parameter) not in chosen]
        betas, eps = (_BETA_1, recipe.adam_beta2), recipe.adam_eps
        adam = torch.optim.Adam(rest, lr=recipe.learning_rate, betas=betas, eps=eps, fused=True)
        self._all: list[torch.optim.Optimizer] = [adam]
        rate, momentum = recipe.muon_learning_rate, recipe.muon_momentum
        for part in (by_muon[first :: self._cores] for first in range(min(self._cores, len(by_muon)))):
            self._all.append(torch.optim.Muon(part, lr=rate, momentum=momentum, weight_decay=0.0, eps=_MUON_EPS))
        self._rates = [optimizer.param_groups[0]["lr"] for optimizer in self._all]

    def step(self, number: int) -> None:
        """Takes step ``number`` (from 0) with the gradients at hand."""
        factor = _factor(self._recipe, number)
        for optimizer, rate in zip(self._all, self._rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * factor
        if self._cores == 1:
            for optimizer in self._all:
                optimizer.step()
        else:
            on_cores(lambda optimizer: optimizer.step(), self._all, self._cores)

    def memory(self) -> dict[str, Tensor]:
        """What the optimisers remember, by a parameter's place in the stack and the name of the entry."""
        found: dict[str, Tensor] = {}
        for place, (optimizer, parameter) in enumerate(self._places()):
            found |= {f"{place}.{name}": value for name, value in optimizer.state[parameter].items()}
        return found

    def memory_like(self) -> dict[str, Tensor]:
        """Tensors of the names, shapes and number types of ``memory`` after a step."""
        found: dict[str, Tensor] = {}
        for place, (optimizer, parameter) in enumerate(self._places()):
            if isinstance(optimizer, torch.optim.Muon):
                found[f"{place}.momentum_buffer"] = parameter
            else:
                step = torch.zeros((), dtype=torch.float32, device=parameter.device)
                found |= {f"{place}.step": step, f"{place}.exp_avg": parameter, f"{place}.exp_avg_sq": parameter}
        return found

    def remember(self, memory: dict[str, Tensor]) -> None:
        """Continues from what ``memory`` gave."""
        for place, (optimizer, parameter) in enumerate(self._places()):
            own = {name: value for name, value in memory.items() if name.startswith(f"{place}.")}
            optimizer.state[parameter] = {
                name.removeprefix(f"{place}."): value.to(parameter.device) for name, value in own.items()
            }

    def _places(self) -> list[tuple[torch.optim.Optimizer, torch.nn.Parameter]]:
        owner = {id(p): optimizer for optimizer in self._all for p in optimizer.param_groups[0]["params"]}
        return [(owner[id(parameter)], parameter) for parameter in self._parameters]


def _hidden_matrices(stack: Stack) -> list[torch.nn.Parameter]:
    return [
        parameter
        for layers in stack.modules
        for layer in layers
        if not isinstance(layer, Encoding)
        for parameter in layer.parameters()
        if parameter.ndim == 2 and min(parameter.shape) >= _SMALLEST_MUON_SIDE
    ]


def _factor(recipe: Recipe, step: int) -> float:
    if recipe.schedule == "constant":
        return 1.0
    if recipe.schedule == "exponential":
        return float(0.1 ** (step / recipe.steps))
    return 0.5 * (1.0 + math.cos(math.pi * step / recipe.steps))
