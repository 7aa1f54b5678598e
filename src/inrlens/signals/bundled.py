"""The photographs that come with InrLens; authors and licences stand in ``photos/sources.csv``."""

import csv
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Literal

from inrlens.errors import InputError
from inrlens.signals.images import load_image
from inrlens.signals.signal import Signal

Split = Literal["cohort", "heldout", "all"]


@dataclass(frozen=True)
class PhotoSource:
    """Where a bundled photograph comes from: a row of ``sources.csv``."""

    file: str
    split: str
    title: str
    author: str
    licence: str
    source: str
    changes: str


def photo_sources() -> tuple[PhotoSource, ...]:
    """Author, licence and origin of every bundled photograph, cohort first."""
    text = (files("inrlens") / "photos" / "sources.csv").read_text(encoding="utf-8")
    return tuple(PhotoSource(**row) for row in csv.DictReader(text.splitlines()))


def bundled_photos(split: Split = "all", size: tuple[int, int] | None = None, grey: bool = False) -> list[Signal]:
    """The bundled photographs, 192x240 pixels: 10 of the split ``"cohort"``, 6 of ``"heldout"``, no scene twice.

    ``size`` ``(height, width)`` scales them; ``grey`` gives one channel.

    Raises:
        InputError: for another split.
    """
    if split not in ("cohort", "heldout", "all"):
        raise InputError(f"split={split!r} is not known; allowed are 'cohort', 'heldout' and 'all'.")
    photos = []
    for source in photo_sources():
        if split in ("all", source.split):
            with as_file(files("inrlens") / "photos" / source.file) as path:
                photos.append(load_image(path, size, grey))
    return photos
