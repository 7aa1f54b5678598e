"""What every analysis asks of a coordinate network, whoever made it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Inexact
from torch import Tensor, nn

from inrlens.errors import InputError
from inrlens.fields.backbone import WHOLE
from inrlens.fields.encoder import HiddenLayer
from inrlens.rows import tiles
from inrlens.signals.signal import coordinates

EVALUATION_TILE = 4096


@dataclass(frozen=True)
class Chain:
    """A plain chain of layers that leads from a layer's activations to one head's output.

    ``products`` are weight ``(d_out, d_in)`` and bias ``(d_out,)`` of the linear maps, one before each of ``layers``
    and the head's own last; of a layer, scale and nonlinearity are what is left to do.
    """

    layers: Sequence[HiddenLayer]
    products: Sequence[tuple[Tensor, Tensor]]


class Network(nn.Module, ABC):
    """From coordinates in ``coordinate_range`` to M signals of c channels in [0, 1], through layers 0..L-1, row by row.

    ``Field`` is ours, ``Wrapped`` anybody's; analyses take either and ask for nothing that is not here. ``grid`` is
    the grid that is meant where none is given, or None.
    """

    channels: int
    grid: tuple[int, ...] | None

    @property
    @abstractmethod
    def coordinates(self) -> int:
        """Number of coordinates m."""

    @property
    def coordinate_range(self) -> tuple[float, ...]:
        """What the first and the last sample of every axis have for their coordinate, ``(low, high)``."""
        return WHOLE

    @property
    @abstractmethod
    def depth(self) -> int:
        """Number of layers L."""

    @property
    @abstractmethod
    def heads(self) -> int:
        """Number of signals M."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the weights live."""

    @property
    @abstractmethod
    def dtype(self) -> torch.dtype:
        """The weights' number type."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """How it came to be: untrained, single, cohort, transfer, imported, or wrapped."""

    @abstractmethod
    def units(self, layer: int) -> int:
        """Units d of a layer. Raises InputError where there is no such layer."""

    @abstractmethod
    def matrix(self, layer: int) -> Inexact[Tensor, "d_out d_in"] | None:
        """The matrix whose stable rank is the layer's, None where there is no one such matrix."""

    @abstractmethod
    def run_to(self, x: Float[Tensor, "n m"], layer: int) -> Float[Tensor, "n d"]:
        """The activations ``H_l`` of a layer at coordinates ``x``."""

    @abstractmethod
    def run_on(self, h: Float[Tensor, "n d"], x: Float[Tensor, "n m"], layer: int) -> Float[Tensor, "n mc"]:
        """All heads' outputs at ``x`` with the activations of a layer replaced by ``h``, which is left as it is."""

    @abstractmethod
    def layer_values(
        self, x: Float[Tensor, "n m"]
    ) -> Iterator[tuple[Float[Tensor, "n d_pre"] | None, Float[Tensor, "n d"]]]:
        """Every layer's pre-activations (None where ``matrix`` is) and activations at ``x``, first layer to last."""

    @abstractmethod
    def chain(self, layer: int, head: int) -> Chain | None:
        """What follows a layer where that is a plain chain; None where only ``run_on`` knows it."""

    @abstractmethod
    def digest(self, layer: int) -> str:
        """SHA-256 of what a layer's activations depend on: where two agree, so do the activations."""

    def check_layer(self, layer: int) -> None:
        """Raises InputError where there is no such layer."""
        if not 0 <= layer < self.depth:
            raise InputError(f"layer {layer} does not exist: this network has layers 0 to {self.depth - 1}.")

    def columns(self, head: int) -> slice:
        """The output columns of one head.

        Raises:
            InputError: where there is no such head.
        """
        if not 0 <= head < self.heads:
            raise InputError(f"head {head} does not exist: this field has heads 0 to {self.heads - 1}.")
        return slice(head * self.channels, (head + 1) * self.channels)

    def grid_or(self, grid: tuple[int, ...] | None) -> tuple[int, ...]:
        """``grid``, or the network's own: for a field the one that it was fitted on.

        Raises:
            InputError: where there is neither, or it has another number of axes than the network has coordinates.
        """
        chosen = self.grid if grid is None else grid
        if chosen is None:
            raise InputError("this network was never fitted on a grid: give grid=(height, width).")
        check_axes(self.coordinates, chosen)
        return tuple(int(side) for side in chosen)

    def grid_coordinates(self, grid: tuple[int, ...] | None = None) -> Float[Tensor, "n m"]:
        """The coordinates of a grid, in the network's number type and on its device."""
        return coordinates(self.grid_or(grid), self.dtype, self.coordinate_range).to(self.device)

    def render(self, head: int = 0, grid: tuple[int, ...] | None = None) -> Float[Tensor, "*grid c"]:
        """One head's picture on a grid, unclamped, computed in tiles."""
        grid = self.grid_or(grid)
        return self._outputs(grid, self.columns(head)).reshape(*grid, self.channels)

    def render_all(self, grid: tuple[int, ...] | None = None) -> list[Float[Tensor, "*grid c"]]:
        """Every head's picture on a grid, unclamped; the network runs once for all of them."""
        grid = self.grid_or(grid)
        out = self._outputs(grid, slice(None))
        return [out[:, self.columns(head)].reshape(*grid, self.channels) for head in range(self.heads)]

    @torch.no_grad()
    def _outputs(self, grid: tuple[int, ...], columns: slice) -> Float[Tensor, "n columns"]:
        x = self.grid_coordinates(grid)
        return torch.cat([self(x[rows])[:, columns] for rows in tiles(x.shape[0], EVALUATION_TILE)])


def check_axes(count: int, grid: tuple[int, ...]) -> None:
    """Raises InputError where a grid is no tuple of positive whole numbers, one for each of ``count`` coordinates."""
    sides: list[Any] = list(grid) if isinstance(grid, Sequence | np.ndarray) else [0]
    if not all(isinstance(side, Integral) and int(side) > 0 for side in sides):
        raise InputError(f"a grid must be a tuple of positive whole numbers, one for each axis, not {grid!r}.")
    if len(grid) != count:
        axes, coordinates = ("axis", "axes")[len(grid) != 1], ("coordinate", "coordinates")[count != 1]
        raise InputError(f"a grid of {len(grid)} {axes} does not suit a network of {count} {coordinates}.")
