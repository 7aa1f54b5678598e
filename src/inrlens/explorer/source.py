"""The digest of everything that decides a bundle."""

import hashlib
import json
from pathlib import Path

from inrlens import __version__
from inrlens.errors import InputError
from inrlens.explorer.gather import Gathered
from inrlens.explorer.manifest import VERSION
from inrlens.explorer.notes import bundle_notes
from inrlens.studies.record import RECORD_FILE


def source_digest(gathered: Gathered, signals: int | None) -> str:
    """SHA-256 over the versions, ``signals``, and names and content of all that was gathered.

    Raises:
        InputError: where a file cannot be read.
    """
    runs = [
        {
            "name": name,
            "record": _digest(run.folder / RECORD_FILE),
            "signals": [signal.digest for signal in run.signals],
            "pictures": [
                _digest(path) if path.is_file() else None
                for path in (run.path(entry.picture) for entry in run.record.transfers if entry.picture is not None)
            ],
        }
        for run, name in zip(gathered.runs, gathered.names, strict=True)
    ]
    networks = [
        {
            "name": network.name,
            "field": _digest(network.run.path(network.record.file)),
            "dictionaries": [(one.name, _digest(one.file)) for one in network.dictionaries],
        }
        for network in gathered.networks
    ]
    content = [VERSION, __version__, gathered.title, bundle_notes(gathered, signals), signals, runs, networks]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogateescape")).hexdigest()


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.") from error
