"""The sizes of a network's matrices, which decide what its products cost."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from inrlens.fields.backbone import Backbone, make_backbone
from inrlens.seeding import generator


@dataclass(frozen=True)
class NetworkShape:
    """``layers`` holds ``(d_out, d_in)`` of every layer, ``projection`` ``(F, m)`` of the Fourier features or None,
    ``outputs`` the number of columns ``M*c`` of all heads together."""

    backbone: str
    layers: tuple[tuple[int, int], ...]
    projection: tuple[int, int] | None
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
        """Weights and biases of layers and heads."""
        return self.trained_parameters(0)

    def trained_parameters(self, start: int) -> int:
        """Weights and biases of layers ``start``..L-1 and of the heads."""
        heads = self.outputs * (self.width + 1)
        return heads + sum(d_out * (d_in + 1) for d_out, d_in in self.layers[start:])

    def entering(self, layer: int) -> int:
        """How many numbers of a coordinate enter a layer; with ``layer`` L, the heads."""
        return self.layers[layer][1] if layer < self.depth else self.width


def backbone_of(settings: Mapping[str, Any]) -> Backbone:
    """The backbone of ``{"name": ..., its settings}``, as recipes and cells write it."""
    return _made(json.dumps(settings, sort_keys=True))[0]


def network_shape(settings: Mapping[str, Any], outputs: int) -> NetworkShape:
    """The shape of a network of ``{"name": ..., its settings}`` with so many output columns."""
    backbone, layers, projection = _made(json.dumps(settings, sort_keys=True))
    return NetworkShape(backbone.name, layers, projection, outputs, backbone.coordinates)


@lru_cache(maxsize=64)
def _made(text: str) -> tuple[Backbone, tuple[tuple[int, int], ...], tuple[int, int] | None]:
    """Asks the encoder itself, so that a backbone of any kind states its own sizes."""
    settings = json.loads(text)
    backbone = make_backbone(settings.pop("name"), **settings)
    encoder = backbone.encoder(generator(0, "price"))
    sizes = [encoder.layer(index).weight.shape for index in range(encoder.depth)]
    projection = None if encoder.projection is None else encoder.projection.frequencies.shape
    return (
        backbone,
        tuple((int(d_out), int(d_in)) for d_out, d_in in sizes),
        None if projection is None else (int(projection[0]), int(projection[1])),
    )
