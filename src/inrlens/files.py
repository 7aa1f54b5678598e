"""Files that appear whole or not at all."""

import json
import math
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from inrlens.errors import InputError

if sys.platform != "win32":
    import fcntl

_SURROGATE = re.compile("[\ud800-\udfff]")
RUN_ENTRIES = frozenset(
    {
        "dictionaries",
        "explorer",
        "field.safetensors",
        "fields",
        "history",
        "history.csv",
        "reconstructions",
        "report.html",
        "run.json",
        "signals.safetensors",
        "transfers",
    }
)
"""Everything that a run folder of ours may hold; anything else in it belongs to the user."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yields a temporary name beside ``path``; on success it becomes ``path``, on any error it is removed.

    Raises:
        InputError: where the folder cannot be written or the disk is full.
    """
    path = Path(path)
    if "\0" in str(path):
        raise InputError(f"{readable(str(path))} cannot be a file's name, which holds no NUL: choose another.")
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
def whole_folder(path: Path, force: bool = False, check: Callable[[Path, bool], None] | None = None) -> Iterator[Path]:
    """Yields a temporary folder beside ``path`` that becomes ``path`` when the block succeeds.

    ``path`` is reserved by an empty folder from the start, so that a second run into it is refused before it computes.
    With ``force``, an existing run folder of ours is replaced, and only once the new one is complete; ``check`` says
    what else than a run may be replaced, as ``ensure_free`` does for runs.

    Raises:
        InputError: where ``path`` exists and may not be replaced, or cannot be written.
    """
    path = Path(path)
    check = check or ensure_free
    check(path, force)
    temporary = None
    reserved = False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.mkdir()
            reserved = True
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
        temporary.chmod(0o777 & ~_umask())
        yield temporary
        if path.exists() and not reserved:
            check(path, force)
            _swap(temporary, path)
        else:
            temporary.replace(path)
        reserved = False
    except OSError as error:
        raise InputError(f"{path} could not be written: {error.strerror or error}.") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        if reserved:
            with suppress(OSError):
                path.rmdir()


def _swap(new: Path, old: Path) -> None:
    """Puts ``new`` in the place of ``old``, which is deleted last: at no moment are both gone."""
    aside = Path(tempfile.mkdtemp(prefix=f".{old.name}.", suffix=".old", dir=old.parent))
    old.replace(aside)
    new.replace(old)
    shutil.rmtree(aside, ignore_errors=True)


def ensure_free(path: Path, force: bool = False) -> None:
    """Refuses a run folder that is taken, so that a long run does not end in a refusal.

    With ``force``, an empty folder or a run of ours may be replaced, if it holds nothing that no run of ours writes.

    Raises:
        InputError: where ``path`` exists without ``force``, or is no folder of ours to replace.
    """
    path = Path(path)
    if path.is_symlink():
        raise InputError(f"{path} is a symbolic link: give the folder itself.")
    if not path.exists():
        return
    if not force:
        raise InputError(f"{path} exists already: give another path, or --force (force=True in Python) to replace it.")
    if not path.is_dir():
        raise InputError(f"{path} exists and is no folder: give another path for the run.")
    entries = sorted(entry.name for entry in path.iterdir())
    if not entries:
        return
    if not _is_run(path):
        raise InputError(
            f"{path} is a folder without a run of ours, so --force will not replace it: give another path."
        )
    foreign = [name for name in entries if name not in RUN_ENTRIES]
    if foreign:
        raise InputError(f"{path} also holds {foreign[0]!r}, which --force would delete: move it away first.")


def ensure_free_file(path: Path, force: bool = False) -> None:
    """Refuses an output file that is taken.

    Raises:
        InputError: where ``path`` is a folder, exists without ``force``, or is no ordinary file.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the name of a file to write.")
    if path.exists() and not force:
        raise InputError(f"{path} exists already: give another path, or --force (force=True in Python) to replace it.")
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no ordinary file, so --force will not replace it: give another path.")


def _is_run(folder: Path) -> bool:
    try:
        content = read_json(folder / "run.json")
    except InputError:
        return False
    return isinstance(content, dict) and "inrlens_version" in content


def plain_json(content: Any) -> Any:
    """``content`` with NaN and infinities, which JSON has no numbers for, as strings."""
    if isinstance(content, float) and not math.isfinite(content):
        return "NaN" if math.isnan(content) else "Infinity" if content > 0.0 else "-Infinity"
    if isinstance(content, dict):
        return {key: plain_json(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [plain_json(value) for value in content]
    return content


def readable(text: str) -> str:
    """``text`` as UTF-8 can say it: bytes of a file's name that are no UTF-8 stand as the replacement character."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


@contextmanager
def utf8_path(path: Path) -> Iterator[Path]:
    """A path to the same file that is UTF-8, which safetensors asks for: the path itself, or a link for the time."""
    if readable(str(path)) == str(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="inrlens-") as folder:
        link = Path(folder) / "file"
        link.symlink_to(path.absolute())
        yield link


def write_text(path: Path, text: str) -> None:
    """Writes a page, or other text that may hold files' names, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(readable(text), encoding="utf-8")


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
        raise InputError(
            f"{path} is not valid JSON (line {error.lineno}); the file is damaged or something else."
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid JSON; the file is damaged or something else.") from error


def lock(handle: int) -> bool:
    """Locks an open file or folder for as long as the handle is open; whether that could be done.

    True on Windows and on file systems that have no such locks: there nothing is held.
    """
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check_no_pipe(path: Path) -> None:
    """Raises InputError for a pipe or a device: opening a pipe would wait for somebody who writes into it."""
    try:
        wrong = path.exists() and not (path.is_file() or path.is_dir())
    except (OSError, ValueError):
        return
    if wrong:
        raise InputError(f"{path} is a pipe or a device and no file: write what comes from it into a file first.")
