"""What n and k change: the measures of the dictionaries of every layer, the paper's Figs. 6 and 7."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from inrlens.reports import words
from inrlens.reports.dictionary_grid import CHOSEN
from inrlens.reports.figures.canvas import INK, Axes
from inrlens.reports.figures.lines import Line, draw_line, level, star
from inrlens.reports.figures.sweep_looks import LOOKS, Look
from inrlens.reports.study.figures.colours import step_colour
from inrlens.reports.study.figures.conditions import nearest
from inrlens.reports.study.figures.rests import MARKS
from inrlens.reports.study.figures.sheet import (
    PAPER_NAME,
    Figure,
    Key,
    Layout,
    StudyFigure,
    sheet,
    study_figure,
    title_panel,
)
from inrlens.studies.tables.records import DictionaryRow

_QUALITIES = {"psnr": "psnr", "fidelity": "fidelity_psnr", "r2": "r2", "alive": "alive", "l0": "spatial_l0"}
"""By the name of a look's measure, what ``SaeQuality`` calls it."""
_ROWS = {
    "psnr": "PSNR (dB)",
    "fidelity": "PSNR to intact (dB)",
    "r2": "R\N{SUPERSCRIPT TWO}",
    "alive": "alive (%)",
    "l0": "spatial L\N{SUBSCRIPT ZERO} (%)",
}
_LOOKS = {look.measure.name: look for look in LOOKS}


@dataclass(frozen=True)
class Sizes:
    """The dictionaries of one network, by layer, n and k: over pictures and seeds."""

    network: str
    source: str
    backbone: str
    cells: Mapping[tuple[int, int, int], Sequence[DictionaryRow]]

    def axis(self, place: int) -> list[int]:
        """Layers (0), ns (1) or ks (2), upwards."""
        return sorted({cell[place] for cell in self.cells})

    def mean(self, quality: str, layer: int | None, n: int, k: int) -> float | None:
        """A measure on the grid, the mean over a cell's dictionaries; ``layer`` None: the mean over layers, None where
        one of them lacks it."""
        if layer is None:
            values = [self.mean(quality, one, n, k) for one in self.axis(0)]
            known = [value for value in values if value is not None]
            return fmean(known) if len(known) == len(values) else None
        values = [row.quality[quality] for row in self.cells.get((layer, n, k), ())]
        known = [float(value) for value in values if value is not None]
        return fmean(known) if known else None


def size_figures(dictionaries: Sequence[DictionaryRow]) -> list[StudyFigure]:
    """One figure for every network with dictionaries of more than one k: a row a measure, a column a layer."""
    found: dict[tuple[str, str, str], dict[tuple[int, int, int], list[DictionaryRow]]] = {}
    for row in dictionaries:
        cells = found.setdefault((row.network, row.source, row.backbone), {})
        cells.setdefault((row.layer, row.n_atoms, row.k), []).append(row)
    sizes = [Sizes(*where, cells) for where, cells in found.items()]
    return [_figure(one) for one in sizes if len(one.axis(2)) > 1]


def _figure(sizes: Sizes) -> StudyFigure:
    title = f"{words.condition_title(sizes.network, sizes.backbone)}, {sizes.source}"
    layers, ns, ks = (sizes.axis(place) for place in range(3))
    known = any(row.quality["psnr"] is not None for rows in sizes.cells.values() for row in rows)
    looks = [_LOOKS[name] for name in ("psnr" if known else "fidelity", "r2", "alive", "l0")]
    columns: list[int | None] = [None, *layers]
    chosen = any((n, k) == CHOSEN for _, n, k in sizes.cells)
    caption = (
        f"{title}: dictionaries of n atoms with k at a time at every layer, as Figs. 6 and 7 of {PAPER_NAME}. PSNR is "
        "that of the network's picture with the layer replaced by its reconstruction"
        + (", dotted that of the network itself" if known else ", against the network's own")
        + "; alive is the share of atoms that fire somewhere, spatial L\N{SUBSCRIPT ZERO} the share of coordinates at "
        "which an atom fires. At the left the mean over layers."
        + (f" The star is at the paper's n = {CHOSEN[0]}, k = {CHOSEN[1]}." if chosen else "")
    )

    def draw() -> Figure:
        keys = [Key(f"n = {n}", _look(ns, n)) for n in ns]
        keys += [Key("chosen by the paper", Line([], [], INK), starred=True)] if chosen else []
        layout = Layout(width=152.0, height=118.0, left=62.0, across=18.0, down=38.0).fitted(len(columns))
        figure, axes = sheet(len(looks), len(columns), keys, layout)
        for row, look in enumerate(looks):
            quality = _QUALITIES[look.measure.name]
            every = [sizes.mean(quality, layer, n, k) for layer in layers for n in ns for k in ks]
            for column, layer in enumerate(columns):
                panel = axes[row][column]
                if row == 0:
                    title_panel(panel, "mean over layers" if layer is None else f"layer {layer}")
                _panel(panel, sizes, look, layer)
                look.axis(panel, every, _intact(sizes, layers) if quality == "psnr" else [])
                panel.set_xticks([math.log2(k) for k in ks], [str(k) for k in ks])
                panel.set_xlabel("k" if row == len(looks) - 1 else "")
                panel.tick_params(axis="y", labelleft=column == 0)
            axes[row][0].set_ylabel(_ROWS[look.measure.name])
            # Numbers of any length leave the labels of all rows in one line.
            axes[row][0].yaxis.set_label_coords(-0.31, 0.5)
        return figure

    n, k = nearest((n, k) for _, n, k in sizes.cells)
    said = "; ".join(
        f"{look.title} "
        + ", ".join(look.say(sizes.mean(_QUALITIES[look.measure.name], layer, n, k)) for layer in layers)
        for look in looks
    )
    alt = f"Measures of {title}'s dictionaries against k; at n = {n}, k = {k} by layer: {said}."
    name = f"sizes-{sizes.network}-{sizes.backbone}-{sizes.source}"
    return study_figure(name, f"Size and sparsity of dictionaries: {title}", caption, alt, draw)


def _look(ns: Sequence[int], n: int) -> Line:
    place = ns.index(n)
    return Line([], [], step_colour(place, len(ns)), marker=MARKS[place % len(MARKS)])


def _intact(sizes: Sizes, layers: Sequence[int | None]) -> list[float | None]:
    """The PSNR of the network itself, by layer."""
    _, n, k = next(iter(sizes.cells))
    return [sizes.mean("psnr_intact", layer, n, k) for layer in layers]


def _panel(axes: Axes, sizes: Sizes, look: Look, layer: int | None) -> None:
    quality = _QUALITIES[look.measure.name]
    ks = sizes.axis(2)
    if quality == "psnr":
        level(axes, _intact(sizes, [layer])[0], "dotted")
    for n in sizes.axis(1):
        line = _look(sizes.axis(1), n)
        values = [look.place(sizes.mean(quality, layer, n, k)) for k in ks]
        at = [math.log2(k) for k in ks]
        draw_line(axes, Line(at, values, line.colour, marker=line.marker))
        axes.lines[-1].set_markersize(4.0)
    if CHOSEN[0] in sizes.axis(1) and CHOSEN[1] in ks:
        y = look.place(sizes.mean(quality, layer, *CHOSEN))
        if y is not None:
            star(axes, math.log2(CHOSEN[1]), y, INK)
            axes.lines[-1].set_markersize(11.0)
