"""The pixels of an image file, decoded by Pillow at the depth that the file declares."""

import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from inrlens.errors import InputError
from inrlens.signals.colour import deep_grey_to_srgb, to_srgb
from inrlens.signals.depths import Depth, declared, head_of, refuse_cut_colour
from inrlens.signals.memory import check_memory
from inrlens.signals.sizing import sides

_GREY = ("1", "L", "LA", "La")
_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")


@dataclass(frozen=True, eq=False)
class Picture:
    """An image file's first frame the right way round, in Pillow's mode for it.

    ``several`` where the file holds further frames that are no previews; ``format`` is Pillow's name of its kind,
    ``compression`` that within a TIFF, empty elsewhere.
    """

    image: Image.Image
    depth: Depth
    several: bool
    format: str
    compression: str

    @property
    def alpha(self) -> Image.Image | None:
        """How opaque each pixel is, up to 255; None where all are. Of grey of more than 8 bits, ``depth`` tells."""
        if (self.image.mode not in _TRANSPARENT and "transparency" not in self.image.info) or _is_deep(self.image):
            return None
        alpha = self.image.convert("RGBA").getchannel("A")
        return None if alpha.getextrema() == (255, 255) else alpha

    @property
    def transparent(self) -> bool:
        """Whether any pixel is."""
        return self.alpha is not None or self.depth.transparent is not None


def read_picture(path: Path) -> Picture:
    """Decodes an image file, which Pillow knows by its bytes.

    Raises:
        InputError: as ``load_image``, but for a crop.
    """
    try:
        # Opened here: Pillow maps a file that it is given by name into memory, and then turns a TIFF the wrong way.
        with path.open("rb") as file, warnings.catch_warnings():
            # The memory is asked below, with numbers.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            head = head_of(file)
            refuse_cut_colour(path, head)
            file.seek(0)
            with Image.open(file) as opened:
                depth = declared(path, opened, head)
                check_memory(str(path), (opened.height, opened.width), len(opened.getbands()))
                opened.load()
                # A phone's JPEG may carry previews as further frames; they are no loss.
                several = opened.format != "MPO" and getattr(opened, "n_frames", 1) > 1
                ImageOps.exif_transpose(opened, in_place=True)
                if depth.transparent is not None:
                    opened.info["transparency"] = depth.transparent
                compression = str(opened.info.get("compression", "")) if opened.format == "TIFF" else ""
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist.") from error
    except IsADirectoryError as error:
        raise InputError(
            f"{path} is a folder: give an image file, or read a folder of images with il.load_folder and "
            "a video's frames with il.load_frames in Python."
        ) from error
    except UnidentifiedImageError as error:
        raise InputError(f"{path} is not an image that Pillow can read.") from error
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise InputError(
            f"{path} is too large: it holds more than {most:,} pixels, the most that are read of a file, which could "
            "be made to fill the memory: cut it or scale it down with another program first."
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} could not be read as an image ({error}); is it cut short or damaged?") from error
    return Picture(opened, depth, several, str(opened.format), compression)


def plain(path: Path, picture: Picture, grey: bool) -> Image.Image:
    """The picture in sRGB and without transparency: of mode ``L`` or ``RGB`` up to ``picture.depth.top``, or, of more
    than 8 bits, ``F`` within [0, 1].

    Raises:
        InputError: for floats that are not finite or leave [0, 1].
    """
    image = picture.image
    if _is_deep(image):
        return Image.fromarray(_deep(path, picture))
    if image.mode in ("L", "RGB", "CMYK", "LAB"):
        base = image
    else:
        colours = image.convert("RGBA").convert("RGB") if image.mode in _TRANSPARENT else image.convert("RGB")
        base = colours.convert("L") if image.mode in _GREY else colours
    base = to_srgb(path, base, image.info)
    alpha = picture.alpha
    if alpha is not None:
        _flattened(path)
        base = Image.composite(base, Image.new(base.mode, base.size, "white"), alpha)
    return base.convert("L") if grey else base


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith("I") or image.mode == "F"


def _deep(path: Path, picture: Picture) -> np.ndarray:
    """Grey ``(h, w)`` of more than 8 bits, float32 within [0, 1]."""
    depth = picture.depth
    stored = np.asarray(picture.image)
    values = stored.astype(np.float32)
    if picture.image.mode == "F":
        low, high = float(values.min()), float(values.max())
        if not 0.0 <= low <= high <= 1.0:
            raise InputError(
                f"{path} holds {sides(values.shape)} floats from {low:g} to {high:g}: scale them to [0, 1] first."
            )
    values /= np.float32(depth.top)
    np.clip(values, 0.0, 1.0, out=values)
    if depth.inverted:
        values = np.float32(1.0) - values
    values = deep_grey_to_srgb(path, values, picture.image.info)
    if depth.transparent is not None:
        _flattened(path)
        values[stored == depth.transparent] = 1.0
    return values


def _flattened(path: Path) -> None:
    warnings.warn(f"{path.name}: transparency was flattened on white.", UserWarning, stacklevel=4)
