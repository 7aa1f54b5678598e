"""One reader for every kind of signal, by what a file holds, and one writer by the ending that is asked for."""

from pathlib import Path
from typing import Any, Literal

import torch

from inrlens.errors import InputError
from inrlens.files import ensure_free_file
from inrlens.signals.archive import load_signals, save_signals
from inrlens.signals.audio import Recording, load_audio, save_audio
from inrlens.signals.formats import PICTURE, Format, format_of
from inrlens.signals.frames import load_frames
from inrlens.signals.images import load_image, save_image
from inrlens.signals.nifti import load_nifti, save_volume
from inrlens.signals.signal import Signal
from inrlens.signals.sizing import Fitting, sides


def load_signal(
    path: str | Path,
    *,
    size: tuple[int, int] | None = None,
    grey: bool = False,
    how: Fitting = "resize",
    frames: Literal["all"] | int | None = None,
    window: tuple[float, float] | None = None,
    seconds: float | None = None,
    mono: bool = True,
    scale: bool = False,
) -> Signal:
    """Reads a picture, volume, sound or saved signal, or a folder of frames or slices as one volume.

    A file's bytes say what it is, whatever its name. A keyword belongs to one kind, and is refused for others.

    Args:
        path: the file or folder.
        size: of pictures and frames, as for ``load_image``.
        grey: of pictures and frames: one channel.
        how: of pictures and frames, as for ``load_image``.
        frames: of a file of several frames or pages: ``"all"`` for a volume of them, or the number of one, from 0; None
            takes the first, and says so.
        window: of volumes, as for ``load_volume``.
        seconds: of sounds, as for ``load_audio``, like the next two.
        mono: one channel is needed.
        scale: a loud sound becomes quieter.

    Raises:
        InputError: where it cannot be read, or a keyword has no meaning for what it is.
    """
    path = Path(path)
    given: dict[str, Any] = {"size": size, "grey": grey, "frames": frames, "window": window, "seconds": seconds}
    given |= {"mono": not mono, "scale": scale, "how": how != "resize"}
    if path.is_dir():
        check_options(path, PICTURE, given)
        if frames not in (None, "all"):
            raise InputError(f"{path} is a folder, which is read whole: give the file of frame {frames}.")
        return load_frames(path, size=size, grey=grey, how=how)
    found = format_of(path)
    check_options(path, found, given)
    if found.kind == "volume":
        return load_nifti(path, window)
    if found.kind == "sound":
        return load_audio(path, seconds, mono, scale)
    if found.kind == "signal":
        signals = load_signals(path)
        if len(signals) != 1:
            raise InputError(f"{path} holds {len(signals)} signals, where one is needed: save one alone.")
        return signals[0]
    if frames is None or isinstance(frames, int):
        return load_image(path, size, grey, how, frames)
    if frames != "all":
        raise InputError(f"frames must be 'all', the number of one, or None for the first, not {frames!r}.")
    return load_frames(path, size=size, grey=grey, how=how)


def check_options(path: Path, found: Format, given: dict[str, Any]) -> None:
    """Raises InputError where an option is given, other than None and False, that means nothing for a format."""
    wrong = [name for name, value in given.items() if value not in (None, False) and name not in found.options]
    if wrong:
        one = len(wrong) == 1
        raise InputError(
            f"{path} is {found.what}, for which {' and '.join(wrong)} {'means' if one else 'mean'} nothing: leave "
            f"{'it' if one else 'them'} out."
        )


def save_signal(signal: Signal, path: str | Path, force: bool = False) -> None:
    """Writes a signal so that ``load_signal`` gives it back: values, mask, rate and affine.

    ``.safetensors`` takes any. A picture without a mask may be ``.png``, where its values are whole numbers of 8 bits,
    or of 16 in grey; a volume without a mask ``.nii`` or ``.nii.gz``, whose affine, where it has none, comes back as
    that of voxels of 1 mm; a recording without a mask ``.wav``, which ``load_signal`` reads with ``mono=False`` where
    it has several channels. A file that is there is replaced with ``force`` alone.

    Raises:
        InputError: where the ending does not suit the signal, the file exists, or it cannot be written.
    """
    if not isinstance(signal, Signal):
        raise InputError(
            f"il.save_signal takes the signal first and the path second, and a {type(signal).__name__} was given: make "
            "a signal of values with il.signal_from_array."
        )
    path = Path(path)
    name = path.name.lower()
    ensure_free_file(path, force)
    if name.endswith(".safetensors"):
        save_signals([signal], path, force)
        return
    way = "save it as .safetensors, which takes any signal"
    if not name.endswith((".png", ".nii", ".nii.gz", ".wav")):
        raise InputError(
            f"{path}: a signal is saved as .safetensors, .png, .nii, .nii.gz or .wav: choose one of these."
        )
    if signal.mask is not None:
        raise InputError(f"{path}: signal {signal.name!r} has a mask, which this format cannot hold: {way}.")
    if name.endswith(".wav"):
        if not isinstance(signal, Recording):
            raise InputError(f"{path}: signal {signal.name!r} is no recording, and has no rate: {way}.")
        if signal.affine is not None and signal.affine[0][-1] != 0.0:
            raise InputError(f"{path}: signal {signal.name!r} begins at {signal.affine[0][-1]:g} s, not at 0: {way}.")
        sixteen = _whole(signal, 65536) and float(signal.values.max()) < 1.0
        save_audio(signal.values, path, signal.rate, 16 if sixteen else 64)
    elif name.endswith(".png"):
        depth = next((bits for bits in (8, 16) if _whole(signal, (1 << bits) - 1)), None)
        if not signal.is_picture or depth is None or (depth == 16 and signal.channels == 3):
            raise InputError(
                f"{path}: signal {signal.name!r} on {sides(signal.shape)} samples of {signal.channels} channels is no "
                f"picture of 8 bits, or grey picture of 16, without a rounding error: {way}."
            )
        if signal.affine is not None:
            raise InputError(f"{path}: signal {signal.name!r} has an affine, which this format cannot hold: {way}.")
        save_image(signal.image(), path, depth)
    elif len(signal.shape) != 3:
        raise InputError(f"{path}: signal {signal.name!r} has {len(signal.shape)} axes, and a volume has three: {way}.")
    elif signal.channels == 1 and min(signal.shape) < 2:
        raise InputError(
            f"{path}: signal {signal.name!r} lies on {sides(signal.shape)} samples, which would come back as a slice "
            f"of fewer axes: {way}."
        )
    else:
        save_volume(signal.image(), path, signal.affine)


def _whole(signal: Signal, top: int) -> bool:
    """Whether values are whole numbers of 1/top, as float32 has them."""
    steps = (signal.values.double() * top).round()
    return bool(torch.equal((steps / top).float(), signal.values.float()))
