"""Sheets of captioned pictures, as one image."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from inrlens.reports.pictures import Picture, pixels

SIDE = 128
"""Pixels: narrower pictures are enlarged by a whole factor until they are at least so wide."""
_GAP, _LINE = 6, 16


@dataclass(frozen=True)
class Tile:
    """A picture and the lines that are written under it."""

    picture: Picture
    lines: tuple[str, ...]


def enlargement(shown: Picture) -> int:
    """By which whole factor a picture is enlarged until it is easy to see."""
    return max(1, -(-SIDE // shown.width))


def sheet(tiles: Sequence[Tile], per_row: int) -> Image.Image:
    """Tiles in rows on white, each enlarged until it is easy to see; a row's cells are as large as the largest."""
    across, rows = min(per_row, len(tiles)), -(-len(tiles) // per_row)
    images = [_enlarged(tile.picture) for tile in tiles]
    width = max((image.width for image in images), default=0) + _GAP
    height = max((image.height for image in images), default=0)
    height += _LINE * max((len(tile.lines) for tile in tiles), default=0) + _GAP
    page = Image.new("RGB", (across * width + _GAP, rows * height + _GAP), "white")
    pen, letters = ImageDraw.Draw(page), ImageFont.load_default(11)
    for index, (tile, image) in enumerate(zip(tiles, images, strict=True)):
        left, top = _GAP + index % per_row * width, _GAP + index // per_row * height
        page.paste(image, (left, top))
        for line, text in enumerate(tile.lines):
            pen.text((left, top + image.height + 1 + line * _LINE), text, fill="black", font=letters)
    return page


def _enlarged(shown: Picture) -> Image.Image:
    factor = enlargement(shown)
    image = pixels(shown)
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
