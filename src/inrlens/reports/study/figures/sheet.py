"""A study's figure: panels in rows and columns under one legend, as SVG for the page and as PDF for a paper."""

import base64
import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from inrlens.reports.figures.canvas import UNIT, Axes, page_svg, style
from inrlens.reports.figures.lines import Line, draw_line, star
from inrlens.reports.study.figures.colours import in_page_colours, print_style, recolour_for_print

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Figure
else:
    Figure = Any

TEXT = 11.5
PAGE_WIDTH = 1080.0
"""Of the page's column: what is wider is drawn smaller there, its letters too."""
_NARROWEST = 120.0
PAPER_NAME = "arXiv:2605.08298"
_SMALL_PRINT = {"Date": None, "Creator": None, "Format": None, "Type": None}
_KEY_LINE = 18.0
_LETTER = 0.58
"""A letter's mean width as a share of the size of the text."""


@dataclass(frozen=True)
class StudyFigure:
    """One figure: ``name`` for files and anchors, ``caption`` what is drawn and over how much, ``svg`` an element of
    the page in the page's colours; ``draw`` makes it again as a figure of matplotlib."""

    name: str
    title: str
    caption: str
    svg: str
    draw: Callable[[], Figure] = field(repr=False, compare=False)

    def pdf(self) -> bytes:
        """The same for a paper."""
        return as_pdf(self.draw())


@dataclass(frozen=True)
class Key:
    """One entry of a legend: its name, and a line without points that looks like what it names; or a star."""

    label: str
    look: Line
    starred: bool = False


@dataclass(frozen=True)
class Layout:
    """Where panels stand: their size and the room about them in CSS pixels."""

    width: float = 240.0
    height: float = 160.0
    left: float = 56.0
    right: float = 14.0
    above: float = 26.0
    below: float = 42.0
    across: float = 50.0
    down: float = 62.0

    def x(self, column: int) -> float:
        """The left edge of a column."""
        return self.left + column * (self.width + self.across)

    def fitted(self, columns: int) -> "Layout":
        """The same with panels so wide that ``columns`` of them fill the page, but no wider than they are."""
        room = PAGE_WIDTH - self.left - self.right - (columns - 1) * self.across
        return replace(self, width=max(_NARROWEST, min(self.width, room / columns)))


def study_figure(name: str, title: str, caption: str, alt: str, draw: Callable[[], Figure]) -> StudyFigure:
    """A figure that ``draw`` makes, in the house style; ``alt`` says what it shows to those who cannot see it."""
    name = slug(name)

    def styled() -> Figure:
        from matplotlib import rc_context

        with rc_context(style(name, TEXT)):
            return draw()

    return StudyFigure(name, title, caption, as_svg(styled(), name, alt), styled)


def slug(text: str) -> str:
    """A name of small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def sheet(
    rows: int, columns: int, keys: Sequence[Key] = (), layout: Layout = Layout()
) -> tuple[Figure, list[list[Axes]]]:
    """A figure of ``rows`` times ``columns`` empty panels under a legend."""
    from matplotlib.figure import Figure as Drawn

    width = layout.x(columns - 1) + layout.width + layout.right
    lines, in_line = _key_lines(keys, width - 20.0)
    top = _KEY_LINE * lines + (10.0 if lines else 0.0)
    height = top + layout.above + rows * layout.height + (rows - 1) * layout.down + layout.below
    figure = Drawn(figsize=(width / UNIT, height / UNIT), dpi=UNIT)
    axes: list[list[Axes]] = []
    for row in range(rows):
        axes.append([])
        for column in range(columns):
            y = top + layout.above + row * (layout.height + layout.down)
            place = (
                layout.x(column) / width,
                1.0 - (y + layout.height) / height,
                layout.width / width,
                layout.height / height,
            )
            axes[-1].append(figure.add_axes(place))
            axes[-1][-1].tick_params(length=3.0, pad=4.0)
    if keys:
        handles = [_handle(axes[0][0], key) for key in keys]
        figure.legend(
            handles,
            [key.label for key in keys],
            loc="upper left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=in_line,
            frameon=False,
            handlelength=2.6,
            columnspacing=1.6,
            fontsize=TEXT,
            labelspacing=0.35,
            borderaxespad=0.2,
        )
    return figure, axes


def share_columns(axes: Sequence[Sequence[Axes]], columns: Sequence[int]) -> None:
    """Gives the panels of each of these columns one vertical axis."""
    for row in axes[1:]:
        for column in columns:
            row[column].sharey(axes[0][column])


def title_panel(axes: Axes, text: str) -> None:
    """The panel's title, over its left edge."""
    axes.set_title(text, loc="left", fontsize=TEXT, pad=7.0)


def as_svg(figure: Figure, name: str, alt: str) -> str:
    """A figure as an element of a page, the same bytes every time; ``name`` must be its own in the page."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.BytesIO()
    with rc_context({**style(name, TEXT), "image.composite_image": False}):
        FigureCanvasSVG(figure).print_svg(buffer, metadata=_SMALL_PRINT)  # type: ignore[no-untyped-call]
    svg = in_page_colours(page_svg(buffer.getvalue().decode("utf-8"), name, alt))
    wide = math.ceil(figure.get_figwidth() * UNIT)
    return _with_small_pictures(svg.replace("<svg ", f'<svg style="width:100%;max-width:{wide}px" ', 1))


def as_pdf(figure: Figure) -> bytes:
    """A figure as a PDF page of its size in the colours of print, the same bytes every time; the figure takes these
    colours."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    buffer = io.BytesIO()
    with rc_context({**print_style(style("print", TEXT)), "pdf.fonttype": 42, "image.composite_image": False}):
        recolour_for_print(figure)
        small_print = {"CreationDate": None, "Creator": None, "Producer": None}
        FigureCanvasPdf(figure).print_pdf(buffer, metadata=small_print)  # type: ignore[no-untyped-call]
    return buffer.getvalue()


def _handle(axes: Axes, key: Key) -> Any:
    """An artist for the legend that is in no panel."""
    if key.starred:
        star(axes, 0, 0.0, key.look.colour)
    else:
        draw_line(axes, key.look)
    artist = axes.lines[-1]
    artist.remove()
    # What was drawn to take its looks must not decide how far the axes reach.
    axes.relim()
    if key.starred:
        artist.set_linestyle("none")
        artist.set_markersize(11)
    return artist


def _key_lines(keys: Sequence[Key], width: float) -> tuple[int, int]:
    """Into how many lines of how many entries a legend of that width breaks."""
    if not keys:
        return 0, 1
    widths = [TEXT * (4.6 + _LETTER * len(key.label)) for key in keys]
    for in_line in range(len(keys), 1, -1):
        lines = math.ceil(len(keys) / in_line)
        # Entries run down the columns.
        columns = [max(widths[start : start + lines]) for start in range(0, len(widths), lines)]
        if sum(columns) <= width:
            return lines, len(columns)
    return len(keys), 1


def _with_small_pictures(svg: str) -> str:
    """The same with its embedded pictures in as few bytes as they need, pixel for pixel."""
    return re.sub(r"data:image/png;base64,\s*([A-Za-z0-9+/=\s]+)", lambda found: _small(found[1]), svg)


def _small(encoded: str) -> str:
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"))
    colours, places = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)
    image = Image.fromarray(pixels)
    if len(colours) <= 256:
        image = Image.fromarray(places.reshape(pixels.shape[:2]).astype(np.uint8))
        image.putpalette(colours.reshape(-1).tolist())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
