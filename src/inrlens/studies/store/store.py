"""The store of studies: one SQLite file and a folder of artefacts, written by one driver and read by anybody."""

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from inrlens.errors import InputError
from inrlens.studies.cells.cell import Cell
from inrlens.studies.cells.plan import StudyPlan
from inrlens.studies.cells.task import Done, Failed
from inrlens.studies.store import artefacts, writing
from inrlens.studies.store.lock import release_lock, take_lock
from inrlens.studies.store.reading import StoreReader
from inrlens.studies.store.schema import FILE, open_to_read, open_to_write, transaction


class Store(StoreReader):
    """A folder with ``store.sqlite``, ``artefacts/``, ``states/`` (of running cells) and ``lock``; use ``Store.open``.

    One driver at a time writes it; ``StoreReader`` says what may be asked of it.
    """

    @classmethod
    def open(cls, folder: str | Path, write: bool = False) -> "Store":
        """Opens the store, to be used as a context manager and from one thread.

        ``write`` makes the folder, takes the lock, and puts back to waiting whatever a killed driver left running.
        Reading works while a driver writes, and where nothing can be written.

        Raises:
            InputError: where there is no store to read, another driver holds it, it cannot be written, or it is of a
                newer version, damaged, or something else.
        """
        folder = Path(folder)
        if not write:
            return cls(folder, open_to_read(folder / FILE), None)
        lock = take_lock(folder)
        try:
            store = cls(folder, open_to_write(folder / FILE), lock)
        except BaseException:
            release_lock(lock)
            raise
        artefacts.remove_halves(folder)
        store.release_running()
        return store

    def close(self) -> None:
        """Lets go of the store; what was still running waits again."""
        if self._lock is not None:
            with suppress(InputError, sqlite3.Error):
                self.release_running()
        self._connection.close()
        if self._lock is not None:
            release_lock(self._lock)
            self._lock = None

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def record_plan(self, plan: StudyPlan) -> None:
        """Records a study's source, cells, places and files in place of an earlier plan of its name.

        What is known of a cell stays; cells that no study has any more are forgotten unless they have an outcome.
        """
        with transaction(self._connection, self._path):
            writing.replace_plan(self._connection, plan)

    def put(self, cell: Cell, outcome: Done | Failed) -> None:
        """Records a cell's outcome, after its artefact; all of it is on the disk when this returns.

        Raises:
            ValueError: where the cell is done already, or the outcome is another cell's.
            InputError: where the store cannot be written.
        """
        if outcome.key != cell.key:
            raise ValueError(f"the outcome of cell {outcome.key} cannot be put as that of cell {cell.key}.")
        if self.states([cell.key]).get(cell.key) == "done":
            raise ValueError(f"cell {cell.key} is done already and cannot be put again.")
        artefact = None
        if isinstance(outcome, Done) and outcome.artefact is not None:
            artefact = artefacts.write_artefact(self.folder, outcome.artefact)
        with transaction(self._connection, self._path):
            writing.insert_cells(self._connection, [cell])
            if isinstance(outcome, Done):
                writing.write_done(self._connection, outcome, artefact)
            else:
                writing.write_failed(self._connection, outcome)

    def set_running(self, keys: Iterable[str]) -> None:
        """Notes that recorded cells are handed out: each gets an attempt."""
        with transaction(self._connection, self._path):
            writing.write_running(self._connection, list(keys))

    def set_lost(self, keys: Iterable[str]) -> None:
        """Notes that the workers of running cells died: they wait again."""
        self._release(list(keys), "lost")

    def release_running(self) -> None:
        """Puts every running cell back to waiting; its attempt was interrupted."""
        keys = [row[0] for row in self._rows("SELECT key FROM cells WHERE state = 'running'")]
        if keys:
            self._release(keys, "interrupted")

    def _release(self, keys: list[str], why: Literal["lost", "interrupted"]) -> None:
        with transaction(self._connection, self._path):
            writing.write_waiting(self._connection, keys, why)

    def forget_failures(self, study: str) -> int:
        """Makes the study's failed cells wait again; gives their number."""
        with transaction(self._connection, self._path):
            return writing.forget_failures(self._connection, study)
