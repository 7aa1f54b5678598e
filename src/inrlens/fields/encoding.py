"""What may stand before layer 0: features of the coordinates, fixed or trained."""

import math
from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Encoding(nn.Module, ABC):
    """From coordinates ``(N, m)`` to the features ``(N, e)`` that enter layer 0, each row by itself.

    An encoding is no layer: it is reused and frozen together with layer 0. What it trains are its parameters, what it
    was given are its buffers; the features depend on nothing else.
    """

    @property
    @abstractmethod
    def operations(self) -> int:
        """Floating-point operations of the products in one row's features, a multiplication and an addition each."""

    @property
    def is_trained(self) -> bool:
        """Whether there is anything to train."""
        return any(True for _ in self.parameters())

    @abstractmethod
    def forward(self, x: Float[Tensor, "n m"]) -> Float[Tensor, "n e"]:
        """The features at coordinates."""


class FourierProjection(Encoding):
    """Fixed Fourier features, ``gamma(x) = [sin(2 pi B x), cos(2 pi B x)]`` (Tancik et al. 2020, Sec. 4).

    ``frequencies`` B is ``(F, m)``, in cycles per unit of the coordinate; it is stored, never trained. With ``bare``
    the coordinates themselves follow the waves.
    """

    frequencies: Tensor

    def __init__(self, frequencies: Float[Tensor, "f m"], bare: bool = False) -> None:
        super().__init__()
        self.register_buffer("frequencies", frequencies)
        self.bare = bare

    @property
    def operations(self) -> int:
        """Of the product with B; sines are not counted."""
        return 2 * self.frequencies.numel()

    def forward(self, x: Float[Tensor, "n m"]) -> Float[Tensor, "n features"]:
        """Features ``(N, 2F)`` or, with the bare coordinates, ``(N, 2F + m)``: sines first, then cosines."""
        angle = (2.0 * math.pi) * (x @ self.frequencies.T)
        return torch.cat([angle.sin(), angle.cos(), *([x] if self.bare else [])], dim=1)
