"""What was asked for: data sets, recipes in full, and what is measured."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from inrlens.reports import words
from inrlens.reports.study.table import Cell, Column, StudyTable
from inrlens.reports.study.tables.common import BACKBONE, RECIPE, recipe
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.records import CohortRow, DictionaryRow, SingleRow, TransferRow

_DATA = (
    Column("data set"),
    Column("kind"),
    Column("stands beside the paper's"),
    Column("height \N{MULTIPLICATION SIGN} width"),
    Column("channels", "count"),
    Column("cohort", "count", group="pictures"),
    Column("validation", "count", group="pictures"),
    Column("test", "count", group="pictures"),
    Column("unused", "count", group="pictures"),
    Column("seed of the split"),
)
_Timed = CohortRow | SingleRow | TransferRow | DictionaryRow
_TASKS = {"cohort": "cohort", "single": "one picture", "transfer": "transfer", "dictionary": "dictionary"}


def setup(study: ToldStudy) -> list[StudyTable]:
    """The data sets, then the recipes of every kind of cell."""
    return [_data(study), *_recipes(study), *_cells(study)]


def _data(study: ToldStudy) -> StudyTable:
    found = Counter((file.data, file.split) for file in study.files)
    rows = []
    for one in study.spec.data:
        counts = tuple(found[one.name, split] for split in ("cohort", "validation", "test", "unused"))
        if not any(counts):
            counts = (one.cohort, one.validation, one.test or 0, 0)
        rows.append(
            (
                one.name,
                one.kind,
                study.counterpart(one.name),
                words.size(one.size) if one.size else "as they are",
                one.channels,
                *counts,
                str(one.split_seed),
            )
        )
    note = "The split is drawn once from its seed; the hash of every file is in the store."
    return StudyTable("data", "Data sets", note, _DATA, tuple(rows))


def _recipes(study: ToldStudy) -> list[StudyTable]:
    tables = []
    for task, title in _TASKS.items():
        own = [one for one in study.recipes if one.task == task]
        if not own:
            continue
        settings = [_plain(one.settings) for one in own]
        names = tuple(dict.fromkeys(name for one in settings for name in one))
        rows: list[tuple[Cell, ...]] = [
            (words.backbone_title(one.backbone), recipe(one.variant), *(values.get(name) for name in names))
            for one, values in zip(own, settings, strict=True)
        ]
        columns = (BACKBONE, RECIPE, *(Column(name.replace("_", " ")) for name in names))
        note = "Every number that these cells ran with." + (
            " A transfer's network is its cohort's." if task == "transfer" else ""
        )
        tables.append(StudyTable(f"recipes-{task}", f"Recipes: {title}", note, columns, tuple(rows), detail=True))
    return tables


def _plain(settings: Any) -> dict[str, str]:
    """Settings as words, those of the network beside the others."""
    found: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= {key: text for key, text in _plain(value).items() if key != "name"}
        elif name == "batch" and value is None:
            found[name] = "all"
        elif value is not None:
            found[name] = f"{value:g}" if isinstance(value, float) else str(value)
    return found


def _cells(study: ToldStudy) -> list[StudyTable]:
    columns = (
        Column("kind"),
        Column("planned", "count"),
        Column("done", "count"),
        Column("failed", "count"),
        Column("computing time", "text"),
    )
    failed = Counter(one.kind for one in study.failures)
    timed: dict[str, Sequence[_Timed]] = {
        "cohort": study.rows.cohorts,
        "single": study.rows.singles,
        "transfer": study.rows.transfers,
        "dictionary": study.rows.dictionaries,
    }
    rows = []
    for kind, planned in study.planned.items():
        if planned:
            known = [row.seconds for row in timed.get(kind, ()) if row.seconds == row.seconds]
            time = words.duration(sum(known)) if known else None
            rows.append((kind, planned, study.done[kind], failed[kind], time))
    note = "Computing time is the sum over the done cells, on however many workers."
    return [StudyTable("cells", "Cells", note, columns, tuple(rows))] if rows else []
