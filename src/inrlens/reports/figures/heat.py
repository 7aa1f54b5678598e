"""A measure of every layer's dictionaries over n and k: a square a cell, its number in it."""

import math
from collections.abc import Callable
from typing import Any

from inrlens.reports.dictionary_grid import CHOSEN, DictionaryGrid, Measure
from inrlens.reports.figures.canvas import INK, MUTED, SERIES, Axes, Panel, panel

_FAINTEST, _STRONGEST = 0.06, 0.55
"""Shares of full colour: more would swallow the number in it, on a light page and on a dark one."""
_SIDE = 0.94


def heat_panels(grid: DictionaryGrid, measure: Measure, what: str, say: Callable[[float], str]) -> list[Panel]:
    """One panel a layer, all on one scale; ``say`` puts a number into as few characters as a square has room for."""
    values = {
        (layer, n, k): value
        for layer in grid.layers
        for n in grid.ns
        for k in grid.ks
        if (value := grid.mean(measure, "trained", layer, n, k)) is not None and not math.isnan(value)
    }
    known = [value for value in values.values() if math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=0.0)

    def strength(value: float) -> float:
        share = (min(value, high) - low) / (high - low) if high > low else 1.0
        return _FAINTEST + (_STRONGEST - _FAINTEST) * share

    def of_layer(layer: int) -> Panel:
        def draw(axes: Axes) -> None:
            for x, k in enumerate(grid.ks):
                for y, n in enumerate(grid.ns):
                    if (layer, n, k) in values:
                        value = values[layer, n, k]
                        _square(axes, x, y, color=SERIES[0], alpha=strength(value), linewidth=0.0)
                        axes.text(x, y, say(value), ha="center", va="center", color=INK)
                    if (n, k) == CHOSEN:
                        _square(axes, x, y, facecolor="none", edgecolor=INK, linewidth=1.6)
            axes.set_xticks(range(len(grid.ks)), [str(k) for k in grid.ks])
            axes.set_yticks(range(len(grid.ns)), [str(n) for n in grid.ns])
            axes.set_xlim(-0.5, len(grid.ks) - 0.5)
            axes.set_ylim(-0.5, len(grid.ns) - 0.5)
            axes.grid(visible=False)
            axes.tick_params(length=0.0)
            axes.spines["bottom"].set_visible(False)
            axes.set_xlabel("k")
            axes.text(-0.62, len(grid.ns) - 0.36, "n", ha="right", va="center", color=MUTED)

        said = "; ".join(f"n {n}, k {k}: {say(values[of, n, k])}" for of, n, k in values if of == layer)
        alt = f"{what} at layer {layer}: {said or 'not measured'}."
        height = 66.0 + 27.0 * len(grid.ns)
        name = f"heat-{measure.name}-{layer}"
        return panel(name, f"Layer {layer}", alt, draw, width=200.0, height=height, text=11.5)

    return [of_layer(layer) for layer in grid.layers if grid.trained(layer)]


def _square(axes: Axes, x: int, y: int, **look: Any) -> None:
    axes.bar([x], [_SIDE], width=_SIDE, bottom=[y - _SIDE / 2.0], **look)
