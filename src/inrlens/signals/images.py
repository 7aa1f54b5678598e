"""Image files as signals, and back."""

import struct
import warnings
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from inrlens.errors import InputError
from inrlens.files import whole_file
from inrlens.signals.signal import Signal, signal_from_array
from inrlens.signals.sizing import Fitting

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TIFF_BITS_PER_SAMPLE = 258


def load_image(
    path: str | Path,
    size: tuple[int, int] | None = None,
    grey: bool = False,
    how: Fitting = "resize",
) -> Signal:
    """Reads an image file as a signal.

    Eight-bit grey, RGB and palette images keep their values, CMYK becomes RGB; sixteen-bit grey keeps its depth;
    transparency is flattened on white with a warning; the EXIF orientation is applied; of several frames the first is
    taken, with a warning.

    Args:
        path: the file.
        size: ``(height, width)`` in pixels to bring the image to; None keeps its own.
        grey: one channel (ITU-R 601 luma) instead of three.
        how: ``"resize"`` scales each side by itself, ``"cover"`` scales until the size is covered and cuts the rest
            off evenly, ``"crop"`` cuts the middle out without scaling.

    Raises:
        InputError: where the file is missing, truncated, no image, of more than 16 bits, colour of 16 bits (Pillow
            would silently halve its depth), or smaller than a crop.
    """
    path = Path(path)
    check_fitting(size, how)
    try:
        with path.open("rb") as file:
            _refuse_deep_png(path, file.read(33))
        with Image.open(path) as opened:
            _refuse_deep_tiff(path, opened)
            _refuse_deep_ppm(path, opened)
            opened.load()
            image = ImageOps.exif_transpose(opened)
            # A phone's JPEG may carry previews as further frames; they are no loss.
            several = opened.format != "MPO" and getattr(opened, "n_frames", 1) > 1
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist.") from error
    except IsADirectoryError as error:
        raise InputError(
            f"{path} is a folder: give an image file, or read a folder of images with il.load_folder and "
            "a video's frames with il.load_frames in Python."
        ) from error
    except UnidentifiedImageError as error:
        raise InputError(f"{path} is not an image that Pillow can read.") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} could not be read as an image ({error}); is it cut short or damaged?") from error
    if several:
        warnings.warn(f"{path.name}: of several frames the first was taken.", UserWarning, stacklevel=2)
    image = _plain_mode(path, image, grey)
    if size is not None:
        image = fitted(path, image, size, how)
    deep = image.mode == "F"
    array = np.asarray(image, dtype=np.float32) / (65535.0 if deep else 255.0)
    if array.ndim == 2:
        array = array[:, :, None]
    values = torch.from_numpy(np.ascontiguousarray(array)).clamp_(0.0, 1.0)
    return signal_from_array(path.name, values, bit_depth=16 if deep else 8)


def save_image(path: str | Path, image: Float[Tensor, "h w c"], bit_depth: int = 8) -> None:
    """Writes values in [0, 1] (clamped) as a PNG: one or three channels of 8 bits, or one channel of 16.

    Raises:
        InputError: for another number of channels or bits, or where the file cannot be written.
    """
    channels = image.shape[-1]
    if channels not in (1, 3) or (bit_depth, channels) not in ((8, 1), (8, 3), (16, 1)):
        raise InputError(
            f"an image of {channels} channels and {bit_depth} bits cannot be saved; "
            "allowed are 1 or 3 channels of 8 bits and 1 channel of 16."
        )
    top = 255.0 if bit_depth == 8 else 65535.0
    array = (image.detach().cpu().clamp(0.0, 1.0) * top).round().numpy()
    array = array.astype(np.uint8 if bit_depth == 8 else np.uint16)
    save_png(path, Image.fromarray(array[:, :, 0] if channels == 1 else array))


def save_png(path: str | Path, image: Image.Image) -> None:
    """Writes an image of Pillow's as a PNG, whole or not at all.

    Raises:
        InputError: where the file cannot be written.
    """
    with whole_file(Path(path)) as temporary:
        image.save(temporary, format="PNG")


def check_fitting(size: tuple[int, int] | None, how: str) -> None:
    """Raises InputError where ``size`` is no ``(height, width)`` or ``how`` is not known."""
    if how not in get_args(Fitting):
        raise InputError(f"how={how!r} is not known; allowed are {', '.join(get_args(Fitting))}.")
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise InputError(f"size must be (height, width) of at least 1 pixel each, not {size}.")


def _refuse_deep_png(path: Path, header: bytes) -> None:
    if header[:8] == _PNG_SIGNATURE and len(header) >= 26:
        depth, colour_type = header[24], header[25]
        if depth == 16 and colour_type != 0:
            raise InputError(f"{path} is a 16-bit colour PNG, which would lose its depth: convert it to 8 bits first.")


def _refuse_deep_tiff(path: Path, image: Image.Image) -> None:
    bits = getattr(image, "tag_v2", {}).get(_TIFF_BITS_PER_SAMPLE, (8,))
    if len(bits) > 1 and max(bits) > 8:
        raise InputError(f"{path} is a {max(bits)}-bit colour TIFF, which would lose its depth: convert it to 8 bits.")


def _refuse_deep_ppm(path: Path, image: Image.Image) -> None:
    if image.format == "PPM" and image.mode == "RGB":
        tiles: Any = getattr(image, "tile", ())
        if any(tile.codec_name != "raw" and tile.args[-1] > 255 for tile in tiles):
            raise InputError(f"{path} is a colour PPM of over 8 bits, which would lose its depth: convert it first.")


def _plain_mode(path: Path, image: Image.Image, grey: bool) -> Image.Image:
    """Brings any mode to L, RGB, or F (which here holds 16-bit grey)."""
    if image.mode.startswith("I;16"):
        return image.convert("I").convert("F")
    if image.mode in ("I", "F"):
        low, high = image.getextrema()
        if image.mode == "F" or float(low) < 0 or float(high) > 65535:  # type: ignore[arg-type]
            raise InputError(f"{path} holds {image.mode!r} pixels from {low} to {high}: save it as 8- or 16-bit first.")
        return image.convert("F")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        warnings.warn(f"{path.name}: transparency was flattened on white.", UserWarning, stacklevel=3)
        rgba = image.convert("RGBA")
        colourless = image.mode in ("LA", "La", "L", "1")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
        if colourless:
            image = image.convert("L")
    if image.mode == "LAB":
        image = image.convert("RGB")
    if grey or image.mode in ("L", "1"):
        return image.convert("L")
    return image.convert("RGB")


def fitted(path: Path, image: Image.Image, size: tuple[int, int], how: Fitting) -> Image.Image:
    """An image brought to ``(height, width)``; ``path`` is for the words of an error.

    Raises:
        InputError: where it is too small to crop the size from it.
    """
    height, width = size
    if how == "cover":
        return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    if how == "resize":
        return image.resize((width, height), Image.Resampling.LANCZOS)
    if image.height < height or image.width < width:
        raise InputError(
            f"{path} is {image.height}x{image.width} pixels, too small to crop {height}x{width} from it; "
            "use how='cover' to scale it."
        )
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))
