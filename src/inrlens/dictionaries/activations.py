"""The rows that a dictionary is trained on: a layer's activations, all of them."""

from threading import Lock

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.fields.network import Network
from inrlens.rows import over_tiles

ACTIVATION_TILE = 1024
"""Rows that a core takes through the layers at once, so that they stay in its cache."""


@torch.no_grad()
def layer_rows(
    field: Network, layer: int, grid: tuple[int, ...] | None = None, x: Float[Tensor, "n m"] | None = None
) -> Float[Tensor, "n d"]:
    """A layer's activations ``(N, d)`` over a grid, or at coordinates ``x``."""
    x = field.grid_coordinates(grid) if x is None else x
    out = x.new_empty(x.shape[0], field.units(layer))

    def tile(part: slice) -> None:
        out[part] = field.run_to(x[part], layer)

    over_tiles(x.shape[0], ACTIVATION_TILE, lambda: tile, x.device)
    return out


def encoder_digest(field: Network, layer: int) -> str:
    """SHA-256 of all that the activations of a layer depend on: of a field, the encoding and layers 0..``layer``."""
    return field.digest(layer)


class SharedRows:
    """Layers' activations over one grid for work that goes layer by layer on several threads: the last two are kept."""

    def __init__(self, grid: tuple[int, ...] | None) -> None:
        self._grid = grid
        self._lock = Lock()
        self._kept: list[tuple[Network, int, Tensor]] = []

    def __call__(self, field: Network, layer: int) -> Float[Tensor, "n d"]:
        """As ``layer_rows``; not to be changed."""
        with self._lock:
            for owner, number, rows in self._kept:
                if owner is field and number == layer:
                    return rows
            self._kept = [*self._kept[-1:], (field, layer, layer_rows(field, layer, self._grid))]
            return self._kept[-1][2]
