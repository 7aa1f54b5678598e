"""Pictures and maps as PNG data URIs, small enough to travel inside a page."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from inrlens.errors import InputError

LONGEST_SIDE = 160
"""Pixels: anything larger is averaged down before it enters the page."""
COLOURMAP = "inferno"
"""Perceptually uniform and readable in grey; black is 0."""
_STRIPES = (96, 176)


@dataclass(frozen=True)
class Picture:
    """A picture in a page: its data URI, its alternative text, and its size in pixels."""

    uri: str
    alt: str
    width: int
    height: int


def picture(image: Float[Tensor, "h w c"], alt: str, left_out: Bool[Tensor, "h w"] | None = None) -> Picture:
    """Values in [0, 1] (clamped), one or three channels; hatched where samples are left out."""
    shown = shrunk(image.detach().cpu().float().clamp(0.0, 1.0))
    array = (shown * 255.0).round().to(torch.uint8).numpy()
    encoded = Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
    return _encoded(encoded if left_out is None else _hatched(encoded, left_out), alt)


def heat_map(
    values: Float[Tensor, "h w"], alt: str, top: float | None = None, left_out: Bool[Tensor, "h w"] | None = None
) -> Picture:
    """Values from 0 (black) to ``top`` (default: their own maximum) through the colour map, as a palette PNG; hatched
    where samples are left out."""
    shown = shrunk(values.detach().cpu().float()[:, :, None])[:, :, 0]
    top = float(shown.max()) if top is None else top
    scaled = (shown / top).clamp(0.0, 1.0) if top > 0.0 else torch.zeros_like(shown)
    encoded = Image.fromarray((scaled * 255.0).round().to(torch.uint8).numpy())
    encoded.putpalette(palette())
    return _encoded(encoded if left_out is None else _hatched(encoded, left_out), alt)


def picture_file(path: Path, alt: str) -> Picture:
    """An image file of a run, read and written again so that nothing but pixels enters the page.

    Raises:
        InputError: where it is missing or no image.
    """
    try:
        with Image.open(path) as opened:
            array = np.asarray(opened.convert("L" if opened.mode == "L" else "RGB"), dtype=np.float32) / 255.0
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise InputError(f"{path} could not be read as an image ({error}).") from error
    return picture(torch.from_numpy(array.copy()).reshape(*array.shape[:2], -1), alt)


def shrunk(image: Float[Tensor, "h w c"]) -> Float[Tensor, "h2 w2 c"]:
    """The image averaged over square blocks until its longest side is at most ``LONGEST_SIDE``; small ones as is."""
    block = block_of(image.shape[:2], LONGEST_SIDE)
    if block <= 1:
        return image
    pooled = torch.nn.functional.avg_pool2d(image.permute(2, 0, 1)[None], block, ceil_mode=True)
    return pooled[0].permute(1, 2, 0)


def block_of(shape: Sequence[int], longest: int) -> int:
    """The side of the square blocks that a grid is averaged over until its longest side is at most ``longest``."""
    return -(-max(shape) // longest)


def is_shrunk(shape: tuple[int, ...]) -> bool:
    """Whether pictures of this grid enter the page averaged down."""
    return max(shape) > LONGEST_SIDE


@cache
def palette() -> list[int]:
    """The colour map's 256 colours: red, green, blue of the first, and so on."""
    from matplotlib import colormaps

    colours: Any = colormaps[COLOURMAP](np.linspace(0.0, 1.0, 256))
    return [round(255.0 * float(channel)) for colour in colours for channel in colour[:3]]


def _hatched(image: Image.Image, left_out: Bool[Tensor, "h w"]) -> Image.Image:
    """The image with diagonal grey stripes over every pixel that mostly stands for samples left out."""
    mostly = (shrunk(left_out.cpu().float()[:, :, None])[:, :, 0] > 0.5).numpy()
    array = np.array(image.convert("RGB"))
    row, column = np.indices(mostly.shape)
    stripes = np.where((row + column) // 2 % 2 == 0, *_STRIPES).astype(np.uint8)
    array[mostly] = stripes[mostly][:, None]
    return Image.fromarray(array)


def _encoded(image: Image.Image, alt: str) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    uri = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
    return Picture(uri, alt, image.width, image.height)
