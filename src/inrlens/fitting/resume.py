"""The state of a running fit in one file, from which it continues bit for bit."""

import hashlib
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inrlens.container import Container, read_container, take, write_container
from inrlens.errors import InputError
from inrlens.fields.field import Field
from inrlens.fitting.history import Divergence, Record
from inrlens.fitting.optimisers import Optimisers
from inrlens.fitting.recipes import Recipe, recipe_settings
from inrlens.fitting.track import Track
from inrlens.rows import Batches
from inrlens.signals.signal import Signal

_log = logging.getLogger(__name__)

_KIND = "running fit"
_EVENTS = ("non-finite loss", "PSNR fell")


@dataclass(frozen=True)
class Resume:
    """Where a running fit keeps its state, and every how many seconds.

    A fit that finds the file continues from it; one that ends removes it. After Ctrl-C it stays. The continued fit
    equals one that was never interrupted bit for bit, on the same device with the same threads and ``Compute``. The
    first state is written before the first step.
    """

    path: str | Path
    every: float = 60.0
    keep: bool = False
    """Whether the file stays, with the last state, when the fit has ended: for a caller who still has to write the
    result down, and removes the file then."""

    def __post_init__(self) -> None:
        if not self.every >= 0.0:
            raise InputError(f"a fit's state can be kept every 0 or more seconds, not every {self.every}.")


@dataclass
class LoopState:
    """All that a step depends on and all that it has left behind."""

    optimisers: Optimisers
    batches: Batches
    parameters: list[list[Tensor]]
    tracks: list[Track]
    step: int = 0
    seconds: float = 0.0


class Keeper:
    """Writes a loop's state when it is due, and reads it back where the file is of this very fit."""

    def __init__(self, resume: Resume, fit: dict[str, Any], cores: int) -> None:
        self._path = Path(resume.path)
        self._resume = resume
        self._fit = fit
        self._cores = cores
        self._last = time.monotonic()

    @property
    def keeps_the_end(self) -> bool:
        """Whether the state of a fit that has ended stays."""
        return self._resume.keep

    def is_due(self) -> bool:
        """Whether the last writing lies long enough back."""
        return time.monotonic() - self._last >= self._resume.every

    def save(self, state: LoopState) -> None:
        """Writes the state in place of an earlier one, whole or not at all; a state that is not finite is not worth it.

        A disk that is full for a while costs no fit: what cannot be written is a warning.
        """
        try:
            self._write(state)
        except InputError as error:
            _log.warning("the fit goes on, but its state could not be kept: %s", error)

    def begin(self, state: LoopState) -> None:
        """Fills ``state`` from the file, or writes the first one where there is none.

        Raises:
            InputError: where the file is no state of a fit, of another fit, or damaged; where it cannot be written.
        """
        if not self._path.exists():
            self._write(state)
            return
        found = read_container(self._path)
        if found.kind != _KIND:
            raise InputError(f"{self._path} holds a {found.kind}, not the state of a running fit.")
        self._check_same(found.description.get("fit"))
        if found.description.get("cores") != self._cores:
            _log.warning(
                "the state was kept on %s cores and goes on on %d: the fit will differ by rounding from one that was "
                "never interrupted",
                found.description.get("cores"),
                self._cores,
            )
        try:
            state.step, state.seconds = int(found.description["step"]), float(found.description["seconds"])
            state.batches.restore(found.tensors["draws"], int(found.description["part"]))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"{self._path} is damaged ({error}): remove it to begin anew.") from error
        _fill(self._path, state, found.tensors)

    def end(self) -> None:
        """Removes the file of a fit that has ended, unless the caller keeps it."""
        if not self.keeps_the_end:
            self._path.unlink(missing_ok=True)

    def _write(self, state: LoopState) -> None:
        if not all(bool(torch.isfinite(value).all()) for own in state.parameters for value in own):
            return
        before, part = state.batches.state()
        description = {
            "fit": self._fit,
            "cores": self._cores,
            "step": state.step,
            "seconds": state.seconds,
            "part": part,
        }
        write_container(self._path, Container(_KIND, description, {"draws": before, **_tensors(state)}), force=True)
        self._last = time.monotonic()

    def _check_same(self, found: Any) -> None:
        if not isinstance(found, dict):
            raise InputError(f"{self._path} does not say which fit it belongs to; the file is damaged.")
        for part, wanted in self._fit.items():
            if found.get(part) != wanted:
                raise InputError(
                    f"{self._path} is the state of a fit with another {part}{_difference(found.get(part), wanted)}; "
                    f"go on as that fit began, or remove the file."
                )


def _difference(there: Any, here: Any) -> str:
    """How two values differ in words, where words help: numbers and the entries of a recipe do, digests do not."""
    if isinstance(there, dict) and isinstance(here, dict):
        key = next(key for key in [*here, *there] if there.get(key) != here.get(key))
        inner = _difference(there.get(key), here.get(key))
        return f", {key}{inner}"
    if isinstance(here, list):
        return ""
    return f": {there} there, {here} here"


def identity(
    fields: Sequence[Field], signals: Sequence[Sequence[Signal]], recipe: Recipe, kind: str, seed: int, start: int
) -> dict[str, Any]:
    """What decides a fit, part by part; the network is named by the digest of its weights before the first step."""
    return {
        "kind": kind,
        "recipe": {key: value for key, value in recipe_settings(recipe).items() if key != "name"},
        "seed": seed,
        "freeze depth": start - 1,
        "signal": [[signal.digest for signal in own] for own in signals],
        "network": [_digest(field) for field in fields],
    }


def _digest(field: Field) -> str:
    digest = hashlib.sha256()
    for name, value in field.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _tensors(state: LoopState) -> dict[str, Tensor]:
    """Every tensor of a state by name; what ``_fill`` reads back in the same order."""
    found: dict[str, Tensor] = {}
    for index, (track, parameters) in enumerate(zip(state.tracks, state.parameters, strict=True)):
        found |= {f"{index}.parameter.{at}": value for at, value in enumerate(parameters)}
        found |= {f"{index}.kept.{at}": value for at, value in enumerate(track.kept)}
        rows = [[row.step, row.loss, row.psnr, row.seconds] for row in track.history]
        found[f"{index}.history"] = torch.tensor(rows, dtype=torch.float64).reshape(-1, 4)
        events = [[e.step, _EVENTS.index(e.kind), e.best_psnr, e.psnr] for e in track.divergences]
        found[f"{index}.divergences"] = torch.tensor(events, dtype=torch.float64).reshape(-1, 4)
    found |= {f"memory.{name}": value for name, value in state.optimisers.memory().items()}
    return found


def _fill(path: Path, state: LoopState, tensors: dict[str, Tensor]) -> None:
    for index, (track, parameters) in enumerate(zip(state.tracks, state.parameters, strict=True)):
        for at, (value, kept) in enumerate(zip(parameters, track.kept, strict=True)):
            value.copy_(take(path, tensors, f"{index}.parameter.{at}", value))
            kept.copy_(take(path, tensors, f"{index}.kept.{at}", kept))
        rows, events = _numbers(path, tensors, f"{index}.history"), _numbers(path, tensors, f"{index}.divergences")
        track.history = [Record(int(step), loss, psnr, seconds) for step, loss, psnr, seconds in rows]
        track.divergences = [
            Divergence(int(step), "PSNR fell" if kind else "non-finite loss", best, psnr)
            for step, kind, best, psnr in events
        ]
        track.best_psnr = max((row.psnr for row in track.history), default=-math.inf)
        track.fallen = bool(track.history) and track.is_far_below(track.history[-1].psnr)
    if state.step > 0:
        like = state.optimisers.memory_like().items()
        state.optimisers.remember({name: take(path, tensors, f"memory.{name}", value) for name, value in like})


def _numbers(path: Path, tensors: dict[str, Tensor], name: str) -> list[list[float]]:
    found = tensors.get(name)
    if found is None or found.ndim != 2 or found.shape[1] != 4:
        raise InputError(f"{path} lacks its {name!r}; the file is damaged: remove it to begin anew.")
    rows: list[list[float]] = found.tolist()
    return rows
