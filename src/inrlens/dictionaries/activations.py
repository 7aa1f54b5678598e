"""The rows that a dictionary is trained on: a layer's activations, all of them."""

import hashlib
from threading import Lock

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.fields.field import Field
from inrlens.rows import over_tiles

ACTIVATION_TILE = 1024
"""Rows that a core takes through the layers at once, so that they stay in its cache."""


@torch.no_grad()
def layer_rows(
    field: Field, layer: int, grid: tuple[int, ...] | None = None, x: Float[Tensor, "n m"] | None = None
) -> Float[Tensor, "n d"]:
    """A layer's activations ``(N, d)`` over a grid, or at coordinates ``x``."""
    field.encoder.check_layer(layer)
    x = field.grid_coordinates(grid) if x is None else x
    out = x.new_empty(x.shape[0], field.encoder.layer(layer).weight.shape[0])

    def tile(part: slice) -> None:
        out[part] = field.encoder.run(x[part], 0, layer + 1)

    over_tiles(x.shape[0], ACTIVATION_TILE, lambda: tile, x.device)
    return out


def encoder_digest(field: Field, layer: int) -> str:
    """SHA-256 of the projection and of layers 0..``layer``: all that the activations of a layer depend on."""
    digest = hashlib.sha256()
    if field.encoder.projection is not None:
        digest.update(field.encoder.projection.frequencies.cpu().numpy().tobytes())
    for index in range(layer + 1):
        for value in field.encoder.layer(index).state_dict().values():
            digest.update(value.cpu().numpy().tobytes())
    return digest.hexdigest()


class SharedRows:
    """Layers' activations over one grid for work that goes layer by layer on several threads: the last two are kept."""

    def __init__(self, grid: tuple[int, ...] | None) -> None:
        self._grid = grid
        self._lock = Lock()
        self._kept: list[tuple[Field, int, Tensor]] = []

    def __call__(self, field: Field, layer: int) -> Float[Tensor, "n d"]:
        """As ``layer_rows``; not to be changed."""
        with self._lock:
            for owner, number, rows in self._kept:
                if owner is field and number == layer:
                    return rows
            self._kept = [*self._kept[-1:], (field, layer, layer_rows(field, layer, self._grid))]
            return self._kept[-1][2]
