"""A head made of ellipsoids, for trying volumes without a file."""

import math
from dataclasses import dataclass

import torch

from inrlens.errors import InputError
from inrlens.signals.signal import Signal, coordinates


@dataclass(frozen=True)
class Ellipsoid:
    """``value`` is added within it; ``half`` axes and ``centre`` along (x, y, z); ``degrees`` of turn in the plane from
    x to y."""

    value: float
    half: tuple[float, float, float]
    centre: tuple[float, float, float]
    degrees: float = 0.0


HEAD = (
    Ellipsoid(1.0, (0.69, 0.92, 0.81), (0.0, 0.0, 0.0)),
    Ellipsoid(-0.8, (0.6624, 0.874, 0.78), (0.0, -0.0184, 0.0)),
    Ellipsoid(-0.2, (0.11, 0.31, 0.22), (0.22, 0.0, 0.0), -18.0),
    Ellipsoid(-0.2, (0.16, 0.41, 0.28), (-0.22, 0.0, 0.0), 18.0),
    Ellipsoid(0.1, (0.21, 0.25, 0.41), (0.0, 0.35, -0.15)),
    Ellipsoid(0.1, (0.046, 0.046, 0.05), (0.0, 0.1, 0.25)),
    Ellipsoid(0.1, (0.046, 0.046, 0.05), (0.0, -0.1, 0.25)),
    Ellipsoid(0.1, (0.046, 0.023, 0.05), (-0.08, -0.605, 0.0)),
    Ellipsoid(0.1, (0.023, 0.023, 0.02), (0.0, -0.605, 0.0)),
    Ellipsoid(0.1, (0.023, 0.046, 0.02), (0.06, -0.605, 0.0)),
)
"""The ellipses of Shepp and Logan, "The Fourier reconstruction of a head section" (1974), with the contrasts of Toft,
"The Radon transform" (1996). The third half-axes and centres are those of the 3-D head in common use (Schabel's
phantom3d); here every ellipsoid turns about z alone."""


def phantom(shape: tuple[int, ...] = (48, 48, 48)) -> Signal:
    """The Shepp-Logan head sampled on a grid, one channel.

    ``(depth, height, width)`` gives the 3-D head, ``(height, width)`` the published section, where z plays no part.

    Every axis of the grid runs over [-1, 1] whatever its number of samples; y points up, towards the first row.

    Raises:
        InputError: for another number of axes, or sides below 1.
    """
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise InputError(f"the phantom is drawn on (depth, height, width) or (height, width), not on {shape}.")
    x = coordinates(shape, torch.float64)
    x[:, 1] *= -1.0
    values = torch.zeros(len(x), 1, dtype=torch.float64)
    for one in HEAD:
        place = x - torch.tensor(one.centre, dtype=torch.float64)[: len(shape)]
        cosine, sine = math.cos(math.radians(one.degrees)), math.sin(math.radians(one.degrees))
        along = torch.stack([cosine * place[:, 0] + sine * place[:, 1], cosine * place[:, 1] - sine * place[:, 0]], 1)
        along = torch.cat([along, place[:, 2:]], 1) / torch.tensor(one.half, dtype=torch.float64)[: len(shape)]
        values[along.square().sum(1) <= 1.0] += one.value
    # 1 - 0.8 - 0.2 is a little below 0 in floating point.
    return Signal("phantom", values.clamp(0.0, 1.0).to(torch.float32), shape, 16)
