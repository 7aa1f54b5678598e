"""A study's cells as flat rows, one table a kind of cell, for those who make statistics of their own."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from inrlens.files import plain_json
from inrlens.reports.study.table import Value
from inrlens.studies.tables.records import StudyRows


@dataclass(frozen=True)
class Frame:
    """A table of plain values: text, whole numbers, floats, or None."""

    name: str
    headings: tuple[str, ...]
    rows: list[tuple[Value, ...]]


def frames(rows: StudyRows) -> list[Frame]:
    """One frame a kind of cell that the study has, and ``curves`` with a line a record of a fit's history.

    What is nested gets a column each (``quality.r2``, ``variant.transfer.learning_rate``); lists stay as JSON.
    """
    found = []
    for field in fields(rows):
        own = getattr(rows, field.name)
        if own:
            found.append(_frame(field.name, [_flat_row(row) for row in own]))
    curves = list(_curves(rows))
    if curves:
        found.append(Frame("curves", ("kind", "key", "step", "psnr", "seconds"), curves))
    return found


def _frame(name: str, lines: Sequence[Mapping[str, Value]]) -> Frame:
    headings = tuple(dict.fromkeys(heading for line in lines for heading in line))
    return Frame(name, headings, [tuple(line.get(heading) for heading in headings) for line in lines])


def _flat_row(row: Any) -> dict[str, Value]:
    flat: dict[str, Value] = {}
    for field in fields(row):
        value = getattr(row, field.name)
        if field.name == "variant":
            flat |= {f"variant.{name}": one for name, one in value}
        elif field.name != "curve":
            flat |= _flat(field.name, value)
    return flat


def _flat(name: str, value: Any) -> dict[str, Value]:
    if isinstance(value, Mapping):
        return {key: one for part, own in value.items() for key, one in _flat(f"{name}.{part}", own).items()}
    if isinstance(value, (list, tuple)):
        return {name: json.dumps(plain_json(list(value)), allow_nan=False)}
    if isinstance(value, bool):
        return {name: str(value).lower()}
    return {name: value if value is None or isinstance(value, (str, int, float)) else str(value)}


def _curves(rows: StudyRows) -> Iterable[tuple[Value, ...]]:
    for kind, own in (("cohort", rows.cohorts), ("transfer", rows.transfers), ("single", rows.singles)):
        for row in own:
            curve = row.curve
            for step, psnr, seconds in zip(curve.steps, curve.psnr, curve.seconds, strict=True):
                yield kind, row.key, step, psnr, seconds
