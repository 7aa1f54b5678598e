"""A folder of images as a list of signals."""

import fnmatch
import logging
from dataclasses import dataclass
from pathlib import Path

from inrlens.errors import InputError
from inrlens.signals.images import load_image
from inrlens.signals.signal import Signal
from inrlens.signals.sizing import Fitting

_log = logging.getLogger(__name__)

IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class Skipped:
    """A file of a folder that was not read, and why."""

    file: str
    reason: str


class SignalList(list[Signal]):
    """The signals of a folder; ``skipped`` names every file that was left out."""

    skipped: tuple[Skipped, ...]

    def __init__(self, signals: list[Signal], skipped: tuple[Skipped, ...]) -> None:
        super().__init__(signals)
        self.skipped = skipped


def load_folder(
    folder: str | Path,
    pattern: str = "*",
    size: tuple[int, int] | None = None,
    grey: bool = False,
    how: Fitting = "resize",
    limit: int | None = None,
) -> SignalList:
    """Reads the images directly inside a folder, sorted by name.

    Files that are no images or cannot be read are left out, logged, and listed in ``.skipped``.

    Args:
        folder: the folder.
        pattern: a shell pattern that a file's name must match, for example ``"*.jpg"``.
        size: as for ``load_image``, like the next two.
        grey: one channel.
        how: how the size is reached.
        limit: read at most so many images.

    Raises:
        InputError: where the folder is missing or holds no readable image that matches.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder.")
    if limit is not None and limit < 1:
        raise InputError(f"limit must be at least 1 image, not {limit}.")
    signals: list[Signal] = []
    skipped: list[Skipped] = []
    for path in sorted(folder.iterdir()):
        if limit is not None and len(signals) == limit:
            break
        if path.is_dir() or path.name.startswith(".") or not fnmatch.fnmatch(path.name, pattern):
            continue
        if path.suffix.lower() not in IMAGE_SUFFIXES:
            skipped.append(Skipped(path.name, "not an image file by its ending"))
            continue
        try:
            signals.append(load_image(path, size, grey, how))
        except InputError as error:
            skipped.append(Skipped(path.name, str(error)))
    for file in skipped:
        _log.warning("%s was left out: %s", file.file, file.reason)
    if not signals:
        reasons = f" ({skipped[0].file}: {skipped[0].reason})" if skipped else ""
        raise InputError(f"{folder} holds no image that matches {pattern!r} and can be read{reasons}.")
    return SignalList(signals, tuple(skipped))
