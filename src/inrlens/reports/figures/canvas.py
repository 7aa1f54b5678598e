"""One panel of a figure: drawn by matplotlib, handed over as SVG whose colours are the page's own.

Everything is drawn in placeholder colours that become CSS variables afterwards, so that one picture serves a light and
a dark page; text stays text and takes the page's font.
"""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
else:
    Axes = Any

INK = "#010203"
MUTED = "#010204"
RULE = "#010205"
PAPER = "#010206"
SERIES = tuple(f"#01030{index}" for index in range(6))
_CSS = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    RULE: "var(--rule)",
    PAPER: "var(--paper)",
    **{colour: f"var(--series-{index})" for index, colour in enumerate(SERIES)},
}
_FIRST_SLOTS = ("siren", "ffmlp")
UNIT = 72.0
"""An SVG's units in an inch of matplotlib's."""

Place = tuple[float, float]
"""x and y."""


@dataclass(frozen=True)
class Panel:
    """A finished panel: its title, its SVG, and what it shows in words for those who cannot see it."""

    title: str
    svg: Markup
    alt: str


def slot(backbone: str, backbones: Sequence[str]) -> int:
    """The series colour of a backbone, the same in every figure of a page."""
    others = sorted(set(backbones) - set(_FIRST_SLOTS))
    order = [*_FIRST_SLOTS, *others]
    return order.index(backbone) % len(SERIES) if backbone in order else len(_FIRST_SLOTS)


def colour(backbone: str, backbones: Sequence[str]) -> str:
    """The placeholder colour of a backbone."""
    return SERIES[slot(backbone, backbones)]


def panel(
    name: str,
    title: str,
    alt: str,
    draw: Callable[[Axes], None],
    *,
    width: float = 400.0,
    height: float = 280.0,
    text: float = 12.0,
) -> Panel:
    """Draws one panel; ``width``, ``height`` and ``text`` are in the SVG's own units, about CSS pixels on a phone.

    ``name`` must be the panel's own in the page: ids inside the SVG are made from it.
    """
    svg, _ = _drawn(name, draw, (width, height), text, ())
    return Panel(title, page_svg(svg, name, alt), alt)


def placed_panel(
    name: str,
    title: str,
    alt: str,
    draw: Callable[[Axes], None],
    points: Sequence[Place],
    *,
    width: float = 400.0,
    height: float = 280.0,
    text: float = 12.0,
) -> tuple[Panel, list[Place]]:
    """A panel, and where in its SVG points of its axes lie, for marks that are drawn over it."""
    svg, places = _drawn(name, draw, (width, height), text, points)
    return Panel(title, page_svg(svg, name, alt), alt), places


def _drawn(
    name: str, draw: Callable[[Axes], None], size: Place, text: float, points: Sequence[Place]
) -> tuple[str, list[Place]]:
    # Imported here: matplotlib takes a good part of a second, which only reports should pay.
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    width, height = size
    with rc_context(style(name, text)):
        figure = Figure(figsize=(width / UNIT, height / UNIT), dpi=UNIT, layout="constrained")
        canvas = FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.tick_params(length=3.0, pad=4.0)
        draw(axes)
        buffer = io.BytesIO()
        canvas.print_svg(  # type: ignore[no-untyped-call]
            buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
        # After drawing, since the layout is only settled then; an SVG's y runs downwards.
        found: Any = axes.transData.transform(points) if points else []
    return buffer.getvalue().decode("utf-8"), [(float(x), height - float(y)) for x, y in found]


def style(name: str, text: float) -> dict[Any, Any]:
    """What matplotlib is told for every figure: ``name`` salts the ids, ``text`` is the size of letters in pixels."""
    return {
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "font.size": text,
        "axes.labelsize": text,
        "xtick.labelsize": text,
        "ytick.labelsize": text,
        "text.color": INK,
        "axes.labelcolor": MUTED,
        "axes.edgecolor": MUTED,
        "axes.facecolor": "none",
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "grid.color": RULE,
        "grid.linewidth": 0.8,
        "lines.linewidth": 1.9,
        "lines.markersize": 5.5,
        "xtick.major.width": 0.8,
        "ytick.major.size": 0.0,
        "ytick.minor.size": 0.0,
        "axes.formatter.use_mathtext": False,
        "axes.unicode_minus": True,
    }


def page_svg(svg: str, name: str, alt: str) -> Markup:
    """An SVG document as an element of the page: page colours, ids of its own, a description, no outside reference."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    referred = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in referred else "", svg)
    for old in sorted(referred, key=len, reverse=True):
        svg = re.sub(rf'(?<=["#]){re.escape(old)}(?=[")])', f"{name}-{old}", svg)
    svg = svg.replace("xlink:href", "href")
    for placeholder, css in _CSS.items():
        svg = svg.replace(placeholder, css)
    box = re.search(r'viewBox="([^"]+)"', svg)
    head = f'<svg viewBox="{box[1] if box else "0 0 400 280"}" role="img" aria-label="{escape(alt)}">'
    svg = head + svg[svg.index(">", svg.index("<svg")) + 1 :]
    svg = re.sub(r'font: ([\d.]+)px [^;"]+', r"font-size: \1px", svg)
    return Markup(re.sub(r"\n\s*", "\n", svg).strip())
