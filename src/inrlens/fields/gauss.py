"""Gauss: bells in every layer.

Paper: Ramasinghe, Lucey, "Beyond Periodicity: Towards a Unifying Framework for Activations in Coordinate-MLPs", ECCV
2022, where the bell is ``exp(-u^2 / (2 sigma^2))``: ``scale`` is ``1 / (sqrt(2) sigma)``. Written with a scale, and
started as torch starts a linear layer, in the public codes of WIRE (``modules/gauss.py`` of vishwa91/wire) and of FINER
(``models.py`` of liuzhen0212/FINER, no licence), whose recipe takes ``scale`` 30. The code here is our own.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from inrlens.fields.backbone import WHOLE, check_range, check_sizes, register_backbone, uniform
from inrlens.fields.encoder import Encoder, Layer
from inrlens.fields.nonlinearity import GAUSS
from inrlens.fields.per_layer import check_per_layer, per_layer


@register_backbone("gauss")
@dataclass(frozen=True)
class Gauss:
    """``h_l = exp(-(s_l (W_l h_{l-1} + b_l))^2)``.

    ``scale`` s is one number for all layers or one a layer; ``coordinates`` is m, ``width`` d, ``depth`` L.
    """

    name: ClassVar[str] = "gauss"
    weight_rule: ClassVar[str] = "U(-1/sqrt(d_in), +), the default of torch.nn.Linear, in every layer and head"
    bias_rule: ClassVar[str] = "U(-1/sqrt(d_in), +), the default of torch.nn.Linear, in every layer and head"

    coordinates: int = 2
    width: int = 256
    depth: int = 5
    scale: float | tuple[float, ...] = 30.0
    coordinate_range: tuple[float, ...] = WHOLE

    def __post_init__(self) -> None:
        check_sizes("gauss", coordinates=self.coordinates, width=self.width, depth=self.depth)
        check_range("gauss", self.coordinate_range)
        check_per_layer("gauss", "scale", self.scale, self.depth)

    def encoder(self, generator: torch.Generator) -> Encoder:
        """A freshly initialised encoder."""
        layers = []
        for index, scale in enumerate(per_layer(self.scale, self.depth)):
            d_in = self.coordinates if index == 0 else self.width
            bound = 1.0 / math.sqrt(d_in)
            weight = uniform((self.width, d_in), bound, generator)
            layers.append(Layer(weight, uniform((self.width,), bound, generator), GAUSS, scale))
        return Encoder(layers)

    def head(self, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Initial weight and bias of linear heads."""
        bound = 1.0 / math.sqrt(self.width)
        return uniform((rows, self.width), bound, generator), uniform((rows,), bound, generator)
