"""A sound's short-time Fourier transform in decibels."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

FLOOR_DB = -80.0
"""Anything quieter counts as this."""
_LEAST, _MOST = 16, 2048


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """``decibels`` ``(bins, frames)`` from ``FLOOR_DB`` up, 0 being a sine of full scale, from -1 to 1; bin b lies at
    b / window cycles a sample, frame f is centred on sample f * hop. Within half a window of an end, frames are that
    nearest one which lies inside the sound."""

    decibels: Float[Tensor, "bins frames"]
    window: int
    hop: int


def window_of(samples: int) -> int:
    """The window for a sound of so many samples: the power of two nearest to four times their square root on a scale
    of octaves, from 16 to 2,048, so that there are about as many frames as bins."""
    octave = math.floor(math.log2(4.0 * math.sqrt(samples)) + 0.5)
    return min(_MOST, max(_LEAST, 1 << max(0, octave)))


def spectrogram(values: Float[Tensor, " n"]) -> Spectrogram:
    """The spectrogram of values in [0, 1], 0.5 being silence, as ``load_audio`` makes them.

    A periodic Hann window of ``window_of(n)`` samples w_j moves by a quarter of itself over the samples s; where the
    sound is shorter than the window, with silence before and after;
    ``20 log10(|sum_j w_j s_j e^(-2 pi i b j / window)| / (sum_j w_j / 2))``.
    """
    samples = 2.0 * values.detach().cpu().double() - 1.0
    window = window_of(len(samples))
    weights = torch.hann_window(window, dtype=torch.float64)
    hop = window // 4
    found = torch.stft(
        samples, window, hop, window=weights, center=True, pad_mode="constant", return_complex=True, onesided=True
    ).abs()
    decibels = 20.0 * (found / (weights.sum() / 2.0)).clamp_min(1e-12).log10()
    first, last = window // 2 // hop, (len(samples) - window // 2) // hop
    if last >= first:
        # A frame that reaches over an end would hear the sound break off there, at every frequency.
        decibels = decibels[:, torch.arange(decibels.shape[1]).clamp(first, last)]
    return Spectrogram(decibels.clamp_min(FLOOR_DB), window, hop)
