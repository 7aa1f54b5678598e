"""The folder that a sweep grows in: what it may hold, and what may become of one that is there already."""

import shutil
from pathlib import Path

from inrlens.errors import InputError
from inrlens.studies.sweep_plan import CellKey
from inrlens.studies.sweep_record import SWEEP_FILE

PAGE_FILE = "report.html"
_DICTIONARIES = "dictionaries"
_ENTRIES = (SWEEP_FILE, PAGE_FILE, _DICTIONARIES)
"""Everything that the folder of a sweep may hold; anything else in it belongs to the user."""


def dictionary_file(folder: Path, key: CellKey) -> Path:
    """Where a trained dictionary is kept."""
    return folder / _DICTIONARIES / f"layer{key.layer}_n{key.n_atoms}_k{key.k}_seed{key.seed}.safetensors"


def check_folder(folder: Path, resume: bool, force: bool) -> None:
    """Refuses a folder that a sweep may not be written into.

    A new or empty folder is free; one with a sweep in it may be gone on with (``resume``) or else replaced (``force``),
    the latter only if it holds nothing that no sweep writes.

    Raises:
        InputError: where the folder is taken or foreign, or holds a sweep and neither is said.
    """
    if folder.is_symlink():
        raise InputError(f"{folder} is a symbolic link: give the folder itself.")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} exists and is no folder: give another path for the sweep.")
    names = _names(folder)
    if not names:
        return
    if SWEEP_FILE not in names:
        raise InputError(f"{folder} holds {names[0]!r} and no sweep of ours: give another path.")
    if not resume and not force:
        raise InputError(f"{folder} holds a sweep already: add --resume to go on with it, or --force to begin anew.")
    foreign = [name for name in names if name not in _ENTRIES]
    if not resume and foreign:
        raise InputError(f"{folder} also holds {foreign[0]!r}, which --force would delete: move it away first.")


def clear_folder(folder: Path, keep: bool) -> None:
    """Removes what a killed run left half-written and, unless ``keep``, the sweep itself, whose record goes last."""
    for entry in (*folder.glob(".*.part"), *folder.glob(f"{_DICTIONARIES}/.*.part")):
        if entry.parent.name == _DICTIONARIES or _is_rest(entry.name):
            entry.unlink()
    if not keep:
        shutil.rmtree(folder / _DICTIONARIES, ignore_errors=True)
        for name in (PAGE_FILE, SWEEP_FILE):
            (folder / name).unlink(missing_ok=True)


def _names(folder: Path) -> list[str]:
    """What lies in the folder, without the rests of a killed run."""
    return sorted(one.name for one in folder.iterdir() if not _is_rest(one.name)) if folder.is_dir() else []


def _is_rest(name: str) -> bool:
    """Whether a name is that of a file of ours that was being written when the process died."""
    return name.endswith(".part") and any(name.startswith(f".{entry}.") for entry in _ENTRIES)
