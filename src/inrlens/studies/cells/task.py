"""What a worker is handed and what it gives back: plain bytes and numbers, so that it may run on any machine."""

from dataclasses import dataclass, field
from typing import Any

from inrlens.studies.cells.cell import CellKind


@dataclass(frozen=True)
class Picture:
    """A signal as bytes: ``values`` are little-endian float32, ``(N, channels)`` row-major."""

    name: str
    shape: tuple[int, ...]
    channels: int
    values: bytes


@dataclass(frozen=True)
class Task:
    """One cell for one worker; ``inputs`` are the artefacts that its ``needs`` name, in their order.

    ``state`` is a file on the worker's machine in which a long cell keeps its state and goes on from it; None where
    the worker shares no disk with the driver. ``lpips`` is the file of LPIPS's weights.
    """

    key: str
    kind: CellKind
    settings: dict[str, Any]
    inputs: tuple[bytes, ...] = ()
    pictures: tuple[Picture, ...] = ()
    state: str | None = None
    lpips: str | None = None


@dataclass(frozen=True)
class Done:
    """A cell's result.

    ``result`` depends on the settings alone; ``timing`` is what differs from run to run (``seconds``, and
    ``history_seconds`` beside a history). ``artefact`` is a ``.safetensors`` file's content. ``log`` is what the cell
    had to say.
    """

    key: str
    result: dict[str, Any]
    timing: dict[str, Any] = field(default_factory=dict)
    artefact: bytes | None = None
    log: str = ""


@dataclass(frozen=True)
class Failed:
    """A cell that could not be computed: one sentence, and the log with the traceback."""

    key: str
    error: str
    log: str = ""


@dataclass(frozen=True)
class Lost:
    """A cell whose worker died under it; nothing is known of the cell itself."""

    key: str
    reason: str


Finished = Done | Failed | Lost
