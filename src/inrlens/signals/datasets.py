"""The files of a data set, found where its users have them."""

import fnmatch
import hashlib
import logging
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files as package_files
from itertools import pairwise
from pathlib import Path

from inrlens.errors import InputError
from inrlens.signals.bundled import photo_sources
from inrlens.signals.formats import PICTURE
from inrlens.signals.kinds import LAYOUTS, NOISE, DataKind, Layout
from inrlens.signals.nifti_files import NIFTI_SUFFIXES

_log = logging.getLogger(__name__)

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SUBJECT = re.compile(r"OASIS_.+")
_MANY = 3


@dataclass(frozen=True)
class DatasetFile:
    """A picture's file; ``name`` says which it is within its data set, wherever the set lies."""

    name: str
    path: Path


def expand_path(path: str, base: str | Path) -> Path:
    """The path that a study's file writes: ``${NAME}`` stands for an environment variable, ``~`` for the home folder,
    and a relative path starts at ``base``.

    Raises:
        InputError: where a variable is not set, or ``${`` opens no name.
    """
    unset = [name for name in _VARIABLE.findall(path) if not os.environ.get(name)]
    if unset:
        raise InputError(
            f"the path {path!r} needs the environment variable {unset[0]}, which is not set: "
            "set it to a folder, or write the path itself."
        )
    expanded = _VARIABLE.sub(lambda found: os.environ[found.group(1)], path)
    if "${" in _VARIABLE.sub("", path) or not expanded:
        raise InputError(f"the path {path!r} is not understood: write a folder, or ${{NAME}} for a variable in it.")
    try:
        return Path(base) / Path(expanded).expanduser()
    except RuntimeError as error:
        raise InputError(f"the path {path!r} starts at a home folder that is not known: write it in full.") from error


def find_files(kind: DataKind, folder: str | Path | None = None, pattern: str = "*") -> list[DatasetFile]:
    """The pictures of a data set, sorted by name; nothing is read.

    A name is the file's path below the folder that holds all of the pictures (``000001.jpg``, ``male/000016.jpg``),
    and the subject's folder for ``oasis``: it is the same wherever the set lies and however far in the user points.

    Args:
        kind: ``folder`` takes every image and NIfTI file directly inside; ``celeba``, ``celeba-hq``, ``kodak`` and
            ``oasis`` take what ``LAYOUTS`` says, also where ``folder`` is one above the pictures; ``bundled`` needs no
            folder and gives the bundled photographs in their own order, the cohort's ten before the held-out six.
        folder: where the set lies.
        pattern: a shell pattern that the name must match, such as ``"*.png"`` or ``"male/*"``.

    Raises:
        InputError: where the folder is missing or closed, no picture matches, or a subject of ``oasis`` lacks its
            slice; for noise, which has no files.
    """
    if kind.startswith(NOISE):
        raise InputError(f"a data set of the kind {kind!r} is drawn and has no files: use noise_cohort.")
    if kind == "bundled":
        photos = Path(str(package_files("inrlens"))) / "photos"
        found = [DatasetFile(source.file, photos / source.file) for source in photo_sources()]
        return _matching(found, pattern, "the bundle")
    if folder is None:
        raise InputError(f"a data set of the kind {kind!r} needs the path of its folder.")
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give the one that holds the data set.")
    try:
        if kind == "folder":
            found = _any_pictures(folder)
        elif kind == "oasis":
            found = _subjects(folder, LAYOUTS[kind], pattern)
        else:
            found = _known_pictures(folder, kind, LAYOUTS[kind])
    except PermissionError as error:
        raise InputError(f"{error.filename} may not be read: ask for permission, or give another folder.") from error
    return _matching(sorted(found, key=lambda file: file.name), pattern, str(folder))


def absent_files(kind: DataKind, files: Sequence[DatasetFile]) -> str:
    """What the whole set has beyond ``files``, in words for a message; empty where that is nothing or unknown."""
    layout = LAYOUTS.get(kind)
    if layout is None or len(files) >= layout.total:
        return ""
    if kind == "kodak":
        there = {int("".join(filter(str.isdigit, file.path.stem))) for file in files}
        missing = [f"kodim{number:02d}.png" for number in range(1, layout.total + 1) if number not in there]
        shown = ", ".join(missing[:_MANY]) + (f" and {len(missing) - _MANY} more" if len(missing) > _MANY else "")
        return f"not there of {layout.title}'s {layout.total}: {shown}"
    return f"the whole of {layout.title} has {layout.total}"


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        InputError: where the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.") from error


def _any_pictures(folder: Path) -> list[DatasetFile]:
    names = _names(folder, lambda entry: entry.is_file())
    taken = [name for name in names if name.lower().endswith(PICTURE.endings + NIFTI_SUFFIXES)]
    _left_out(folder, sorted(set(names) - set(taken)), "no pictures by their ending")
    return [DatasetFile(name, folder / name) for name in taken]


def _known_pictures(folder: Path, kind: DataKind, layout: Layout) -> list[DatasetFile]:
    named = re.compile(layout.names, re.IGNORECASE)
    something_else = ""
    for place in layout.places:
        paths: list[Path] = []
        others: list[str] = []
        for inner in _folders(folder, place):
            names = _names(inner, lambda entry: entry.is_file())
            paths += [inner / name for name in names if named.fullmatch(name)]
            pictures = [name for name in names if name.lower().endswith(PICTURE.endings)]
            others += [(inner / name).as_posix() for name in pictures if not named.fullmatch(name)]
        if paths:
            _left_out(folder, sorted(others), f"not named like {layout.title}'s {layout.example}")
            base = os.path.commonpath([path.parent for path in paths])
            return [DatasetFile(path.relative_to(base).as_posix(), path) for path in paths]
        something_else = something_else or min(others, default="")
    instead = f" ({something_else} is something else)" if something_else else ""
    raise InputError(
        f"{folder} holds no picture named like {layout.title}'s {layout.example}{instead}: "
        f"give the folder of {layout.title}, or the kind 'folder' for other pictures."
    )


def _subjects(folder: Path, layout: Layout, pattern: str) -> list[DatasetFile]:
    named = re.compile(layout.names, re.IGNORECASE)
    for place in layout.places:
        found, without = [], []
        for inner in _folders(folder, place):
            slices = sorted(_names(inner, lambda entry: bool(named.fullmatch(entry.name)) and entry.is_file()))
            if slices:
                found.append(DatasetFile(inner.name, inner / slices[-1]))
            elif _SUBJECT.fullmatch(inner.name) and fnmatch.fnmatchcase(inner.name, pattern):
                without.append(inner.name)
        if found and without:
            raise InputError(
                f"{folder} lacks the slice of {len(without)} of {len(found) + len(without)} subjects, the first in "
                f"{without[0]}: unpack the data set again, or leave them out with a pattern."
            )
        if found:
            return found
    raise InputError(
        f"{folder} holds no slice named like {layout.title}'s {layout.example}: give the folder that holds the "
        "subjects' folders, or the kind 'folder' for other pictures."
    )


def _matching(files: list[DatasetFile], pattern: str, where: str) -> list[DatasetFile]:
    taken = [file for file in files if fnmatch.fnmatchcase(file.name, pattern)]
    if not taken:
        first = f" ({files[0].name} is the first of {len(files)} others)" if files else ""
        raise InputError(f"{where} holds no picture that matches {pattern!r}{first}: give another folder or pattern.")
    twice = [later.name for earlier, later in pairwise(taken) if earlier.name == later.name]
    if twice:
        raise InputError(f"{where} holds several pictures named {twice[0]}: give the folder of one of them.")
    return taken


def _folders(folder: Path, place: str) -> list[Path]:
    if place == ".":
        return [folder]
    return sorted(inner for inner in folder.glob(place) if inner.is_dir() and not inner.name.startswith("."))


def _names(folder: Path, wanted: Callable[[os.DirEntry[str]], bool]) -> list[str]:
    # Not through Path: the directory says which entries are files, where Path asks the disk 200,000 times.
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if not entry.name.startswith(".") and wanted(entry)]


def _left_out(folder: Path, names: list[str], why: str) -> None:
    if names:
        files = "file was" if len(names) == 1 else "files were"
        _log.warning("%s: %d %s left out, %s (%s).", folder, len(names), files, why, names[0])
