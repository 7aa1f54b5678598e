"""FINER: sines whose frequency grows with their argument.

Paper: Liu, Zhu, Zhang, Fu, Deng, Ma, Guo, Cao, "FINER: Flexible Spectral-bias Tuning in Implicit NEural Representation
by Variable-periodic Activation Functions", CVPR 2024.

Weights as SIREN's. The paper draws the first layer's biases from a wider U(-k, k); the image script of the public code
(``models.py`` and ``run_finer.sh`` of liuzhen0212/FINER, no licence) leaves them at torch's default. That code also
holds ``|u| + 1`` fixed when it differentiates; here the derivative is the function's. The code here is our own.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.backbone import WHOLE, check_range, check_sizes, register_backbone, uniform
from inrlens.fields.encoder import Encoder, Layer
from inrlens.fields.nonlinearity import finer
from inrlens.fields.per_layer import check_per_layer, per_layer


@register_backbone("finer")
@dataclass(frozen=True)
class Finer:
    """``h_l = sin(omega_l (|u| + 1) u)`` with ``u = W_l h_{l-1} + b_l``.

    ``omega_0`` is one number for all layers or one a layer; ``first_bias`` is k of layer 0's biases U(-k, k), None
    leaves them at torch's default; ``coordinates`` is m, ``width`` d, ``depth`` L.
    """

    name: ClassVar[str] = "finer"
    weight_rule: ClassVar[str] = "layer 0: U(-1/d_in, 1/d_in); others and head: U(-sqrt(6/d_in)/omega, +)"
    bias_rule: ClassVar[str] = (
        "layer 0: U(-first_bias, +) where it is given; else U(-1/sqrt(d_in), +), the default of torch.nn.Linear"
    )

    coordinates: int = 2
    width: int = 256
    depth: int = 5
    omega_0: float | tuple[float, ...] = 30.0
    first_bias: float | None = None
    coordinate_range: tuple[float, ...] = WHOLE

    def __post_init__(self) -> None:
        check_sizes("finer", coordinates=self.coordinates, width=self.width, depth=self.depth)
        check_range("finer", self.coordinate_range)
        check_per_layer("finer", "omega_0", self.omega_0, self.depth)
        if self.first_bias is not None and not 0.0 < self.first_bias < math.inf:
            raise InputError(f"finer: first_bias must be a positive number or None, not {self.first_bias}.")

    def encoder(self, generator: torch.Generator) -> Encoder:
        """A freshly initialised encoder."""
        layers = []
        for index, omega in enumerate(per_layer(self.omega_0, self.depth)):
            d_in = self.coordinates if index == 0 else self.width
            weight = uniform((self.width, d_in), 1.0 / d_in if index == 0 else math.sqrt(6.0 / d_in) / omega, generator)
            given = self.first_bias if index == 0 else None
            bias = uniform((self.width,), 1.0 / math.sqrt(d_in) if given is None else given, generator)
            layers.append(Layer(weight, bias, finer(omega), omega))
        return Encoder(layers)

    def head(self, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Initial weight and bias of linear heads."""
        omega = per_layer(self.omega_0, self.depth)[-1]
        weight = uniform((rows, self.width), math.sqrt(6.0 / self.width) / omega, generator)
        return weight, uniform((rows,), 1.0 / math.sqrt(self.width), generator)
