"""Where a start should move so that a few steps of gradient descent from it fit better.

Below, theta_0 is the start, ``theta_{i+1} = theta_i - a g(theta_i)`` are k inner steps on one signal, g the gradient of
its loss L and H the Hessian. Both methods give a direction for an optimiser to descend along.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.fields.field import Field
from inrlens.rows import tiles

Weights = dict[str, Tensor]
"""A field's parameters, or a vector of their shapes, by name."""


@dataclass(frozen=True)
class Point:
    """A loss at some weights, its gradient there, and the mean squared error of the clamped output by channel."""

    loss: Float[Tensor, ""]
    clamped: Float[Tensor, " c"]
    gradient: Weights


@dataclass(frozen=True)
class Objective:
    """One signal's loss as a function of a network's weights, ``L = 1 / (N c) sum_i ||f(x_i) - s(x_i)||^2``.

    Coordinates ``x`` ``(N, m)`` and values ``target`` ``(N, c)``; gradient and Hessian are sums over tiles of at most
    ``tile`` rows, so that no graph is larger than a tile's.
    """

    field: Field
    x: Float[Tensor, "n m"]
    target: Float[Tensor, "n c"]
    tile: int

    def at(self, weights: Weights) -> Point:
        """Loss and gradient."""
        loss = self.target.new_zeros(())
        clamped = self.target.new_zeros(self.target.shape[1])
        gradient = {name: torch.zeros_like(value) for name, value in weights.items()}
        for part in tiles(self.x.shape[0], self.tile):
            with torch.enable_grad():
                leaves = _leaves(weights)
                share, out = self._share(leaves, part)
                found = torch.autograd.grad(share, list(leaves.values()))
            loss += share.detach()
            clamped += (out.detach().clamp(0.0, 1.0) - self.target[part]).square().sum(0) / self.x.shape[0]
            for total, value in zip(gradient.values(), found, strict=True):
                total += value
        return Point(loss, clamped, gradient)

    def hessian_product(self, weights: Weights, vector: Weights) -> Weights:
        """``H v``, as the gradient of ``g . v`` (Pearlmutter 1994)."""
        product = {name: torch.zeros_like(value) for name, value in weights.items()}
        for part in tiles(self.x.shape[0], self.tile):
            with torch.enable_grad():
                leaves = _leaves(weights)
                share, _ = self._share(leaves, part)
                first = torch.autograd.grad(share, list(leaves.values()), create_graph=True)
                along = torch.stack([(g * v).sum() for g, v in zip(first, vector.values(), strict=True)]).sum()
                second = torch.autograd.grad(along, list(leaves.values()), materialize_grads=True)
            for total, value in zip(product.values(), second, strict=True):
                total += value
        return product

    def _share(self, weights: Weights, part: slice) -> tuple[Tensor, Tensor]:
        """A tile's share of the loss, and the output there."""
        out: Tensor = torch.func.functional_call(self.field, weights, (self.x[part],))
        return (out - self.target[part]).square().sum() / self.target.numel(), out


Method = Callable[[Objective, Weights, int, float], Point]
"""From a signal's loss, the start, k and a: the loss after the inner steps, and the direction for the start."""


def maml(objective: Objective, start: Weights, steps: int, rate: float) -> Point:
    """The gradient of the loss after the inner steps by the start, exactly (MAML: Finn et al. 2017, eq. 1).

    ``d L(theta_k) / d theta_0 = (I - a H(theta_0)) ... (I - a H(theta_{k-1})) g(theta_k)``, from the right: k products
    with a Hessian and no graph through the steps.
    """
    path = descend(objective, start, steps, rate)
    last = objective.at(path[-1])
    direction = last.gradient
    for weights in reversed(path[:-1]):
        direction = _minus(direction, rate, objective.hessian_product(weights, direction))
    return Point(last.loss, last.clamped, direction)


def reptile(objective: Objective, start: Weights, steps: int, rate: float) -> Point:
    """``(theta_0 - theta_k) / a``, the sum of the inner steps' gradients (Reptile: Nichol et al. 2018, Sec. 2)."""
    end = descend(objective, start, steps, rate)[-1]
    last = objective.at(end)
    return Point(last.loss, last.clamped, {name: (value - end[name]) / rate for name, value in start.items()})


def descend(objective: Objective, start: Weights, steps: int, rate: float) -> list[Weights]:
    """theta_0, ..., theta_k."""
    path = [start]
    for _ in range(steps):
        path.append(_minus(path[-1], rate, objective.at(path[-1]).gradient))
    return path


def _minus(weights: Weights, rate: float, other: Weights) -> Weights:
    return {name: value - rate * other[name] for name, value in weights.items()}


def _leaves(weights: Weights) -> Weights:
    return {name: value.detach().requires_grad_() for name, value in weights.items()}
