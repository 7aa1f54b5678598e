"""Fits of one signal and of a cohort, and the part that they share with transfers."""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.field import EVALUATION_TILE, Field, Origin
from inrlens.fitting.engine import Engine, PrefixRows
from inrlens.fitting.history import Callback, Divergence, Fit, Outcome, Record, drop
from inrlens.fitting.loop import DIVERGENCE_DB, optimise, rolled_back
from inrlens.fitting.recipes import Recipe, recipe_settings
from inrlens.metrics import psnrs_from_squared_error
from inrlens.rows import tiles
from inrlens.seeding import generator
from inrlens.signals.signal import Signal

_log = logging.getLogger(__name__)


def fit(
    signal: Signal,
    recipe: Recipe,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    callback: Callback | None = None,
) -> Fit:
    """Fits one field to one signal.

    The same seed, threads and device give the same bits. Ctrl-C once ends the fit after the running step and keeps
    what was reached.

    Raises:
        InputError: where the recipe names no backbone, or one of another number of coordinates than the grid's.
    """
    return _fit_new("single", [signal], recipe, seed, device, callback)


def fit_cohort(
    signals: Sequence[Signal],
    recipe: Recipe,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    callback: Callback | None = None,
) -> Fit:
    """Fits one shared encoder with a head for each signal (STRAINER: Vyas et al. 2024; arXiv:2605.08298 eq. 2).

    Raises:
        InputError: for fewer than 2 signals, signals of different grids or channels, or a recipe without a backbone.
    """
    if len(signals) < 2:
        raise InputError(f"a cohort needs at least 2 signals, not {len(signals)}.")
    return _fit_new("cohort", signals, recipe, seed, device, callback)


def _fit_new(
    kind: str,
    signals: Sequence[Signal],
    recipe: Recipe,
    seed: int,
    device: torch.device | str,
    callback: Callback | None,
) -> Fit:
    if recipe.backbone is None:
        raise InputError(f"recipe {recipe.name!r} names no backbone, which a fit from scratch needs.")
    first = signals[0]
    field = Field.new(recipe.backbone, heads=len(signals), channels=first.channels, seed=seed, grid=first.shape)
    return fit_field(field.to(device), signals, recipe, 0, kind, seed, callback)


def fit_field(
    field: Field,
    signals: Sequence[Signal],
    recipe: Recipe,
    start: int,
    kind: str,
    seed: int,
    callback: Callback | None = None,
    notes: dict[str, object] | None = None,
) -> Fit:
    """Fits layers ``start``..L-1 and the heads of ``field`` in place; layers below ``start`` stay as they are."""
    grid = one_grid(signals)
    field.grid = grid
    x = field.grid_coordinates(grid)
    targets = torch.cat([signal.values for signal in signals], dim=1).to(field.device, field.dtype)
    layers = [field.encoder.layer(index) for index in range(start, field.depth)]
    engine = Engine(layers, field.head, field.channels, recipe.tile)
    inputs = PrefixRows(field.encoder, x, start, recipe.tile)
    result = optimise(engine, inputs, targets, recipe, generator(seed, kind, "batches"), callback)
    psnrs, loss = _final_quality(field, x, targets)
    if not math.isfinite(loss):
        result = rolled_back(engine, result)
        psnrs, loss = _final_quality(field, x, targets)
    for parameter in engine.parameters:
        parameter.grad = None
    mean = sum(psnrs) / len(psnrs)
    last = Record(result.steps, loss, mean, result.seconds)
    history = (*(row for row in result.history if row.step < result.steps), last)
    if callback is not None:
        callback(last, recipe.steps)
    divergences = result.divergences
    fell = drop(result.best_psnr, mean) > DIVERGENCE_DB
    if fell and result.outcome != "diverged" and not drop(result.best_psnr, result.history[-1].psnr) > DIVERGENCE_DB:
        divergences = (*divergences, Divergence(result.steps, "PSNR fell", result.best_psnr, mean))
        _log.warning("PSNR fell from %.2f to %.2f dB by step %d", result.best_psnr, mean, result.steps)
    outcome: Outcome = result.outcome or ("diverged" if fell else "finished")
    field.origin = Origin(
        kind=kind,
        seed=seed,
        signals=tuple((signal.name, signal.digest) for signal in signals),
        recipe=recipe_settings(replace(recipe, backbone=field.backbone)),
        notes={
            **(notes or {}),
            "steps_taken": result.steps,
            "outcome": outcome,
            "psnr_db": mean if math.isfinite(mean) else str(mean),
            "divergences": [[event.step, event.kind] for event in divergences],
        },
    )
    return Fit(field, history, mean, psnrs, result.seconds, result.steps, outcome, divergences)


def one_grid(signals: Sequence[Signal]) -> tuple[int, ...]:
    """The grid that all signals share.

    Raises:
        InputError: where their grids or numbers of channels differ.
    """
    first = signals[0]
    for other in signals[1:]:
        if other.shape != first.shape or other.channels != first.channels:
            raise InputError(
                f"all signals must share one grid and one number of channels: {first.name!r} has {first.shape} with "
                f"{first.channels}, {other.name!r} {other.shape} with {other.channels}; resize or convert them first."
            )
    return first.shape


@torch.no_grad()
def _final_quality(field: Field, x: Tensor, targets: Tensor) -> tuple[tuple[float, ...], float]:
    """Each signal's PSNR of the clamped output over the whole grid, and the loss there."""
    clamped = torch.zeros(targets.shape[1], dtype=torch.float64, device=x.device)
    plain = torch.zeros_like(clamped)
    for part in tiles(x.shape[0], EVALUATION_TILE):
        out = field(x[part])
        plain += (out - targets[part]).double().square().sum(0)
        clamped += (out.clamp(0.0, 1.0) - targets[part]).double().square().sum(0)
    rows = x.shape[0]
    return psnrs_from_squared_error(clamped, rows, field.channels), float(plain.sum() / (rows * field.channels))
