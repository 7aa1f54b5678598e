"""A video as a volume: frames in a folder, stacked along time."""

import fnmatch
import re
from pathlib import Path

import torch

from inrlens.errors import InputError
from inrlens.signals.folders import IMAGE_SUFFIXES
from inrlens.signals.images import load_image
from inrlens.signals.memory import check_memory
from inrlens.signals.signal import Signal, signal_from_array
from inrlens.signals.sizing import Fitting

_NUMBER = re.compile(r"(\d+)")


def load_frames(
    folder: str | Path,
    pattern: str = "*",
    size: tuple[int, int] | None = None,
    grey: bool = False,
    how: Fitting = "resize",
    limit: int | None = None,
) -> Signal:
    """Reads the images directly inside a folder as one signal on the grid ``(frames, height, width)``.

    The order is that of the numbers in the names: ``frame2.png`` comes before ``frame10.png``. The coordinate z runs
    along time. A frame that cannot be read is refused, since leaving it out would bend the time.

    Args:
        folder: the folder; files that are no images by their ending stay out.
        pattern: a shell pattern that a file's name must match.
        size: as for ``load_image``, like the next two.
        grey: one channel.
        how: how the size is reached.
        limit: read at most so many frames, the first.

    Raises:
        InputError: where the folder is missing or holds no frame that matches, a frame cannot be read or differs from
            the first in size or channels, or no memory holds them all.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder.")
    if limit is not None and limit < 1:
        raise InputError(f"limit must be at least 1 frame, not {limit}.")
    paths = sorted((path for path in folder.iterdir() if _is_frame(path, pattern)), key=_by_numbers)[:limit]
    if not paths:
        raise InputError(f"{folder} holds no image that matches {pattern!r}: give the folder of a video's frames.")
    first = load_image(paths[0], size, grey, how)
    shape = (len(paths), *first.shape)
    check_memory(str(folder), shape, first.channels)
    values = torch.empty(*shape, first.channels)
    for index, path in enumerate(paths):
        frame = load_image(path, size, grey, how)
        if (frame.shape, frame.channels) != (first.shape, first.channels):
            raise InputError(
                f"{folder}: {paths[0].name} is {_words(first)} and {path.name} {_words(frame)}, but the frames of a "
                "video share one size: give a size that all are brought to, or grey=True."
            )
        values[index] = frame.image()
    return signal_from_array(folder.resolve().name, values, first.bit_depth)


def _is_frame(path: Path, pattern: str) -> bool:
    named = path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    return named and fnmatch.fnmatch(path.name, pattern) and path.is_file()


def _by_numbers(path: Path) -> tuple[list[tuple[int, str]], str]:
    # split with a group puts text and numbers in turn, so that like meets like.
    parts = [(int(part), "") if part.isdecimal() else (0, part) for part in _NUMBER.split(path.name)]
    return parts, path.name


def _words(frame: Signal) -> str:
    return f"{'x'.join(str(side) for side in frame.shape)} pixels of {frame.channels} channel" + (
        "s" if frame.channels > 1 else ""
    )
