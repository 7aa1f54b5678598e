"""The real variant of WIRE: a cosine under a bell in every layer.

Paper: Saragadam, LeJeune, Tan, Balakrishnan, Veeraraghavan, Baraniuk, "WIRE: Wavelet Implicit Neural Representations",
CVPR 2023: the real part of its complex Gabor wavelet at real arguments. The ``RealGaborLayer`` of the authors' public
code (``modules/wire.py`` of vishwa91/wire, MIT) gives cosine and bell a linear map each; here, as in the complex
wavelet, they share one. Started as there, by torch. The code here is our own.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from inrlens.fields.backbone import WHOLE, check_range, check_sizes, register_backbone, uniform
from inrlens.fields.encoder import Encoder, Layer
from inrlens.fields.nonlinearity import gabor
from inrlens.fields.per_layer import check_per_layer, per_layer


@register_backbone("wire_real")
@dataclass(frozen=True)
class WireReal:
    """``h_l = cos(omega_l u) exp(-(s_l u)^2)`` with ``u = W_l h_{l-1} + b_l``.

    ``omega_0`` and ``scale`` s are one number for all layers or one a layer; ``coordinates`` is m, ``width`` d,
    ``depth`` L.
    """

    name: ClassVar[str] = "wire_real"
    weight_rule: ClassVar[str] = "U(-1/sqrt(d_in), +), the default of torch.nn.Linear, in every layer and head"
    bias_rule: ClassVar[str] = "U(-1/sqrt(d_in), +), the default of torch.nn.Linear, in every layer and head"

    coordinates: int = 2
    width: int = 256
    depth: int = 5
    omega_0: float | tuple[float, ...] = 20.0
    scale: float | tuple[float, ...] = 10.0
    coordinate_range: tuple[float, ...] = WHOLE

    def __post_init__(self) -> None:
        check_sizes("wire_real", coordinates=self.coordinates, width=self.width, depth=self.depth)
        check_range("wire_real", self.coordinate_range)
        check_per_layer("wire_real", "omega_0", self.omega_0, self.depth)
        check_per_layer("wire_real", "scale", self.scale, self.depth)

    def encoder(self, generator: torch.Generator) -> Encoder:
        """A freshly initialised encoder."""
        layers = []
        waves = zip(per_layer(self.omega_0, self.depth), per_layer(self.scale, self.depth), strict=True)
        for index, (omega, scale) in enumerate(waves):
            d_in = self.coordinates if index == 0 else self.width
            bound = 1.0 / math.sqrt(d_in)
            weight, bias = uniform((self.width, d_in), bound, generator), uniform((self.width,), bound, generator)
            layers.append(Layer(weight, bias, gabor(scale / omega), omega))
        return Encoder(layers)

    def head(self, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Initial weight and bias of linear heads."""
        bound = 1.0 / math.sqrt(self.width)
        return uniform((rows, self.width), bound, generator), uniform((rows,), bound, generator)
