"""Plain ReLU on the coordinates themselves: the baseline that fails.

Such a network learns low frequencies first and fine detail hardly ever: Rahaman, Baratin, Arpit, Draxler, Lin,
Hamprecht, Bengio, Courville, "On the Spectral Bias of Neural Networks", ICML 2019; Tancik et al., NeurIPS 2020, for
pictures. Initialisation is torch's default. The code is our own.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from inrlens.fields.backbone import WHOLE, check_range, check_sizes, register_backbone, uniform
from inrlens.fields.encoder import Encoder, Layer
from inrlens.fields.nonlinearity import RELU


@register_backbone("relu")
@dataclass(frozen=True)
class ReLU:
    """``h_l = relu(W_l h_{l-1} + b_l)`` from the coordinates on; ``coordinates`` is m, ``width`` d, ``depth`` L."""

    name: ClassVar[str] = "relu"
    weight_rule: ClassVar[str] = "U(-1/sqrt(d_in), +), the default of torch.nn.Linear, in every layer and head"
    bias_rule: ClassVar[str] = "U(-1/sqrt(d_in), +), the default of torch.nn.Linear, in every layer and head"

    coordinates: int = 2
    width: int = 256
    depth: int = 5
    coordinate_range: tuple[float, ...] = WHOLE

    def __post_init__(self) -> None:
        check_sizes("relu", coordinates=self.coordinates, width=self.width, depth=self.depth)
        check_range("relu", self.coordinate_range)

    def encoder(self, generator: torch.Generator) -> Encoder:
        """A freshly initialised encoder."""
        layers = []
        for index in range(self.depth):
            d_in = self.coordinates if index == 0 else self.width
            bound = 1.0 / math.sqrt(d_in)
            weight = uniform((self.width, d_in), bound, generator)
            layers.append(Layer(weight, uniform((self.width,), bound, generator), RELU))
        return Encoder(layers)

    def head(self, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Initial weight and bias of linear heads."""
        bound = 1.0 / math.sqrt(self.width)
        return uniform((rows, self.width), bound, generator), uniform((rows,), bound, generator)
