"""The colours of a study's figures: the page's own on the page, those of a light page in print."""

import re
from typing import TYPE_CHECKING, Any

from inrlens.reports.figures.canvas import INK, MUTED, PAPER, RULE, SERIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Figure
else:
    Figure = Any

RAMP = tuple(f"#01040{index}" for index in range(5))
"""From faint to strong, told apart also in grey: for what has an order, such as freeze depths and numbers of atoms."""
FRAME = "#010500"
"""Around mean maps, as in the paper's figures."""
PAGE_COLOURS = {FRAME: "var(--mean)"} | {colour: f"var(--local-{index})" for index, colour in enumerate(RAMP)}
"""Those of the page's colours that ``figures.canvas`` does not know."""
_LIGHT_SERIES = ("#1767a6", "#c4501b", "#0f7d6b", "#7a4fb5", "#8a6d00", "#a33a5b")
_LIGHT_RAMP = ("#b98b00", "#2a904b", "#076b6f", "#014182", "#360761")
PRINT_COLOURS = {
    INK: "#000000",
    MUTED: "#55524b",
    RULE: "#dddad2",
    PAPER: "#ffffff",
    FRAME: "#c2188f",
    **dict(zip(SERIES, _LIGHT_SERIES, strict=True)),
    **dict(zip(RAMP, _LIGHT_RAMP, strict=True)),
}
"""On white paper, as the page's style has them for print."""


def step_colour(index: int, count: int) -> str:
    """The colour of the ``index``-th of ``count`` ordered things: evenly over the ramp, its ends included."""
    return RAMP[round(index * (len(RAMP) - 1) / max(1, count - 1))]


def in_page_colours(svg: str) -> str:
    """An SVG with the page's colours in place of the ramp's and the frame's."""
    return re.sub("|".join(PAGE_COLOURS), lambda found: PAGE_COLOURS[found[0]], svg)


def print_style(style: dict[Any, Any]) -> dict[Any, Any]:
    """A matplotlib style whose colours are those of print."""
    return {key: PRINT_COLOURS.get(value, value) if isinstance(value, str) else value for key, value in style.items()}


def recolour_for_print(figure: Figure) -> None:
    """Gives everything in a figure its colour of print."""
    for artist in figure.findobj():
        for name in ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor"):
            get, put = getattr(artist, f"get_{name}", None), getattr(artist, f"set_{name}", None)
            if get is not None and put is not None:
                found = get()
                new = _printed(found)
                if new is not None:
                    put(new)


def _printed(colour: Any) -> Any:
    """A colour, or a list of one, in print; None where it is not the page's. Keeps how far it lets through."""
    from matplotlib.colors import is_color_like, to_hex, to_rgba

    if not is_color_like(colour):
        # Collections have a list of colours, here always of one.
        return [_printed(colour[0]) or colour[0]] if hasattr(colour, "__len__") and len(colour) == 1 else None
    new = PRINT_COLOURS.get(to_hex(colour))
    return None if new is None else (*to_rgba(new)[:3], to_rgba(colour)[3])
