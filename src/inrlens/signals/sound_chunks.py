"""Whether a sound file is as long as its own header says; libsndfile reads a cut one as a shorter sound."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

from inrlens.errors import InputError

Order: TypeAlias = Literal["little", "big"]
Samples: TypeAlias = tuple[int, int] | None
"""The bytes of samples that a file's header tells of, and where in the file they begin; None where it tells nothing."""
_UNKNOWN = 0x7FFF_F000
"""From here on a size of 32 bits is a stand-in of a writer that could not go back to the header, as 0 is."""


def check_whole(path: Path) -> None:
    """Raises InputError where the samples of a WAV, RF64, W64, AIFF, AU, CAF or NIST file end before its header says,
    and where an Ogg file holds several sounds one after the other.

    Other files, and those whose writer left the size open, pass.
    """
    with path.open("rb") as file:
        magic = file.read(4)
        if magic == b"OggS":
            _check_one_sound(path, file)
        tells = _TOLD.get(magic)
        found = tells(file) if tells else None
    if found is None:
        return
    size, start = found
    there = max(0, path.stat().st_size - start)
    if there < size:
        raise InputError(
            f"{path} is cut short: it holds {there:,} of the {size:,} bytes of samples that its header tells of: copy "
            "it again, or save what is left with a sound editor."
        )


def _chunks(order: Order, wanted: bytes) -> Callable[[BinaryIO], Samples]:
    """What tells of samples in a file of chunks: four letters, four bytes of size, an even number of bytes."""

    def told(file: BinaryIO) -> Samples:
        file.seek(12)
        long = 0
        while len(head := file.read(8)) == 8:
            size = int.from_bytes(head[4:], order)
            if head[:4] == b"ds64":
                long = int.from_bytes(file.read(16)[8:], order)
                file.seek(-16, 1)
            if head[:4] == wanted:
                size = long or (size if size < _UNKNOWN else 0)
                return (size, file.tell()) if size else None
            file.seek(size + size % 2, 1)
        return None

    return told


def _wave64(file: BinaryIO) -> Samples:
    """Sony's Wave64: names of 16 bytes, sizes of 8 that count their own head, filled up to 8."""
    file.seek(40)
    while len(head := file.read(24)) == 24:
        size = int.from_bytes(head[16:], "little")
        if head[:4] == b"data":
            return size - 24, file.tell()
        file.seek(max(0, -(-size // 8) * 8 - 24), 1)
    return None


def _caf(file: BinaryIO) -> Samples:
    """Apple's Core Audio: sizes of 8 bytes, -1 where it is open; samples follow four bytes that count edits."""
    file.seek(8)
    while len(head := file.read(12)) == 12:
        size = int.from_bytes(head[4:], "big", signed=True)
        if head[:4] == b"data":
            return (size, file.tell()) if size >= 0 else None
        file.seek(max(0, size), 1)
    return None


def _au(order: Order) -> Callable[[BinaryIO], Samples]:
    def told(file: BinaryIO) -> Samples:
        start, size = (int.from_bytes(file.read(4), order) for _ in range(2))
        return (size, start) if size < _UNKNOWN else None

    return told


def _nist(file: BinaryIO) -> Samples:
    """NIST's SPHERE: a header of text, whose second line is its length."""
    file.seek(0)
    head = file.read(4096)
    length = re.match(rb"NIST_1A\s+(\d+)\s", head)
    counts = [re.search(rb"\n" + name + rb" -i (\d+)", head) for name in _NIST_COUNTS]
    if length is None or None in counts:
        return None
    return math.prod(int(count[1]) for count in counts if count), int(length[1])


_NIST_COUNTS = (b"sample_count", b"channel_count", b"sample_n_bytes")


def _check_one_sound(path: Path, file: BinaryIO) -> None:
    """Raises InputError where a stream begins after another has gone on: libsndfile reads the first alone."""
    file.seek(0)
    went_on = False
    while len(head := file.read(27)) == 27 and head[:4] == b"OggS":
        begins = bool(head[5] & 2)
        if begins and went_on:
            raise InputError(
                f"{path} holds several sounds one after the other, of which only the first would be read: join them "
                "first, as ffmpeg does, or save them apart."
            )
        went_on = went_on or not begins
        file.seek(sum(file.read(head[26])), 1)


_TOLD: dict[bytes, Callable[[BinaryIO], Samples]] = {
    b"RIFF": _chunks("little", b"data"),
    b"RF64": _chunks("little", b"data"),
    b"RIFX": _chunks("big", b"data"),
    b"FORM": _chunks("big", b"SSND"),
    b"riff": _wave64,
    b"caff": _caf,
    b".snd": _au("big"),
    b"dns.": _au("little"),
    b"NIST": _nist,
}
