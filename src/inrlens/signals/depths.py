"""What an image file declares of its samples, where Pillow reads past it: bits, sign, channels, light or ink."""

import io
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from inrlens.errors import InputError

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CODESTREAM = b"\xff\x4f\xff\x51"
"""How a JPEG 2000 codestream begins, with its SIZ segment (ISO/IEC 15444-1, A.5.1)."""
_JP2 = b"\0\0\0\x0cjP  "
_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLES_PER_PIXEL, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 258, 262, 277, 338, 339
_COLOUR_MAP, _IMAGE_DESCRIPTION, _IMAGE_DEPTH = 320, 270, 32997
_WHITE_IS_ZERO = 0
_INKS = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3}
"""How many channels a TIFF's photometric interpretation has."""
_ALPHA = (1, 2)
_HEAD = 1 << 16


@dataclass(frozen=True)
class Depth:
    """``top`` is the sample that is white, as Pillow gives it; where ``inverted``, it is black, and 0 is white.
    ``transparent`` is the grey sample that a PNG declares to be transparent, in Pillow's scale; where ``opaque``, what
    Pillow takes for a channel of transparency is another one, that nobody has named."""

    top: int
    inverted: bool = False
    transparent: int | None = None
    opaque: bool = False


def head_of(file: BinaryIO) -> bytes:
    """How an image file begins: as much of it as tells the depth of its samples."""
    head = file.read(_HEAD)
    long = head.startswith(_JP2) and _CODESTREAM not in head
    return head + file.read() if long else head


def refuse_cut_colour(path: Path, head: bytes) -> None:
    """Raises InputError where a file holds colours of more than 8 bits, which Pillow would cut down without a word;
    ``head`` is ``head_of`` it."""
    bits = 8
    kind = ""
    if head[:8] == _PNG_SIGNATURE and len(head) >= 26:
        kind, bits = "PNG", head[24] if head[25] != 0 else 8
    elif (found := _jpeg2000(head)) is not None:
        depths, signed = found
        if signed:
            raise InputError(f"{path} is a JPEG 2000 file of signed samples: save it unsigned first, as PNG or TIFF.")
        kind, bits = "JPEG 2000 file", max(depths) if len(depths) > 1 else 8
    elif head[4:12] in (b"ftypavif", b"ftypavis") and (at := head.find(b"av1C")) >= 0 and len(head) > at + 6:
        kind, bits = "AVIF", 8 + 2 * bool(head[at + 6] & 0x40) + 2 * bool(head[at + 6] & 0x20)
    elif head[:2] == b"\x01\xda" and len(head) > 4:
        kind, bits = "SGI image", 8 * head[3]
    if bits > 8:
        raise InputError(
            f"{path} is a {bits}-bit colour {kind}, which would lose its depth: convert it to 8 bits first."
        )


def declared(path: Path, image: Image.Image, head: bytes) -> Depth:
    """The depth of an opened image that is not loaded yet.

    Warns where a TIFF has channels that Pillow leaves out.

    Raises:
        InputError: where the samples are signed, of more than 16 bits, or of a range that the file does not state.
    """
    wide = image.mode.startswith("I;16")
    if hasattr(image, "tag_v2"):
        return _tiff(path, image, wide)
    if image.format == "PNG":
        return _png(image, head, wide)
    if image.format == "JPEG2000":
        depths = (_jpeg2000(head) or ((8,), False))[0]
        whole = 16 if wide else 8
        # Pillow moves fewer bits up to the top of 8 or 16, and leaves zeros below.
        return Depth(((1 << depths[0]) - 1) << max(0, whole - depths[0]))
    if image.format == "PPM":
        _refuse_deep_ppm(path, image)
        return Depth(65535 if image.mode == "I" else 1 if image.mode == "F" else 255)
    if wide or image.mode in ("I", "F"):
        raise InputError(
            f"{path} is a {image.format} file of {image.mode!r} samples, whose range is not stated: save it as PNG or "
            "TIFF of 8 or 16 bits first, or scale an array to [0, 1] for il.signal_from_array."
        )
    return Depth(255)


def _png(image: Image.Image, head: bytes, wide: bool) -> Depth:
    transparent = image.info.get("transparency")
    if image.mode not in ("L", "I;16") or not isinstance(transparent, int):
        return Depth(65535 if wide else 255)
    # tRNS is in the file's bits; Pillow gives 2 and 4 bits on the scale of 8.
    bits = head[24]
    return Depth(65535 if wide else 255, transparent=transparent if wide else transparent * 255 // ((1 << bits) - 1))


def _tiff(path: Path, image: Any, wide: bool) -> Depth:
    tags = image.tag_v2
    bits = tags.get(_BITS_PER_SAMPLE, (1,))
    formats = set(_numbers(tags.get(_SAMPLE_FORMAT, (1,))))
    photometric = tags.get(_PHOTOMETRIC, 1)
    _refuse_odd_tiff(path, image)
    if len(bits) > 1 and max(bits) > 8:
        raise InputError(f"{path} is a {max(bits)}-bit colour TIFF, which would lose its depth: convert it to 8 bits.")
    if formats == {3} and image.mode == "F":
        return Depth(1, photometric == _WHITE_IS_ZERO)
    if not formats <= {1, 4} or image.mode in ("I", "F"):
        kind = "signed" if 2 in formats else f"{max(bits)}-bit"
        raise InputError(
            f"{path} is a TIFF of {kind} samples, whose white is not stated: save it as unsigned 8- or 16-bit "
            "first, or scale an array to [0, 1] for il.signal_from_array."
        )
    held, inks = int(tags.get(_SAMPLES_PER_PIXEL, 1)), _INKS.get(photometric, len(bits))
    more = _numbers(tags.get(_EXTRA_SAMPLES, ()))
    unread = held - inks - (1 if more[:1] and more[0] in _ALPHA else 0)
    if unread > 0 and image.mode in ("L", "P", "RGB", "RGBX", "CMYK", "RGBA", "LA"):
        warnings.warn(
            f"{path.name}: of {held} channels the first {held - unread} were read; il.signal_from_array takes all of "
            "an array.",
            UserWarning,
            stacklevel=4,
        )
    opaque = unread > 0 and not more[:1]
    return Depth((1 << int(bits[0])) - 1 if wide else 255, wide and photometric == _WHITE_IS_ZERO, opaque=opaque)


def _refuse_odd_tiff(path: Path, image: Any) -> None:
    """Raises InputError for what Pillow reads wrongly without a word: palettes of 8 bits a colour, which come out
    black, and planes beyond the first that have no page each."""
    tags = image.tag_v2
    colours = _numbers(tags.get(_COLOUR_MAP, ()))
    if image.mode == "P" and 0 < max(colours, default=0) < 256:
        raise InputError(
            f"{path} is a TIFF whose palette counts to 255, where TIFF counts to 65,535: save it as RGB first."
        )
    stacked = re.match(r"ImageJ=.*?^images=(\d+)", str(tags.get(_IMAGE_DESCRIPTION, "")), re.DOTALL | re.MULTILINE)
    planes = max(int(stacked[1]) if stacked else 1, int(tags.get(_IMAGE_DEPTH, 1)))
    if planes > int(getattr(image, "n_frames", 1)):
        raise InputError(
            f"{path} is a TIFF of {planes} planes, of which Pillow knows the first alone: open it with tifffile and "
            "give its array, scaled to [0, 1], to il.signal_from_array."
        )


def _numbers(tag: Any) -> tuple[int, ...]:
    return tuple(tag) if isinstance(tag, tuple) else (tag,)


def _jpeg2000(head: bytes) -> tuple[tuple[int, ...], bool] | None:
    """The bits of every component of a JPEG 2000 file, and whether any is signed; None for other files."""
    if not head.startswith((_CODESTREAM, _JP2)):
        return None
    at = head.find(_CODESTREAM)
    parts = io.BytesIO(head[at + 4 :])
    parts.seek(36)
    count = int.from_bytes(parts.read(2), "big")
    found = [parts.read(3)[:1] for _ in range(min(count, 16))]
    sizes = [one[0] for one in found if one]
    if at < 0 or not sizes:
        return None
    return tuple((size & 0x7F) + 1 for size in sizes), any(size & 0x80 for size in sizes)


def _refuse_deep_ppm(path: Path, image: Image.Image) -> None:
    tiles: Any = getattr(image, "tile", ())
    if image.mode == "RGB" and any(tile.codec_name != "raw" and tile.args[-1] > 255 for tile in tiles):
        raise InputError(f"{path} is a colour PPM of over 8 bits, which would lose its depth: convert it first.")
