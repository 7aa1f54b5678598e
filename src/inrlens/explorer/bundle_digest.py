"""The digest of everything that decides a bundle."""

import hashlib
import json
from pathlib import Path

from torch import Tensor

from inrlens import __version__
from inrlens.errors import InputError
from inrlens.explorer.bundle_input import BundleDictionary, BundleInput, BundleNetwork
from inrlens.explorer.manifest import VERSION
from inrlens.explorer.notes import bundle_notes
from inrlens.studies.record import RECORD_FILE


def source_digest(gathered: BundleInput, signals: int | None) -> str:
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
            "field": _network_digest(network),
            "dictionaries": [(one.name, _dictionary_digest(one)) for one in network.dictionaries],
        }
        for network in gathered.networks
    ]
    content = [VERSION, __version__, gathered.title, bundle_notes(gathered, signals), signals, runs, networks]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogateescape")).hexdigest()


def _network_digest(network: BundleNetwork) -> str:
    """Of a run's network its file's digest; of another what its layers depend on, its pictures, and its signals."""
    if network.place is not None:
        return _digest(network.place.run.path(network.place.record.file))
    field = network.field
    parts = [field.digest(layer) for layer in range(field.depth)]
    parts += [_bytes_digest(image) for image in field.render_all(network.grid)]
    parts += [part for signal in network.signals for part in (signal.name, signal.digest)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _dictionary_digest(one: BundleDictionary) -> str:
    if one.file is not None:
        return _digest(one.file)
    held = {name: _bytes_digest(value) for name, value in one.sae.state_dict().items()}
    return hashlib.sha256(json.dumps([held, one.sae.k, repr(one.sae.origin)]).encode()).hexdigest()


def _bytes_digest(values: Tensor) -> str:
    return hashlib.sha256(values.detach().cpu().contiguous().numpy().tobytes()).hexdigest()


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.") from error
