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
from inrlens.fields.backbone import WHOLE, check_one_of, check_range, check_sizes, register_backbone, uniform
from inrlens.fields.encoder import Encoder, Layer
from inrlens.fields.encoding import FourierProjection
from inrlens.fields.nonlinearity import RELU

INITIALISATIONS = ("torch", "he", "glorot")


@register_backbone("ffmlp")
@dataclass(frozen=True)
class FFMLP:
    """``h_l = relu(W_l h_{l-1} + b_l)`` behind ``gamma(x) = [sin(2 pi B x), cos(2 pi B x)]``.

    B is ``(frequencies, coordinates)`` with entries from N(0, sigma^2) in cycles per unit of a coordinate: over the
    ``coordinate_range`` (0, 1) the same sigma means half the cycles across the picture that it means over (-1, 1).
    Without ``two_pi`` the features are ``[sin(B x), cos(B x)]``, sigma in radians per unit: what is kept is B / (2 pi).
    ``initialisation`` names the law of the layers' weights, ``INITIALISATIONS``: torch's own default, which is the
    default here; He's or Glorot's uniform one, whose biases are 0.
    """

    name: ClassVar[str] = "ffmlp"
    weight_rule: ClassVar[str] = (
        "in every layer and head, by `initialisation`: torch: U(-1/sqrt(d_in), +), the default of torch.nn.Linear; he: "
        "U(-sqrt(6/d_in), +); glorot: U(-sqrt(6/(d_in + d_out)), +)"
    )
    bias_rule: ClassVar[str] = "torch: U(-1/sqrt(d_in), +), the default of torch.nn.Linear; he and glorot: 0"

    coordinates: int = 2
    width: int = 256
    depth: int = 5
    frequencies: int = 256
    sigma: float = 10.0
    two_pi: bool = True
    initialisation: str = "torch"
    coordinate_range: tuple[float, ...] = WHOLE

    def __post_init__(self) -> None:
        check_sizes(
            "ffmlp",
            coordinates=self.coordinates,
            width=self.width,
            depth=self.depth,
            frequencies=self.frequencies,
        )
        check_range("ffmlp", self.coordinate_range)
        if not 0.0 < self.sigma < math.inf:
            raise InputError(f"ffmlp: sigma must be a positive number, not {self.sigma}.")
        check_one_of("ffmlp", "initialisation", self.initialisation, INITIALISATIONS)

    def encoder(self, generator: torch.Generator) -> Encoder:
        """A freshly drawn projection and freshly initialised layers."""
        frequencies = torch.randn(self.frequencies, self.coordinates, generator=generator) * self.sigma
        if not self.two_pi:
            frequencies /= 2.0 * math.pi
        layers = []
        for index in range(self.depth):
            d_in = 2 * self.frequencies if index == 0 else self.width
            layers.append(Layer(*self._linear(self.width, d_in, generator), RELU))
        return Encoder(layers, FourierProjection(frequencies))

    def head(self, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Initial weight and bias of linear heads."""
        return self._linear(rows, self.width, generator)

    def _linear(self, rows: int, d_in: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        bounds = {
            "torch": (1.0 / math.sqrt(d_in), 1.0 / math.sqrt(d_in)),
            "he": (math.sqrt(6.0 / d_in), 0.0),
            "glorot": (math.sqrt(6.0 / (d_in + rows)), 0.0),
        }
        weight, bias = bounds[self.initialisation]
        return uniform((rows, d_in), weight, generator), uniform((rows,), bias, generator)
