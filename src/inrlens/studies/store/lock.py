"""One driver a store: a lock that the system lets go of when its holder dies, however it dies."""

import json
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from inrlens.errors import InputError
from inrlens.files import lock

LOCK = "lock"


@dataclass(frozen=True)
class Holder:
    """Who drives a store."""

    process: int
    host: str


def take_lock(folder: Path) -> int:
    """Makes and locks the store ``folder`` for the calling process, and writes down who holds it; gives the handle.

    Readers never need the lock.

    Raises:
        InputError: where another driver holds it, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise InputError(
            f"the store {folder} cannot be written ({error.strerror or error}): give a folder that you may write to."
        ) from error
    if not lock(handle):
        found = _read(folder / LOCK)
        os.close(handle)
        who = "another process" if found is None else f"process {found.process} on {found.host}"
        raise InputError(f"the store {folder} is being driven by {who}: wait for it, or stop it first.")
    os.ftruncate(handle, 0)
    os.write(handle, json.dumps({"process": os.getpid(), "host": socket.gethostname()}).encode())
    return handle


def release_lock(handle: int) -> None:
    """Lets go of what ``take_lock`` gave; the file stays, since another process may be about to lock it."""
    os.ftruncate(handle, 0)
    os.close(handle)


def holder(folder: Path) -> Holder | None:
    """Who drives the store ``folder`` now, as far as can be told without touching the lock.

    A holder on another machine is taken at its word; one on this machine that no longer lives is none.
    """
    found = _read(folder / LOCK)
    if found is None or (found.host == socket.gethostname() and not _lives(found.process)):
        return None
    return found


def _read(path: Path) -> Holder | None:
    """None where nobody has written anything there, or is about to."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Holder(int(content["process"]), str(content["host"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lives(process: int) -> bool:
    if sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
