"""Layers of complex units, held and run as pairs of real ones.

d complex units are 2d real ones: d real parts, then d imaginary parts. A complex product is then the real product with
the block matrix ``[[A, -B], [B, A]]`` of ``A + iB``, so that everything that reads a layer's ``weight``, ``bias`` and
activations takes a complex layer as it takes a real one.
"""

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

    @property
    def weight(self) -> Float[Tensor, "d2 d_in2"]:
        """The real block matrix ``[[A, -B], [B, A]]`` ``(2d, 2 d_in)``, made anew from A and B."""
        upper = torch.cat([self.real, -self.imaginary], dim=1)
        return torch.cat([upper, torch.cat([self.imaginary, self.real], dim=1)])

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

    @property
    def weight(self) -> Float[Tensor, "d2 m"]:
        """``[[A], [0]]`` ``(2d, m)``, made anew from A."""
        return torch.cat([self.real, torch.zeros_like(self.real)])

    @property
    def bias(self) -> Float[Tensor, " d2"]:
        """``[b, 0]`` ``(2d,)``, made anew from b."""
        return torch.cat([self.real_bias, torch.zeros_like(self.real_bias)])

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
