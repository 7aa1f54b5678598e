"""The dictionaries of the layers: how well they stand in for the activations, and how much of them is used."""

import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import TypeVar

from inrlens.reports import words
from inrlens.reports.study.table import Cell, Column, StudyTable
from inrlens.reports.study.tables.common import DB, RECIPE, SOURCE, recipe
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.records import AnalysisRow, DictionaryRow

R = TypeVar("R", DictionaryRow, AnalysisRow)
WHERE = (
    Column("network"),
    SOURCE,
    Column("picture"),
    RECIPE,
    Column("layer", "count"),
    Column("atoms n", "count"),
    Column("k", "count"),
)
"""The columns that say which dictionary a row is of."""
_GRID, _BETWEEN = "on the grid", "between its samples"
COLUMNS = (
    *WHERE,
    Column("R\N{SUPERSCRIPT TWO}", "number", digits=4, group=_GRID),
    Column("fidelity", "number", DB, group=_GRID),
    Column("alive", "number", "%", 1, group=_GRID),
    Column("dead", "number", "%", 1, group=_GRID),
    Column("spatial L0", "number", "%", 3, group=_GRID),
    Column("R\N{SUPERSCRIPT TWO}", "number", digits=4, group=_BETWEEN),
    Column("fidelity", "number", DB, group=_BETWEEN),
    Column("steps", "count"),
    Column("seeds", "count"),
)


def dictionaries(study: ToldStudy) -> list[StudyTable]:
    """One line a dictionary, mean over its seeds."""
    rows = []
    for own in alike(study.rows.dictionaries):
        grid, between = _reader(own, "quality"), _reader(own, "between")
        rows.append(
            (
                *where(own[0]),
                grid("r2", 1.0),
                grid("fidelity_psnr", 1.0),
                grid("alive", 100.0),
                grid("dead", 100.0),
                grid("spatial_l0", 100.0),
                between("r2", 1.0),
                between("fidelity_psnr", 1.0),
                max(row.steps for row in own),
                len({row.seed for row in own}),
            )
        )
    note = (
        f"{study.so_far('dictionary')}Means over seeds. Fidelity: PSNR of the network's output with the layer replaced "
        "by its reconstruction, against the output as it is. Alive, dead: atoms that fire at some, or at no, "
        "coordinate of the whole grid. Spatial L0: the share of coordinates at which an atom fires, mean over atoms."
    )
    title = "The dictionaries of the layers"
    return [StudyTable("dictionaries", title, note, COLUMNS, tuple(rows), detail=len(rows) > 24)] if rows else []


def where(row: DictionaryRow | AnalysisRow) -> tuple[Cell, ...]:
    """Cells for ``WHERE``."""
    network = words.condition_title(row.network, row.backbone)
    return network, row.source, row.image, recipe(row.variant), row.layer, row.n_atoms, row.k


def alike(rows: tuple[R, ...]) -> list[list[R]]:
    """The rows of each dictionary, which differ in their seed only."""
    found: dict[tuple[object, ...], list[R]] = {}
    for row in rows:
        place = (row.network, row.backbone, row.source, row.image, row.variant, row.n_atoms, row.k, row.layer)
        found.setdefault(place, []).append(row)
    return list(found.values())


def mean(values: Sequence[float | int | None]) -> float | None:
    """The mean of the numbers among them; None without any."""
    known = [float(one) for one in values if one is not None and not math.isnan(one)]
    return fmean(known) if known else None


def _reader(rows: list[DictionaryRow], quality: str) -> Callable[[str, float], float | None]:
    def read(name: str, scale: float) -> float | None:
        found = mean([getattr(row, quality).get(name) for row in rows])
        return None if found is None else scale * found

    return read
