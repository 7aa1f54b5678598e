"""What n and k change: every measure against one of them with the other held fixed, a line a layer."""

import math
from collections.abc import Sequence
from typing import Literal

from inrlens.reports.dictionary_grid import INTACT, PSNR, DictionaryGrid
from inrlens.reports.figures.canvas import MUTED, SERIES, Axes, Panel, panel
from inrlens.reports.figures.lines import Line, draw_line
from inrlens.reports.figures.sweep_looks import LOOKS, Look
from inrlens.studies.sweep_plan import Kind

Along = Literal["n", "k"]
CONTROLS: dict[Kind, str] = {
    "untrained network": "untrained",
    "random dictionary": "random",
    "principal components": "components",
    "neurons": "neurons",
}
"""With the word that a panel names each by."""
_LINE = 0.075
"""The height of a line of letters, as a share of a panel's."""


def layer_slot(grid: DictionaryGrid, layer: int) -> int:
    """The series colour of a layer, the same in every figure of a page."""
    return grid.layers.index(layer) % len(SERIES)


def curve_cells(grid: DictionaryGrid, along: Along) -> list[tuple[int, int]]:
    """The (n, k) of a curve, upwards: against n at the grid's ``k``, or against k at its ``n``."""
    if along == "n":
        return [(n, grid.k) for n in grid.ns if n >= grid.k]
    return [(grid.n, k) for k in grid.ks if k <= grid.n]


def curve_panels(grid: DictionaryGrid, along: Along) -> list[Panel]:
    """One panel a measure; a control's line is its mean over the layers."""
    cells = curve_cells(grid, along)
    known = [
        look
        for look in LOOKS
        if any(grid.mean(look.measure, "trained", layer, n, k) is not None for layer in grid.layers for n, k in cells)
    ]
    return [_panel(grid, along, look) for look in known]


def _panel(grid: DictionaryGrid, along: Along, look: Look) -> Panel:
    cells, measure = curve_cells(grid, along), look.measure
    steps = [n if along == "n" else k for n, k in cells]
    at = [math.log2(step) for step in steps]
    trained = {layer: [grid.summary(measure, "trained", layer, n, k) for n, k in cells] for layer in grid.layers}
    between = {layer: [grid.mean(measure, "trained", layer, n, k, True) for n, k in cells] for layer in grid.layers}
    controls = {word: [grid.over_layers(measure, kind, n, k) for n, k in cells] for kind, word in CONTROLS.items()}
    if measure is PSNR:
        controls["intact"] = [grid.over_layers(INTACT, "trained", n, k) for n, k in cells]

    def draw(axes: Axes) -> None:
        for values in controls.values():
            draw_line(axes, Line(at, _places(look, values), MUTED, "dotted", marker=None))
        for layer, spreads in trained.items():
            hue = SERIES[layer_slot(grid, layer)]
            draw_line(axes, Line(at, _places(look, between[layer]), hue, "dashed", hollow=True))
            several = any(spread.count > 1 for spread in spreads)
            low, high = ([getattr(spread, edge) for spread in spreads] for edge in ("low", "high"))
            line = Line(
                at,
                _places(look, [spread.mean for spread in spreads]),
                hue,
                low=_places(look, low) if several else None,
                high=_places(look, high) if several else None,
            )
            draw_line(axes, line)
        mine = [spread.mean for spreads in trained.values() for spread in spreads]
        mine += [value for values in between.values() for value in values]
        look.axis(axes, mine, [value for values in controls.values() for value in values])
        axes.set_xticks(at, [str(step) for step in steps])
        name_lines(axes, at, {word: _places(look, values) for word, values in controls.items()})
        axes.set_xlabel(f"n, with k = {grid.k}" if along == "n" else f"k, with n = {grid.n}")

    said = "; ".join(
        f"layer {layer} {', '.join(look.say(spread.mean) for spread in spreads)}" for layer, spreads in trained.items()
    )
    alt = f"{look.title} at {along} = {', '.join(str(step) for step in steps)}: {said}."
    return panel(f"sweep-{along}-{measure.name}", look.title, alt, draw, width=345.0, height=270.0)


def _places(look: Look, values: Sequence[float | None]) -> list[float | None]:
    return [look.place(value) for value in values]


def name_lines(axes: Axes, at: Sequence[float], lines: dict[str, list[float | None]]) -> None:
    """Writes each line's name at its right end, with an arrow where that lies above the panel, and makes room for it;
    names that would overlap are moved apart."""
    span = (at[-1] - at[0]) or 1.0
    ends = {word: [y for y in values if y is not None][-1:] for word, values in lines.items()}
    named = any(ends.values())
    axes.set_xlim(at[0] - 0.06 * span, at[-1] + (0.46 if named else 0.06) * span)
    axes.set_ylim(axes.get_ylim())
    to_share = axes.transData - axes.transAxes
    heights = {word: float(to_share.transform((at[-1], end[0]))[1]) for word, end in ends.items() if end}
    last = -math.inf
    for word, height in sorted(heights.items(), key=lambda pair: pair[1]):
        last = max(min(height, 1.0), last + _LINE)
        place = (at[-1] + 0.05 * span, last)
        text = word if height <= 1.0 else f"{word} \N{UPWARDS ARROW}"
        axes.text(*place, text, transform=axes.get_xaxis_transform(), color=MUTED, va="center", fontsize="small")
