"""What a dictionary sweep measured: plain numbers in ``sweep.json``, which is whole after every cell."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from inrlens.dictionaries.activations import encoder_digest
from inrlens.dictionaries.evaluate import SaeQuality
from inrlens.dictionaries.health import LayerHealth
from inrlens.errors import InputError
from inrlens.fields.field import Field
from inrlens.files import plain_json, write_json
from inrlens.signals.signal import Signal
from inrlens.studies.record import Machine, read_checked
from inrlens.studies.sweep_plan import BARE, CellKey, Kind, SweepPlan, cell_keys

SWEEP_FILE = "sweep.json"
SweepOutcome = Literal["finished", "diverged"]


@dataclass(frozen=True)
class SweptField:
    """The network of a sweep: what it is, and the digests that tell it from any other.

    ``kind`` is that of its fit; ``encoder`` and ``head`` are SHA-256 digests of the weights, ``signals`` a name and a
    digest a head for the signals that pictures were compared with, empty where there were none.
    """

    backbone: str
    kind: str
    depth: int
    width: int
    heads: int
    grid: tuple[int, ...]
    encoder: str
    head: str
    signals: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SweepCell:
    """One dictionary, measured on the grid and between its samples.

    ``n_atoms`` is its size, ``k`` the codes asked for in a row. ``seconds`` is what making it took, of which a control
    takes no step. ``quality.psnr`` is None without signals, and for the untrained network, whose picture is none.
    """

    kind: Kind
    layer: int
    n_atoms: int
    k: int
    seed: int | None
    quality: SaeQuality
    between: SaeQuality
    seconds: float
    steps: int
    outcome: SweepOutcome

    @property
    def key(self) -> CellKey:
        """What tells it from every other cell of its sweep."""
        return CellKey(self.kind, self.layer, None if self.kind in BARE else self.n_atoms, self.k, self.seed)


@dataclass(frozen=True)
class SweepRecord:
    """A sweep as far as it has come; ``outcome`` is ``interrupted`` until the last cell is done.

    ``seconds`` adds up all runs into the folder, ``machines`` are those they ran on. ``health`` is that of every
    layer of the network, ``health_untrained`` that of the network before its fit, where dictionaries of it are trained.
    """

    inrlens_version: str
    started: str
    seconds: float
    outcome: Literal["finished", "interrupted"]
    machines: tuple[Machine, ...]
    plan: SweepPlan
    field: SweptField
    health: tuple[LayerHealth, ...]
    health_untrained: tuple[LayerHealth, ...] | None
    cells: tuple[SweepCell, ...]

    __pydantic_config__ = ConfigDict(extra="forbid")


_ADAPTER = TypeAdapter(SweepRecord)


def swept_field(field: Field, grid: tuple[int, ...], signals: Sequence[Signal] | None) -> SweptField:
    """What a sweep says of its network."""
    head = hashlib.sha256()
    for value in field.head.state_dict().values():
        head.update(value.cpu().numpy().tobytes())
    return SweptField(
        backbone=field.backbone.name,
        kind=field.origin.kind,
        depth=field.depth,
        width=field.backbone.width,
        heads=field.heads,
        grid=grid,
        encoder=encoder_digest(field, field.depth - 1),
        head=head.hexdigest(),
        signals=tuple((signal.name, signal.digest) for signal in signals or ()),
    )


def expected(plan: SweepPlan, health: Sequence[LayerHealth]) -> list[CellKey]:
    """The plan's cells without those that cannot be: a layer that never varies has no principal components."""
    still = {layer.layer for layer in health if layer.effective_dimension == 0.0}
    return [key for key in cell_keys(plan) if key.kind != "principal components" or key.layer not in still]


def write_sweep(folder: Path, record: SweepRecord) -> None:
    """Writes ``sweep.json`` into a sweep's folder, whole or not at all."""
    write_json(folder / SWEEP_FILE, plain_json(_ADAPTER.dump_python(record, mode="json")))


def read_sweep(folder: str | Path) -> SweepRecord:
    """Reads the ``sweep.json`` of a sweep's folder.

    Raises:
        InputError: where the folder holds no sweep, or its record is damaged.
    """
    path = Path(folder) / SWEEP_FILE
    if not path.is_file():
        raise InputError(f"{folder} holds no {SWEEP_FILE}: it is not the folder of a sweep.")
    return read_checked(path, _ADAPTER.validate_python, _contradiction)


def _contradiction(record: SweepRecord) -> str:
    """What in a record cannot be true together, empty for a sound one."""
    depth = record.field.depth
    for health in (record.health, record.health_untrained):
        if health is not None and [layer.layer for layer in health] != list(range(depth)):
            return f"it tells the health of {len(health)} layers of {depth}"
    if max(record.plan.layers) >= depth:
        return f"it swept layer {max(record.plan.layers)} of {depth} layers"
    if (record.health_untrained is not None) != record.plan.untrained:
        return "its plan and its layers' health do not agree on the untrained network"
    if not math.isfinite(record.seconds):
        return f"it took {record.seconds} seconds"
    keys, planned = [cell.key for cell in record.cells], expected(record.plan, record.health)
    for key in keys:
        if key not in planned:
            return f"cell {_said(key)} is not in its plan"
        if keys.count(key) > 1:
            return f"cell {_said(key)} stands in it twice"
    if record.outcome == "finished" and len(keys) < len(planned):
        return f"it says that it is finished with {len(keys)} of {len(planned)} cells"
    return ""


def _said(key: CellKey) -> str:
    return f"({', '.join(str(part) for part in key if part is not None)})"


def difference(record: SweepRecord, plan: SweepPlan, field: SweptField) -> str:
    """What sets a recorded sweep apart from another plan or network, in words; empty where nothing does."""
    there, here = asdict(record.plan), asdict(plan)
    found = [
        f"{name} {_list(there[name])} there, {_list(here[name])} here" for name in there if there[name] != here[name]
    ]
    there, here = asdict(record.field), asdict(field)
    unlike = [name for name in there if there[name] != here[name]]
    if {"encoder", "head"} & set(unlike):
        found.append("its network has other weights")
    elif "signals" in unlike:
        found.append("its pictures were compared with other signals")
    elif unlike:
        found.append(f"{unlike[0]} {_list(there[unlike[0]])} there, {_list(here[unlike[0]])} here")
    return "; ".join(found)


def _list(value: object) -> str:
    return ", ".join(str(part) for part in value) if isinstance(value, tuple | list) else str(value)
