"""What failed, with its sentence."""

from collections.abc import Mapping
from typing import Any

from inrlens.reports.study.table import Column, StudyTable
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.phrases import variant_words

_SHOWN = ("network", "source", "target", "data", "backbone", "image", "layer", "n_atoms", "k", "seed")
COLUMNS = (Column("kind"), Column("cell", "prose"), Column("error", "prose"))


def failures(study: ToldStudy) -> list[StudyTable]:
    """One line a failed cell."""
    rows = tuple((one.kind, _place(one.place), one.error) for one in study.failures)
    note = f"They are left out of every number here; 'inrlens study retry {study.name}' runs them again."
    return [StudyTable("failures", "Cells that failed", note, COLUMNS, rows)] if rows else []


def _place(place: Mapping[str, Any]) -> str:
    """Where a cell stands, in words: source faces, target kodak, ..., tau 1, warm."""
    parts = [f"{name.replace('_', ' ')} {place[name]}" for name in _SHOWN if place.get(name) is not None]
    if "rest" in place:
        depth = place.get("freeze")
        scratch = "from scratch" if place.get("source") is None else "no freeze"
        parts.append(scratch if depth is None else f"tau {depth}, {place['rest']}")
    if place.get("variant"):
        parts.append(variant_words(tuple(place["variant"].items())))
    return ", ".join(parts)
