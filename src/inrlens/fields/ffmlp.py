"""FFMLP: a ReLU network behind fixed random Fourier features.

Paper: Tancik, Srinivasan, Mildenhall, Fridovich-Keil, Raghavan, Singhal, Ramamoorthi, Barron, Ng, "Fourier Features Let
Networks Learn High Frequency Functions in Low Dimensional Domains", NeurIPS 2020. Sizes after Table 2 of
arXiv:2605.08298, which leaves the initialisation open: torch's default is used and recorded. The code is our own.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.backbone import check_sizes, register_backbone, uniform
from inrlens.fields.encoder import Encoder, Layer
from inrlens.fields.encoding import FourierProjection
from inrlens.fields.nonlinearity import RELU


@register_backbone("ffmlp")
@dataclass(frozen=True)
class FFMLP:
    """``h_l = relu(W_l h_{l-1} + b_l)`` behind ``gamma(x) = [sin(2 pi B x), cos(2 pi B x)]``.

    B is ``(frequencies, coordinates)`` with entries from N(0, sigma^2) in cycles per unit of a coordinate that runs
    from -1 to 1: the same sigma over [0, 1] would mean half the cycles across the picture.
    """

    name: ClassVar[str] = "ffmlp"
    weight_rule: ClassVar[str] = "U(-1/sqrt(d_in), +), the default of torch.nn.Linear, in every layer and head"
    bias_rule: ClassVar[str] = "U(-1/sqrt(d_in), +), the default of torch.nn.Linear, in every layer and head"

    coordinates: int = 2
    width: int = 256
    depth: int = 5
    frequencies: int = 256
    sigma: float = 10.0

    def __post_init__(self) -> None:
        check_sizes(
            "ffmlp",
            coordinates=self.coordinates,
            width=self.width,
            depth=self.depth,
            frequencies=self.frequencies,
        )
        if not 0.0 < self.sigma < math.inf:
            raise InputError(f"ffmlp: sigma must be a positive number, not {self.sigma}.")

    def encoder(self, generator: torch.Generator) -> Encoder:
        """A freshly drawn projection and freshly initialised layers."""
        frequencies = torch.randn(self.frequencies, self.coordinates, generator=generator) * self.sigma
        layers = []
        for index in range(self.depth):
            d_in = 2 * self.frequencies if index == 0 else self.width
            bound = 1.0 / math.sqrt(d_in)
            weight = uniform((self.width, d_in), bound, generator)
            layers.append(Layer(weight, uniform((self.width,), bound, generator), RELU))
        return Encoder(layers, FourierProjection(frequencies))

    def head(self, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Initial weight and bias of linear heads."""
        bound = 1.0 / math.sqrt(self.width)
        return uniform((rows, self.width), bound, generator), uniform((rows,), bound, generator)
