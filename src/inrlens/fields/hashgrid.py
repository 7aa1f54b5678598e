"""HashGrid: a small ReLU network behind trained features on grids of many resolutions.

Paper: Mueller, Evans, Schied, Keller, "Instant Neural Graphics Primitives with a Multiresolution Hash Encoding", ACM
Transactions on Graphics 41(4), 2022. Defaults are its Table 1, where it gives a range its smallest, and the network of
section 4. Its networks have no biases (tiny-cuda-nn); ours have torch's. The code is our own.
"""

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.backbone import NO_SIZE, WHOLE, check_range, check_sizes, register_backbone, uniform
from inrlens.fields.encoder import Encoder, Layer
from inrlens.fields.hash_encoding import PRIMES, HashEncoding, grid_resolutions, level_rows
from inrlens.fields.nonlinearity import RELU

_MOST_BITS = 24
"""Of a table, the paper's largest; and of a resolution, since float32 coordinates tell no more cells apart."""


@register_backbone("hashgrid")
@dataclass(frozen=True)
class HashGrid:
    """``h_l = relu(W_l h_{l-1} + b_l)`` behind a multiresolution hash encoding of ``levels * features`` features.

    ``width`` is d, ``depth`` L of the network behind it. The encoding has ``levels`` grids of ``coarsest`` to
    ``finest`` cells a side over ``coordinate_range``, ``features`` numbers a vertex, and at most ``2^log2_table`` rows
    a level, which start from U(-table_bound, table_bound).
    """

    name: ClassVar[str] = "hashgrid"
    weight_rule: ClassVar[str] = "U(-sqrt(6/(d_in + d_out)), +) in layers and heads (Glorot); tables U(-table_bound, +)"
    bias_rule: ClassVar[str] = "U(-1/sqrt(d_in), +), the default of torch.nn.Linear, in every layer and head"

    coordinates: int = 2
    width: int = 64
    depth: int = 2
    levels: int = 16
    features: int = 2
    log2_table: int = field(default=14, metadata=NO_SIZE)
    coarsest: int = field(default=16, metadata=NO_SIZE)
    finest: int = field(default=512, metadata=NO_SIZE)
    table_bound: float = 1e-4
    coordinate_range: tuple[float, ...] = WHOLE

    def __post_init__(self) -> None:
        check_sizes(
            "hashgrid",
            coordinates=self.coordinates,
            width=self.width,
            depth=self.depth,
            levels=self.levels,
            features=self.features,
            log2_table=self.log2_table,
            coarsest=self.coarsest,
        )
        check_range("hashgrid", self.coordinate_range)
        if self.coordinates > len(PRIMES):
            raise InputError(f"hashgrid: coordinates must be 1, 2 or 3, not {self.coordinates}.")
        if self.log2_table > _MOST_BITS:
            raise InputError(f"hashgrid: log2_table must be at most {_MOST_BITS}, not {self.log2_table}.")
        if not self.coarsest <= self.finest <= 2**_MOST_BITS:
            raise InputError(
                f"hashgrid: finest must lie between coarsest, {self.coarsest}, and 2^{_MOST_BITS}, not {self.finest}."
            )
        if not 0.0 < self.table_bound < math.inf:
            raise InputError(f"hashgrid: table_bound must be a positive number, not {self.table_bound}.")
        if self.levels == 1 and self.coarsest != self.finest:
            raise InputError(
                f"hashgrid: one level has one resolution: give coarsest and finest the same, not {self.coarsest} and "
                f"{self.finest}."
            )

    def encoder(self, generator: torch.Generator) -> Encoder:
        """Freshly drawn tables and freshly initialised layers."""
        layers = []
        for index in range(self.depth):
            d_in = self.levels * self.features if index == 0 else self.width
            weight = uniform((self.width, d_in), math.sqrt(6.0 / (d_in + self.width)), generator)
            layers.append(Layer(weight, uniform((self.width,), 1.0 / math.sqrt(d_in), generator), RELU))
        resolutions = grid_resolutions(self.levels, self.coarsest, self.finest)
        rows = sum(level_rows(resolutions, self.coordinates, self.log2_table))
        tables = uniform((rows, self.features), self.table_bound, generator)
        return Encoder(
            layers, HashEncoding(tables, resolutions, self.coordinates, self.log2_table, self.coordinate_range)
        )

    def head(self, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Initial weight and bias of linear heads, which count as one layer."""
        weight = uniform((rows, self.width), math.sqrt(6.0 / (self.width + rows)), generator)
        return weight, uniform((rows,), 1.0 / math.sqrt(self.width), generator)
