"""SIREN: sines in every layer.

Paper: Sitzmann, Martel, Bergman, Lindell, Wetzstein, "Implicit Neural Representations with Periodic Activation
Functions", NeurIPS 2020. Initialisation as in the authors' public code (``modules.py`` of vsitzmann/siren, MIT), which
the first author has named as the correct one where the paper's text differs from it. The code here is our own.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.backbone import WHOLE, check_one_of, check_range, check_sizes, register_backbone, uniform
from inrlens.fields.encoder import Encoder, Layer
from inrlens.fields.nonlinearity import SINE

BIASES = ("torch", "weights", "zero")


@register_backbone("siren")
@dataclass(frozen=True)
class Siren:
    """``h_l = sin(omega_l (W_l h_{l-1} + b_l))``.

    ``omega_0`` is one number for all layers or one a layer; ``coordinates`` is m, ``width`` d, ``depth`` L. ``bias``
    names the law of the biases, which papers seldom tell: one of ``BIASES``.
    """

    name: ClassVar[str] = "siren"
    weight_rule: ClassVar[str] = "layer 0: U(-1/d_in, 1/d_in); others and head: U(-sqrt(6/d_in)/omega, +)"
    bias_rule: ClassVar[str] = (
        "in every layer and head, by `bias`: torch: U(-1/sqrt(d_in), +), the default of torch.nn.Linear; weights: as "
        "the weights of the same layer; zero: 0"
    )

    coordinates: int = 2
    width: int = 256
    depth: int = 5
    omega_0: float | tuple[float, ...] = 30.0
    bias: str = "torch"
    coordinate_range: tuple[float, ...] = WHOLE

    def __post_init__(self) -> None:
        check_sizes("siren", coordinates=self.coordinates, width=self.width, depth=self.depth)
        check_range("siren", self.coordinate_range)
        # One number is not repeated for every layer here: a damaged file may speak of a billion of them.
        given, needed = (self.omega_0, self.depth) if isinstance(self.omega_0, tuple) else ((float(self.omega_0),), 1)
        if len(given) != needed or not all(0.0 < omega < math.inf for omega in given):
            raise InputError(
                f"siren: omega_0 must be one positive number, or {self.depth} of them, not {self.omega_0}."
            )

        check_one_of("siren", "bias", self.bias, BIASES)

    @property
    def omegas(self) -> tuple[float, ...]:
        """omega of every layer."""
        if isinstance(self.omega_0, tuple):
            return self.omega_0
        return (float(self.omega_0),) * self.depth

    def encoder(self, generator: torch.Generator) -> Encoder:
        """A freshly initialised encoder."""
        layers = []
        for index, omega in enumerate(self.omegas):
            d_in = self.coordinates if index == 0 else self.width
            bound = 1.0 / d_in if index == 0 else math.sqrt(6.0 / d_in) / omega
            weight = uniform((self.width, d_in), bound, generator)
            bias = uniform((self.width,), self._bias_bound(d_in, bound), generator)
            layers.append(Layer(weight, bias, SINE, omega))
        return Encoder(layers)

    def head(self, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Initial weight and bias of linear heads."""
        bound = math.sqrt(6.0 / self.width) / self.omegas[-1]
        weight = uniform((rows, self.width), bound, generator)
        return weight, uniform((rows,), self._bias_bound(self.width, bound), generator)

    def _bias_bound(self, d_in: int, weights: float) -> float:
        return {"torch": 1.0 / math.sqrt(d_in), "weights": weights, "zero": 0.0}[self.bias]
