"""What every fit runs: S fields of one shape on S sets of signals over the same rows, from start to final quality."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field as with_default, replace
from functools import partial

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.field import EVALUATION_TILE, Field, Origin
from inrlens.fitting.compute import Compute
from inrlens.fitting.engine import Engine
from inrlens.fitting.finish_fit import Quality, close
from inrlens.fitting.history import Fit
from inrlens.fitting.loop import Problem, Tell, optimise
from inrlens.fitting.prefix import PrefixRows
from inrlens.fitting.recipes import Recipe, recipe_settings
from inrlens.fitting.resume import identity
from inrlens.interrupt import first_interrupt_asks
from inrlens.metrics import psnrs_from_squared_error
from inrlens.resume import Keeper, Resume
from inrlens.rows import tiles
from inrlens.seeding import generator
from inrlens.signals.affine import Affine
from inrlens.signals.signal import Signal
from inrlens.workers import cores, torch_on_one_thread


@dataclass(frozen=True)
class Job:
    """What is fitted how: ``Encoder.trained(start)`` and the heads; layers below ``start`` stay as they are.

    ``kind`` (single, cohort, transfer) and ``seed`` name the batches' random stream; ``notes`` go into the origin.
    """

    recipe: Recipe
    kind: str
    seed: int = 0
    start: int = 0
    notes: dict[str, object] = with_default(default_factory=dict)
    compute: Compute = with_default(default_factory=Compute)


def fit_fields(
    fields: Sequence[Field],
    signals: Sequence[Sequence[Signal]],
    job: Job,
    tell: Tell | None = None,
    resume: Resume | None = None,
    inputs: PrefixRows | None = None,
) -> list[Fit]:
    """Fits each field in place to its signals, which all lie on one grid under one mask; every field has one shape.

    Samples that the mask leaves out are seen by no step. ``inputs`` are rows that another fit on the same frozen
    layers, grid and mask has computed already. The precision of products is the caller's to set, since torch keeps one
    for all threads.
    """
    grid = one_grid([signal for own in signals for signal in own])
    first, used = fields[0], signals[0][0].used
    for field, own in zip(fields, signals, strict=True):
        field.grid = grid
        field.affine = one_affine(own)
    targets = torch.stack([torch.cat([signal.values[used] for signal in own], dim=1) for own in signals])
    targets = targets.to(first.device, first.dtype)
    engine = engine_of(fields, job, targets.shape[1])
    keeper = None
    if resume is not None:
        who = identity(fields, signals, recipe_settings(job.recipe), job.kind, job.seed, job.start)
        keeper = Keeper(resume, "fit", who, engine.cores)
    x = first.grid_coordinates(grid)[used]
    draws = generator(job.seed, job.kind, "batches")
    with first_interrupt_asks(), torch_on_one_thread() if engine.cores > 1 else nullcontext():
        if inputs is None:
            inputs = PrefixRows(first.encoder, x, job.start, engine.budget)
        gradient = partial(engine.gradient, inputs, targets)
        problem = Problem(engine.stack, gradient, len(inputs), engine.channels, engine.cores)
        recipe = job.recipe.over(len(inputs))
        tracks = optimise(problem, recipe, draws, tell, keeper)
        fits = []
        for index, (field, own, track) in enumerate(zip(fields, signals, tracks, strict=True)):
            field.origin = _origin(field, own, job)
            quality = partial(_quality, field, own, x, targets[index])
            callback = None if tell is None else partial(tell, index)
            parameters = engine.stack.parameters_of[index]
            fits.append(close(field, track, parameters, quality, recipe.steps, callback))
    engine.stack.part()
    if keeper is not None and all(fitted.outcome != "interrupted" for fitted in fits):
        keeper.end()
    return fits


def engine_of(fields: Sequence[Field], job: Job, rows: int) -> Engine:
    """The engine for the layers that a job trains over so many rows, on as many cores as torch has threads."""
    modules = [field.encoder.trained(job.start) for field in fields]
    heads = [field.head for field in fields]
    return Engine(modules, heads, fields[0].channels, job.compute, cores(), rows)


def _origin(field: Field, signals: Sequence[Signal], job: Job) -> Origin:
    recipe = recipe_settings(replace(job.recipe, backbone=field.backbone))
    return Origin(job.kind, job.seed, named(signals), recipe, {**job.notes, **left_out_note(signals)})


def named(signals: Sequence[Signal]) -> tuple[tuple[str, str], ...]:
    """Each signal's name and digest, for an origin."""
    return tuple((signal.name, signal.digest) for signal in signals)


def left_out_note(signals: Sequence[Signal]) -> dict[str, object]:
    """How many samples of each signal a mask leaves out, where it does, for an origin's notes."""
    return {"left_out": signals[0].left_out} if signals[0].left_out else {}


def _quality(field: Field, signals: Sequence[Signal], x: Tensor, targets: Tensor) -> Quality:
    """On the samples used, and each signal's PSNR on those that the mask leaves out."""
    psnrs, loss = _final_quality(field, x, targets)
    mask = signals[0].mask
    if mask is None or not signals[0].left_out:
        return Quality(psnrs, loss)
    hidden = torch.cat([signal.values[~mask] for signal in signals], dim=1).to(field.device, field.dtype)
    return Quality(psnrs, loss, _final_quality(field, field.grid_coordinates()[~mask], hidden)[0])


def one_grid(signals: Sequence[Signal]) -> tuple[int, ...]:
    """The grid that all signals share.

    Raises:
        InputError: where their grids, numbers of channels or masks differ.
    """
    first = signals[0]
    for other in signals[1:]:
        if other.shape != first.shape or other.channels != first.channels:
            raise InputError(
                f"all signals must share one grid and one number of channels: {first.name!r} has {first.shape} with "
                f"{first.channels}, {other.name!r} {other.shape} with {other.channels}; resize or convert them first."
            )
        if other.mask_digest != first.mask_digest:
            raise InputError(
                f"all signals of a fit must leave out the same samples: {first.name!r} leaves out {first.left_out}, "
                f"{other.name!r} {other.left_out} or others; give both one mask."
            )
    return first.shape


def one_affine(signals: Sequence[Signal]) -> Affine | None:
    """Where the signals' grid lies, None where they do not agree."""
    first = signals[0].affine
    return first if all(signal.affine == first for signal in signals) else None


@torch.no_grad()
def _final_quality(field: Field, x: Tensor, targets: Tensor) -> tuple[tuple[float, ...], float]:
    """Each signal's PSNR of the clamped output over ``x``, and the loss there."""
    clamped = torch.zeros(targets.shape[1], dtype=torch.float64, device=x.device)
    plain = torch.zeros_like(clamped)
    for part in tiles(x.shape[0], EVALUATION_TILE):
        out = field(x[part])
        plain += (out - targets[part]).double().square().sum(0)
        clamped += (out.clamp(0.0, 1.0) - targets[part]).double().square().sum(0)
    rows = x.shape[0]
    return psnrs_from_squared_error(clamped, rows, field.channels), float(plain.sum() / (rows * field.channels))
