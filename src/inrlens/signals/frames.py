"""Several pictures as one volume: the frames of a film, the pages of a stack, the slices in a folder."""

import fnmatch
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch

from inrlens.errors import InputError
from inrlens.signals.formats import PICTURE, ending_of
from inrlens.signals.images import check_fitting, load_image, signal_of
from inrlens.signals.memory import check_memory
from inrlens.signals.pixels import read_frames, read_picture
from inrlens.signals.signal import Signal, signal_from_array
from inrlens.signals.sizing import Fitting

_NUMBER = re.compile(r"(\d+)")


def load_frames(
    path: str | Path,
    pattern: str = "*",
    size: tuple[int, int] | None = None,
    grey: bool = False,
    how: Fitting = "resize",
    limit: int | None = None,
) -> Signal:
    """Reads the images directly inside a folder, or the frames or pages of one file (TIFF, GIF, WebP, APNG), as one
    signal on the grid ``(frames, height, width)``.

    In a folder the order is that of the numbers in the names: ``frame2.png`` comes before ``frame10.png``. The
    coordinate z runs along the frames. A frame that cannot be read is refused, since leaving it out would bend the
    time. Where frames are of colour and grey, the grey frames become colour.

    Args:
        path: the folder, of which files that are no images by their ending stay out; or the file.
        pattern: a shell pattern that the name of a file in the folder must match.
        size: as for ``load_image``, like the next two.
        grey: one channel.
        how: how the size is reached.
        limit: read at most so many frames, the first.

    Raises:
        InputError: where the path is missing or holds no frame that matches, a frame cannot be read or differs from
            the first in size, or no memory holds them all.
    """
    path = Path(path)
    check_fitting(size, how)
    if limit is not None and limit < 1:
        raise InputError(f"limit must be at least 1 frame, not {limit}.")
    if path.is_dir():
        files = sorted((one for one in path.iterdir() if _is_frame(one, pattern)), key=_by_numbers)[:limit]
        if not files:
            raise InputError(f"{path} holds no image that matches {pattern!r}: give the folder of a video's frames.")
        return _stacked(path, len(files), ((one.name, load_image(one, size, grey, how)) for one in files))
    if not path.exists():
        raise InputError(f"{path} does not exist.")
    if pattern != "*":
        raise InputError(f"{path} is one file, in which pattern {pattern!r} has no meaning: leave it out.")
    count = read_picture(path).frames
    read = (signal_of(path, one, size, grey, how) for one in read_frames(path))
    found = ((f"frame {index}", one) for index, one in enumerate(islice(read, limit)))
    return _stacked(path, count if limit is None else min(limit, count), found)


def _stacked(path: Path, count: int, frames: Iterator[tuple[str, Signal]]) -> Signal:
    """The frames, each with what it is called, as one signal."""
    begun, first = next(frames)
    shape, channels = (count, *first.shape), first.channels
    check_memory(str(path), shape, channels)
    values = torch.empty(*shape, channels)
    values[0] = first.image()
    depth = first.bit_depth
    for index, (name, frame) in enumerate(frames, start=1):
        if frame.shape != first.shape:
            raise InputError(
                f"{path}: {begun} is {_words(first)} and {name} {_words(frame)}, but the frames of a "
                "video share one size: give a size that all are brought to."
            )
        if frame.channels > channels:
            channels = frame.channels
            check_memory(str(path), shape, channels)
            values = values.expand(*shape, channels).contiguous()
        values[index] = frame.image()
        depth = max(depth, frame.bit_depth)
    return signal_from_array(path.resolve().name, values, depth)


def _is_frame(path: Path, pattern: str) -> bool:
    named = ending_of(path.name, PICTURE.endings) and not path.name.startswith(".")
    return named and fnmatch.fnmatch(path.name, pattern) and path.is_file()


def _by_numbers(path: Path) -> tuple[list[tuple[int, str]], str]:
    # split with a group puts text and numbers in turn, so that like meets like.
    parts = [(int(part), "") if part.isdecimal() else (0, part) for part in _NUMBER.split(path.name)]
    return parts, path.name


def _words(frame: Signal) -> str:
    return f"{'x'.join(str(side) for side in frame.shape)} pixels of {frame.channels} channel" + (
        "s" if frame.channels > 1 else ""
    )
