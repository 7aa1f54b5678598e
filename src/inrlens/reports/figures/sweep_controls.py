"""Every layer's dictionaries beside their controls: a measure against k at one n, a panel a layer."""

import math

from inrlens.reports.dictionary_grid import DictionaryGrid
from inrlens.reports.figures.canvas import MUTED, SERIES, Axes, Panel, panel
from inrlens.reports.figures.lines import Line, Stroke, draw_line
from inrlens.reports.figures.sweep_curves import curve_cells
from inrlens.reports.figures.sweep_looks import Look
from inrlens.studies.sweep_plan import Kind

KINDS: dict[Kind, tuple[int | None, Stroke]] = {
    "random dictionary": (None, "dotted"),
    "neurons": (4, "dotted"),
    "principal components": (2, "dotted"),
    "untrained network": (3, "dashed"),
    "trained": (0, "solid"),
}
"""Slot and stroke; what comes later lies on top."""


def control_panels(grid: DictionaryGrid, look: Look) -> list[Panel]:
    """On one axis for all layers."""
    cells = curve_cells(grid, "k")
    at = [math.log2(k) for _, k in cells]
    found = {
        layer: {kind: [grid.mean(look.measure, kind, layer, n, k) for n, k in cells] for kind in KINDS}
        for layer in grid.layers
    }
    trained = [value for kinds in found.values() for value in kinds["trained"]]
    controls = [value for kinds in found.values() for kind in KINDS if kind != "trained" for value in kinds[kind]]

    def of_layer(layer: int) -> Panel:
        def draw(axes: Axes) -> None:
            for kind, (slot, stroke) in KINDS.items():
                hue = MUTED if slot is None else SERIES[slot]
                values = [look.place(value) for value in found[layer][kind]]
                draw_line(axes, Line(at, values, hue, stroke, hollow=stroke != "solid"))
            look.axis(axes, trained, controls)
            axes.set_xticks(at, [str(k) for _, k in cells])
            axes.set_xlabel("k")

        said = "; ".join(
            f"{kind} {', '.join(look.say(value) for value in values)}"
            for kind, values in found[layer].items()
            if any(value is not None for value in values)
        )
        alt = f"{look.title} at layer {layer}, n = {grid.n}, k = {', '.join(str(k) for _, k in cells)}: {said}."
        name = f"beside-{look.measure.name}-{layer}"
        return panel(name, f"Layer {layer}", alt, draw, width=210.0, height=195.0, text=11.5)

    return [of_layer(layer) for layer in grid.layers if grid.trained(layer)]
