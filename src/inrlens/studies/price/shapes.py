"""The sizes of a network's matrices, which decide what its products cost."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from inrlens.fields.backbone import Backbone, make_backbone
from inrlens.seeding import generator


@dataclass(frozen=True)
class EncodingShape:
    """Operations of one coordinate's features, and how many numbers are trained: none of a fixed encoding."""

    operations: int
    parameters: int


@dataclass(frozen=True)
class NetworkShape:
    """``layers`` holds ``(d_out, d_in)`` of every layer, ``encoding`` what stands before them or None, ``outputs`` the
    number of columns ``M*c`` of all heads together."""

    backbone: str
    layers: tuple[tuple[int, int], ...]
    encoding: EncodingShape | None
    outputs: int
    coordinates: int

    @property
    def depth(self) -> int:
        """Number of layers L."""
        return len(self.layers)

    @property
    def width(self) -> int:
        """Units d of the last layer, which the heads read."""
        return self.layers[-1][0]

    @property
    def parameters(self) -> int:
        """Weights and biases of layers and heads, and tables."""
        return self.trained_parameters(0)

    def trained_parameters(self, start: int) -> int:
        """Weights and biases of layers ``start``..L-1 and of the heads, with ``start`` 0 of the encoding too."""
        heads = self.outputs * (self.width + 1)
        tables = self.encoding.parameters if self.trains_encoding(start) and self.encoding else 0
        return heads + tables + sum(d_out * (d_in + 1) for d_out, d_in in self.layers[start:])

    def trains_encoding(self, start: int) -> bool:
        """Whether a fit from layer ``start`` on trains what stands before the layers."""
        return start == 0 and self.encoding is not None and self.encoding.parameters > 0

    def entering(self, layer: int) -> int:
        """How many numbers of a coordinate enter what is trained from ``layer`` on; with ``layer`` L, the heads."""
        if self.trains_encoding(layer):
            return self.coordinates
        return self.layers[layer][1] if layer < self.depth else self.width


def backbone_of(settings: Mapping[str, Any]) -> Backbone:
    """The backbone of ``{"name": ..., its settings}``, as recipes and cells write it."""
    return _made(json.dumps(settings, sort_keys=True))[0]


def network_shape(settings: Mapping[str, Any], outputs: int) -> NetworkShape:
    """The shape of a network of ``{"name": ..., its settings}`` with so many output columns."""
    backbone, layers, encoding = _made(json.dumps(settings, sort_keys=True))
    return NetworkShape(backbone.name, layers, encoding, outputs, backbone.coordinates)


@lru_cache(maxsize=64)
def _made(text: str) -> tuple[Backbone, tuple[tuple[int, int], ...], EncodingShape | None]:
    """Asks the encoder itself, so that a backbone of any kind states its own sizes."""
    settings = json.loads(text)
    backbone = make_backbone(settings.pop("name"), **settings)
    encoder = backbone.encoder(generator(0, "price"))
    sizes = [encoder.layer(index).weight.shape for index in range(encoder.depth)]
    layers = tuple((int(d_out), int(d_in)) for d_out, d_in in sizes)
    before = encoder.encoding
    if before is None:
        return backbone, layers, None
    return backbone, layers, EncodingShape(before.operations, sum(one.numel() for one in before.parameters()))
