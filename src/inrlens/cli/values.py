"""What a network says, written to a file: as a picture, or as the volume or sound that it is."""

from pathlib import Path
from typing import TYPE_CHECKING

from inrlens.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from inrlens.signals.signal import Signal

ENDINGS = (".png", ".nii", ".nii.gz", ".wav")


def check_writable(path: Path, grid: tuple[int, ...], channels: int, signal: "Signal | None") -> None:
    """Refuses an ending that values on a grid cannot be written with.

    Raises:
        InputError: where it is a NIfTI file's or a sound's, and the values are none or their rate is not known.
    """
    from inrlens.signals.audio import Recording

    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")) and (len(grid) != 3 or channels != 1):
        raise InputError(f"{path}: a NIfTI file takes 3 axes and 1 channel, not {_words(grid, channels)}: use .png.")
    if name.endswith(".wav"):
        if len(grid) != 1:
            raise InputError(f"{path}: a sound has 1 axis, not {_words(grid, channels)}: use .png.")
        if not isinstance(signal, Recording):
            raise InputError(f"{path}: how many samples a second is not known here: give a run folder, or use .png.")


def write_values(path: Path, values: "Tensor", signal: "Signal | None") -> None:
    """Writes values ``(*grid, c)`` by the file's ending; ``signal`` is the one that knows a sound's rate.

    A PNG holds a picture's own pixels, a volume's three middle slices, or a sound's waveform above its spectrogram.
    """
    from inrlens.reports.pictures import picture, pixels
    from inrlens.signals.audio import Recording, save_audio
    from inrlens.signals.images import save_image, save_png
    from inrlens.signals.nifti import save_volume

    check_writable(path, tuple(values.shape[:-1]), values.shape[-1], signal)
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        save_volume(path, values)
    elif name.endswith(".wav"):
        assert isinstance(signal, Recording)
        save_audio(path, values, signal.rate)
    elif values.ndim == 3 and values.shape[-1] in (1, 3):
        save_image(path, values)
    else:
        save_png(path, pixels(picture(values, "", longest=None)))


def _words(grid: tuple[int, ...], channels: int) -> str:
    axes = "1 axis" if len(grid) == 1 else f"{len(grid)} axes"
    return f"{axes} and {channels} channel" + ("" if channels == 1 else "s")
