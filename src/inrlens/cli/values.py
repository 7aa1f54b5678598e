"""What a network says, written to a file: as a picture, or as the volume or sound that it is."""

from pathlib import Path
from typing import TYPE_CHECKING

from inrlens.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from inrlens.signals.signal import Signal

ENDINGS = (".png", ".nii", ".nii.gz", ".wav")


def check_writable(path: Path, grid: tuple[int, ...], signal: "Signal | None") -> None:
    """Refuses an ending that values on a grid cannot be written with.

    Raises:
        InputError: where it is a NIfTI file's or a sound's, and the values are none or their rate is not known.
    """
    from inrlens.signals.audio import Recording

    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")) and len(grid) != 3:
        raise InputError(f"{path}: a NIfTI file takes a volume of 3 axes, not {_axes(len(grid))}: use .png.")
    if name.endswith(".wav"):
        if len(grid) != 1:
            raise InputError(f"{path}: a sound has 1 axis, not {_axes(len(grid))}: use .png.")
        if not isinstance(signal, Recording):
            raise InputError(f"{path}: how many samples a second is not known here: give a run folder, or use .png.")


def write_values(path: Path, values: "Tensor", signal: "Signal | None") -> None:
    """Writes values ``(*grid, c)`` by the file's ending; ``signal`` is the one that knows a sound's rate and where a
    volume lies.

    A PNG holds a picture's own pixels, a volume's three middle slices, or a sound's waveform above its spectrogram.
    """
    from inrlens.reports.pictures import picture, pixels
    from inrlens.signals.audio import Recording, save_audio
    from inrlens.signals.images import save_image, save_png
    from inrlens.signals.nifti import save_volume

    check_writable(path, tuple(values.shape[:-1]), signal)
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        save_volume(values, path, None if signal is None else signal.affine)
    elif name.endswith(".wav"):
        assert isinstance(signal, Recording)
        save_audio(values, path, signal.rate)
    elif values.ndim == 3 and values.shape[-1] in (1, 3):
        save_image(values, path)
    else:
        save_png(pixels(picture(values, "", longest=None)), path)


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else f"{count} axes"
