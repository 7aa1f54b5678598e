"""Positional encoding: a ReLU network behind sines and cosines of doubling frequency.

Paper: Mildenhall, Srinivasan, Tancik, Barron, Ramamoorthi, Ng, "NeRF: Representing Scenes as Neural Radiance Fields for
View Synthesis", ECCV 2020, eq. 4. Public codes put the coordinates themselves beside the waves, and some leave out the
factor pi (``models.py`` of liuzhen0212/FINER, no licence, does both): ``bare`` and ``first_angle`` say so, and are the
paper's where they are not given. Initialisation is torch's default. The code here is our own.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.backbone import WHOLE, check_range, check_sizes, register_backbone, uniform
from inrlens.fields.encoder import Encoder, Layer
from inrlens.fields.encoding import FourierProjection
from inrlens.fields.nonlinearity import RELU

_MOST_FREQUENCIES = 24
"""Float32 coordinates hold 24 binary digits: faster waves than this would show nothing but their rounding."""


@register_backbone("posenc")
@dataclass(frozen=True)
class PosEnc:
    """``h_l = relu(W_l h_{l-1} + b_l)`` behind ``sin(2^j a x)`` and ``cos(2^j a x)``, j = 0..frequencies-1.

    Each of the m ``coordinates`` is encoded by itself: 2 m ``frequencies`` features, all sines first, each coordinate's
    frequencies together, and with ``bare`` the coordinates themselves after them. ``first_angle`` is a, pi in the
    paper. ``width`` is d, ``depth`` L.
    """

    name: ClassVar[str] = "posenc"
    weight_rule: ClassVar[str] = "U(-1/sqrt(d_in), +), the default of torch.nn.Linear, in every layer and head"
    bias_rule: ClassVar[str] = "U(-1/sqrt(d_in), +), the default of torch.nn.Linear, in every layer and head"

    coordinates: int = 2
    width: int = 256
    depth: int = 5
    frequencies: int = 10
    first_angle: float = math.pi
    bare: bool = False
    coordinate_range: tuple[float, ...] = WHOLE

    def __post_init__(self) -> None:
        check_sizes(
            "posenc",
            coordinates=self.coordinates,
            width=self.width,
            depth=self.depth,
            frequencies=self.frequencies,
        )
        check_range("posenc", self.coordinate_range)
        if self.frequencies > _MOST_FREQUENCIES:
            raise InputError(
                f"posenc: frequencies must be at most {_MOST_FREQUENCIES}, the binary digits of a coordinate, not "
                f"{self.frequencies}."
            )
        if not 0.0 < self.first_angle < math.inf:
            raise InputError(f"posenc: first_angle must be a positive number, not {self.first_angle}.")

    def encoder(self, generator: torch.Generator) -> Encoder:
        """The encoding, which is the same for every seed, and freshly initialised layers."""
        # FourierProjection takes cycles per unit: 2^j a / (2 pi) of them are an angle of 2^j a.
        slowest = self.first_angle / (2.0 * math.pi)
        cycles = slowest * 2.0 ** torch.arange(self.frequencies, dtype=torch.float32)
        frequencies = torch.kron(torch.eye(self.coordinates), cycles[:, None])
        features = 2 * len(frequencies) + (self.coordinates if self.bare else 0)
        layers = []
        for index in range(self.depth):
            d_in = features if index == 0 else self.width
            bound = 1.0 / math.sqrt(d_in)
            weight = uniform((self.width, d_in), bound, generator)
            layers.append(Layer(weight, uniform((self.width,), bound, generator), RELU))
        return Encoder(layers, FourierProjection(frequencies, self.bare))

    def head(self, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Initial weight and bias of linear heads."""
        bound = 1.0 / math.sqrt(self.width)
        return uniform((rows, self.width), bound, generator), uniform((rows,), bound, generator)
