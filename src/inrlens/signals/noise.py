"""Cohorts of noise: signals that need no data.

A cohort encoder that was fitted to noise alone is a start for real signals (Vyas et al., "SNP", CVPR 2026,
arXiv:2603.29034): uniform and Gaussian noise, dead leaves, and noise with the spectrum of natural images. The settings'
defaults are ours.
"""

import math
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.errors import InputError
from inrlens.seeding import generator
from inrlens.signals.dead_leaves import DeadLeaves
from inrlens.signals.signal import Signal, signal_from_array
from inrlens.signals.spectrum import SpectralNoise


@runtime_checkable
class Noise(Protocol):
    """A kind of noise: a frozen dataclass of plain numbers that draws values on a grid of any number of axes."""

    name: ClassVar[str]

    def draw(self, shape: tuple[int, ...], channels: int, draws: torch.Generator) -> Float[Tensor, "*grid c"]:
        """Values in [0, 1], float32, channels last."""
        ...


@dataclass(frozen=True)
class UniformNoise:
    """Every value by itself from U(0, 1)."""

    name: ClassVar[str] = "uniform"

    def draw(self, shape: tuple[int, ...], channels: int, draws: torch.Generator) -> Float[Tensor, "*grid c"]:
        """Values in [0, 1), float32, channels last."""
        return torch.rand(*shape, channels, generator=draws)


@dataclass(frozen=True)
class GaussianNoise:
    """Every value by itself from ``N(mean, deviation^2)``, clipped to [0, 1]: 1.2 % of them with the defaults.

    Raises:
        InputError: where ``mean`` leaves [0, 1] or ``deviation`` is not positive and finite.
    """

    name: ClassVar[str] = "gaussian"

    mean: float = 0.5
    deviation: float = 0.2

    def __post_init__(self) -> None:
        if not 0.0 <= self.mean <= 1.0:
            raise InputError(f"gaussian noise: mean must lie in [0, 1], not {self.mean}.")
        if not 0.0 < self.deviation < math.inf:
            raise InputError(f"gaussian noise: deviation must be a positive number, not {self.deviation}.")

    def draw(self, shape: tuple[int, ...], channels: int, draws: torch.Generator) -> Float[Tensor, "*grid c"]:
        """Values in [0, 1], float32, channels last."""
        return torch.randn(*shape, channels, generator=draws).mul_(self.deviation).add_(self.mean).clamp_(0.0, 1.0)


NOISES: dict[str, type[Any]] = {kind.name: kind for kind in (UniformNoise, GaussianNoise, DeadLeaves, SpectralNoise)}
"""Every kind of noise by its name."""


def make_noise(name: str, **settings: float) -> Noise:
    """The noise ``name`` with ``settings`` over its defaults.

    Raises:
        InputError: where the name or a setting is not known, or a value is not allowed.
    """
    if name not in NOISES:
        raise InputError(f"noise {name!r} is not known; allowed are {', '.join(NOISES)}.")
    known = [field.name for field in fields(NOISES[name])]
    for setting in settings:
        if setting not in known:
            raise InputError(f"{name} noise has no setting {setting!r}; allowed are {', '.join(known) or 'none'}.")
    noise: Noise = NOISES[name](**settings)
    return noise


def noise_cohort(
    kind: str | Noise, count: int, shape: tuple[int, ...], channels: int = 3, seed: int = 0, **settings: float
) -> list[Signal]:
    """Signals of noise on one grid, all different.

    Signal i depends on ``seed``, its kind, i and the grid: the first three of ten are the three of three.

    Args:
        kind: ``"uniform"``, ``"gaussian"``, ``"dead-leaves"`` or ``"spectrum"``, or a noise with its settings.
        count: how many signals.
        shape: the grid, ``(height, width)`` for pictures; any number of axes.
        channels: number of channels c.
        seed: decides every draw.
        settings: those of the kind: ``mean``, ``deviation`` (``GaussianNoise``); ``smallest``, ``largest``,
            ``exponent`` (``DeadLeaves``); ``exponent`` (``SpectralNoise``).

    Raises:
        InputError: for an unknown kind or setting, a value that is not allowed, or counts and sides below 1.
    """
    if isinstance(kind, str):
        noise = make_noise(kind, **settings)
    elif settings:
        raise InputError(f"settings ({', '.join(settings)}) go with the name of a noise, not with {kind!r}.")
    else:
        noise = kind
    if count < 1 or channels < 1:
        raise InputError(f"noise needs at least 1 signal of 1 channel, not {count} of {channels}.")
    if not shape or min(shape) < 1:
        raise InputError(f"noise needs a grid with sides of at least 1 sample, such as (64, 80), not {shape}.")
    return [_signal(noise, index, shape, channels, seed) for index in range(count)]


def _signal(noise: Noise, index: int, shape: tuple[int, ...], channels: int, seed: int) -> Signal:
    values = noise.draw(shape, channels, generator(seed, "noise", noise.name, index))
    # 16 bits: the values are no whole numbers of 255ths.
    return signal_from_array(f"{noise.name}_{index:02d}", values, bit_depth=16)
