"""The loop under every training: steps, history, divergence, Ctrl-C, and the state that outlives the process."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field as with_default
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.container import take
from inrlens.dictionaries.auxiliary import add_auxiliary_gradient
from inrlens.dictionaries.encoding import ENCODING_TILE, RowEncoder
from inrlens.dictionaries.recipe import SaeRecipe
from inrlens.dictionaries.step import SaeGradients, SaeLoss, remove_parallel_part, renormalise
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.interrupt import first_interrupt_asks
from inrlens.resume import Keeper, number_rows, progress_of
from inrlens.rows import Batches, over_tiles

_log = logging.getLogger(__name__)

Outcome = Literal["finished", "interrupted", "diverged"]
DIVERGENCE_FACTOR = 4.0
"""An FVU so many times above the best so far (6 dB) counts as a divergence, as a PSNR 6 dB below does in a fit."""
_NEGLIGIBLE_FVU = 1e-4
_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class SaeRecord:
    """One row of a history: after ``step`` updates, the FVU of that step's rows, and seconds since the start."""

    step: int
    fvu: float
    seconds: float


SaeCallback = Callable[[SaeRecord, int], None]
"""Called with every new record and the number of steps planned."""


@dataclass
class TrainingState:
    """All that a step depends on and all that it has left behind; an ``inrlens.resume.LoopState``.

    ``silent`` counts, for every atom, the rows since it last fired; ``kept`` are the parameters at the last record.
    """

    sae: SparseAutoencoder
    optimizer: torch.optim.Adam
    batches: Batches
    silent: Tensor
    kept: list[Tensor]
    history: list[SaeRecord] = with_default(default_factory=list)
    step: int = 0
    seconds: float = 0.0

    def pack(self) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """Step, time and the place in the batches; every tensor by name."""
        if not all(bool(torch.isfinite(value).all()) for value in self.sae.parameters()):
            return None
        before, part = self.batches.state()
        tensors = {"draws": before, "silent": self.silent}
        for (name, parameter), kept in zip(self.sae.named_parameters(), self.kept, strict=True):
            tensors |= {f"parameter.{name}": parameter, f"kept.{name}": kept}
            moments = self.optimizer.state[parameter]
            tensors |= {f"{moment}.{name}": moments[moment] for moment in _MOMENTS if moment in moments}
        rows = [[row.step, row.fvu, row.seconds] for row in self.history]
        tensors["history"] = torch.tensor(rows, dtype=torch.float64).reshape(-1, 3)
        return {"step": self.step, "seconds": self.seconds, "part": part}, tensors

    @torch.no_grad()
    def fill(self, path: Path, description: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Takes over what ``pack`` gave."""
        self.step, self.seconds = progress_of(description)
        self.batches.restore(tensors["draws"], int(description["part"]))
        self.silent.copy_(take(path, tensors, "silent", self.silent))
        for (name, parameter), kept in zip(self.sae.named_parameters(), self.kept, strict=True):
            parameter.copy_(take(path, tensors, f"parameter.{name}", parameter))
            kept.copy_(take(path, tensors, f"kept.{name}", kept))
            if self.step > 0:
                moments = {moment: take(path, tensors, f"{moment}.{name}", parameter) for moment in _MOMENTS}
                self.optimizer.state[parameter] = {
                    "step": torch.tensor(float(self.step), device=parameter.device),
                    **{moment: value.to(parameter.device) for moment, value in moments.items()},
                }
        rows = number_rows(path, tensors, "history", 3)
        self.history = [SaeRecord(int(step), fvu, seconds) for step, fvu, seconds in rows]


@torch.no_grad()
def train(
    sae: SparseAutoencoder,
    rows: Float[Tensor, "n d"],
    recipe: SaeRecipe,
    draws: torch.Generator,
    cores: int,
    callback: SaeCallback | None,
    keeper: Keeper | None,
) -> tuple[list[SaeRecord], Outcome]:
    """Runs the recipe's steps on ``sae``, in place; the last record is over all rows."""
    gradients = SaeGradients(sae, cores)
    state = TrainingState(
        sae=sae,
        optimizer=torch.optim.Adam(sae.parameters(), lr=recipe.learning_rate, fused=True),
        batches=Batches(rows.shape[0], recipe.batch, draws),
        silent=torch.zeros(recipe.n_atoms, dtype=torch.long, device=rows.device),
        kept=[parameter.detach().clone() for parameter in sae.parameters()],
    )
    if keeper is not None:
        keeper.begin(state)
    variance = float((rows - rows.mean(0)).square().sum(1).mean())
    outcome: Outcome = "finished"
    started = time.perf_counter() - state.seconds
    with first_interrupt_asks() as interrupt:
        while state.step < recipe.steps:
            h = rows[next(state.batches)]
            loss = gradients(h)
            state.seconds = time.perf_counter() - started
            if not math.isfinite(loss.squared_error):
                outcome = "diverged"
                break
            if state.step % recipe.record_every == 0:
                _record(state, loss, variance, recipe.steps, callback)
            _update(state, h, loss, recipe, rows.shape[0])
            if interrupt.asked:
                outcome = "interrupted" if state.step < recipe.steps else "finished"
                break
            if keeper is not None and keeper.is_due():
                keeper.save(state)
    state.seconds = time.perf_counter() - started
    if keeper is not None and (outcome == "interrupted" or (keeper.keeps_the_end and state.step == recipe.steps)):
        keeper.save(state)
    return _settled(state, rows, variance, outcome, recipe.steps, callback)


def _record(state: TrainingState, loss: SaeLoss, variance: float, steps: int, callback: SaeCallback | None) -> None:
    record = SaeRecord(state.step, fvu(loss.squared_error, loss.rows, variance), state.seconds)
    if _rose(state.history, record.fvu) and not _rose(state.history[:-1], state.history[-1].fvu):
        _log.warning("the FVU rose to %.3g by step %d, more than 6 dB above its best", record.fvu, state.step)
    state.history.append(record)
    for kept, parameter in zip(state.kept, state.sae.parameters(), strict=True):
        kept.copy_(parameter)
    if callback is not None:
        callback(record, steps)


def _update(state: TrainingState, h: Tensor, loss: SaeLoss, recipe: SaeRecipe, rows: int) -> None:
    if recipe.auxiliary_k:
        state.silent = torch.where(loss.fired, 0, state.silent + loss.rows)
        with torch.enable_grad():
            add_auxiliary_gradient(state.sae, h, state.silent >= rows, recipe.auxiliary_k)
    remove_parallel_part(state.sae)
    state.optimizer.step()
    renormalise(state.sae)
    state.step += 1


def _settled(
    state: TrainingState,
    rows: Tensor,
    variance: float,
    outcome: Outcome,
    steps: int,
    callback: SaeCallback | None,
) -> tuple[list[SaeRecord], Outcome]:
    """Measures the dictionary over all rows; where that is not finite, the last recorded one takes its place."""
    squared = math.nan if outcome == "diverged" else _squared_error(state.sae, rows)
    if not math.isfinite(squared):
        _log.warning("the loss was not finite after step %d; the last finite dictionary was kept", state.step)
        outcome = "diverged"
        state.step = state.history[-1].step if state.history else 0
        for parameter, kept in zip(state.sae.parameters(), state.kept, strict=True):
            parameter.copy_(kept)
        squared = _squared_error(state.sae, rows)
    last = SaeRecord(state.step, fvu(squared, rows.shape[0], variance), state.seconds)
    history = [row for row in state.history if row.step < state.step]
    if outcome == "finished" and _rose(history, last.fvu):
        outcome = "diverged"
    if callback is not None:
        callback(last, steps)
    return [*history, last], outcome


def _rose(history: Sequence[SaeRecord], now: float) -> bool:
    """Whether an FVU stands far above the best before it."""
    best = min((row.fvu for row in history), default=math.inf)
    return now > DIVERGENCE_FACTOR * max(best, _NEGLIGIBLE_FVU)


def _squared_error(sae: SparseAutoencoder, rows: Tensor) -> float:
    def worker() -> Callable[[slice], float]:
        encoder = RowEncoder(sae)
        return lambda part: float((sae.decode(*encoder(rows[part])) - rows[part]).double().square().sum())

    return math.fsum(over_tiles(rows.shape[0], ENCODING_TILE, worker, rows.device))


def fvu(squared: float, rows: int, variance: float) -> float:
    """Fraction of variance unexplained: a squared error summed over rows, over their mean squared distance to the
    mean; infinite where nothing varies and something is missed."""
    if variance > 0.0:
        return squared / rows / variance
    return 0.0 if squared == 0.0 else math.inf
