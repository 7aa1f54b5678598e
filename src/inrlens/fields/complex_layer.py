"""Layers of complex units, held and run as pairs of real ones.

d complex units are 2d real ones: d real parts, then d imaginary parts. A complex product is then the real product with
the block matrix ``[[A, -B], [B, A]]`` of ``A + iB``, so that everything that reads a layer's ``weight``, ``bias`` and
activations takes a complex layer as it takes a real one.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from inrlens.fields.nonlinearity import Nonlinearity


class ComplexLayer(nn.Module):
    """``h = phi(scale * (W h' + b))`` with complex ``W = A + iB``; ``real`` A and ``imaginary`` B are ``(d, d_in)``.

    ``bias`` ``(2d,)`` holds the real parts of b, then the imaginary ones.
    """

    def __init__(
        self,
        real: Float[Tensor, "d d_in"],
        imaginary: Float[Tensor, "d d_in"],
        bias: Float[Tensor, " d2"],
        nonlinearity: Nonlinearity,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.real = nn.Parameter(real)
        self.imaginary = nn.Parameter(imaginary)
        self.bias = nn.Parameter(bias)
        self.nonlinearity = nonlinearity
        self.scale = scale

    @staticmethod
    def spread(parameters: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Weight ``(..., 2d, 2 d_in)`` and bias ``(..., 2d)`` over real units, from A, B and bias."""
        real, imaginary, bias = parameters
        upper, lower = torch.cat([real, -imaginary], dim=-1), torch.cat([imaginary, real], dim=-1)
        return torch.cat([upper, lower], dim=-2), bias

    @staticmethod
    def fold(weight: Tensor, bias: Tensor) -> list[Tensor]:
        """Gradients of A, B and bias, from those of what ``spread`` gives."""
        (upper_left, upper_right), (lower_left, lower_right) = (
            half.chunk(2, dim=-1) for half in weight.chunk(2, dim=-2)
        )
        return [upper_left + lower_right, lower_left - upper_right, bias]

    @property
    def weight(self) -> Float[Tensor, "d2 d_in2"]:
        """The real block matrix ``[[A, -B], [B, A]]`` ``(2d, 2 d_in)``, made anew from A and B."""
        return self.spread([self.real, self.imaginary, self.bias])[0]

    @property
    def matrix(self) -> Complex[Tensor, "d d_in"]:
        """``A + iB`` itself; the block matrix has each of its singular values twice."""
        return torch.complex(self.real, self.imaginary)

    def preactivation(self, h: Float[Tensor, "n d_in2"]) -> Float[Tensor, "n d2"]:
        """``W h' + b``, before scale and nonlinearity."""
        return nn.functional.linear(h, self.weight, self.bias)

    def forward(self, h: Float[Tensor, "n d_in2"]) -> Float[Tensor, "n d2"]:
        """``phi(scale * (W h' + b))``."""
        return self.nonlinearity.value(self.scale * self.preactivation(h), None)


class LiftedLayer(nn.Module):
    """The first layer of a complex network: real weights ``real`` ``(d, m)`` from real coordinates to complex units.

    The imaginary parts of its pre-activations are 0; ``real_bias`` is ``(d,)``.
    """

    def __init__(
        self,
        real: Float[Tensor, "d m"],
        real_bias: Float[Tensor, " d"],
        nonlinearity: Nonlinearity,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.real = nn.Parameter(real)
        self.real_bias = nn.Parameter(real_bias)
        self.nonlinearity = nonlinearity
        self.scale = scale

    @staticmethod
    def spread(parameters: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Weight ``(..., 2d, m)`` and bias ``(..., 2d)`` over real units, from A and b."""
        real, bias = parameters
        return torch.cat([real, torch.zeros_like(real)], dim=-2), torch.cat([bias, torch.zeros_like(bias)], dim=-1)

    @staticmethod
    def fold(weight: Tensor, bias: Tensor) -> list[Tensor]:
        """Gradients of A and b, from those of what ``spread`` gives."""
        return [weight.chunk(2, dim=-2)[0].contiguous(), bias.chunk(2, dim=-1)[0].contiguous()]

    @property
    def weight(self) -> Float[Tensor, "d2 m"]:
        """``[[A], [0]]`` ``(2d, m)``, made anew from A."""
        return self.spread([self.real, self.real_bias])[0]

    @property
    def bias(self) -> Float[Tensor, " d2"]:
        """``[b, 0]`` ``(2d,)``, made anew from b."""
        return self.spread([self.real, self.real_bias])[1]

    @property
    def matrix(self) -> Float[Tensor, "d m"]:
        """A itself."""
        return self.real

    def preactivation(self, h: Float[Tensor, "n m"]) -> Float[Tensor, "n d2"]:
        """``[A x + b, 0]``, before scale and nonlinearity."""
        return nn.functional.linear(h, self.weight, self.bias)

    def forward(self, h: Float[Tensor, "n m"]) -> Float[Tensor, "n d2"]:
        """``phi(scale * [A x + b, 0])``."""
        return self.nonlinearity.value(self.scale * self.preactivation(h), None)
