"""The loop under every fit: steps, schedule, history, divergence, Ctrl-C."""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.fitting.engine import Engine, PrefixRows
from inrlens.fitting.history import Callback, Divergence, Outcome, Record, drop
from inrlens.fitting.recipes import Recipe
from inrlens.interrupt import first_interrupt_asks
from inrlens.metrics import psnrs_from_squared_error
from inrlens.rows import batches

_log = logging.getLogger(__name__)

DIVERGENCE_DB = 6.0
"""A PSNR this far below the best so far counts as a divergence."""


@dataclass(frozen=True)
class LoopResult:
    """What the loop did; ``outcome`` is None where all steps were taken and the final PSNR decides.

    ``finite`` holds the engine's parameters as they were at the last row of the history.
    """

    history: tuple[Record, ...]
    steps: int
    seconds: float
    outcome: Outcome | None
    divergences: tuple[Divergence, ...]
    best_psnr: float
    finite: tuple[Tensor, ...]


def optimise(
    engine: Engine,
    inputs: PrefixRows,
    targets: Float[Tensor, "n mc"],
    recipe: Recipe,
    draws: torch.Generator,
    callback: Callback | None,
) -> LoopResult:
    """Runs the recipe's steps on the engine's parameters, in place."""
    optimizers = _optimizers(engine, recipe)
    rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
    steps = batches(len(inputs), recipe.batch, draws)
    history: list[Record] = []
    divergences: list[Divergence] = []
    best = -math.inf
    fallen = False
    outcome: Outcome | None = None
    finite = _copies(engine)
    started = time.perf_counter()
    step = 0
    with first_interrupt_asks() as interrupt:
        while step < recipe.steps:
            rows = next(steps)
            count = rows.stop - rows.start if isinstance(rows, slice) else rows.shape[0]
            loss, squared = engine.gradient(inputs, targets, rows)
            if step % recipe.record_every == 0:
                record = Record(
                    step,
                    float(loss),
                    fmean(psnrs_from_squared_error(squared, count, engine.channels)),
                    time.perf_counter() - started,
                )
                if not math.isfinite(record.loss):
                    outcome = "diverged"
                    break
                history.append(record)
                if drop(best, record.psnr) > DIVERGENCE_DB:
                    if not fallen:
                        divergences.append(Divergence(step, "PSNR fell", best, record.psnr))
                        _log.warning("PSNR fell from %.2f to %.2f dB by step %d", best, record.psnr, step)
                    fallen = True
                else:
                    fallen = False
                best = max(best, record.psnr)
                for kept, parameter in zip(finite, engine.parameters, strict=True):
                    kept.copy_(parameter.detach())
                if callback is not None:
                    callback(record, recipe.steps)
                if recipe.stop_psnr is not None and record.psnr >= recipe.stop_psnr:
                    outcome = "reached"
                    break
            factor = _factor(recipe, step)
            for optimizer, base in zip(optimizers, rates, strict=True):
                for group, rate in zip(optimizer.param_groups, base, strict=True):
                    group["lr"] = rate * factor
                optimizer.step()
            step += 1
            if interrupt.asked:
                outcome = "interrupted"
                break
    seconds = time.perf_counter() - started
    result = LoopResult(tuple(history), step, seconds, outcome, tuple(divergences), best, tuple(finite))
    if outcome == "diverged" or not all(bool(torch.isfinite(parameter).all()) for parameter in engine.parameters):
        return rolled_back(engine, result)
    return result


def rolled_back(engine: Engine, result: LoopResult) -> LoopResult:
    """Puts the last recorded weights back where the last step's do not give finite numbers, and records it."""
    event = Divergence(result.steps, "non-finite loss", result.best_psnr, math.nan)
    _log.warning("the loss was not finite after step %d; the last finite weights were kept", result.steps)
    _restore(engine, result.finite)
    step = result.history[-1].step if result.history else 0
    return replace(result, steps=step, outcome="diverged", divergences=(*result.divergences, event))


def _optimizers(engine: Engine, recipe: Recipe) -> list[torch.optim.Optimizer]:
    by_muon: list[torch.nn.Parameter] = []
    if recipe.optimizer == "muon":
        hidden = [layer.weight for layer in engine.layers]
        by_muon = [weight for weight in hidden if weight.shape[0] == weight.shape[1]]
    chosen = {id(weight) for weight in by_muon}
    rest = [parameter for parameter in engine.parameters if id(parameter) not in chosen]
    optimizers: list[torch.optim.Optimizer] = [torch.optim.Adam(rest, lr=recipe.learning_rate, foreach=True)]
    if by_muon:
        optimizers.append(torch.optim.Muon(by_muon, lr=recipe.muon_learning_rate, momentum=0.95, weight_decay=0.0))
    return optimizers


def _factor(recipe: Recipe, step: int) -> float:
    if recipe.schedule == "constant":
        return 1.0
    return 0.5 * (1.0 + math.cos(math.pi * step / recipe.steps))


def _copies(engine: Engine) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in engine.parameters]


@torch.no_grad()
def _restore(engine: Engine, kept: Sequence[Tensor]) -> None:
    for parameter, value in zip(engine.parameters, kept, strict=True):
        parameter.copy_(value)
