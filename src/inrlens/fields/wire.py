"""WIRE: complex Gabor wavelets in every layer.

Paper: Saragadam, LeJeune, Tan, Balakrishnan, Veeraraghavan, Baraniuk, "WIRE: Wavelet Implicit Neural Representations",
CVPR 2023. Started as the authors' public code does (``modules/wire.py`` of vishwa91/wire, MIT), which leaves
complex layers to torch. omega 20 and s 10 are FINER's settings for images. The code here is our own; ``wire_real`` is
the real variant.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.backbone import WHOLE, check_range, check_sizes, register_backbone, uniform
from inrlens.fields.complex_layer import ComplexLayer, LiftedLayer
from inrlens.fields.encoder import Encoder, HiddenLayer
from inrlens.fields.nonlinearity import complex_gabor
from inrlens.fields.per_layer import check_per_layer, per_layer


@register_backbone("wire")
@dataclass(frozen=True)
class Wire:
    """``h_l = exp(i omega_l z - |s_l z|^2)`` with ``z = W_l h_{l-1} + b_l``: W_0 and b_0 real, the others complex.

    ``width`` d counts real units, two for each complex one, and is even: activations are ``(N, d)``, d/2 real parts,
    then d/2 imaginary ones. The output is a free real head on them, which is the real part of a complex head. The
    authors divide a real network's width by sqrt(2): their 256 means 181 complex units, 362 here. ``omega_0`` and
    ``scale`` s are one number for all layers or one a layer; ``coordinates`` is m, ``depth`` L.
    """

    name: ClassVar[str] = "wire"
    weight_rule: ClassVar[str] = (
        "U(-1/sqrt(d_in), +), the default of torch.nn.Linear, for real and imaginary parts alike in every layer and "
        "head; d_in counts complex units, and coordinates in layer 0, whose weights are real"
    )
    bias_rule: ClassVar[str] = "as the weights of the same layer"

    coordinates: int = 2
    width: int = 362
    depth: int = 5
    omega_0: float | tuple[float, ...] = 20.0
    scale: float | tuple[float, ...] = 10.0
    coordinate_range: tuple[float, ...] = WHOLE

    def __post_init__(self) -> None:
        check_sizes("wire", coordinates=self.coordinates, width=self.width, depth=self.depth)
        check_range("wire", self.coordinate_range)
        if self.width % 2:
            raise InputError(f"wire: width counts two real units for each complex one: it is even, not {self.width}.")
        check_per_layer("wire", "omega_0", self.omega_0, self.depth)
        check_per_layer("wire", "scale", self.scale, self.depth)

    def encoder(self, generator: torch.Generator) -> Encoder:
        """A freshly initialised encoder."""
        d = self.width // 2
        layers: list[HiddenLayer] = []
        waves = zip(per_layer(self.omega_0, self.depth), per_layer(self.scale, self.depth), strict=True)
        for index, (omega, scale) in enumerate(waves):
            phi, d_in = complex_gabor(scale / omega), d if index else self.coordinates
            bound = 1.0 / math.sqrt(d_in)
            real = uniform((d, d_in), bound, generator)
            if index == 0:
                layers.append(LiftedLayer(real, uniform((d,), bound, generator), phi, omega))
            else:
                imaginary = uniform((d, d_in), bound, generator)
                layers.append(ComplexLayer(real, imaginary, uniform((2 * d,), bound, generator), phi, omega))
        return Encoder(layers)

    def head(self, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Initial weight and bias of linear heads; ``[P, -Q]`` is the real part of the complex head ``P + iQ``."""
        bound = 1.0 / math.sqrt(self.width // 2)
        return uniform((rows, self.width), bound, generator), uniform((rows,), bound, generator)
