"""What a bundle's folder holds: the files that the page may ask for, and whether the folder may be replaced."""

import json
from pathlib import Path, PurePosixPath
from typing import Any

from inrlens.errors import InputError
from inrlens.explorer.manifest import FORMAT, MANIFEST_FILE

PAGE_FILE = "index.html"
PAGE_FOLDER = "page"
ENTRIES = frozenset({MANIFEST_FILE, PAGE_FILE, PAGE_FOLDER, "data"})
"""Everything that an explorer's folder may hold; anything else in it belongs to the user."""


def read_manifest(folder: Path) -> dict[str, Any]:
    """A bundle's manifest; that it is one of ours is checked, its content is not.

    Raises:
        InputError: where it is missing, unreadable, or another file.
    """
    path = Path(folder) / MANIFEST_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged or cut short: write it again with inrlens explore RUN.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT or not isinstance(content.get("files"), dict):
        raise InputError(f"{path} is not the manifest of an explorer: write one with inrlens explore RUN.")
    return content


def regular_file(folder: Path, name: str) -> Path | None:
    """The file of this name (parts joined by ``/``) inside ``folder``, None where there is none to be shown.

    A name that is absolute or leads out of the folder is none, nor is anything that is, or is reached through, a
    symbolic link.
    """
    parts = PurePosixPath(name).parts
    if not parts or "/".join(parts) != name or any(part in ("/", "..") or set(part) & set("\\:\0") for part in parts):
        return None
    path = Path(folder).resolve()
    for part in parts:
        path = path / part
        if path.is_symlink():
            return None
    return path if path.is_file() else None


def page_files(folder: Path) -> dict[str, Path]:
    """The page's scripts and styles in a bundle's folder, by name, such as ``page/main.js``."""
    root = Path(folder).resolve()
    found = {}
    for path in sorted((root / PAGE_FOLDER).rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix in (".css", ".js") and regular_file(root, name) is not None:
            found[name] = path
    return found


def data_files(folder: Path, manifest: dict[str, Any]) -> dict[str, Path]:
    """The binary files that a manifest names and that are there, by name, such as ``data/n0.bin``."""
    found = {name: regular_file(folder, name) for name in manifest["files"]}
    return {name: path for name, path in found.items() if path is not None}


def ensure_free_explorer(path: Path, force: bool = False) -> None:
    """Refuses an explorer's folder that is taken.

    With ``force``, an empty folder or an explorer may be replaced, if it holds nothing that no explorer holds.

    Raises:
        InputError: where ``path`` exists without ``force``, or is no explorer to replace.
    """
    _ensure_ours(path, force)
    path = Path(path)
    if path.is_dir() and any(path.iterdir()):
        try:
            read_manifest(path)
        except InputError as error:
            raise InputError(
                f"{path} is a folder without an explorer, so --force will not replace it: give another path."
            ) from error


def ensure_own_explorer(path: Path, force: bool = True) -> None:
    """The same for the folder that a run keeps its explorer in: a damaged one may be replaced as well.

    Raises:
        InputError: where ``path`` is no folder, or holds what no explorer holds.
    """
    _ensure_ours(path, force)


def _ensure_ours(path: Path, force: bool) -> None:
    path = Path(path)
    if path.is_symlink():
        raise InputError(f"{path} is a symbolic link: give the folder itself.")
    if not path.exists():
        return
    if not path.is_dir():
        raise InputError(f"{path} exists and is no folder: give another path for the explorer.")
    if not force:
        raise InputError(f"{path} exists already: give another path, or --force (force=True in Python) to replace it.")
    foreign = sorted(entry.name for entry in path.iterdir() if entry.name not in ENTRIES)
    if foreign:
        raise InputError(f"{path} also holds {foreign[0]!r}, which would be deleted: move it away first.")
