"""What an explorer shows: networks, with their signals and the dictionaries of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.network import Network
from inrlens.signals.signal import Signal
from inrlens.studies.record import ConditionRecord, Ranks
from inrlens.studies.run_reader import OpenRun


@dataclass(frozen=True, eq=False)
class BundleDictionary:
    """A dictionary of a network: what it is called there, and its file, None where it was given from Python."""

    name: str
    sae: SparseAutoencoder
    file: Path | None


@dataclass(frozen=True)
class Facts:
    """What is told of a network: ``kind`` as its origin says, its backbone or its module's class, seed, ranks, advice.

    ``seed`` is None where nobody knows it, ``tau`` where no layer has a matrix that could advise it.
    """

    kind: str
    backbone: str
    seed: int | None
    ranks: Ranks
    tau: int | None
    advice: str


@dataclass(frozen=True, eq=False)
class InRun:
    """Where a network lies: its run, the run's name, and its record there."""

    run: OpenRun
    name: str
    record: ConditionRecord


@dataclass(frozen=True, eq=False)
class BundleNetwork:
    """A network: its name, what is told of it, one signal a head, its dictionaries.

    ``place`` is None where it was given from Python; a run's is on the CPU in float32.
    """

    name: str
    field: Network
    facts: Facts
    signals: tuple[Signal, ...]
    dictionaries: tuple[BundleDictionary, ...]
    place: InRun | None

    @property
    def grid(self) -> tuple[int, ...]:
        """The grid of its signals, on which everything is shown."""
        return self.signals[0].shape


@dataclass(frozen=True, eq=False)
class BundleInput:
    """All networks; ``title`` names the runs, ``names`` each of ``runs``, which are none for one given from Python."""

    title: str
    runs: tuple[OpenRun, ...]
    names: tuple[str, ...]
    networks: tuple[BundleNetwork, ...]


def check_axes_shown(signal: Signal) -> None:
    """Raises InputError where a signal lies on more axes than a page can cut through."""
    if len(signal.shape) > 3:
        raise InputError(
            f"signal {signal.name!r} lies on {len(signal.shape)} axes, and the explorer shows sounds, pictures and "
            "volumes, of one to three."
        )


def named(found: Sequence[BundleDictionary]) -> tuple[BundleDictionary, ...]:
    """Sorted by layer and named so that names differ: by seed, size, file or order only where a layer has several."""
    parts: list[Callable[[BundleDictionary], str]] = [
        lambda one: f"layer {one.sae.layer}",
        lambda one: f"seed {one.sae.origin.seed}",
        lambda one: f"n = {one.sae.n_atoms:,}, k = {one.sae.k}",
        lambda one: "" if one.file is None else one.file.name,
        lambda one: "" if one.file is None else f"in {one.file.resolve().parent.name}",
        lambda one: f"number {found.index(one)}",
    ]
    sorted_out = []
    for layer in sorted({one.sae.layer for one in found}):
        group = [one for one in found if one.sae.layer == layer]
        for count in range(1, len(parts) + 1):
            names = [", ".join(filter(None, (part(one) for part in parts[:count]))) for one in group]
            if len(set(names)) == len(group):
                break
        sorted_out += [replace(one, name=name) for one, name in zip(group, names, strict=True)]
    return tuple(sorted_out)
