"""A trained dictionary beside dictionaries that nobody trained, and one of a network that nobody trained."""

from collections.abc import Sequence
from dataclasses import dataclass

from inrlens.atoms.statistics import Spread
from inrlens.reports import words
from inrlens.reports.figures.canvas import slot
from inrlens.reports.figures.controls import control_panels
from inrlens.reports.parts import Examined, Figure, Key, Table, examined
from inrlens.reports.readings.controls import control_reading
from inrlens.studies.record import DictionaryRow
from inrlens.studies.run_reader import OpenRun


@dataclass(frozen=True)
class ControlSection:
    """All layers in one figure, and the numbers behind it."""

    figure: Figure
    table: Table


def controls(run: OpenRun) -> ControlSection | None:
    """None where no layer was looked at atom by atom."""
    entries = [one for one in examined(run.record.conditions) if one.atlas.rows]
    if not entries:
        return None
    backbones = list(dict.fromkeys(one.condition.backbone for one in entries))
    figure = Figure(
        name="controls-measures",
        reading="\n".join(control_reading(one) for one in entries),
        what="All dictionaries are measured by the same code. Dots are medians over living atoms and bars their "
        "quartiles; R\N{SUPERSCRIPT TWO} (hollow: between the samples) and removal area are one number a dictionary. "
        "The untrained network's picture is none, so nothing can be lost from it.",
        panels=tuple(control_panels(entries)),
        keys=tuple(Key(one.title, slot(one.condition.backbone, backbones), marker="full") for one in entries),
        columns=3,
    )
    return ControlSection(figure, _table(entries))


def _table(entries: Sequence[Examined]) -> Table:
    rows = [(one.title, *_cells(row)) for one in entries for row in one.atlas.rows]
    marked = frozenset(number for number, row in enumerate(rows) if row[1] == "trained")
    columns = (
        "layer", "dictionary", "n, k", "R\N{SUPERSCRIPT TWO}", "between", "alive", "active fraction", "locality",
        "pieces", "dB lost", "most", "removal area",
    )  # fmt: skip
    return Table(
        "Each dictionary and its controls: medians over living atoms, losses in dB", columns, tuple(rows), 2, marked
    )


def _cells(row: DictionaryRow) -> tuple[str, ...]:
    return (
        row.name,
        f"{row.n_atoms}, {row.k}",
        words.fixed(row.quality.r2, 3),
        words.fixed(row.between.r2, 3),
        words.percent(row.quality.alive),
        _median(row.active_fraction, words.percent),
        _median(row.locality, words.percent),
        _median(row.pieces, words.significant),
        _median(row.psnr_drop, words.significant),
        words.significant(row.worst_drop),
        words.fixed(row.removal_area),
    )


def _median(spread: Spread | None, say: words.Say) -> str:
    return words.MISSING if spread is None else say(spread.median)
