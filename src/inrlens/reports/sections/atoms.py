"""Atom statistics against depth, the strongest atoms' profiles, and how good the dictionaries are."""

from collections.abc import Sequence
from dataclasses import dataclass

from inrlens.atoms.statistics import Spread
from inrlens.reports import words
from inrlens.reports.figures.depth import depth_panels
from inrlens.reports.figures.profiles import profile_panels
from inrlens.reports.parts import Figure, Table, condition_keys
from inrlens.reports.readings.atoms import (
    dead_reading,
    firing_reading,
    profile_reading,
    quality_reading,
    spread_reading,
)
from inrlens.reports.readings.health import health_reading
from inrlens.studies.record import ConditionRecord
from inrlens.studies.run_reader import OpenRun


@dataclass(frozen=True)
class AtomSection:
    """Figures, the tables behind them, the layers' health, and the dictionaries' quality on the grid and between its
    samples; ``health`` is None for a run that did not measure it."""

    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    health_reading: str
    health: Table | None
    quality_reading: str
    quality: Table
    between: Table


def atoms(run: OpenRun) -> AtomSection | None:
    """None where the run has no dictionaries."""
    conditions = sorted((c for c in run.record.conditions if c.layers), key=lambda c: c.kind != "cohort")
    if not conditions:
        return None
    main = [condition for condition in conditions if condition.kind == conditions[0].kind]
    sizes = sorted({layer.n_atoms for condition in conditions for layer in condition.layers})
    over = f"Dictionaries of n = {words.listed([str(size) for size in sizes])} atoms a layer, one dictionary a point"
    keys = condition_keys(conditions)
    figures = (
        Figure(
            name="depth",
            reading=f"{spread_reading(main)} {dead_reading(main)}",
            what="Active fraction: share of coordinates where an atom's code passes 0.01. IPR: 1 for an atom on one "
            "coordinate, 1/N for one that is even over all N. Lines are medians over living atoms, bands their "
            f"quartiles, axes logarithmic. Dead atoms fire nowhere on the grid. {over}.",
            panels=tuple(depth_panels(conditions)),
            keys=keys,
            columns=3,
        ),
        Figure(
            name="magnitude",
            reading=profile_reading(conditions),
            what="Mean magnitude (mean code over the grid) of the 16 strongest atoms of each layer, one axis for all.",
            panels=tuple(profile_panels(conditions, "magnitude")),
            keys=keys,
            columns=5,
        ),
        Figure(
            name="firing",
            reading=firing_reading(conditions),
            what="Firing rate (share of coordinates with a code above 0) of the same atoms, in the same order.",
            panels=tuple(profile_panels(conditions, "firing")),
            keys=keys,
            columns=5,
        ),
    )
    shown = tuple(figure for figure in figures if figure.panels)
    measured = any(layer.health is not None for condition in conditions for layer in condition.layers)
    return AtomSection(
        figures=shown,
        tables=(_atom_table(conditions), _cost_table(conditions)),
        health_reading=health_reading(conditions) if measured else "",
        health=_health_table(conditions) if measured else None,
        quality_reading=quality_reading(conditions),
        quality=_quality_table(conditions, between=False),
        between=_quality_table(conditions, between=True),
    )


def _atom_table(conditions: Sequence[ConditionRecord]) -> Table:
    rows = tuple(
        (
            words.condition_title(condition.kind, condition.backbone),
            str(layer.layer),
            *_spread_cells(layer.active_fraction, words.percent),
            *_spread_cells(layer.ipr, words.significant),
            words.percent(layer.quality.dead),
            words.significant(layer.top_magnitude[0]) if layer.top_magnitude else words.MISSING,
            words.percent(layer.top_firing[0]) if layer.top_firing else words.MISSING,
        )
        for condition in conditions
        for layer in condition.layers
    )
    columns = (
        "network", "layer", "active fraction", "quartiles", "IPR", "quartiles", "dead", "top atom's mean magnitude",
        "top atom's firing rate",
    )  # fmt: skip
    return Table("The atoms of each layer: medians and quartiles over living atoms", columns, rows)


def _cost_table(conditions: Sequence[ConditionRecord]) -> Table:
    rows = tuple(
        (
            words.condition_title(condition.kind, condition.backbone),
            str(layer.layer),
            *_spread_cells(layer.psnr_drop, words.db_cell),
            words.fixed(layer.worst_atom_drop),
            words.MISSING if layer.worst_atom is None else str(layer.worst_atom),
            words.MISSING if layer.worst_atom_rank is None else str(layer.worst_atom_rank),
        )
        for condition in conditions
        for layer in condition.layers
    )
    columns = (
        "network",
        "layer",
        "median dB lost",
        "quartiles",
        "most dB lost",
        "by atom",
        "its rank by mean magnitude",
    )
    return Table("What taking out one atom costs, every living atom tried, on the first signal", columns, rows)


def _health_table(conditions: Sequence[ConditionRecord]) -> Table:
    rows = tuple(
        (
            words.condition_title(condition.kind, condition.backbone),
            str(layer.layer),
            words.fixed(layer.health.gamma),
            words.fixed(layer.health.gamma_median),
            words.percent(layer.health.dead_units),
            words.percent(layer.health.constant_units),
            words.fixed(layer.health.effective_dimension, 1),
            words.fixed(layer.health.effective_rank, 1),
            str(layer.health.units),
            words.percent(layer.quality.dead),
        )
        for condition in conditions
        for layer in condition.layers
        if layer.health is not None
    )
    columns = (
        "network", "layer", "gamma", "of the median unit", "dead units", "constant units", "effective dimension",
        "effective rank", "units", "dead atoms",
    )  # fmt: skip
    return Table("Each layer before training, and the dead atoms of its dictionary", columns, rows)


def _spread_cells(spread: Spread | None, say: words.Say) -> tuple[str, str]:
    if spread is None:
        return words.MISSING, words.MISSING
    return say(spread.median), words.span(say(spread.low), say(spread.high))


def _quality_table(conditions: Sequence[ConditionRecord], between: bool) -> Table:
    rows = []
    for condition in conditions:
        for layer in condition.layers:
            quality = layer.between if between else layer.quality
            cells = (
                words.condition_title(condition.kind, condition.backbone),
                str(layer.layer),
                str(quality.rows),
                words.significant(quality.fvu),
                words.fixed(quality.r2, 4),
                words.significant(quality.nmse),
                words.percent(quality.alive),
                words.percent(quality.dead),
                words.percent(quality.spatial_l0),
                words.fixed(quality.fidelity_psnr),
            )
            # Between the samples a signal has no values, so there is nothing to hold the picture against.
            against = () if between else (words.fixed(quality.psnr), words.fixed(quality.psnr_intact))
            rows.append((*cells, *against))
    columns: tuple[str, ...] = (
        "network", "layer", "rows", "FVU", "R\N{SUPERSCRIPT TWO}", "NMSE", "alive", "dead",
        "spatial L\N{SUBSCRIPT ZERO}", "fidelity dB",
    )  # fmt: skip
    if between:
        return Table("The dictionaries between the grid's samples", columns, tuple(rows))
    return Table("The dictionaries on the grid", (*columns, "PSNR dB, layer replaced", "intact"), tuple(rows))
