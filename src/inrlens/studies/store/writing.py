"""The store's rows as the driver writes them; each function runs inside a transaction of its caller."""

import os
import socket
import sqlite3
import time
from collections.abc import Iterable
from typing import Any, Literal

from inrlens.studies.cells.cell import Cell
from inrlens.studies.cells.plan import StudyPlan
from inrlens.studies.cells.task import Done, Failed
from inrlens.studies.store.stored import as_text, printable


def replace_plan(connection: sqlite3.Connection, plan: StudyPlan) -> None:
    """A study's cells, places and files in place of an earlier plan of its name; what is known of a cell stays."""
    name = plan.spec.name
    connection.execute("DELETE FROM studies WHERE name = ?", (name,))
    connection.execute("INSERT INTO studies VALUES (?, ?, ?, ?)", (name, plan.spec.title, plan.source, time.time()))
    insert_cells(connection, plan.cells)
    places = ((name, number, cell.key, as_text(cell.place)) for number, cell in enumerate(plan.cells))
    connection.executemany("INSERT INTO places VALUES (?, ?, ?, ?)", places)
    files = (
        (name, number, file.data, printable(file.name), file.split, file.sha256, file.digest)
        for number, file in enumerate(plan.files)
    )
    connection.executemany("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", files)
    connection.execute(
        "DELETE FROM cells WHERE state = 'waiting' AND NOT EXISTS (SELECT 1 FROM places WHERE key = cells.key)"
    )


def insert_cells(connection: sqlite3.Connection, cells: Iterable[Cell]) -> None:
    """Rows for the cells that have none yet."""
    rows = ((cell.key, cell.kind, as_text(cell.settings)) for cell in cells)
    connection.executemany("INSERT OR IGNORE INTO cells (key, kind, settings) VALUES (?, ?, ?)", rows)


def write_done(connection: sqlite3.Connection, done: Done, artefact: str | None) -> None:
    """A cell's result; ``artefact`` is the hash under which its file lies already."""
    size = None if done.artefact is None else len(done.artefact)
    values = {
        "state": "done",
        "result": as_text(done.result),
        "timing": as_text(done.timing),
        "artefact": artefact,
        "artefact_bytes": size,
        "log": printable(done.log),
    }
    _write(connection, done.key, values)
    end_attempts(connection, [done.key], "done")


def write_failed(connection: sqlite3.Connection, failed: Failed) -> None:
    """A cell's error."""
    values = {"state": "failed", "error": printable(failed.error), "log": printable(failed.log)}
    _write(connection, failed.key, values)
    end_attempts(connection, [failed.key], "failed")


def write_running(connection: sqlite3.Connection, keys: list[str]) -> None:
    """A new attempt for each cell."""
    now, host, process = time.time(), socket.gethostname(), os.getpid()
    for key in keys:
        _write(connection, key, {"state": "running"})
    connection.executemany(
        "INSERT INTO attempts (key, host, process, begun) VALUES (?, ?, ?, ?)",
        ((key, host, process, now) for key in keys),
    )


def write_waiting(connection: sqlite3.Connection, keys: list[str], why: Literal["lost", "interrupted"]) -> None:
    """Running cells wait again; ``why`` is what became of their attempts."""
    rows = ((key,) for key in keys)
    connection.executemany("UPDATE cells SET state = 'waiting' WHERE key = ? AND state = 'running'", rows)
    end_attempts(connection, keys, why)


def forget_failures(connection: sqlite3.Connection, study: str) -> int:
    """The study's failed cells wait again; gives their number."""
    return connection.execute(
        "UPDATE cells SET state = 'waiting', error = NULL, log = '' "
        "WHERE state = 'failed' AND key IN (SELECT key FROM places WHERE study = ?)",
        (study,),
    ).rowcount


def end_attempts(connection: sqlite3.Connection, keys: list[str], outcome: str) -> None:
    """How the cells' open attempts ended."""
    now = time.time()
    connection.executemany(
        "UPDATE attempts SET outcome = ?, ended = ? WHERE key = ? AND outcome = 'running'",
        ((outcome, now, key) for key in keys),
    )


def _write(connection: sqlite3.Connection, key: str, values: dict[str, Any]) -> None:
    row = {"result": None, "timing": None, "artefact": None, "artefact_bytes": None, "error": None, "log": "", **values}
    changes = ", ".join(f"{name} = :{name}" for name in row)
    connection.execute(f"UPDATE cells SET {changes} WHERE key = :key", {**row, "key": key})
