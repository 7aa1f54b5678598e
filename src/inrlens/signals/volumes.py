"""Volumes as signals: NIfTI files, and videos as frames in a folder."""

from pathlib import Path

from inrlens.errors import InputError
from inrlens.signals.formats import format_of
from inrlens.signals.frames import load_frames
from inrlens.signals.nifti import load_nifti_volume
from inrlens.signals.signal import Signal


def load_volume(path: str | Path, window: tuple[float, float] | None = None) -> Signal:
    """Reads a volume as a signal of three axes: a NIfTI or FreeSurfer file, or a folder or file of frames, pages or
    slices as they are (``load_frames``, which also scales them).

    Args:
        path: the file or folder.
        window: ``(low, high)``: the values of a NIfTI file that become 0 and 1; what lies beyond is clipped.

    Raises:
        InputError: as ``load_signal``; where it holds no volume; where ``window`` is given for frames.
    """
    path = Path(path)
    if not path.is_dir() and format_of(path).kind != "picture":
        return load_nifti_volume(path, window)
    if window is not None:
        raise InputError(f"{path} is a folder of frames, whose values are within [0, 1] already: leave window out.")
    found = load_frames(path)
    if not path.is_dir() and found.shape[0] == 1:
        raise InputError(f"{path} holds one picture, and no volume: read it with il.load_image.")
    return found
