"""The state of a running fit beside its run folder, and what ``--resume`` may do with both."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import typer

from inrlens.cli.output import note, shown_path
from inrlens.cli.parsing import check_free_file
from inrlens.errors import InputError
from inrlens.files import ensure_free, lock, read_json


def state_file(out: Path) -> Path:
    """Where the fit or training that writes ``out`` keeps its state while it runs."""
    return out.with_name(f"{out.name.removesuffix('.safetensors')}.resume.safetensors")


def check_start(out: Path, resume: bool, force: bool) -> bool:
    """Whether the run folder may be replaced by what the fit will write.

    Raises:
        InputError: where ``out`` is taken, or an interrupted fit is kept and neither ``--resume`` nor ``--force`` says
            what to do with it.
    """
    if not out.name:
        raise InputError(f"{str(out)!r} is no name for a run folder: give one, such as runs/photo.")
    state = state_file(out)
    if is_running(out):
        raise _running(out)
    # A killed fit leaves its empty folder behind, an interrupted one its run so far.
    empty = out.is_dir() and not out.is_symlink() and not any(out.iterdir())
    if not state.exists():
        ensure_free(out, force or (resume and empty))
        if resume:
            note(f"nothing to resume: {shown_path(state)} does not exist; the fit begins with its first step.")
        return force or empty
    if resume:
        ensure_free(out, force or empty or _is_interrupted(out))
        return True
    if not force:
        raise InputError(
            f"{state} holds a fit that was interrupted: add --resume to go on with it, or --force to begin anew."
        )
    ensure_free(out, force)
    return True


def check_file_start(out: Path, resume: bool, force: bool) -> bool:
    """Whether a single file may be replaced by what a training will write.

    Raises:
        InputError: where ``out`` is taken, or an interrupted training is kept and neither ``--resume`` nor ``--force``
            says what to do with it.
    """
    if out.name and _lock_file(out).exists():
        with _lock(_lock_file(out)) as held:
            if not held:
                raise _running(out)
    state = state_file(out)
    if resume and not state.exists():
        note(f"nothing to resume: {shown_path(state)} does not exist; the training begins with its first step.")
    if state.exists() and not resume and not force:
        raise InputError(
            f"{state} holds a training that was interrupted: add --resume to go on with it, or --force to begin anew."
        )
    # An interrupted training left the dictionary as it was.
    replace = force or (resume and state.exists())
    check_free_file(out, replace, ".safetensors")
    return replace


@contextmanager
def naming_state(out: Path) -> Iterator[None]:
    """A Ctrl-C that ends the block at once says which state it left behind, if any.

    Raises:
        KeyboardInterrupt: with that sentence.
    """
    try:
        yield
    except KeyboardInterrupt:
        state = state_file(out)
        if not state.exists():
            raise
        raise KeyboardInterrupt(
            f"stopped by Ctrl-C; {shown_path(state)} holds what was kept last: the same command with --resume goes on "
            "from there, with --force it begins anew."
        ) from None


@contextmanager
def only_one(out: Path) -> Iterator[None]:
    """Holds the run folder ``out``, which must exist, against another fit; the system lets go when the process dies.

    Raises:
        InputError: where another fit holds it.
    """
    with _lock(out) as held:
        if not held:
            raise _running(out)
        yield


@contextmanager
def only_one_file(out: Path) -> Iterator[None]:
    """Holds the file ``out`` that is going to be written against another training, by a hidden file beside it.

    Raises:
        InputError: where another training holds it.
    """
    held_by = _lock_file(out)
    held_by.parent.mkdir(parents=True, exist_ok=True)
    held_by.touch()
    with _lock(held_by) as held:
        if not held:
            raise _running(out)
        try:
            yield
        finally:
            held_by.unlink(missing_ok=True)


def end_interrupted(out: Path, what: str, steps: int) -> NoReturn:
    """Says what the file ``out`` holds of ``what`` after a Ctrl-C, and ends.

    Raises:
        typer.Exit: with code 130.
    """
    note(
        f"interrupted: {shown_path(out)} holds {what} as it was after step {steps:,}; "
        "the same command with --resume goes on from there."
    )
    raise typer.Exit(130)


def _lock_file(out: Path) -> Path:
    return out.with_name(f".{out.name}.lock")


def is_running(out: Path) -> bool:
    """Whether a fit holds the run folder ``out``."""
    if not out.is_dir():
        return False
    with _lock(out) as held:
        return not held


def _running(out: Path) -> InputError:
    return InputError(f"another run into {out} is running: wait for it, or give another path.")


@contextmanager
def _lock(path: Path) -> Iterator[bool]:
    """Whether the folder or file could be locked; it is while the block lasts. Always on Windows, which has no such
    locks."""
    if sys.platform == "win32":  # where a folder cannot be opened
        yield True
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        yield lock(handle)
    finally:
        os.close(handle)


def begin_anew(out: Path, resume: bool) -> None:
    """Drops the state of an earlier fit or training that is not to be continued.

    Raises:
        InputError: where the file of that name is something else.
    """
    state = state_file(out)
    if resume or not state.exists():
        return
    from inrlens.container import read_container

    try:
        kind = read_container(state).kind
    except InputError:
        kind = "damaged file"
    if not kind.startswith("running "):
        raise InputError(
            f"{state} is a {kind}, where the state of the fit or training is to be kept: move it away, or give another "
            "output."
        )
    state.unlink()


def _is_interrupted(out: Path) -> bool:
    try:
        content = read_json(out / "run.json")
    except InputError:
        return False
    return isinstance(content, dict) and content.get("outcome") == "interrupted"
