"""From what was gathered to a bundle with its page: in the run's own folder, in a folder to export, in one file."""

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inrlens.errors import InputError
from inrlens.explorer.bundle import is_current, write_bundle
from inrlens.explorer.bundle_input import BundleInput
from inrlens.explorer.folder import ensure_free_explorer, ensure_own_explorer, read_manifest
from inrlens.explorer.pages import write_page, write_single
from inrlens.files import ensure_free_file, whole_folder
from inrlens.studies.run_reader import OpenRun

OWN_FOLDER = "explorer"
"""Inside the first run's folder: what is written there is used again until anything changes that decides it."""
Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class Explorer:
    """A bundle with its page at ``path``, a folder or one ``.html`` file of ``bytes`` in all.

    ``reused``: the bundle was there already. ``notes`` are its sentences for the reader; ``source`` is the digest of
    everything that decides it.
    """

    path: Path
    reused: bool
    bytes: int
    networks: int
    dictionaries: int
    notes: tuple[str, ...]
    source: str


def own_folder(first: OpenRun) -> Path:
    """Where the explorer of runs is kept: in the first of them."""
    return first.folder / OWN_FOLDER


def takes_files(folder: Path) -> bool:
    """Whether files can be made in a folder that exists."""
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def current_explorer(gathered: BundleInput, folder: Path, signals: int | None) -> Explorer | None:
    """The explorer in ``folder`` with the page of this version, None where its bundle is missing or out of date.

    ``signals`` is how many of each network it holds, None for all.
    """
    if not is_current(folder, gathered, signals):
        return None
    write_page(folder)
    return _explorer(folder, folder, reused=True)


def write_own(gathered: BundleInput, folder: Path, signals: int | None, tell: Tell) -> Explorer:
    """Writes the explorer that a run keeps; one that is there is replaced once the new one is complete.

    Raises:
        InputError: where ``folder`` holds anything else than an explorer, or cannot be written.
    """
    with whole_folder(folder, True, ensure_own_explorer) as fresh:
        _fill(gathered, fresh, signals, tell)
    return _explorer(folder, folder, reused=False)


def is_single(target: Path) -> bool:
    """Whether an explorer at this path is one file, as its ending says."""
    return target.suffix.lower() in (".html", ".htm")


def ensure_free_target(target: Path, force: bool = False) -> None:
    """Refuses to export over what is there.

    Raises:
        InputError: where ``target`` is taken; ``force`` replaces an explorer, or a file, and nothing else.
    """
    (ensure_free_file if is_single(target) else ensure_free_explorer)(target, force)


def export(gathered: BundleInput, target: Path, signals: int | None, tell: Tell, *, force: bool = False) -> Explorer:
    """Writes the explorer into one file where ``target`` ends in .html, else into a folder.

    Raises:
        InputError: as ``export_file`` and ``export_folder``.
    """
    return (export_file if is_single(target) else export_folder)(gathered, target, signals, tell, force=force)


def export_folder(
    gathered: BundleInput, folder: Path, signals: int | None, tell: Tell, *, force: bool = False
) -> Explorer:
    """Writes the explorer into a folder that any static host can serve.

    Raises:
        InputError: where ``folder`` is taken or cannot be written; ``force`` replaces an explorer and nothing else.
    """
    with whole_folder(folder, force, ensure_free_explorer) as fresh:
        _fill(gathered, fresh, signals, tell)
    return _explorer(folder, folder, reused=False)


def export_file(gathered: BundleInput, file: Path, signals: int | None, tell: Tell, *, force: bool = False) -> Explorer:
    """Writes the explorer as one file that works from disk; the run's own bundle is used where it is current.

    Raises:
        InputError: where ``file`` is taken or cannot be written, or the bundle is too large for one file.
    """
    if gathered.runs and is_current(own := own_folder(gathered.runs[0]), gathered, signals):
        return _explorer(own, write_single(own, file, force), reused=True)
    with tempfile.TemporaryDirectory(prefix="inrlens-explorer-") as place:
        folder = Path(place)
        write_bundle(gathered, folder, signals, tell)
        return _explorer(folder, write_single(folder, file, force), reused=False)


def check_target(target: Path, paths: Sequence[Path]) -> None:
    """Refuses to export over or into what is read.

    Raises:
        InputError: where ``target`` is, holds or lies in one of ``paths``: a run folder holds nothing but its own.
    """
    place = Path(target).resolve()
    for given in paths:
        source = Path(given).resolve()
        if source.is_relative_to(place) or place.is_relative_to(source):
            raise InputError(f"--export {target} belongs to {given}, which is read here: give the export another path.")


def _fill(gathered: BundleInput, folder: Path, signals: int | None, tell: Tell) -> None:
    write_bundle(gathered, folder, signals, tell)
    write_page(folder)


def _explorer(folder: Path, path: Path, reused: bool) -> Explorer:
    """What ``folder`` holds and ``path``, the same or one file made of it, takes."""
    manifest = read_manifest(folder)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    networks = manifest["networks"]
    return Explorer(
        path=path,
        reused=reused,
        bytes=sum(file.stat().st_size for file in files),
        networks=len(networks),
        dictionaries=sum(len(network["dictionaries"]) for network in networks),
        notes=tuple(manifest["notes"]),
        source=manifest["source"],
    )
