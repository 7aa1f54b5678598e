"""The loop under every fit: steps, history, divergence, Ctrl-C, and the state that outlives the process."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from inrlens.fitting.fit_progress import DIVERGENCE_DB, FitProgress
from inrlens.fitting.history import Record
from inrlens.fitting.optimisers import Optimisers
from inrlens.fitting.recipes import Recipe
from inrlens.fitting.resume import FitState
from inrlens.fitting.stack import Stack
from inrlens.interrupt import first_interrupt_asks
from inrlens.metrics import psnrs_from_squared_error
from inrlens.resume import Keeper
from inrlens.rows import Batches, row_count

Tell = Callable[[int, Record, int], None]
"""Called with a network's place in the stack, its new record, and the number of steps planned."""


@dataclass(frozen=True)
class Problem:
    """What a loop minimises.

    ``gradient(rows)`` writes the loss's gradient over some of the ``rows`` that there are (coordinates; signals of a
    meta-learned start) into ``.grad`` of the stack's parameters, and gives each network's loss ``(S,)`` and the squared
    error of its clamped output ``(S, M*c)`` summed over those rows. ``fall_db`` is how far the PSNR may fall below its
    best before that counts as a divergence.
    """

    stack: Stack
    gradient: Callable[[slice | Tensor], tuple[Tensor, Tensor]]
    rows: int
    channels: int
    cores: int = 1
    fall_db: float = DIVERGENCE_DB


@torch.no_grad()
def optimise(
    problem: Problem,
    recipe: Recipe,
    draws: torch.Generator,
    tell: Tell | None = None,
    keeper: Keeper | None = None,
) -> list[FitProgress]:
    """Runs the recipe's steps on the problem's parameters, in place; gives a track a network."""
    stack = problem.stack
    state = FitState(
        optimisers=Optimisers(stack, recipe, problem.cores),
        batches=Batches(problem.rows, recipe.batch, draws),
        parameters=[[parameter.detach() for parameter in own] for own in stack.parameters_of],
        tracks=[
            FitProgress([parameter.detach().clone() for parameter in own], problem.fall_db)
            for own in stack.parameters_of
        ],
    )
    if keeper is not None:
        keeper.begin(state)
    started = time.perf_counter() - state.seconds
    with first_interrupt_asks() as interrupt:
        while state.step < recipe.steps and any(track.outcome is None for track in state.tracks):
            rows = next(state.batches)
            loss, squared = problem.gradient(rows)
            state.seconds = time.perf_counter() - started
            if state.step % recipe.record_every == 0:
                _record(state, recipe, problem.channels, row_count(rows), loss, squared, tell)
                if all(track.outcome is not None for track in state.tracks):
                    break
            state.optimisers.step(state.step)
            state.step += 1
            if interrupt.asked:
                break
            if keeper is not None and keeper.is_due():
                keeper.save(state)
        stopped = interrupt.asked and state.step < recipe.steps
    state.seconds = time.perf_counter() - started
    if keeper is not None and (stopped or (keeper.keeps_the_end and state.step == recipe.steps)):
        keeper.save(state)
    for track, parameters in zip(state.tracks, state.parameters, strict=True):
        _settle(track, parameters, state, stopped)
    return state.tracks


def _record(
    state: FitState,
    recipe: Recipe,
    channels: int,
    count: int,
    losses: Tensor,
    squared: Tensor,
    tell: Tell | None,
) -> None:
    for index, track in enumerate(state.tracks):
        if track.outcome is not None:
            continue
        loss = float(losses[index])
        if not math.isfinite(loss):
            track.outcome, track.steps = "diverged", state.step
            continue
        psnr = fmean(psnrs_from_squared_error(squared[index], count, channels))
        track.enter(Record(state.step, loss, psnr, state.seconds), state.parameters[index])
        if tell is not None:
            tell(index, track.history[-1], recipe.steps)
        if recipe.stop_psnr is not None and psnr >= recipe.stop_psnr:
            track.outcome, track.seconds = "reached", state.seconds


def _settle(track: FitProgress, parameters: list[Tensor], state: FitState, stopped: bool) -> None:
    """Settles a network that may have ended before the others of its stack."""
    if track.outcome == "reached":
        track.put_back(parameters)
        return
    if track.outcome is None:
        track.steps = state.step
        track.outcome = "interrupted" if stopped else None
    track.seconds = state.seconds
    if track.outcome == "diverged" or not all(bool(torch.isfinite(value).all()) for value in parameters):
        track.roll_back(parameters)
