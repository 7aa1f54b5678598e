"""The store's SQLite file: its tables, how they came to be, and how it is opened."""

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from inrlens.errors import InputError

FILE = "store.sqlite"
APPLICATION_ID = 0x496E724C
"""Marks the file as ours; ``InrL`` in ASCII."""
BUSY_SECONDS = 30.0

MIGRATIONS: dict[str, tuple[str, ...]] = {
    "0001-studies-and-cells": (
        """CREATE TABLE studies (
            name TEXT PRIMARY KEY, title TEXT NOT NULL, source TEXT NOT NULL, recorded REAL NOT NULL
        ) STRICT""",
        """CREATE TABLE cells (
            key TEXT PRIMARY KEY, kind TEXT NOT NULL, settings TEXT NOT NULL,
            state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
            result TEXT, timing TEXT, artefact TEXT, artefact_bytes INTEGER, error TEXT, log TEXT NOT NULL DEFAULT '',
            CHECK ((state = 'done') = (result IS NOT NULL)), CHECK ((state = 'failed') = (error IS NOT NULL))
        ) STRICT""",
        "CREATE INDEX running_cells ON cells (key) WHERE state = 'running'",
        """CREATE TABLE places (
            study TEXT NOT NULL REFERENCES studies (name) ON DELETE CASCADE, position INTEGER NOT NULL,
            key TEXT NOT NULL REFERENCES cells (key), place TEXT NOT NULL, PRIMARY KEY (study, position)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX places_of_cells ON places (key)",
        """CREATE TABLE files (
            study TEXT NOT NULL REFERENCES studies (name) ON DELETE CASCADE, position INTEGER NOT NULL,
            data TEXT NOT NULL, name TEXT NOT NULL, split TEXT NOT NULL, sha256 TEXT NOT NULL, digest TEXT NOT NULL,
            PRIMARY KEY (study, position)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE attempts (
            id INTEGER PRIMARY KEY, key TEXT NOT NULL, host TEXT NOT NULL, process INTEGER NOT NULL,
            begun REAL NOT NULL, ended REAL,
            outcome TEXT NOT NULL DEFAULT 'running'
                CHECK (outcome IN ('running', 'done', 'failed', 'lost', 'interrupted'))
        ) STRICT""",
        "CREATE INDEX open_attempts ON attempts (key) WHERE outcome = 'running'",
        """CREATE VIEW progress AS
            SELECT study, kind, state, count(*) AS cells FROM places JOIN cells USING (key)
            GROUP BY study, kind, state ORDER BY study, kind, state""",
    ),
}
"""By name, in the order in which they are applied; one that has been released is never changed."""


def open_to_write(path: Path) -> sqlite3.Connection:
    """A connection for the driver, with all migrations applied; every commit is on the disk when it returns.

    Raises:
        InputError: where the file is none of ours, damaged, of a newer version, or cannot be written.
    """
    with told(path):
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        with told(path):
            missing = _missing_migrations(connection, path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        if missing:
            with transaction(connection, path):
                _migrate(connection, missing)
    except BaseException:
        connection.close()
        raise
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, also beside a driver, and also where nothing can be written.

    Raises:
        InputError: where there is no such file, or it is none of ours, damaged, or of another version.
    """
    if not path.is_file():
        raise InputError(f"{path.parent} holds no study's store ({path.name} is missing): give the folder of one.")
    with told(path):
        connection = _connect(path)
    try:
        with told(path):
            missing = _missing_migrations(connection, path)
        if missing:
            raise InputError(
                f"{path} lacks {missing[0]!r}, which every store of this InrLens has: run its study once to add it."
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    # The journal's index needs a file that can be written, even for readers: without one, a copy or a still image.
    name = quote(str(path.absolute()))
    connection = sqlite3.connect(f"file:{name}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        return open_still(path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_still(path: Path) -> sqlite3.Connection:
    """A connection to a file beside which nothing can be written; what its journal holds counts too."""
    journal = path.with_name(f"{path.name}-wal")
    if not journal.is_file() or journal.stat().st_size == 0:
        return sqlite3.connect(f"file:{quote(str(path.absolute()))}?immutable=1", uri=True, isolation_level=None)
    memory = sqlite3.connect(":memory:", isolation_level=None)
    with tempfile.TemporaryDirectory(prefix="inrlens-store-") as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        shutil.copyfile(journal, copy.with_name(journal.name))
        source = sqlite3.connect(copy)
        try:
            source.backup(memory)
        finally:
            source.close()
    return memory


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """All of the block's changes or none; they are on the disk when it ends."""
    with told(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Errors of the database as one sentence."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.OperationalError as error:
        raise InputError(f"{path} could not be used ({error}): look to its disk and to who may write there.") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no store of InrLens, or it is damaged ({error}): give another folder.") from error


def _missing_migrations(connection: sqlite3.Connection, path: Path) -> list[str]:
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    if not tables:
        return list(MIGRATIONS)
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID or "migrations" not in tables:
        raise InputError(f"{path} is no store of InrLens, but another program's database: give another folder.")
    applied = [str(row[0]) for row in connection.execute("SELECT name FROM migrations ORDER BY rowid")]
    newer = [name for name in applied if name not in MIGRATIONS]
    if newer:
        raise InputError(f"{path} was written by a newer InrLens ({newer[0]!r} is unknown here): install that version.")
    return [name for name in MIGRATIONS if name not in applied]


def _migrate(connection: sqlite3.Connection, missing: list[str]) -> None:
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied REAL NOT NULL) STRICT")
    for name in missing:
        for statement in MIGRATIONS[name]:
            connection.execute(statement)
        connection.execute("INSERT INTO migrations VALUES (?, ?)", (name, time.time()))
