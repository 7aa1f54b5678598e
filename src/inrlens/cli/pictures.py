"""Sheets of captioned pictures, as one image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inrlens.errors import InputError

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

_SIDE = 128
_GAP = 6
_CAPTION = 16


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture ``(h, w, 3)`` in [0, 1] and what is written under it."""

    caption: str
    image: "Tensor"


def map_tile(caption: str, values: "Tensor") -> Tile:
    """A map ``(h, w)`` of 0 or more through a colour map that ends at its own maximum; black is 0.

    Raises:
        InputError: where it is no picture.
    """
    import torch
    from matplotlib import colormaps

    check_picture(tuple(values.shape))
    plain = values.detach().cpu().float()
    top = float(plain.max())
    scaled = plain / top if top > 0.0 else plain
    return Tile(caption, torch.from_numpy(colormaps["inferno"](scaled.numpy())[:, :, :3]).float())


def picture_tile(caption: str, image: "Tensor") -> Tile:
    """A picture ``(h, w, c)`` as it is, clamped; one channel becomes grey.

    Raises:
        InputError: where it is no picture of 1 or 3 channels.
    """
    check_picture(tuple(image.shape[:-1]), image.shape[-1])
    plain = image.detach().cpu().float().clamp(0.0, 1.0)
    return Tile(caption, plain.expand(-1, -1, 3))


def effect_tile(caption: str, delta: "Tensor") -> Tile:
    """A signed difference ``(h, w, c)`` around middle grey, which is no change, scaled to its largest size."""
    top = float(delta.abs().max())
    return picture_tile(caption, 0.5 + 0.5 * delta / top if top > 0.0 else 0.5 + delta)


def check_picture(grid: tuple[int, ...], channels: int = 3) -> None:
    """Raises InputError where values on a grid cannot be drawn."""
    if len(grid) != 2 or channels not in (1, 3):
        raise InputError(
            f"a grid of {len(grid)} axes with {channels} channels cannot be drawn; "
            "allowed are 2 axes and 1 or 3 channels."
        )


def sheet(tiles: Sequence[Tile], per_row: int) -> "Tensor":
    """Tiles of one size in rows on white, each enlarged by a whole factor until it is easy to see, ``(h, w, 3)``."""
    import numpy as np
    import torch
    from PIL import Image, ImageDraw, ImageFont

    height, width = tiles[0].image.shape[:2]
    factor = max(1, -(-_SIDE // width))
    cell_height, cell_width = height * factor + _CAPTION + _GAP, width * factor + _GAP
    rows = -(-len(tiles) // per_row)
    page = Image.new("RGB", (per_row * cell_width + _GAP, rows * cell_height + _GAP), "white")
    pen, letters = ImageDraw.Draw(page), ImageFont.load_default(11)
    for index, tile in enumerate(tiles):
        left, top = _GAP + index % per_row * cell_width, _GAP + index // per_row * cell_height
        page.paste(_enlarged(tile, factor), (left, top))
        pen.text((left, top + height * factor + 1), tile.caption, fill="black", font=letters)
    return torch.from_numpy(np.asarray(page, dtype=np.float32) / 255.0)


def _enlarged(tile: Tile, factor: int) -> "Image.Image":
    import torch
    from PIL import Image

    pixels = (tile.image * 255.0).round().to(torch.uint8)
    return Image.fromarray(pixels.repeat_interleave(factor, 0).repeat_interleave(factor, 1).numpy())
