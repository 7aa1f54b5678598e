"""A signal: values on a grid, and the coordinates of that grid."""

import hashlib
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.errors import InputError


@dataclass(frozen=True, eq=False)
class Signal:
    """Values sampled on a regular grid.

    ``values`` ``(N, c)`` float32 in [0, 1], row-major over ``shape`` (an image's shape is ``(height, width)``, a
    volume's ``(depth, height, width)``); ``bit_depth`` is that of the file it came from (8 or 16).

    Raises:
        InputError: where values are not finite, leave [0, 1], or do not fill the grid.
    """

    name: str
    values: Float[Tensor, "n c"]
    shape: tuple[int, ...]
    bit_depth: int = 8

    def __post_init__(self) -> None:
        if self.values.shape[0] != math.prod(self.shape) or not self.shape or min(self.shape) < 1:
            raise InputError(
                f"signal {self.name!r}: values of shape {tuple(self.values.shape)} do not fill the grid {self.shape}; "
                "the first axis must be the product of the grid's sides."
            )
        if not bool(torch.isfinite(self.values).all()):
            raise InputError(f"signal {self.name!r} holds NaN or infinite values; every value must be within [0, 1].")
        low, high = (float(self.values.min()), float(self.values.max())) if self.values.numel() else (0.0, 0.0)
        if low < 0.0 or high > 1.0:
            raise InputError(f"signal {self.name!r} holds values from {low:g} to {high:g}; scale them to [0, 1] first.")

    @property
    def channels(self) -> int:
        """Number of channels c."""
        return int(self.values.shape[1])

    @property
    def digest(self) -> str:
        """SHA-256 over grid, channels and values: two signals with the same digest hold the same numbers."""
        head = f"{self.shape}/{self.channels}/{self.values.dtype}".encode()
        return hashlib.sha256(head + self.values.contiguous().cpu().numpy().tobytes()).hexdigest()

    def image(self) -> Float[Tensor, "*grid c"]:
        """The values laid out on the grid: ``(height, width, c)`` for an image."""
        return self.values.reshape(*self.shape, self.channels)


def signal_from_array(name: str, image: Float[Tensor, "*grid c"], bit_depth: int = 8) -> Signal:
    """A signal from values on a grid, channels last, within [0, 1]."""
    grid = tuple(int(side) for side in image.shape[:-1])
    return Signal(name, image.reshape(-1, image.shape[-1]).to(torch.float32), grid, bit_depth)


def coordinates(shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> Float[Tensor, "n m"]:
    """The grid's coordinates ``(N, m)``, row-major, every axis from -1 to +1 whatever the aspect ratio.

    The last axis is ``(x, y[, z])``: x runs along the grid's last side. The corner samples lie exactly on -1 and +1;
    a side of one sample lies at 0.
    """
    return _mesh([_samples(side) for side in shape], dtype)


def coordinates_between(shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> Float[Tensor, "n m"]:
    """The centres of the grid's cells: coordinates between the samples, one fewer along every side longer than 1.

    A network fitted on ``coordinates(shape)`` is defined here too, but never saw these points: held-out rows.
    """
    axes = []
    for side in shape:
        samples = _samples(side)
        axes.append((samples[1:] + samples[:-1]) / 2 if side > 1 else samples)
    return _mesh(axes, dtype)


def _samples(side: int) -> Tensor:
    if side < 1:
        raise InputError(f"a grid's side must be 1 or more, not {side}.")
    return torch.linspace(-1.0, 1.0, side, dtype=torch.float64) if side > 1 else torch.zeros(1, dtype=torch.float64)


def _mesh(axes: list[Tensor], dtype: torch.dtype) -> Tensor:
    mesh = torch.meshgrid(*axes, indexing="ij")
    return torch.stack([axis.reshape(-1) for axis in reversed(mesh)], dim=1).to(dtype)
