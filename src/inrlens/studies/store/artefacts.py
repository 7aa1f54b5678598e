"""Large results as files named by what they hold: ``artefacts/ab/abcd....safetensors``."""

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path

from inrlens.files import whole_file

ARTEFACTS = "artefacts"


def artefact_path(folder: Path, digest: str) -> Path:
    """Where the store ``folder`` keeps the artefact with that SHA-256."""
    return folder / ARTEFACTS / digest[:2] / f"{digest}.safetensors"


def write_artefact(folder: Path, content: bytes) -> str:
    """Writes an artefact, whole or not at all, and gives its SHA-256.

    When this returns, the file and its name are on the disk itself: a row that names it may be written, and a power
    cut after that loses neither. What is there already with the same content is left alone.

    Raises:
        InputError: where it cannot be written.
    """
    digest = hashlib.sha256(content).hexdigest()
    path = artefact_path(folder, digest)
    if read_artefact(folder, digest) is not None:
        return digest
    with whole_file(path) as temporary, temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    for parent in (path.parent, path.parent.parent, folder):
        _sync_folder(parent)
    return digest


def read_artefact(folder: Path, digest: str) -> bytes | None:
    """The artefact's content; None where its file is missing, cannot be read, or holds something else."""
    try:
        content = artefact_path(folder, digest).read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == digest else None


def artefact_is_there(folder: Path, digest: str, size: int) -> bool:
    """Whether a file of that name and of ``size`` bytes is there; its content is not read."""
    try:
        return artefact_path(folder, digest).stat().st_size == size
    except OSError:
        return False


def remove_artefact(folder: Path, digest: str) -> None:
    """Removes a damaged artefact, so that its cell no longer counts as done."""
    with suppress(OSError):
        artefact_path(folder, digest).unlink()


def remove_halves(folder: Path) -> None:
    """Removes what a killed driver had not finished writing; only for who holds the lock."""
    for half in (folder / ARTEFACTS).glob("*/.*.part"):
        with suppress(OSError):
            half.unlink()


def _sync_folder(folder: Path) -> None:
    """Brings the folder's names to the disk; Windows has no such call."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
