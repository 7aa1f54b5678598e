"""Stable ranks layer by layer: of the weights, and of the activations in each variant."""

from collections.abc import Sequence
from dataclasses import dataclass

from inrlens.reports import words
from inrlens.reports.figures.ranks import activation_panels, weight_panels
from inrlens.reports.parts import Figure, Key, Table, condition_keys
from inrlens.reports.readings.ranks import activation_reading, weight_reading
from inrlens.studies.record import ConditionRecord
from inrlens.studies.run_reader import OpenRun


@dataclass(frozen=True)
class RankSection:
    """Two figures, the numbers behind them, and each network's advice in its own words."""

    figures: tuple[Figure, ...]
    table: Table
    advice: tuple[tuple[str, str], ...]


def ranks(run: OpenRun) -> RankSection | None:
    """None where the run has no network."""
    conditions = run.record.conditions
    if not conditions:
        return None
    kinds = sorted({c.kind for c in conditions}, key=words.KIND_ORDER.index)
    main = "cohort" if "cohort" in kinds else kinds[0]
    leading = [condition for condition in conditions if condition.kind == main]
    ordered = [c for kind in kinds for c in conditions if c.kind == kind]
    ordered = sorted(ordered, key=lambda c: c.kind != main)
    figures = [
        Figure(
            name="weights",
            reading=weight_reading(leading),
            what="Stable rank of each layer's weights: squared Frobenius norm over squared largest singular value. "
            "The star is tau*, the layer where it is highest. One network a line.",
            panels=tuple(weight_panels(ordered)),
            keys=tuple(_weight_keys(ordered)),
        )
    ]
    activations = activation_panels(ordered)
    if activations:
        figures.append(
            Figure(
                name="activations",
                reading=activation_reading(leading),
                what="Stable rank of each layer's activations over the whole grid, trained networks, by variant.",
                panels=tuple(activations),
                keys=condition_keys(ordered),
                columns=3,
            )
        )
    advice = tuple((words.condition_title(c.kind, c.backbone), c.advice) for c in leading)
    return RankSection(tuple(figures), _table(ordered), advice)


def _weight_keys(conditions: Sequence[ConditionRecord]) -> list[Key]:
    keys = list(condition_keys(conditions))
    if any(condition.ranks_initial is not None for condition in conditions):
        keys.append(Key("at initialisation", None, "dotted", "hollow"))
    return [*keys, Key("tau*", None, marker="star")]


def _table(conditions: Sequence[ConditionRecord]) -> Table:
    depth = max(len(condition.ranks.weight) for condition in conditions)
    rows: list[tuple[str, ...]] = []
    marked: set[int] = set()
    for condition in conditions:
        name = words.condition_title(condition.kind, condition.backbone)
        marked.add(len(rows))
        rows.append(_row(name, "weights, trained", condition.ranks.weight, depth, condition.tau))
        if condition.ranks_initial is not None:
            rows.append(_row(name, "weights, initial", condition.ranks_initial.weight, depth))
        for variant, values in condition.ranks.activation.items():
            rows.append(_row(name, f"activations {variant}, trained", values, depth))
        if condition.ranks_initial is not None:
            for variant, values in condition.ranks_initial.activation.items():
                rows.append(_row(name, f"activations {variant}, initial", values, depth))
    columns = ("network", "stable rank of", *(f"layer {layer}" for layer in range(depth)))
    return Table("Stable ranks; \N{BLACK STAR} is tau*", columns, tuple(rows), names=2, marked=frozenset(marked))


def _row(name: str, what: str, values: Sequence[float], depth: int, tau: int | None = None) -> tuple[str, ...]:
    cells = [words.fixed(value, 1) + (" \N{BLACK STAR}" if layer == tau else "") for layer, value in enumerate(values)]
    return (name, what, *cells, *[words.MISSING] * (depth - len(cells)))
