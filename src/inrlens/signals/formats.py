"""The formats that signals are read from, told apart by a file's bytes, and by its name only inside folders."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inrlens.errors import InputError
from inrlens.files import check_no_pipe

Kind = Literal["signal", "volume", "sound", "picture"]
Option = Literal["size", "grey", "how", "frames", "window", "seconds", "mono", "scale"]
_HEAD = 4096
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Format:
    """A kind of file.

    ``what`` it is in words, ``more`` than one of it; ``library`` reads it, which the extra ``extra`` brings. Files in a
    folder are taken for it by their ``endings``; a file that is named is taken by ``holds``, of its path and beginning.
    ``options`` are those of ``load_signal`` that mean something for it.
    """

    kind: Kind
    what: str
    more: str
    endings: tuple[str, ...]
    library: str
    extra: str
    options: tuple[Option, ...]
    grid: str
    holds: Callable[[Path, bytes], bool]


def format_of(path: Path) -> Format:
    """What a file holds, by its bytes; what nothing else knows is a picture, which Pillow looks at more closely.

    Raises:
        InputError: where it is missing, a folder, a pipe or device, or cannot be opened.
    """
    check_no_pipe(path)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist.") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder: give a file.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be opened ({getattr(error, 'strerror', None) or error}).") from error
    return next(one for one in FORMATS if one.holds(path, head))


def ending_of(name: str, endings: tuple[str, ...]) -> bool:
    """Whether a file's name has one of the endings, in letters of any size."""
    return name.lower().endswith(endings)


def _is_ours(path: Path, head: bytes) -> bool:
    return head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < 1 << 32


def _is_volume(path: Path, head: bytes) -> bool:
    if head[:2] == _GZIP:
        try:
            head = zlib.decompressobj(31).decompress(head, 400)
        except zlib.error:
            return ending_of(path.name, VOLUME.endings)
    if head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0"):
        return True
    # Analyze 7.5 knows no word but its length, FreeSurfer's MGH its version and a type of number.
    if len(head) >= 348 and struct.pack("<i", 348) in (head[:4], head[3::-1]):
        return True
    if head[:4] == b"\0\0\0\x01" and len(head) >= 284:
        *sides, kind = struct.unpack(">5i", head[4:24])
        return kind in range(11) and all(0 < side < 1 << 20 for side in sides)
    return path.suffix.lower() == ".img" and path.with_suffix(".hdr").exists()


def _is_sound(path: Path, head: bytes) -> bool:
    if head[:4] in (b"RIFF", b"RIFX", b"RF64"):
        return head[8:12] == b"WAVE"
    if head[:4] == b"FORM":
        return head[8:12] in (b"AIFF", b"AIFC")
    if head.startswith((b"fLaC", b"OggS", b".snd", b"dns.", b"caff", b"ID3", b"riff\x2e\x91\xcf\x11", b"NIST_1A")):
        return True
    # A frame of MPEG audio: eleven bits set, then a version and a layer that are not the reserved ones.
    return len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x18 != 0x08 and head[1] & 6 != 0


SIGNAL = Format(
    "signal", "a signal that InrLens saved", "saved signal", (".safetensors",), "safetensors", "", (), "any", _is_ours
)
VOLUME = Format(
    "volume",
    "a NIfTI",
    "NIfTI file",
    (".nii", ".nii.gz", ".mgh", ".mgz", ".hdr"),
    "nibabel",
    "nifti",
    ("window",),
    "the file's three axes; a slice's two",
    _is_volume,
)
SOUND = Format(
    "sound",
    "a sound",
    "sound",
    (".aif", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".w64", ".wav"),
    "soundfile",
    "audio",
    ("seconds", "mono", "scale"),
    "`(samples,)`",
    _is_sound,
)
PICTURE = Format(
    "picture",
    "an image",
    "image",
    (
        *(".avif", ".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif"),
        *(".tiff", ".webp"),
    ),
    "Pillow",
    "",
    ("size", "grey", "how", "frames"),
    '`(height, width)`; with `frames="all"` `(frames, height, width)`',
    lambda path, head: True,
)
FORMATS = (SIGNAL, VOLUME, SOUND, PICTURE)
"""In the order in which a file is held against them; the picture, which takes what is left, is the last."""
