"""What anybody may ask a store of studies, also while a driver writes it."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inrlens.errors import InputError
from inrlens.studies.store import artefacts
from inrlens.studies.store.lock import holder
from inrlens.studies.store.schema import FILE, told
from inrlens.studies.store.stored import (
    STATES,
    Attempt,
    CellState,
    Ended,
    State,
    StoredCell,
    StoredFile,
    digest_of,
    stored_cell,
)

_COLUMNS = "key, kind, settings, state, result, timing, artefact, artefact_bytes, error, log"


class StoreReader:
    """The questions that ``Store`` answers.

    A cell is done when its row says so and the file of its artefact, if it has one, is there with its size.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: int | None) -> None:
        self.folder = folder
        self._path = folder / FILE
        self._connection = connection
        self._lock = lock
        """None where the store is open to read only."""

    def states(self, keys: Iterable[str]) -> dict[str, Ended]:
        """Which of the cells have an outcome: ``done`` or ``failed``."""
        rows = self._rows(
            "SELECT key, state, artefact, artefact_bytes FROM cells "
            "WHERE state IN ('done', 'failed') AND key IN (SELECT value FROM json_each(?))",
            (json.dumps(list(keys)),),
        )
        with self._undamaged():
            return {key: state for key, state, *artefact in rows if self._is_whole(*artefact)}

    def artefact(self, key: str) -> bytes:
        """The artefact of the done cell ``key``; a driver that finds it damaged removes it, so that it is made anew.

        Raises:
            InputError: where the cell is not done, has no artefact, or its file is missing or damaged.
        """
        rows = list(self._rows("SELECT artefact FROM cells WHERE key = ? AND artefact IS NOT NULL", (key,)))
        if not rows:
            raise InputError(f"the store {self.folder} has no artefact of cell {key}: run its study to make it.")
        with self._undamaged():
            content = artefacts.read_artefact(self.folder, rows[0][0])
        if content is None:
            if self._lock is not None:
                artefacts.remove_artefact(self.folder, rows[0][0])
            raise InputError(f"the artefact of cell {key} is missing or damaged: run its study to make it anew.")
        return content

    def studies(self) -> tuple[str, ...]:
        """The names of the studies, in the order in which they were last recorded."""
        return tuple(row[0] for row in self._rows("SELECT name FROM studies ORDER BY recorded, rowid"))

    def study_source(self, name: str) -> str:
        """The text of the study's file.

        Raises:
            InputError: where the store has no such study.
        """
        rows = list(self._rows("SELECT source FROM studies WHERE name = ?", (name,)))
        if not rows:
            known = ", ".join(map(str, self.studies())) or "none"
            raise InputError(f"the store {self.folder} has no study {name!r}; it has: {known}.")
        return str(rows[0][0])

    def stored(self, study: str, states: Collection[State] = STATES) -> Iterator[StoredCell]:
        """The study's cells in its plan's order, of the given states; ``running`` only while their driver lives.

        Raises:
            InputError: where the store has no such study.
        """
        self.study_source(study)
        driven = holder(self.folder) is not None
        query = f"SELECT place, {_COLUMNS} FROM places JOIN cells USING (key) WHERE study = ? ORDER BY position"
        for place, *row in self._rows(query, (study,)):
            with self._undamaged():
                state = self._state(row[3], row[6], row[7], driven)
                found = stored_cell(json.loads(place), row, state) if state in states else None
            if found is not None:
                yield found

    def overview(self, study: str) -> Iterator[CellState]:
        """How each of the study's cells stands, each once and in its plan's order, without reading its result.

        Raises:
            InputError: where the store has no such study.
        """
        self.study_source(study)
        driven = holder(self.folder) is not None
        query = """
            SELECT key, kind, state, artefact, artefact_bytes, json_extract(timing, '$.seconds'), error
            FROM (SELECT key, min(position) AS place FROM places WHERE study = ? GROUP BY key) JOIN cells USING (key)
            ORDER BY place"""
        for key, kind, written, artefact, size, seconds, error in self._rows(query, (study,)):
            with self._undamaged():
                state = self._state(written, artefact, size, driven)
            yield CellState(key, kind, state, seconds if state == "done" else None, error)

    def files(self, study: str) -> tuple[StoredFile, ...]:
        """The files that the study found, in its plan's order."""
        query = "SELECT data, name, split, sha256, digest FROM files WHERE study = ? ORDER BY position"
        return tuple(StoredFile(*row) for row in self._rows(query, (study,)))

    def attempts(self) -> Iterator[Attempt]:
        """Every handing out of a cell, in the order in which they began."""
        for row in self._rows("SELECT key, host, process, begun, ended, outcome FROM attempts ORDER BY id"):
            yield Attempt(*row)

    def digest(self, study: str | None = None) -> str:
        """A hash of a study, or of all that the store holds: the same whether or not its runs were interrupted."""
        names = self.studies() if study is None else (study,)
        studies = sorted((name, self.study_source(name)) for name in names)
        if study is not None:
            return digest_of(studies, self.stored(study))
        rows = self._rows(f"SELECT {_COLUMNS} FROM cells ORDER BY key")
        return digest_of(studies, (stored_cell({}, row, self._state(row[3], row[6], row[7], False)) for row in rows))

    @contextmanager
    def _undamaged(self) -> Iterator[None]:
        """What a damaged row ends in, as InputError: text that is no JSON, and nothing or bytes where text belongs."""
        try:
            yield
        except (ValueError, TypeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"the store {self._path} is damaged ({error}): restore it, or begin another.") from error

    def _state(self, state: State, artefact: str | None, size: int | None, driven: bool) -> State:
        return state if self._is_whole(artefact, size) and (driven or state != "running") else "waiting"

    def _is_whole(self, artefact: str | None, size: int | None) -> bool:
        return artefact is None or artefacts.artefact_is_there(self.folder, artefact, size or 0)

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> Iterator[list[Any]]:
        with told(self._path):
            for row in self._connection.execute(query, values):
                yield list(row)
