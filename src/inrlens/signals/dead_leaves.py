"""Dead leaves: flat discs that cover one another, as objects do in a scene."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.errors import InputError

_BLOCK = 4096
_MOST_LEAVES = 10_000_000


@dataclass(frozen=True)
class DeadLeaves:
    """Discs (balls in a volume) of one colour each, centres uniform, radii from a density ``~ r^-exponent`` between
    ``smallest`` and ``largest``, the later hidden by the earlier (Matheron, 1968).

    With an exponent of 3 a picture looks alike at every scale, as natural images do (Lee, Mumford, Huang, "Occlusion
    models for natural images", 2001). Both radii are shares of the grid's shortest side, so that a grid twice as fine
    has the same leaves. Colours are uniform in [0, 1], channel by channel.

    Raises:
        InputError: where the radii are not 0 < smallest <= largest, or ``exponent`` leaves [0, 10].
    """

    name: ClassVar[str] = "dead-leaves"

    smallest: float = 0.02
    largest: float = 0.5
    exponent: float = 3.0

    def __post_init__(self) -> None:
        if not 0.0 < self.smallest <= self.largest < math.inf:
            raise InputError(
                "dead leaves: the radii must be 0 < smallest <= largest, in shares of the shortest side, "
                f"not {self.smallest} and {self.largest}."
            )
        if not 0.0 <= self.exponent <= 10.0:
            raise InputError(f"dead leaves: exponent must lie in [0, 10], not {self.exponent}.")

    def draw(self, shape: tuple[int, ...], channels: int, draws: torch.Generator) -> Float[Tensor, "*grid c"]:
        """Values in [0, 1], float32, channels last.

        Leaves are laid from the front, each where none lies yet, until the grid is full: this draws from the model
        itself, where painting a fixed number over one another only comes near it (Kendall and Thönnes, "Perfect
        simulation in stochastic geometry", 1999).

        Raises:
            InputError: where leaves so small would take too many to cover the grid.
        """
        self._check_number(shape)
        axes, unit = len(shape), float(min(shape))
        sides, margin = np.array(shape, dtype=np.float64), self.largest * unit
        picture, bare = np.empty((*shape, channels), dtype=np.float32), np.ones(shape, dtype=bool)
        left = bare.size
        while left:
            numbers = torch.rand(_BLOCK, 1 + axes + channels, generator=draws, dtype=torch.float64).numpy()
            radii = unit * power_law(numbers[:, 0], self.smallest, self.largest, self.exponent)
            centres = numbers[:, 1 : 1 + axes] * (sides - 1.0 + 2.0 * margin) - margin
            low = np.maximum(np.ceil(centres - radii[:, None]), 0.0).astype(np.int64)
            high = np.minimum(np.floor(centres + radii[:, None]), sides - 1.0).astype(np.int64) + 1
            for leaf in np.flatnonzero((low < high).all(axis=1)):
                box = tuple(slice(*ends) for ends in zip(low[leaf], high[leaf], strict=True))
                seen = bare[box] & _ball(box, centres[leaf], radii[leaf])
                picture[box][seen] = numbers[leaf, 1 + axes :]
                bare[box] &= ~seen
                left -= int(np.count_nonzero(seen))
                if not left:
                    break
        return torch.from_numpy(picture)

    def _check_number(self, shape: tuple[int, ...]) -> None:
        axes, unit = len(shape), min(shape)
        ball = math.pi ** (axes / 2) / math.gamma(axes / 2 + 1) * self._mean_power(axes)
        room = math.prod((side - 1) / unit + 2.0 * self.largest for side in shape)
        # A leaf misses a given sample with 1 - ball / room, and the last of all samples must be hit.
        needed = room / ball * (math.log(math.prod(shape)) + 1.0)
        if needed > _MOST_LEAVES:
            raise InputError(
                f"dead leaves: radii from {self.smallest:g} to {self.largest:g} would take some {needed:.0e} leaves to "
                f"cover {'x'.join(map(str, shape))} samples, {_MOST_LEAVES:.0e} are the most: give a larger `smallest`."
            )

    def _mean_power(self, power: int) -> float:
        """E[r^power], radii in shares of the shortest side."""
        ratio, below = self.largest / self.smallest, 1.0 - self.exponent
        if ratio == 1.0:
            return float(self.smallest**power)
        return float(self.smallest**power * _integral(below + power, ratio) / _integral(below, ratio))


def power_law(uniform: np.ndarray, smallest: float, largest: float, exponent: float) -> np.ndarray:
    """Radii of density ``~ r^-exponent`` on ``[smallest, largest]`` from numbers of U(0, 1): the inverse of the
    distribution function, ``r^(1-a) = s^(1-a) + u (l^(1-a) - s^(1-a))``, and ``r = s (l / s)^u`` for a = 1."""
    ratio, power = largest / smallest, 1.0 - exponent
    if abs(power) < 1e-9:
        return np.asarray(smallest * ratio**uniform)
    return np.asarray(smallest * (1.0 + uniform * (ratio**power - 1.0)) ** (1.0 / power))


def _integral(power: float, ratio: float) -> float:
    """Of ``t^(power - 1)`` over [1, ratio]."""
    return math.log(ratio) if abs(power) < 1e-9 else (ratio**power - 1.0) / power


def _ball(box: tuple[slice, ...], centre: np.ndarray, radius: float) -> np.ndarray:
    places = np.ogrid[box]
    squares = [(place - middle) ** 2 for place, middle in zip(places, centre, strict=True)]
    return np.asarray(sum(squares[1:], squares[0]) <= radius**2)
