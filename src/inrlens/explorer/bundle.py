"""The bundle: one manifest and binary files, all that the explorer's page reads."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inrlens.atoms.codes import encode
from inrlens.errors import InputError
from inrlens.explorer.arrays import array_file
from inrlens.explorer.bundle_digest import source_digest
from inrlens.explorer.bundle_input import BundleInput, BundleNetwork
from inrlens.explorer.dictionary import EncodedDictionary, compared, dictionary_entry
from inrlens.explorer.freeze import freeze_entry
from inrlens.explorer.manifest import (
    FORMAT,
    MANIFEST_FILE,
    VERSION,
    DictionaryEntry,
    FreezeEntry,
    Manifest,
    NetworkEntry,
    manifest_json,
)
from inrlens.explorer.network import network_entry
from inrlens.explorer.notes import bundle_notes
from inrlens.files import read_json, write_json
from inrlens.reports.sweep import sweeps

_DATA = "data"
_OURS = re.compile(r"(n\d+(d\d+\.(codes|decoder|alike|head\d+))?|freeze\d+)\.bin")


@dataclass(frozen=True)
class Written:
    """A bundle that was written: its folder, and the bytes of its manifest and data files together."""

    folder: Path
    manifest: Manifest
    size: int


def write_bundle(
    gathered: BundleInput,
    folder: Path,
    signals: int | None = 3,
    tell: Callable[[float, str], None] = lambda done, what: None,
) -> Written:
    """Writes ``manifest.json`` and ``data/`` into a folder, which is made where there is none.

    Each file is there whole or not at all. The old manifest goes first and the new one comes last, so that a manifest
    never speaks of files that are not its own; old data files that the new one does not name are removed.

    Args:
        gathered: the networks and dictionaries.
        folder: where to.
        signals: how many of each network's heads, the first ones, are shown; None is all of them.
        tell: told the share that is done (0 to 1) and what is being done.

    Raises:
        InputError: where ``signals`` is below 1, a file of a run is damaged, or the folder cannot be written.
    """
    _check(signals)
    source = source_digest(gathered, signals)
    _remove(folder / MANIFEST_FILE)
    count = sum(len(one.dictionaries) * (2 + len(_heads(one, signals))) for one in gathered.networks)
    steps = _Steps(count, tell)
    encoded = _encoded(gathered, steps)
    sizes: dict[str, int] = {}
    networks = tuple(
        _network(network, f"n{number}", signals, encoded, folder, sizes, steps)
        for number, network in enumerate(gathered.networks)
    )
    freeze = _freeze(gathered, folder, sizes)
    manifest = Manifest(gathered.title, source, bundle_notes(gathered, signals), sizes, networks, freeze)
    for old in sorted((folder / _DATA).iterdir()):
        if _OURS.fullmatch(old.name) and f"{_DATA}/{old.name}" not in sizes:
            _remove(old)
    write_json(folder / MANIFEST_FILE, manifest_json(manifest))
    tell(1.0, "")
    return Written(folder, manifest, sum(sizes.values()) + (folder / MANIFEST_FILE).stat().st_size)


def is_current(folder: Path, gathered: BundleInput, signals: int | None = 3) -> bool:
    """Whether ``write_bundle`` would write what is there already, as versions, digest and the files' sizes say.

    Raises:
        InputError: where ``signals`` is below 1, or a file of a run cannot be read.
    """
    _check(signals)
    try:
        manifest = read_json(folder / MANIFEST_FILE)
        stated = (manifest["format"], manifest["version"], manifest["source"])
        sizes = {str(name): (folder / str(name)).stat().st_size for name in manifest["files"]}
        whole = bool(sizes == manifest["files"])
    except (InputError, OSError, KeyError, TypeError):
        return False
    return whole and stated == (FORMAT, VERSION, source_digest(gathered, signals))


class _Steps:
    """Tells how far a number of steps has come."""

    def __init__(self, count: int, tell: Callable[[float, str], None]) -> None:
        self._count, self._done, self._tell = count, 0, tell

    def __call__(self, what: str) -> None:
        """Begins the next step."""
        self._tell(self._done / self._count, what)
        self._done += 1


def _check(signals: int | None) -> None:
    if signals is not None and signals < 1:
        raise InputError(f"the number of signals must be at least 1, or all of them, not {signals}.")


def _heads(network: BundleNetwork, signals: int | None) -> range:
    return range(network.field.heads if signals is None else min(signals, network.field.heads))


def _encoded(gathered: BundleInput, steps: _Steps) -> tuple[EncodedDictionary, ...]:
    found = []
    for number, network in enumerate(gathered.networks):
        for place, one in enumerate(network.dictionaries):
            steps(f"codes of {network.name}, {one.name}")
            codes = encode(network.field, one.sae, network.grid)
            found.append(EncodedDictionary(f"n{number}d{place}", network, one, codes))
    return tuple(found)


def _network(
    network: BundleNetwork,
    name: str,
    signals: int | None,
    encoded: tuple[EncodedDictionary, ...],
    folder: Path,
    sizes: dict[str, int],
    steps: _Steps,
) -> NetworkEntry:
    heads = _heads(network, signals)
    dictionaries: list[DictionaryEntry] = []
    for one in encoded:
        if one.network is network:
            dictionaries.append(dictionary_entry(one, compared(one, encoded), heads, folder, sizes, steps))
    with array_file(folder, f"{_DATA}/{name}.bin", sizes) as file:
        return network_entry(network, name, heads, file, tuple(dictionaries))


def _freeze(gathered: BundleInput, folder: Path, sizes: dict[str, int]) -> tuple[FreezeEntry, ...]:
    found: list[FreezeEntry] = []
    for run, name in zip(gathered.runs, gathered.names, strict=True):
        for sweep in sweeps(run.record):
            if not sweep.fits:
                continue
            cohort = run.record.condition("cohort", sweep.backbone)
            ids = [
                f"n{number}"
                for number, network in enumerate(gathered.networks)
                if network.place is not None and network.place.run is run and network.place.record is cohort
            ]
            with array_file(folder, f"{_DATA}/freeze{len(found)}.bin", sizes) as file:
                found.append(freeze_entry(run, name, sweep, ids[0] if ids else None, file))
    return tuple(found)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path} could not be replaced: {error.strerror or error}.") from error
