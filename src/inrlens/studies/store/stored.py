"""What the store gives back: cells, attempts, files, and the hash over what must not depend on interruptions."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from inrlens.files import plain_json
from inrlens.studies.cells.cell import CellKind

Ended = Literal["done", "failed"]
State = Literal["done", "failed", "running", "waiting"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True)
class StoredCell:
    """A cell as its study placed it, with what is known of it.

    ``result``, ``timing`` and ``artefact`` (its SHA-256) are None before it is done; ``error`` is that of a failed one.
    """

    key: str
    kind: CellKind
    place: dict[str, Any]
    settings: dict[str, Any]
    state: State
    result: dict[str, Any] | None = None
    timing: dict[str, Any] | None = None
    artefact: str | None = None
    error: str | None = None
    log: str = ""


@dataclass(frozen=True)
class CellState:
    """How a cell stands, in short: ``seconds`` is what a done one took, ``error`` is that of a failed one."""

    key: str
    kind: CellKind
    state: State
    seconds: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class Attempt:
    """One handing out of a cell: who drove it, when it began and ended (seconds since 1970), and how."""

    key: str
    host: str
    process: int
    begun: float
    ended: float | None
    outcome: Literal["running", "done", "failed", "lost", "interrupted"]


@dataclass(frozen=True)
class StoredFile:
    """A data set's file as the study found it: ``DataFile``'s entries."""

    data: str
    name: str
    split: str
    sha256: str
    digest: str


def stored_cell(place: dict[str, Any], row: list[Any], state: State) -> StoredCell:
    """A cell from its row: key, kind, settings, state, result, timing, artefact, its size, error, log; JSON as text.

    ``state`` is how it truly stands: a done cell whose artefact is gone has no outcome.
    """
    if "variant" in place:
        # JSON has no tuples, and a variant tells cells apart: a setting that is a list is the tuple that was meant.
        told = {name: tuple(value) if isinstance(value, list) else value for name, value in place["variant"].items()}
        place = {**place, "variant": told}
    key, kind, settings, written, result, timing, artefact, _, error, log = row
    if state != written:
        return StoredCell(key, kind, place, json.loads(settings), state)
    found, times = (None if text is None else json.loads(text) for text in (result, timing))
    return StoredCell(key, kind, place, json.loads(settings), state, found, times, artefact, error, log)


def as_text(content: Any) -> str:
    """Plain JSON, its entries in their order; numbers that JSON lacks become strings."""
    return json.dumps(plain_json(content), separators=(",", ":"), allow_nan=False)


def printable(text: str) -> str:
    """``text`` without what a database cannot keep: halves of characters, as broken output holds them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def digest_of(studies: Iterable[tuple[str, str]], cells: Iterable[StoredCell]) -> str:
    """SHA-256 over names and sources of studies, and keys, kinds, places, settings, states, results, artefacts' hashes
    and errors of cells. Times, hosts, attempts and logs are left out; so is whether an unfinished cell is running.
    """
    total = hashlib.sha256()
    for name, source in studies:
        total.update(json.dumps([name, source]).encode())
    for cell in cells:
        state = "waiting" if cell.state == "running" else cell.state
        row = [cell.key, cell.kind, cell.place, cell.settings, state, cell.result, cell.artefact, cell.error]
        total.update(json.dumps(row, sort_keys=True).encode())
    return total.hexdigest()
