"""Sound files as signals over time, and back."""

import importlib
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from inrlens.arrays import (
    ArrayLike,
    check_no_nan,
    check_not_empty,
    check_values_first,
    real_number,
    values_of,
    whole_number,
)
from inrlens.errors import InputError
from inrlens.files import whole_file
from inrlens.signals.memory import check_memory
from inrlens.signals.signal import Signal
from inrlens.signals.sound_chunks import check_whole

_SIXTEEN_BITS = 32768.0
_SUBTYPES = {16: "PCM_16", 64: "DOUBLE"}
_FASTEST, _MOST_CHANNELS = 2**31 - 1, 1024
"""libsndfile's limits."""
_BLOCK = 1 << 20
"""Samples that are read at a time, in float64, in which what ``save_audio`` writes is exact."""


@dataclass(frozen=True, eq=False)
class Recording(Signal):
    """A signal over time: ``values`` ``(N, c)``, a channel an ear, sound pressure in [-1, 1] mapped to [0, 1];
    ``shape`` ``(N,)``; ``rate`` in samples a second.

    A fit takes it as it takes any signal; ``digest`` does not know the rate. ``affine`` is that of seconds, the first
    sample at 0, where no other is given.
    """

    rate: int = field(kw_only=True)

    def __post_init__(self) -> None:
        if len(self.shape) != 1:
            raise InputError(f"recording {self.name!r} must lie on one axis, time, not on a grid {self.shape}.")
        rate = whole_number(f"recording {self.name!r}: the rate in samples per second", self.rate, 1, _FASTEST)
        object.__setattr__(self, "rate", rate)
        if self.affine is None:
            object.__setattr__(self, "affine", ((1.0 / self.rate, 0.0),))
        super().__post_init__()
        if self.affine is not None and self.affine[0][0] != 1.0 / self.rate:
            raise InputError(
                f"recording {self.name!r}: at {self.rate} samples a second they lie 1/{self.rate} s apart, not "
                f"{self.affine[0][0]:g} s as its affine says: give affine=None beside another rate."
            )

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.shape[0] / self.rate


def load_audio(path: str | Path, seconds: float | None = None, mono: bool = True, scale: bool = False) -> Recording:
    """Reads a sound file (WAV, FLAC, Ogg, MP3: what libsndfile reads) as a signal of one axis, time.

    Samples in [-1, 1] become ``(sample + 1) / 2``: silence is 0.5. Samples beyond, which a lossy format makes of loud
    sound, are clipped, with a warning. The rate stays as it is.

    Args:
        path: the file.
        seconds: take the first so many; None takes all.
        mono: the file must have one channel; False keeps all of a file's channels as the signal's.
        scale: make a sound that leaves [-1, 1] quieter as a whole, until its loudest sample is -1 or 1, instead.

    Raises:
        InputError: where soundfile (the extra ``audio``) is not installed, the file is missing, damaged or shorter than
            ``seconds``, has several channels where one is needed, or NaN or infinite samples; where no memory holds
            it.
    """
    path = Path(path)
    soundfile = _soundfile(path)
    if not path.is_file():
        raise InputError(f"{path} {'is a folder: give a sound file' if path.is_dir() else 'does not exist'}.")
    try:
        with soundfile.SoundFile(path) as file:
            check_whole(path)
            rate, channels, subtype = int(file.samplerate), int(file.channels), str(file.subtype)
            if mono and channels > 1:
                raise InputError(
                    f"{path} has {channels} channels where one is needed: mix them down first, as ffmpeg does with "
                    "-ac 1, or keep them in Python with mono=False."
                )
            count = _count(path, int(file.frames), rate, seconds)
            check_memory(str(path), (count,), channels)
            values, peak = _read(path, file, count, channels)
    except soundfile.LibsndfileError as error:
        raise InputError(f"{path} could not be read as sound ({error.error_string.rstrip('.')}).") from error
    if peak > 1.0 and scale:
        values.sub_(0.5).div_(peak).add_(0.5).clamp_(0.0, 1.0)
    elif peak > 1.0:
        over = int(((values < 0.0) | (values > 1.0)).sum())
        values.clamp_(0.0, 1.0)
        warnings.warn(
            f"{path.name}: its loudest sample is {peak:.9g}, and {over:,} of {values.numel():,} samples beyond [-1, 1] "
            "were clipped; il.load_audio with scale=True makes all of it quieter instead.",
            UserWarning,
            stacklevel=2,
        )
    return Recording(path.name, values, (count,), 8 if subtype in ("PCM_U8", "PCM_S8") else 16, rate=rate)


def save_audio(values: ArrayLike, path: str | Path, rate: int, bit_depth: int = 16) -> None:
    """Writes values ``(n, c)`` in [0, 1] (clamped), 0.5 being silence, as a WAV file at ``rate`` samples a second.

    It has 16 bits a sample, or 64-bit floats, which keep every value from 2^-28 up, and smaller values to 1e-16.
    ``values`` may be whatever ``il.signal_from_array`` takes.

    Raises:
        InputError: where soundfile (the extra ``audio``) is not installed, for another number of axes or bits, or where
            the file cannot be written.
    """
    check_values_first("save_audio", values, path)
    path = Path(path)
    values = values_of(f"{path}: the sound", values)
    if values.ndim != 2:
        raise InputError(
            f"{path}: a sound is written from values of two axes (n, c), not {tuple(values.shape)}: add the channels' "
            "axis as values[..., None] does where only that is missing."
        )
    if bit_depth not in (16, 64):
        raise InputError(f"{path}: a sound is written with 16 or 64 bits a sample, not {bit_depth}.")
    soundfile = _soundfile(path)
    if path.suffix.lower() != ".wav":
        raise InputError(f"{path}: sound is written as WAV, so its name must end in .wav.")
    rate = whole_number(f"{path}: the rate in samples per second", rate, 1, _FASTEST)
    check_not_empty(str(path), values)
    check_no_nan(str(path), values)
    if values.shape[1] > _MOST_CHANNELS:
        raise InputError(
            f"{path}: a sound of {values.shape[1]:,} channels cannot be written, {_MOST_CHANNELS:,} is the most: "
            "values of (n, c) have a row per sample and a column per channel."
        )
    samples = values.cpu().double().clamp(0.0, 1.0) * 2.0 - 1.0
    if bit_depth == 16:
        samples = (samples * _SIXTEEN_BITS).round().clamp(-_SIXTEEN_BITS, _SIXTEEN_BITS - 1.0).to(torch.int16)
    with whole_file(path) as temporary:
        soundfile.write(temporary, samples.numpy(), rate, subtype=_SUBTYPES[bit_depth], format="WAV")


def _read(path: Path, file: Any, count: int, channels: int) -> tuple[Tensor, float]:
    """The first samples as values, unclipped, ``(count, channels)``, and the size of the loudest."""
    values = torch.empty(count, channels)
    peak = 0.0
    for start in range(0, count, _BLOCK):
        wanted = min(_BLOCK, count - start)
        block = file.read(wanted, dtype="float64", always_2d=True)
        if len(block) != wanted:
            ends = start + len(block)
            raise InputError(f"{path} ends after {ends} of its {count} samples: it is cut short or damaged.")
        if not np.isfinite(block).all():
            bad = int((~np.isfinite(block)).sum())
            raise InputError(
                f"{path} holds NaN or infinite samples, {bad} of the {len(block)} after the first {start}: replace "
                "them first, as numpy.nan_to_num does."
            )
        peak = max(peak, float(abs(block).max()))
        values[start : start + wanted] = torch.from_numpy((block + 1.0) / 2.0)
    return values, peak


def _count(path: Path, frames: int, rate: int, seconds: Any) -> int:
    if seconds is not None:
        seconds = real_number("seconds (None takes the whole file)", seconds)
    count = frames if seconds is None else round(seconds * rate)
    if frames < 1:
        raise InputError(f"{path} holds no samples.")
    if count < 1:
        raise InputError(f"seconds must be at least one sample's, 1/{rate}, not {seconds}.")
    if count > frames:
        raise InputError(f"{path} lasts {frames / rate:g} s, {seconds:g} s are asked for: ask for less, or for all.")
    return count


def _soundfile(path: Path) -> ModuleType:
    try:
        return importlib.import_module("soundfile")
    except (ImportError, OSError) as error:  # OSError: there, but without the library that it wraps
        raise InputError(
            f"{path.name} is a sound file, which soundfile reads and writes: "
            'install it with pip install "inrlens[audio]".'
        ) from error
