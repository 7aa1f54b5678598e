"""Sound files as signals over time, and back."""

import importlib
import math
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.errors import InputError
from inrlens.files import whole_file
from inrlens.signals.memory import check_memory
from inrlens.signals.signal import Signal
from inrlens.signals.sound_chunks import check_whole

AUDIO_SUFFIXES = (".aif", ".aiff", ".flac", ".mp3", ".ogg", ".wav")
_SIXTEEN_BITS = 32768.0


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
        if self.rate < 1:
            raise InputError(f"recording {self.name!r}: the rate must be at least 1 sample a second, not {self.rate}.")
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


def load_audio(path: str | Path, seconds: float | None = None, mono: bool = True) -> Recording:
    """Reads a sound file (WAV, FLAC, Ogg, MP3: what libsndfile reads) as a signal of one axis, time.

    Samples in [-1, 1] become ``(sample + 1) / 2``: silence is 0.5. The rate stays as it is.

    Args:
        path: the file.
        seconds: take the first so many; None takes all.
        mono: the file must have one channel; False keeps all of a file's channels as the signal's.

    Raises:
        InputError: where soundfile (the extra ``audio``) is not installed, the file is missing, damaged or shorter than
            ``seconds``, has several channels where one is needed, or samples beyond [-1, 1] or NaN; where no memory
            holds it.
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
            samples = file.read(count, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise InputError(f"{path} could not be read as sound ({error.error_string.rstrip('.')}).") from error
    if len(samples) != count:
        raise InputError(f"{path} ends after {len(samples)} of its {count} samples: it is cut short or damaged.")
    if not np.isfinite(samples).all():
        raise InputError(
            f"{path} holds {int((~np.isfinite(samples)).sum())} NaN or infinite samples: replace them first, as "
            "numpy.nan_to_num does."
        )
    low, high = float(samples.min()), float(samples.max())
    if low < -1.0 or high > 1.0:
        raise InputError(f"{path} holds samples from {low:g} to {high:g}: scale them to [-1, 1] first.")
    values = torch.from_numpy((samples + np.float32(1.0)) / np.float32(2.0))
    return Recording(path.name, values, (count,), 8 if subtype in ("PCM_U8", "PCM_S8") else 16, rate=rate)


def save_audio(path: str | Path, values: Float[Tensor, "n c"], rate: int) -> None:
    """Writes values in [0, 1] (clamped), 0.5 being silence, as a WAV file of 16 bits at ``rate`` samples a second.

    Raises:
        InputError: where soundfile (the extra ``audio``) is not installed, or the file cannot be written.
    """
    path = Path(path)
    soundfile = _soundfile(path)
    if path.suffix.lower() != ".wav":
        raise InputError(f"{path}: sound is written as WAV, so its name must end in .wav.")
    if rate < 1:
        raise InputError(f"{path}: the rate must be at least 1 sample a second, not {rate}.")
    samples = values.detach().cpu().double().clamp(0.0, 1.0) * 2.0 - 1.0
    whole = (samples * _SIXTEEN_BITS).round().clamp(-_SIXTEEN_BITS, _SIXTEEN_BITS - 1.0).to(torch.int16)
    with whole_file(path) as temporary:
        soundfile.write(temporary, whole.numpy(), rate, subtype="PCM_16", format="WAV")


def _count(path: Path, frames: int, rate: int, seconds: float | None) -> int:
    if seconds is not None and not math.isfinite(seconds):
        raise InputError(f"seconds must be a finite number, or None for the whole file, not {seconds}.")
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
