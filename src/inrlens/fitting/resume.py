"""What of a running fit is kept, so that it continues bit for bit."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inrlens.container import take
from inrlens.fields.field import Field
from inrlens.fitting.fit_progress import FitProgress
from inrlens.fitting.history import Divergence, Record
from inrlens.fitting.optimisers import Optimisers
from inrlens.resume import number_rows, progress_of
from inrlens.rows import Batches
from inrlens.signals.signal import Signal

_EVENTS = ("non-finite loss", "PSNR fell")


@dataclass
class FitState:
    """All that a step depends on and all that it has left behind; an ``inrlens.resume.LoopState``."""

    optimisers: Optimisers
    batches: Batches
    parameters: list[list[Tensor]]
    tracks: list[FitProgress]
    step: int = 0
    seconds: float = 0.0

    def pack(self) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """Step, time and the place in the batches; every tensor by name."""
        if not all(bool(torch.isfinite(value).all()) for own in self.parameters for value in own):
            return None
        before, part = self.batches.state()
        return {"step": self.step, "seconds": self.seconds, "part": part}, {"draws": before, **_tensors(self)}

    def fill(self, path: Path, description: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Takes over what ``pack`` gave."""
        self.step, self.seconds = progress_of(description)
        self.batches.restore(tensors["draws"], int(description["part"]))
        _fill(path, self, tensors)


def identity(
    fields: Sequence[Field],
    signals: Sequence[Sequence[Signal]],
    recipe: dict[str, Any],
    kind: str,
    seed: int,
    start: int,
) -> dict[str, Any]:
    """What decides a fit, part by part, ``recipe`` being its settings; the network is named by the digest of its
    weights before the first step."""
    return {
        "kind": kind,
        "recipe": {key: value for key, value in recipe.items() if key != "name"},
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


def _tensors(state: FitState) -> dict[str, Tensor]:
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


def _fill(path: Path, state: FitState, tensors: dict[str, Tensor]) -> None:
    for index, (track, parameters) in enumerate(zip(state.tracks, state.parameters, strict=True)):
        for at, (value, kept) in enumerate(zip(parameters, track.kept, strict=True)):
            value.copy_(take(path, tensors, f"{index}.parameter.{at}", value))
            kept.copy_(take(path, tensors, f"{index}.kept.{at}", kept))
        rows, events = (number_rows(path, tensors, f"{index}.{name}", 4) for name in ("history", "divergences"))
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
