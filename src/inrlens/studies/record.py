"""What a run measured: plain numbers, written to ``run.json`` and read back by reports."""

import math
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError

from inrlens import __version__
from inrlens.atoms.groups import GroupCurve
from inrlens.atoms.interactions import Interaction
from inrlens.atoms.match import MatchSummary
from inrlens.atoms.statistics import Spread
from inrlens.dictionaries.evaluate import SaeQuality
from inrlens.dictionaries.health import LayerHealth
from inrlens.errors import InputError
from inrlens.files import plain_json, read_json, write_json
from inrlens.fitting.history import Divergence

RECORD_FILE = "run.json"
SIGNALS_FILE = "signals.safetensors"
Record = TypeVar("Record")


@dataclass(frozen=True)
class Machine:
    """Where a run ran."""

    processor: str
    cores: int
    threads: int
    device: str
    python: str
    torch: str
    system: str


@dataclass(frozen=True)
class Ranks:
    """Stable ranks of every layer: of the weights, and of the activations in each variant."""

    weight: tuple[float, ...]
    activation: dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class RankedAtom:
    """An atom and what it is like; ``magnitude_rank`` is its place by mean magnitude (1 is the largest), ``locality``
    the share of its effect's energy near its centre (``Footprint.in_radius``)."""

    atom: int
    psnr_drop: float
    magnitude_rank: int
    active_fraction: float
    mean_magnitude: float
    locality: float | None
    pieces: int


@dataclass(frozen=True)
class DictionaryRow:
    """A dictionary beside its controls, all measured in the same way.

    ``name`` is ``trained``, a control's, or ``untrained network``. Spreads are over living atoms; ``psnr_drop`` and
    ``worst_drop`` are dB lost on signal 0 by removing one atom, ``removal_area`` the area of the curve of PSNR against
    the number of atoms removed, those that cost most first; they are None for another network, whose picture is none.
    """

    name: str
    n_atoms: int
    k: int
    quality: SaeQuality
    between: SaeQuality
    active_fraction: Spread | None
    locality: Spread | None
    pieces: Spread | None
    psnr_drop: Spread | None
    worst_drop: float | None
    removal_area: float | None


@dataclass(frozen=True)
class StabilityRow:
    """How well a dictionary's atoms are found again in ``other``, in words (``seed 1``, ``random dictionary``).

    The distributions are the 0th, 5th, ..., 100th percentile over living atoms of the best match each, free and one to
    one; cosines are None where the two are not of one layer of one network, whose directions could be compared.
    """

    other: str
    summary: MatchSummary
    cosine: tuple[float, ...] | None
    cosine_one_to_one: tuple[float, ...] | None
    map_correlation: tuple[float, ...]
    map_correlation_one_to_one: tuple[float, ...]


@dataclass(frozen=True)
class AtlasRecord:
    """All atoms of one layer: their effects on signal 0, one at a time and in groups, beside controls, and over seeds.

    ``seconds`` is what the effects of all atoms took. ``worst`` are the ten that cost most. ``support`` is the spread
    over living atoms of the share of coordinates where the effect is not 0.
    """

    seconds: float
    worst: tuple[RankedAtom, ...]
    support: Spread | None
    locality: Spread | None
    pieces: Spread | None
    groups: tuple[GroupCurve, ...]
    interactions: tuple[Interaction, ...]
    rows: tuple[DictionaryRow, ...]
    stability: tuple[StabilityRow, ...]


@dataclass(frozen=True)
class LayerRecord:
    """One layer's dictionary: its file, quality on the grid and between samples, and its atoms' statistics.

    ``active_fraction`` and ``ipr`` are spreads over living atoms. ``top_atoms`` are the first 16 by mean magnitude,
    with ``top_magnitude`` and ``top_firing`` beside them. ``psnr_drop`` is the spread over living atoms of the dB lost
    on signal 0 by removing one atom; ``worst_atom`` loses most, and ``worst_atom_rank`` is its place by mean magnitude
    (1 is the largest). ``health`` is of the activations that it was trained on; ``atlas`` is there for the layers that
    were looked at atom by atom.
    """

    layer: int
    file: str
    n_atoms: int
    k: int
    steps: int
    seconds: float | None
    outcome: str
    quality: SaeQuality
    between: SaeQuality
    active_fraction: Spread | None
    ipr: Spread | None
    top_atoms: tuple[int, ...]
    top_magnitude: tuple[float, ...]
    top_firing: tuple[float, ...]
    psnr_drop: Spread | None
    worst_atom: int | None
    worst_atom_drop: float | None
    worst_atom_rank: int | None
    health: LayerHealth | None = None
    atlas: AtlasRecord | None = None


@dataclass(frozen=True)
class ConditionRecord:
    """One fitted network: how it was fitted, how well, its ranks before and after, its dictionaries.

    ``signals`` names a signal a head, as positions in the run's ``signals.safetensors``. ``ranks_initial`` is None for
    a transfer, whose start is not an initialisation, and for an imported network, whose start nobody knows. Where a
    mask leaves samples out, ``left_out_psnrs`` are the signals' PSNRs there, all else is over the others, and ``ssim``
    is None.
    """

    name: str
    kind: Literal["single", "cohort", "transfer", "meta", "imported", "untrained"]
    backbone: str
    file: str
    history: str
    signals: tuple[int, ...]
    recipe: dict[str, Any]
    seed: int
    psnr: float
    psnrs: tuple[float, ...]
    ssim: float | None
    seconds: float
    steps: int
    outcome: str
    divergences: tuple[Divergence, ...]
    ranks_initial: Ranks | None
    ranks: Ranks
    tau: int
    margin: float
    advice: str
    notes: dict[str, Any]
    layers: tuple[LayerRecord, ...] = ()
    left_out_psnrs: tuple[float, ...] | None = None


@dataclass(frozen=True)
class TransferRecord:
    """One fit of a held-out signal on a cohort; ``freeze`` None is ``scratch`` with rest reinit, ``none`` with warm.

    ``picture`` names the reconstruction's file, None where it was not kept.
    """

    backbone: str
    signal: int
    freeze: int | None
    rest: Literal["reinit", "warm"]
    seed: int
    psnr: float
    ssim: float | None
    seconds: float
    outcome: str
    divergences: tuple[Divergence, ...]
    picture: str | None


@dataclass(frozen=True)
class RunRecord:
    """Everything a run folder holds, in numbers; all files are named relative to the folder.

    ``kind`` is network for a network from a file of its own, which is shown as a run and lies in no folder.
    """

    kind: Literal["demo", "fit", "cohort", "transfer", "network"]
    inrlens_version: str
    started: str
    seconds: float
    outcome: Literal["finished", "interrupted"]
    machine: Machine
    seed: int
    plan: dict[str, Any]
    signals: tuple[str, ...]
    conditions: tuple[ConditionRecord, ...]
    transfers: tuple[TransferRecord, ...] = ()

    __pydantic_config__ = ConfigDict(extra="forbid")

    def condition(self, kind: str, backbone: str) -> ConditionRecord | None:
        """The first condition of a kind and backbone, None where the run has none."""
        found = (c for c in self.conditions if c.kind == kind and c.backbone == backbone)
        return next(found, None)


_ADAPTER = TypeAdapter(RunRecord)


def write_record(folder: Path, record: RunRecord) -> None:
    """Writes ``run.json`` into a run folder."""
    write_json(folder / RECORD_FILE, plain_json(_ADAPTER.dump_python(record, mode="json")))


def read_record(folder: str | Path) -> RunRecord:
    """Reads the ``run.json`` of a run folder.

    Raises:
        InputError: where the folder is no run of InrLens, or its record is damaged.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give the folder of a run.")
    if not (folder / RECORD_FILE).is_file():
        raise InputError(f"{folder} holds no {RECORD_FILE}: it is not a run of InrLens.")
    return read_checked(folder / RECORD_FILE, _ADAPTER.validate_python, _contradiction)


def read_checked(path: Path, validate: Callable[[Any], Record], contradiction: Callable[[Record], str]) -> Record:
    """A record from its JSON file, of the right form and without contradiction.

    Raises:
        InputError: where it is damaged; the sentence says at which place.
    """
    try:
        record = validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the top"
        raise InputError(f"{path} is damaged at {where}: {first['msg'].rstrip('.')}.") from error
    fault = contradiction(record)
    if fault:
        raise InputError(f"{path} is damaged: {fault}.")
    return record


def _contradiction(record: RunRecord) -> str:
    """What in a record cannot be true together, empty for a sound one."""
    names = [condition.name for condition in record.conditions]
    if len(set(names)) < len(names):
        return "two of its networks have one name"
    if not math.isfinite(record.seconds):
        return f"it took {record.seconds} seconds"
    for condition in record.conditions:
        depth = len(condition.ranks.weight)
        ranks = [condition.ranks] if condition.ranks_initial is None else [condition.ranks, condition.ranks_initial]
        lengths = {len(values) for entry in ranks for values in (entry.weight, *entry.activation.values())}
        if lengths != {depth} or not 0 <= condition.tau < depth:
            return f"the ranks or tau of {condition.name!r} do not agree on its layers"
        for psnrs in (condition.psnrs, condition.left_out_psnrs):
            if psnrs is not None and len(psnrs) != len(condition.signals):
                return f"{condition.name!r} has {len(psnrs)} PSNRs for {len(condition.signals)} signals"
    return ""


def this_machine(device: str) -> Machine:
    """The machine that this process runs on."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        threads=torch.get_num_threads(),
        device=torch.cuda.get_device_name() if device.startswith("cuda") else "cpu",
        python=platform.python_version(),
        torch=torch.__version__,
        system=f"{platform.system()} {platform.machine()}",
    )


def version() -> str:
    """The version of InrLens that writes a record."""
    return __version__


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
