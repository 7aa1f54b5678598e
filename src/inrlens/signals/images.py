"""Image files as signals, and back."""

import warnings
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from PIL import Image, ImageOps

from inrlens.arrays import ArrayLike, check_no_nan, check_not_empty, check_values_first, values_of
from inrlens.errors import InputError
from inrlens.files import whole_file
from inrlens.signals.pixels import Picture, deep_grey, plain, read_picture
from inrlens.signals.signal import Signal, signal_from_array
from inrlens.signals.sizing import Fitting


def load_image(
    path: str | Path,
    size: tuple[int, int] | None = None,
    grey: bool = False,
    how: Fitting = "resize",
    frame: int | None = None,
) -> Signal:
    """Reads an image file as a signal; what it is, its bytes say, not its name.

    Grey, RGB and palette images of 8 bits keep their values, and so does grey of up to 16 bits, whose white is that of
    the depth that the file declares, and of floats within [0, 1]. CMYK becomes RGB. A colour profile, and the gAMA of a
    PNG, is brought to sRGB; transparency is flattened on white with a warning; the orientation is applied; of several
    frames the first is taken, with a warning; channels beyond colour and transparency are left out, with a warning.

    Args:
        path: the file.
        size: ``(height, width)`` in pixels to bring the image to; None keeps its own.
        grey: one channel (ITU-R 601 luma) instead of three.
        how: ``"resize"`` scales each side by itself, ``"cover"`` scales until the size is covered and cuts the rest
            off evenly, ``"crop"`` cuts the middle out without scaling.
        frame: which of several frames or pages, counted from 0; None takes the first, and says so.

    Raises:
        InputError: where the file is missing, truncated, no image, too large, of more than 16 bits, of signed samples,
            colour of more than 8 bits (Pillow would silently halve its depth), or smaller than a crop.
    """
    path = Path(path)
    check_fitting(size, how)
    found = read_picture(path, frame or 0)
    if frame is None and found.frames > 1:
        warnings.warn(
            f"{path.name}: of {found.frames} frames the first was taken; il.load_signal reads them as a volume with "
            "frames='all', and one of them with its number.",
            UserWarning,
            stacklevel=2,
        )
    return signal_of(path, found, size, grey, how)


def signal_of(path: Path, found: Picture, size: tuple[int, int] | None, grey: bool, how: Fitting) -> Signal:
    """The signal of a decoded frame; the arguments are those of ``load_image``.

    Raises:
        InputError: for floats beyond [0, 1], and where it is smaller than a crop.
    """
    if found.is_deep:
        array = deep_grey(path, found)
        if size is not None:
            array = np.array(fitted(path, Image.fromarray(array), size, how))
        values = torch.from_numpy(array)
    else:
        image = plain(path, found, grey)
        if size is not None:
            image = fitted(path, image, size, how)
        values = torch.from_numpy(np.array(image, order="C")).float()
        values /= float(found.depth.top)
    bits = 16 if found.is_deep else 8
    return signal_from_array(path.name, values.clamp_(0.0, 1.0).reshape(*values.shape[:2], -1), bits)


def save_image(image: ArrayLike, path: str | Path, bit_depth: int = 8) -> None:
    """Writes values ``(h, w, c)`` in [0, 1] (clamped) as a PNG: one or three channels of 8 bits, or one channel of 16.
    ``image`` may be whatever ``il.signal_from_array`` takes.

    Raises:
        InputError: for another number of axes, channels or bits, or where the file cannot be written.
    """
    check_values_first("save_image", image, path)
    image = values_of(f"{path}: the image", image)
    if image.ndim != 3:
        raise InputError(
            f"{path}: an image is written from values of three axes (h, w, c), not {tuple(image.shape)}: add the "
            "channels' axis as values[..., None] does where only that is missing."
        )
    channels = image.shape[-1]
    if channels not in (1, 3) or (bit_depth, channels) not in ((8, 1), (8, 3), (16, 1)):
        raise InputError(
            f"an image of {channels} channels and {bit_depth} bits cannot be saved; "
            "allowed are 1 or 3 channels of 8 bits and 1 channel of 16."
        )
    check_not_empty(str(path), image)
    check_no_nan(str(path), image)
    top = 255.0 if bit_depth == 8 else 65535.0
    array = (image.cpu().double().clamp(0.0, 1.0) * top).round().numpy()
    array = array.astype(np.uint8 if bit_depth == 8 else np.uint16)
    save_png(Image.fromarray(array[:, :, 0] if channels == 1 else array), path)


def save_png(image: Image.Image, path: str | Path) -> None:
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
