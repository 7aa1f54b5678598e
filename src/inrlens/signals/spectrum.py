"""Noise with a power-law spectrum, as natural images have it."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.errors import InputError

_STEEPEST = 10.0


@dataclass(frozen=True)
class SpectralNoise:
    """Random phases under the amplitude ``1 / |f|^exponent``, f in cycles a sample and the same along every axis.

    Natural images have an exponent near 1 (Field, "Relations between the statistics of natural images and the response
    properties of cortical cells", 1987); 0 is white. Each channel is drawn by itself; all channels are scaled together,
    by one affine map, to fill [0, 1], which leaves the spectrum's slope as it is. The noise continues across opposite
    borders.

    Raises:
        InputError: where ``exponent`` leaves [0, 10].
    """

    name: ClassVar[str] = "spectrum"

    exponent: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.exponent <= _STEEPEST:
            raise InputError(f"spectrum noise: exponent must lie in [0, {_STEEPEST:g}], not {self.exponent}.")

    def draw(self, shape: tuple[int, ...], channels: int, draws: torch.Generator) -> Float[Tensor, "*grid c"]:
        """Values in [0, 1], float32, channels last; a grid of one sample holds 0.5."""
        axes = tuple(range(1, len(shape) + 1))
        # The transform of real noise has the symmetry that makes the way back real.
        white = torch.fft.fftn(torch.randn(channels, *shape, generator=draws, dtype=torch.float64), dim=axes)
        phases = white / white.abs().clamp_min(math.ulp(0.0))
        values = torch.fft.ifftn(phases * _amplitudes(shape, self.exponent), dim=axes).real
        low, high = float(values.min()), float(values.max())
        scaled = (values - low) / (high - low) if high > low else torch.full_like(values, 0.5)
        return scaled.movedim(0, -1).to(torch.float32).clamp_(0.0, 1.0)


def _amplitudes(shape: tuple[int, ...], exponent: float) -> Tensor:
    axes = torch.meshgrid(*(torch.fft.fftfreq(side, dtype=torch.float64) for side in shape), indexing="ij")
    amplitudes = torch.stack(axes).square().sum(0).sqrt().pow(-exponent)
    # The mean is no noise: it is set by the scaling.
    amplitudes.view(-1)[0] = 0.0
    return amplitudes
