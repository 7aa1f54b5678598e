"""Starts that are learned so that a few steps of gradient descent fit a new signal."""

import math
from collections.abc import Sequence
from functools import partial
from statistics import fmean

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.field import Field, Origin, check_grid
from inrlens.fitting.compute import Compute
from inrlens.fitting.finish_fit import Quality, close
from inrlens.fitting.fit import tell_one
from inrlens.fitting.fit_fields import left_out_note, named, one_affine, one_grid
from inrlens.fitting.fit_progress import DIVERGENCE_DB
from inrlens.fitting.history import Callback, Fit
from inrlens.fitting.loop import Problem, optimise
from inrlens.fitting.meta_gradient import Method, Objective, Weights, descend, maml, reptile
from inrlens.fitting.meta_recipes import MetaRecipe, meta_settings
from inrlens.fitting.resume import identity
from inrlens.fitting.stack import Stack
from inrlens.interrupt import first_interrupt_asks
from inrlens.metrics import psnr_from_mse
from inrlens.resume import Keeper, Resume
from inrlens.rows import row_count
from inrlens.seeding import generator
from inrlens.signals.signal import Signal
from inrlens.workers import cores

_COMPUTE = Compute()
_TILE = 2048


def fit_maml(
    signals: Sequence[Signal],
    recipe: MetaRecipe,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    compute: Compute = _COMPUTE,
    resume: Resume | None = None,
    callback: Callback | None = None,
) -> Fit:
    """Learns a start from which a few steps of gradient descent fit any of the signals, by MAML with the exact second
    order (Finn et al. 2017; for coordinate networks Tancik et al. 2021, arXiv:2012.02189).

    The field has one head, which belongs to no signal: it is a part of the start, and ``transfer`` begins from it. The
    quality of the result, ``psnr`` and ``psnrs``, is that of each signal after the recipe's inner steps from the start;
    a row of the history is that of the step's signals.

    Args:
        signals: what is learned from, all on one grid.
        recipe: how.
        seed: draws the initial weights and the order of the signals.
        device: where it is computed.
        compute: tile (2,048 by default) and precision; the memory is not counted.
        resume: where the running fit keeps its state; where the file exists, the fit continues from it.
        callback: called with every record of the history.

    Raises:
        InputError: for no signal, signals of different grids, channels or masks, a grid of another number of axes than
            the recipe's network has coordinates; where the state to resume is of another fit.
    """
    return _fit_meta("maml", maml, signals, recipe, seed, device, compute, resume, callback)


def fit_reptile(
    signals: Sequence[Signal],
    recipe: MetaRecipe,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    compute: Compute = _COMPUTE,
    resume: Resume | None = None,
    callback: Callback | None = None,
) -> Fit:
    """Learns a start as ``fit_maml`` does, of the first order alone: towards where the inner steps end (Reptile: Nichol
    et al. 2018), with Adam in the outer steps.

    Arguments and errors as in ``fit_maml``.
    """
    return _fit_meta("reptile", reptile, signals, recipe, seed, device, compute, resume, callback)


def _fit_meta(
    name: str,
    method: Method,
    signals: Sequence[Signal],
    recipe: MetaRecipe,
    seed: int,
    device: torch.device | str,
    compute: Compute,
    resume: Resume | None,
    callback: Callback | None,
) -> Fit:
    if not signals:
        raise InputError("a meta-learned start needs at least 1 signal, not 0.")
    grid = one_grid(signals)
    check_grid(recipe.backbone, grid)
    field = Field.new(recipe.backbone, channels=signals[0].channels, seed=seed, grid=grid).to(device)
    notes = {"method": name, **left_out_note(signals)}
    field.origin = Origin("meta", seed, named(signals), meta_settings(recipe), notes)
    field.affine = one_affine(signals)
    tile = compute.tile or _TILE
    objectives = [_objective(field, signal, signal.used, tile) for signal in signals]
    hidden = [_objective(field, each, ~each.mask, tile) for each in signals if each.mask is not None and each.left_out]
    stack = Stack([field.encoder.trained(0)], [field.head])
    gradient = partial(_outer_gradient, field, objectives, method, recipe)
    # Rows of a history that are of different signals say nothing about each other.
    fall_db = math.inf if recipe.signals < len(signals) else DIVERGENCE_DB
    problem = Problem(stack, gradient, len(signals), field.channels, fall_db=fall_db)
    keeper = None
    if resume is not None:
        keeper = Keeper(resume, "fit", identity([field], [signals], meta_settings(recipe), name, seed, 0), cores())
    with compute.products(), first_interrupt_asks():
        draws = generator(seed, name, "batches")
        (track,) = optimise(problem, recipe.outer, draws, tell_one(callback), keeper)
        measure = partial(_quality, field, objectives, hidden, recipe)
        fitted = close(field, track, stack.parameters, measure, recipe.steps, callback)
    stack.part()
    if keeper is not None and fitted.outcome != "interrupted":
        keeper.end()
    return fitted


def _objective(field: Field, signal: Signal, samples: slice | Tensor, tile: int) -> Objective:
    """A signal's loss on some of its samples."""
    x = field.grid_coordinates(signal.shape)[samples]
    return Objective(field, x, signal.values[samples].to(field.device, field.dtype), tile)


@torch.no_grad()
def _outer_gradient(
    field: Field, objectives: Sequence[Objective], method: Method, recipe: MetaRecipe, rows: slice | Tensor
) -> tuple[Tensor, Tensor]:
    """Writes the mean of the signals' directions into ``.grad``; the signals are those whose numbers ``rows`` has."""
    numbers = range(rows.start, rows.stop) if isinstance(rows, slice) else rows.tolist()
    points = [method(objectives[n], _weights(field), recipe.inner_steps, recipe.inner_learning_rate) for n in numbers]
    for name, parameter in field.named_parameters():
        parameter.grad = torch.stack([point.gradient[name] for point in points]).mean(0)
    loss = torch.stack([point.loss for point in points]).mean()
    # A loop divides by the number of rows, while each of these means is already one signal's own.
    clamped = torch.cat([point.clamped for point in points]) * row_count(rows)
    return loss[None], clamped[None]


@torch.no_grad()
def _quality(field: Field, objectives: Sequence[Objective], hidden: Sequence[Objective], recipe: MetaRecipe) -> Quality:
    """Of each signal after the inner steps from the start; ``hidden`` is the same on samples left out, if any are."""
    psnrs: list[float] = []
    losses: list[float] = []
    unseen: list[float] = []
    for index, objective in enumerate(objectives):
        end = descend(objective, _weights(field), recipe.inner_steps, recipe.inner_learning_rate)[-1]
        point = objective.at(end)
        psnrs.append(psnr_from_mse(float(point.clamped.double().mean())))
        losses.append(float(point.loss))
        if hidden:
            unseen.append(psnr_from_mse(float(hidden[index].at(end).clamped.double().mean())))
    return Quality(tuple(psnrs), fmean(losses), tuple(unseen) or None)


def _weights(field: Field) -> Weights:
    return {name: parameter.detach() for name, parameter in field.named_parameters()}
