"""What a worker was handed, as signals, networks and dictionaries."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from inrlens.checkpoints import load_field, load_sae
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.field import Field
from inrlens.signals.signal import Signal
from inrlens.studies.cells.task import Picture, Task


def signals_of(task: Task) -> list[Signal]:
    """The signals of a task's pictures, in their order.

    Raises:
        InputError: where a picture is not the one that the settings name by its digest.
    """
    signals = [_signal(picture) for picture in task.pictures]
    stated = task.settings.get("signals")
    if stated is not None and [signal.digest for signal in signals] != list(stated):
        names = ", ".join(repr(signal.name) for signal in signals)
        raise InputError(
            f"the pictures of this cell ({names or 'none'}) are not those it was planned with: plan the study again."
        )
    return signals


def _signal(picture: Picture) -> Signal:
    values = np.frombuffer(picture.values, dtype="<f4").astype(np.float32)
    return Signal(picture.name, torch.from_numpy(values.reshape(-1, picture.channels)), tuple(picture.shape))


def device_of(task: Task) -> torch.device:
    """Where the cell is computed."""
    return torch.device(task.settings.get("device", "cpu"))


# A cohort serves hundreds of transfers, one after another on the same worker; what is cached is never changed.
@lru_cache(maxsize=4)
def field_of(artefact: bytes, device: torch.device) -> Field:
    """The network of an artefact; not to be changed.

    Raises:
        InputError: where the artefact is damaged or holds something else.
    """
    with _as_file(artefact) as path:
        return load_field(path).to(device)


@lru_cache(maxsize=2)
def sae_of(artefact: bytes, device: torch.device) -> SparseAutoencoder:
    """The dictionary of an artefact; not to be changed.

    Raises:
        InputError: where the artefact is damaged or holds something else.
    """
    with _as_file(artefact) as path:
        return load_sae(path).to(device)


@contextmanager
def _as_file(artefact: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="inrlens-") as folder:
        path = Path(folder) / "artefact.safetensors"
        path.write_bytes(artefact)
        try:
            yield path
        except InputError as error:
            # The temporary path says nothing, and would make the error of a cell another one each time.
            raise InputError(str(error).replace(str(path), "an artefact that this cell needs")) from error
