"""The sections of a dictionary sweep's page: its curves, its heat maps, its controls, its layers, its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from inrlens.dictionaries.health import LayerHealth
from inrlens.reports import words
from inrlens.reports.dictionary_grid import ALIVE, CHOSEN, FIDELITY, DictionaryGrid
from inrlens.reports.figures.heat import heat_panels
from inrlens.reports.figures.sweep_controls import KINDS, control_panels
from inrlens.reports.figures.sweep_curves import CONTROLS, Along, curve_panels, layer_slot
from inrlens.reports.figures.sweep_looks import FIDELITY_LOOK, R2_LOOK
from inrlens.reports.parts import Figure, Key, Table
from inrlens.reports.readings.dictionary_sweep import (
    alive_reading,
    between_reading,
    doubling_reading,
    equals,
    held_said,
    size_reading,
    sparsity_reading,
)
from inrlens.reports.readings.sweep_controls import control_reading, dead_share, fidelity_reading, health_reading
from inrlens.studies.sweep_plan import Kind
from inrlens.studies.sweep_record import SweepCell

_R2, _L0 = "R\N{SUPERSCRIPT TWO}", "spatial L\N{SUBSCRIPT ZERO}"
TERMS = (
    "PSNR to the intact output: of the network's output with one layer replaced by its dictionary's reconstruction, "
    f"against the output as it is. {_R2}: 1 less the squared error over the squared distance of the activations to "
    "their mean. Alive: atoms that fire somewhere. Spatial L\N{SUBSCRIPT ZERO}: the share of coordinates at which an "
    "atom fires; over all atoms, as in the paper, its mean is at most k/n, since no more than k of n fire at a "
    "coordinate, and so it falls with n by itself; over living atoms it need not. Between the pixels: at the centres "
    "of the grid's cells, which no training saw."
)
_AXES = f"{_R2} by its distance to 1, {_L0} on a logarithmic axis."


@dataclass(frozen=True)
class SweepSection:
    """Figures, then a reading of its own and tables; ``folded`` are tables behind a line to open them by."""

    figures: tuple[Figure, ...] = ()
    reading: str = ""
    note: str = ""
    tables: tuple[Table, ...] = ()
    folded: tuple[tuple[str, Table], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


def curve_section(grid: DictionaryGrid, along: Along) -> SweepSection:
    """Every measure against n or against k, a line a layer."""
    seeds = len(grid.record.plan.seeds)
    what = f"{held_said(grid, along)} {TERMS if along == 'n' else _AXES}"
    if seeds > 1:
        what += f" Means over {words.count(seeds, 'seed')}, bands from the least to the most."
    keys = [Key(f"layer {layer}", layer_slot(grid, layer)) for layer in grid.layers]
    keys.append(Key("between the pixels", None, "dashed", "hollow"))
    if any(grid.over_layers(FIDELITY, kind, grid.n, grid.k) is not None for kind in CONTROLS):
        over = "mean over layers" if grid.whole == grid.layers else f"mean over {words.layers(grid.whole)}"
        keys.append(Key(f"a control, {over}", None, "dotted", "none"))
    reading = size_reading(grid) if along == "n" else sparsity_reading(grid)
    panels = tuple(curve_panels(grid, along))
    return SweepSection((Figure(f"curves-{along}", reading, what, panels, tuple(keys), columns=3),))


def cell_section(grid: DictionaryGrid) -> SweepSection:
    """Fidelity and living atoms over n and k, a map a layer."""
    outlined = " The paper's choice is outlined." if CHOSEN[0] in grid.ns and CHOSEN[1] in grid.ks else ""
    scale = "All layers share one scale; stronger is more."
    figures = (
        Figure(
            "heat-fidelity",
            " ".join(part for part in (doubling_reading(grid), between_reading(grid)) if part),
            f"PSNR to the intact output in dB. {scale}{outlined}",
            tuple(heat_panels(grid, FIDELITY, "PSNR to the intact output in dB", _whole)),
            columns=5,
        ),
        Figure(
            "heat-alive",
            alive_reading(grid),
            f"Atoms alive in percent, on the grid. {scale}{outlined}",
            tuple(heat_panels(grid, ALIVE, "Atoms alive in percent", _hundred)),
            columns=5,
        ),
    )
    return SweepSection(figures)


def _whole(value: float) -> str:
    return words.fixed(value, 0)


def _hundred(share: float) -> str:
    # Only all of them are 100.
    return words.fixed(100.0 if share == 1.0 else min(100.0 * share, 99.0), 0)


def control_section(grid: DictionaryGrid) -> SweepSection:
    """The trained dictionaries beside those that nobody trained, a panel a layer."""
    shown = [kind for kind in KINDS if any(grid.cells(kind, layer, grid.n, grid.k) for layer in grid.layers)]
    keys = tuple(
        Key(
            f"{kind} dictionary" if kind == "trained" else kind, *KINDS[kind], "full" if kind == "trained" else "hollow"
        )
        for kind in reversed(shown)
    )
    what = (
        f"At {equals('n', grid.n)}; what leaves a panel lies far above it. A random dictionary has directions of no "
        "meaning and one gain that rebuilds the layer best; principal components and neurons come with both signs, so "
        "n is at most twice the layer's width."
    )
    same = "PSNR to the intact output in dB, at the same n; the untrained network has no picture that could be lost."
    r2, fidelity = (tuple(control_panels(grid, look)) for look in (R2_LOOK, FIDELITY_LOOK))
    figures = (
        Figure("beside-r2", control_reading(grid), f"{_R2}, by its distance to 1. {what}", r2, keys, columns=5),
        Figure("beside-fidelity", fidelity_reading(grid), same, fidelity, keys, columns=5),
    )
    return SweepSection(figures)


def health_section(grid: DictionaryGrid) -> SweepSection:
    """Each layer before training, and the dead atoms of its dictionaries."""
    note = (
        "Of a layer's activations over the whole grid: gamma is the length of their mean over that of their standard "
        "deviations, dead units are 0 everywhere, the effective dimension says over how many directions the layer "
        "varies. Dead atoms: the mean over all n and k, and the most of any."
    )
    rows = _health_rows(grid, "trained", grid.record.health)
    if grid.record.health_untrained is not None:
        rows += _health_rows(grid, "untrained network", grid.record.health_untrained)
    columns = ("network", "layer", "gamma", "dead units", "effective dimension", "of units", "dead atoms", "most")
    return SweepSection(
        reading=health_reading(grid),
        note=note,
        tables=(Table("Each layer, and the dead atoms of its dictionaries", columns, tuple(rows)),),
    )


def _health_rows(grid: DictionaryGrid, kind: Kind, health: Sequence[LayerHealth]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for layer in grid.layers:
        shares = [grid.mean(ALIVE, kind, layer, n, k) for n in grid.ns for k in grid.ks]
        known = [1.0 - share for share in shares if share is not None]
        one = health[layer]
        rows.append(
            (
                "as fitted" if kind == "trained" else "untrained",
                str(layer),
                words.fixed(one.gamma, 3),
                words.percent(one.dead_units),
                words.fixed(one.effective_dimension, 1),
                str(one.units),
                words.percent(dead_share(grid, kind, layer)),
                words.percent(max(known)) if known else words.MISSING,
            )
        )
    return rows


def number_section(grid: DictionaryGrid) -> SweepSection:
    """Every cell, a folded table a layer."""
    return SweepSection(
        note="Means over seeds where there are several. Seconds: one training on one core, or making a control.",
        folded=tuple((f"Layer {layer}", _numbers(grid, layer)) for layer in grid.layers),
    )


def _numbers(grid: DictionaryGrid, layer: int) -> Table:
    cells: dict[tuple[Kind, int, int], list[SweepCell]] = {}
    for cell in grid.record.cells:
        if cell.layer == layer:
            cells.setdefault((cell.kind, cell.n_atoms, cell.k), []).append(cell)
    order = list(reversed(KINDS))
    keys = sorted(cells, key=lambda key: (order.index(key[0]), key[1], key[2]))
    columns = (
        "dictionary", "n", "k", "seeds", "PSNR dB", "between", "to the signals", _R2, "between", "alive", _L0,
        "between", "seconds", "outcome",
    )  # fmt: skip
    rows = tuple((key[0], str(key[1]), str(key[2]), *_cells(cells[key])) for key in keys)
    return Table(f"Layer {layer}: every dictionary", columns, rows)


def _cells(cells: Sequence[SweepCell]) -> tuple[str, ...]:
    quality, between = [cell.quality for cell in cells], [cell.between for cell in cells]
    psnrs = [one.psnr for one in quality if one.psnr is not None]
    fidelity = [value for cell in cells if (value := FIDELITY.grid(cell)) is not None]
    fidelity_between = [value for cell in cells if (value := FIDELITY.between(cell)) is not None]
    diverged = sum(cell.outcome == "diverged" for cell in cells)
    return (
        str(len(cells)),
        *(words.fixed(fmean(values)) if values else words.MISSING for values in (fidelity, fidelity_between, psnrs)),
        words.fixed(fmean(one.r2 for one in quality), 4),
        words.fixed(fmean(one.r2 for one in between), 4),
        words.percent(fmean(one.alive for one in quality)),
        words.percent(fmean(one.spatial_l0 for one in quality)),
        words.percent(fmean(one.spatial_l0 for one in between)),
        words.fixed(fmean(cell.seconds for cell in cells), 1),
        f"{diverged} diverged" if diverged else "finished",
    )
