"""A folder of this machine that holds what is shared: whether one is meant, and what may be taken from it."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from inrlens.errors import InputError
from inrlens.hub.card import CARD_FILE
from inrlens.hub.folder import shared_files
from inrlens.hub.names import SUFFIX
from inrlens.studies.record import RECORD_FILE

BESIDE = (CARD_FILE, RECORD_FILE, "history.csv", "history/*.csv", "reconstructions/*.png", "transfers/*.png")
"""What else than checkpoints a pull takes from a repository."""


def is_local(given: str | Path, revision: str | None) -> bool:
    """Whether a folder of this machine is meant.

    Raises:
        InputError: where it is meant and cannot be, or a revision of it is asked for.
    """
    path, text = Path(given), str(given)
    if path.is_dir():
        if revision is not None:
            raise InputError(f"{path} is a folder of this machine, which has no revision {revision!r}: leave it out.")
        return True
    if path.is_file():
        raise InputError(f"{path} is a file: load it with il.load, or give its folder and filename={path.name!r}.")
    if "://" in text:
        parts = urlsplit(text).path.strip("/").split("/")
        named = f"give {'/'.join(parts[:2])!r}" if len(parts) > 1 else "give OWNER/NAME"
        raise InputError(f"{text} is the address of a page: {named}, as a repository is called here.")
    if isinstance(given, Path) or text.startswith((".", "/", "~")) or text.count("/") > 1 or "\\" in text:
        raise InputError(f"there is no folder {text}: give one that is there, or a repository as OWNER/NAME.")
    return False


def check_inside(folder: Path, filename: str | None) -> None:
    """Refuses names and links that lead out of a folder of this machine, which may be a stranger's.

    Raises:
        InputError: where one does.
    """
    if filename is not None:
        paths = [folder / filename]
    else:
        paths = [path for pattern in (f"**/*{SUFFIX}", *BESIDE) for path in sorted(folder.glob(pattern))]
    root = Path(os.path.realpath(folder))
    if root.parent.name == "snapshots":
        # A folder of the hub client's own cache is links to the blobs beside it.
        root = root.parents[1]
    for path in paths:
        if not Path(os.path.realpath(path)).is_relative_to(root):
            name = path.relative_to(folder).as_posix() if filename is None else filename
            raise InputError(
                f"{folder}: {name!r} leads out of the folder: give a file inside it, or put the file itself in the "
                "place of the link."
            )


def local_names(folder: Path, filename: str | None) -> list[str]:
    """The fields, dictionaries and atlases of a folder, or the one file asked for.

    Raises:
        InputError: where there is none.
    """
    if filename is not None:
        if not (folder / filename).is_file():
            raise InputError(f"{folder} holds no file {filename!r}; it has {listed(_everything(folder))}.")
        return [filename]
    names = shared_files(folder)
    if not names:
        raise InputError(
            f"{folder} holds no field, dictionary or atlas of InrLens; it has {listed(_everything(folder))}."
        )
    return names


def _everything(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def listed(names: Sequence[str]) -> str:
    """Names for a sentence, the first few of many."""
    if not names:
        return "no files at all"
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
