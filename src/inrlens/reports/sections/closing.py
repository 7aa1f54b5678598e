"""The paper's numbers beside this run's, with the sizes that set them apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from inrlens.reports import words
from inrlens.reports.comparison import FACTOR, TOPS, Comparison, LayerDrops, comparisons
from inrlens.reports.published import PAPER, SIZES
from inrlens.studies.run_reader import OpenRun


@dataclass(frozen=True)
class ClosingSection:
    """The rows, a reading, and the sizes of both sides."""

    reading: str
    what: str
    rows: tuple[Comparison, ...]


def closing(run: OpenRun) -> ClosingSection | None:
    """None where nothing of this run can be held against the paper."""
    rows = tuple(comparisons(run.record, _drops(run), _grid(run)))
    if not rows:
        return None
    return ClosingSection(reading(rows), f"{PAPER}: {SIZES}. {_here(run)} {_rule()}", rows)


def _drops(run: OpenRun) -> dict[str, dict[int, LayerDrops]]:
    """What single atoms of the cohorts' layers cost."""
    found: dict[str, dict[int, LayerDrops]] = {}
    for condition in run.record.conditions:
        for layer in condition.layers if condition.kind == "cohort" else ():
            atlas = run.atlas(condition, layer)
            ranked = atlas.rank("psnr_drop")
            if ranked:
                drops = atlas.psnr_drop.tolist()
                top = tuple(drops[atom] for atom in atlas.statistics.top(TOPS))
                found.setdefault(condition.name, {})[layer.layer] = LayerDrops(top, drops[ranked[-1]], drops[ranked[0]])
    return found


def _grid(run: OpenRun) -> str:
    return words.listed(list(dict.fromkeys(words.size(signal.shape) for signal in run.signals)))


def reading(rows: Sequence[Comparison]) -> str:
    """How many rows are the same."""
    same = sum(row.verdict == "same" for row in rows)
    if same == len(rows):
        return (
            f"All {words.count(same, 'figure')} that can be compared come out the same as published."
            if same > 1
            else ("The one figure that can be compared comes out the same as published.")
        )
    if same == 0:
        return f"None of the {words.count(len(rows), 'figure')} that can be compared comes out as published."
    return (
        f"{same} of the {len(rows)} figures that can be compared come out the same as published, "
        f"{len(rows) - same} different."
    )


def _here(run: OpenRun) -> str:
    record = run.record
    cohort = next((c for c in record.conditions if c.kind == "cohort"), None)
    parts = [f"signals of {_grid(run)} (height first)"]
    if cohort is not None:
        parts.append(f"cohorts of {len(cohort.signals)} for {words.count(cohort.steps, 'step')}")
    layers = [layer for condition in record.conditions for layer in condition.layers]
    if layers:
        steps = words.count(layers[0].steps, "step")
        parts.append(f"dictionaries of n = {layers[0].n_atoms} atoms with k = {layers[0].k} trained for {steps}")
    return f"Here: {words.listed(parts)}."


def _rule() -> str:
    return (
        "Shares of coordinates and of atoms depend on n and k, and decibels on how far a fit has come, so a difference "
        f"may be one of size. A figure published as about a value counts as the same within a factor of {FACTOR:g}."
    )
