"""The loop under every fit: steps, schedule, history, divergence, Ctrl-C."""

import logging
import math
import time
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.fitting.engine import Engine, PrefixRows
from inrlens.fitting.history import Callback, Divergence, Outcome, Record, drop
from inrlens.fitting.recipes import Recipe
from inrlens.interrupt import first_interrupt_asks
from inrlens.metrics import psnr_from_mse
from inrlens.rows import batches

_log = logging.getLogger(__name__)

DIVERGENCE_DB = 6.0
"""A PSNR this far below the best so far counts as a divergence."""


@dataclass(frozen=True)
class LoopResult:
    """What the loop did; ``outcome`` is None where all steps were taken and the final PSNR decides."""

    history: tuple[Record, ...]
    steps: int
    seconds: float
    outcome: Outcome | None
    divergences: tuple[Divergence, ...]
    best_psnr: float


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
                    _mean_psnr(squared, count, engine.channels),
                    time.perf_counter() - started,
                )
                if not math.isfinite(record.loss):
                    divergences.append(Divergence(step, "non-finite loss", best, math.nan))
                    _log.warning("the loss was not finite at step %d; the last finite weights were kept", step)
                    _restore(engine, finite)
                    outcome = "diverged"
                    step = history[-1].step if history else 0
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
    if not all(bool(torch.isfinite(parameter).all()) for parameter in engine.parameters):
        divergences.append(Divergence(step, "non-finite loss", best, math.nan))
        _log.warning("weights were not finite after step %d; the last finite ones were kept", step)
        _restore(engine, finite)
        outcome = "diverged"
        step = history[-1].step if history else 0
    return LoopResult(tuple(history), step, time.perf_counter() - started, outcome, tuple(divergences), best)


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


def _mean_psnr(squared: Tensor, rows: int, channels: int) -> float:
    per_signal = squared.double().view(-1, channels).sum(1) / (rows * channels)
    return sum(psnr_from_mse(float(mse)) for mse in per_signal) / per_signal.shape[0]


def _copies(engine: Engine) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in engine.parameters]


@torch.no_grad()
def _restore(engine: Engine, kept: list[Tensor]) -> None:
    for parameter, value in zip(engine.parameters, kept, strict=True):
        parameter.copy_(value)
