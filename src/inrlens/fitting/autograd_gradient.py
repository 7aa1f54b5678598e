"""Loss and gradients of one tile by automatic differentiation, for layers that do not state their derivative."""

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.fitting.stack import Stack


class AutogradGradient:
    """Adds up the gradients of tiles in ``gradients``, ordered as the stack's parameters, network after network."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.gradients = [torch.zeros_like(parameter) for parameter in stack.parameters]

    def add(
        self,
        inputs: Float[Tensor, "n d"],
        targets: Float[Tensor, "s n mc"],
        weight: float,
        loss: Float[Tensor, " s"],
        clamped: Float[Tensor, "s mc"],
    ) -> None:
        """Adds one tile's share to ``gradients``, to the loss, and to the clamped output's squared error.

        ``weight`` is what one squared error counts in the loss.
        """
        at = 0
        for index, (layers, head) in enumerate(zip(self._stack.modules, self._stack.heads, strict=True)):
            parameters = self._stack.parameters_of[index]
            with torch.enable_grad():
                h = inputs
                for layer in layers:
                    h = layer(h)
                out = head(h)
                share = weight * (out - targets[index]).square().sum()
                found = torch.autograd.grad(share, parameters, allow_unused=True)
            for total, gradient in zip(self.gradients[at:], found, strict=False):
                if gradient is not None:
                    total += gradient
            at += len(parameters)
            loss[index] += share.detach()
            clamped[index] += (out.detach().clamp(0.0, 1.0) - targets[index]).square().sum(0)
