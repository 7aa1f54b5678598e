"""``inrlens study status`` and ``list``: what a store knows of its studies, also while one runs."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from inrlens.cli import options as opt
from inrlens.cli.output import columns, duration, note, pairs, show, show_json, shown_path
from inrlens.cli.study import options as sopt

if TYPE_CHECKING:
    from inrlens.studies.store.stored import CellState

STATUS_EXAMPLES = ("inrlens study status study.toml",)
LIST_EXAMPLES = ("inrlens study list", "inrlens study list --store inrlens-store")
_STATES = ("done", "failed", "running", "waiting")
_SHOWN = 5


def status(study: sopt.StudyFile, store: sopt.StoreFolder = None, json: opt.Json = False) -> None:
    """Show how far a study is: cells done, failed, running and waiting, and what failed; also while it runs."""
    from inrlens.cli.study.opened import open_store
    from inrlens.studies.cells.cell import KINDS
    from inrlens.studies.config.locate import locate
    from inrlens.studies.store.lock import holder

    located = locate(study, store)
    with open_store(located) as known:
        cells = list(known.overview(located.name))
    driver = holder(located.store)
    counts: dict[str, Counter[str]] = {}
    for cell in cells:
        counts.setdefault(cell.kind, Counter())[cell.state] += 1
    failures = [cell for cell in cells if cell.state == "failed"]
    left = _worker_seconds_left(cells)
    if json:
        show_json(
            {
                "study": located.name,
                "store": located.store,
                "driver": None if driver is None else {"pid": driver.process, "host": driver.host},
                "cells": {kind: {state: found[state] for state in _STATES} for kind, found in counts.items()},
                "worker_seconds_left": left,
                "failures": [{"key": one.key, "kind": one.kind, "error": one.error} for one in failures],
            }
        )
        return
    table = columns(f"{located.name} in {shown_path(located.store)}", "kind", "cells", *_STATES)
    for kind in (kind for kind in KINDS if kind in counts):
        found = counts[kind]
        table.add_row(kind, f"{found.total():,}", *(f"{found[state]:,}" if found[state] else "" for state in _STATES))
    show(table)
    who = "nobody runs it now" if driver is None else f"process {driver.process} on {driver.host} runs it"
    show(who if left is None else f"{who}; about {duration(left)} of one worker's time left")
    for one in failures[:_SHOWN]:
        note(f"{one.kind} {one.key[:12]} failed: {one.error}")
    if len(failures) > _SHOWN:
        note(f"and {len(failures) - _SHOWN} more failed; --json lists all.")


def list_studies(store: sopt.StoreFolder = None, json: opt.Json = False) -> None:
    """List the studies that come with InrLens, and those of a store."""
    from inrlens.studies.config.locate import STORE, title_of
    from inrlens.studies.config.shipped import SHIPPED, shipped_study
    from inrlens.studies.store.store import Store

    shipped = {name: title_of(shipped_study(name)) for name in SHIPPED}
    folder = store or Path(STORE)
    known: dict[str, str] = {}
    if store is not None or folder.is_dir():
        with Store.open(folder) as found:
            known = {name: title_of(found.study_source(name)) for name in found.studies()}
    if json:
        show_json({"shipped": shipped, "store": folder if known else None, "stored": known})
        return
    for heading, studies in (("Studies that come with InrLens:", shipped), (f"In {shown_path(folder)}:", known)):
        if studies:
            show(heading, pairs(list(studies.items())))


def _worker_seconds_left(cells: "list[CellState]") -> float | None:
    """Seconds of one worker for what is left, each cell taking the mean of its kind; None where a kind is unknown."""
    total = 0.0
    for kind in {cell.kind for cell in cells}:
        left = sum(cell.kind == kind and cell.state in ("waiting", "running") for cell in cells)
        took = [cell.seconds for cell in cells if cell.kind == kind and cell.seconds is not None]
        if left and not took:
            return None
        total += left * (sum(took) / len(took) if took else 0.0)
    return total or None
