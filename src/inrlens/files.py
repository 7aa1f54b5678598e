"""Files that appear whole or not at all."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inrlens.errors import InputError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yields a temporary name beside ``path``; on success it becomes ``path``, on any error it is removed.

    Raises:
        InputError: where the folder cannot be written or the disk is full.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        # Last of all, since a writer may have put a file of its own in the temporary one's place.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path} could not be written: {error.strerror or error}.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path, force: bool = False) -> Iterator[Path]:
    """Yields a temporary folder beside ``path`` that becomes ``path`` when the block succeeds.

    With ``force``, an existing run folder of ours (one that holds ``run.json``) is replaced; nothing else ever is.

    Raises:
        InputError: where ``path`` exists and may not be replaced, or cannot be written.
    """
    path = Path(path)
    ensure_free(path, force)
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file, so no folder can take its place: give another path.")
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
        temporary.chmod(0o777 & ~_umask())
        yield temporary
        ensure_free(path, force)  # again: something may have appeared there meanwhile
        if path.is_dir():
            shutil.rmtree(path)
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path} could not be written: {error.strerror or error}.") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def ensure_free(path: Path, force: bool = False) -> None:
    """Refuses an output path that is taken, so that a long run does not end in a refusal.

    Raises:
        InputError: where ``path`` exists without ``force``, or is a folder that is no run of ours.
    """
    path = Path(path)
    if not path.exists():
        return
    if not force:
        raise InputError(f"{path} exists already: give another path, or --force to replace it.")
    if path.is_dir() and any(path.iterdir()) and not (path / "run.json").exists():
        raise InputError(f"{path} is a folder without a run.json, so --force will not replace it: give another path.")


def write_json(path: Path, content: Any) -> None:
    """Writes ``content`` as indented JSON, whole or not at all; NaN and infinities are refused."""
    with whole_file(path) as temporary:
        text = json.dumps(content, indent=2, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        InputError: where the file is missing, unreadable or not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} could not be read: {getattr(error, 'strerror', None) or error}.") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is not valid JSON (line {error.lineno}): is it a run of InrLens?") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
