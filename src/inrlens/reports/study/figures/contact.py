"""Contact sheets: many small pictures and a few words, all on one pair of axes in pixels."""

from dataclasses import dataclass

import numpy as np

from inrlens.reports.figures.canvas import MUTED, UNIT, Axes
from inrlens.reports.pictures import COLOURMAP
from inrlens.reports.study.figures.colours import FRAME
from inrlens.reports.study.figures.sheet import TEXT, Figure
from inrlens.reports.study.figures.shots import Shots

SIDE = 92.0
"""The longer side of a picture."""
LEFT, TOP = 30.0, 20.0
"""Room for the rows' names and for words above the first row."""
DOWN = 20.0
"""Between two rows."""


@dataclass(frozen=True)
class Box:
    """Where a picture lies, in pixels from the sheet's upper left corner."""

    x: float
    y: float
    width: float
    height: float


def box_of(shots: Shots, row: int, x: float) -> Box:
    """The place in a row of a picture of that grid, its left edge at ``x``."""
    tall, wide = shots.intact.shape[:2]
    width, height = SIDE * wide / max(tall, wide), SIDE * tall / max(tall, wide)
    return Box(x, TOP + row * (height + DOWN), width, height)


def contact_sheet(last: Box) -> tuple[Figure, Axes]:
    """An empty sheet that ends with the picture at ``last``."""
    # One pair of axes: hundreds of them would take matplotlib half a minute.
    from matplotlib.figure import Figure as Drawn

    width, height = last.x + last.width + 8.0, last.y + last.height + DOWN
    figure = Drawn(figsize=(width / UNIT, height / UNIT), dpi=UNIT)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set(xlim=(0.0, width), ylim=(height, 0.0), autoscale_on=False)
    return figure, axes


def place_picture(axes: Axes, box: Box, picture: np.ndarray) -> None:
    """A picture ``(h, w, c)`` of 8 bits, of one or three channels."""
    shown = picture if picture.shape[-1] == 3 else np.repeat(picture[..., :1], 3, axis=-1)
    axes.imshow(shown, interpolation="none", aspect="auto", extent=_extent(box))


def place_map(axes: Axes, box: Box, values: np.ndarray, framed: bool = False) -> None:
    """A map ``(h, w)`` of 8 bits through the page's colour map, 0 black; with a frame, as a mean has."""
    axes.imshow(values, interpolation="none", aspect="auto", extent=_extent(box), cmap=COLOURMAP, vmin=0.0, vmax=255.0)
    if framed:
        right, bottom = box.x + box.width, box.y + box.height
        x, y = [box.x, right, right, box.x, box.x], [box.y, box.y, bottom, bottom, box.y]
        axes.plot(x, y, color=FRAME, linewidth=1.8)


def name_row(axes: Axes, box: Box, layer: int) -> None:
    """Writes a layer beside the first picture of its row."""
    middle = box.y + 0.5 * box.height
    axes.text(box.x - 6.0, middle, f"layer {layer}", rotation=90, ha="right", va="center", fontsize=TEXT)


def label(axes: Axes, box: Box, text: str, *, above: bool = False) -> None:
    """A few words over or under a picture."""
    x, y = box.x + 0.5 * box.width, box.y - 4.0 if above else box.y + box.height + 3.0
    axes.text(x, y, text, ha="center", va="bottom" if above else "top", color=MUTED, fontsize=9.0)


def _extent(box: Box) -> tuple[float, float, float, float]:
    return (box.x, box.x + box.width, box.y + box.height, box.y)
