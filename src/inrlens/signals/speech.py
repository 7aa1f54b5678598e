"""A spoken word made by a synthesiser, for trying sound without a file."""

import math

import numpy as np
import torch

from inrlens.errors import InputError
from inrlens.signals.audio import Recording

_SECONDS = 0.5
_KNOTS = (0.0, 0.3, 0.48, 0.84)
"""When, as shares of the word, its vowels u, a, a, i are reached."""
_FORMANTS = ((300.0, 730.0, 730.0, 270.0), (870.0, 1090.0, 1090.0, 2290.0), (2240.0, 2440.0, 2440.0, 3010.0))
_BANDWIDTHS = (60.0, 90.0, 150.0)
_PITCH = (135.0, 95.0)
_RISE, _FALL = 0.03, 0.09
_PEAK = 0.9
_LOWEST_RATE = 6500


def spoken_word(rate: int = 8000) -> Recording:
    """The word "why", half a second of a deep voice: a glide from u over a to i, one channel.

    Harmonics of a falling pitch, ``1 / k`` strong (the glottis with the lips' radiation), pass three resonances
    ``F^2 / sqrt((F^2 - f^2)^2 + (B f)^2)``. The formants F are the men's means of Peterson and Barney, "Control methods
    used in a study of the vowels" (1952).

    Raises:
        InputError: where ``rate`` is too low for the third formant.
    """
    if rate < _LOWEST_RATE:
        raise InputError(f"the word needs a rate of at least {_LOWEST_RATE} samples a second, not {rate}.")
    count = round(_SECONDS * rate)
    time = np.arange(count) / rate
    pitch = np.interp(time, (0.0, _SECONDS), _PITCH)
    phase = 2.0 * math.pi * np.cumsum(pitch) / rate
    formants = [np.interp(time / _SECONDS, _KNOTS, one) for one in _FORMANTS]
    sound = np.zeros(count)
    for harmonic in range(1, int(rate / 2.0 / min(_PITCH)) + 1):
        frequency = harmonic * pitch
        strength = np.where(frequency < rate / 2.0, 1.0 / harmonic, 0.0)
        for centre, width in zip(formants, _BANDWIDTHS, strict=True):
            strength *= centre**2 / np.hypot(centre**2 - frequency**2, width * frequency)
        sound += strength * np.sin(harmonic * phase)
    sound *= np.interp(time, (0.0, _RISE, _SECONDS - _FALL, _SECONDS), (0.0, 1.0, 1.0, 0.0))
    values = torch.from_numpy((sound * (_PEAK / np.abs(sound).max()) + 1.0) / 2.0)
    return Recording("why", values.to(torch.float32)[:, None], (count,), 16, rate=rate)
