"""What every fit runs: S fields of one shape on S sets of signals over the same rows, from start to final quality."""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field as with_default, replace

import torch
from torch import Tensor, nn

from inrlens.errors import InputError
from inrlens.fields.field import EVALUATION_TILE, Field, Origin
from inrlens.fitting.compute import Compute
from inrlens.fitting.engine import Engine
from inrlens.fitting.history import Fit, Outcome, Record
from inrlens.fitting.loop import Tell, optimise
from inrlens.fitting.prefix import PrefixRows
from inrlens.fitting.recipes import Recipe, recipe_settings
from inrlens.fitting.resume import identity
from inrlens.fitting.track import Track
from inrlens.interrupt import first_interrupt_asks
from inrlens.metrics import psnrs_from_squared_error
from inrlens.resume import Keeper, Resume
from inrlens.rows import tiles
from inrlens.seeding import generator
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
    """Fits each field in place to its signals, which all lie on one grid; every field has one shape.

    ``inputs`` are rows that another fit on the same frozen layers and grid has computed already. The precision of
    products is the caller's to set, since torch keeps one for all threads.
    """
    grid = one_grid([signal for own in signals for signal in own])
    first = fields[0]
    for field in fields:
        field.grid = grid
    targets = torch.stack([torch.cat([signal.values for signal in own], dim=1) for own in signals])
    targets = targets.to(first.device, first.dtype)
    engine = engine_of(fields, job, targets.shape[1])
    keeper = None
    if resume is not None:
        who = identity(fields, signals, job.recipe, job.kind, job.seed, job.start)
        keeper = Keeper(resume, "fit", who, engine.cores)
    x = first.grid_coordinates(grid)
    draws = generator(job.seed, job.kind, "batches")
    with first_interrupt_asks(), torch_on_one_thread() if engine.cores > 1 else nullcontext():
        if inputs is None:
            inputs = PrefixRows(first.encoder, x, job.start, engine.budget)
        tracks = optimise(engine, inputs, targets, job.recipe, draws, tell, keeper)
        fits = []
        for index, (field, own, track) in enumerate(zip(fields, signals, tracks, strict=True)):
            trained = engine.stack.parameters_of[index]
            fits.append(_close(index, field, own, x, targets[index], track, trained, job, tell))
    engine.stack.part()
    if keeper is not None and all(fitted.outcome != "interrupted" for fitted in fits):
        keeper.end()
    return fits


def engine_of(fields: Sequence[Field], job: Job, rows: int) -> Engine:
    """The engine for the layers that a job trains over so many rows, on as many cores as torch has threads."""
    modules = [field.encoder.trained(job.start) for field in fields]
    heads = [field.head for field in fields]
    return Engine(modules, heads, fields[0].channels, job.compute, cores(), rows)


@torch.no_grad()
def _close(
    index: int,
    field: Field,
    signals: Sequence[Signal],
    x: Tensor,
    targets: Tensor,
    track: Track,
    parameters: list[nn.Parameter],
    job: Job,
    tell: Tell | None,
) -> Fit:
    """The result of one field of a stack: its quality on the whole grid, and where it came from."""
    psnrs, loss = _final_quality(field, x, targets)
    if not math.isfinite(loss):
        track.roll_back(list(parameters))
        psnrs, loss = _final_quality(field, x, targets)
    mean = sum(psnrs) / len(psnrs)
    last = Record(track.steps, loss, mean, track.seconds)
    history = (*(row for row in track.history if row.step < track.steps), last)
    if tell is not None:
        tell(index, last, job.recipe.steps)
    fell = track.is_far_below(mean)
    if fell and track.outcome != "diverged" and not track.is_far_below(track.history[-1].psnr):
        track.note_fall(track.steps, mean)
    outcome: Outcome = track.outcome or ("diverged" if fell else "finished")
    field.origin = Origin(
        kind=job.kind,
        seed=job.seed,
        signals=tuple((signal.name, signal.digest) for signal in signals),
        recipe=recipe_settings(replace(job.recipe, backbone=field.backbone)),
        notes={
            **job.notes,
            "steps_taken": track.steps,
            "outcome": outcome,
            "psnr_db": mean if math.isfinite(mean) else str(mean),
            "divergences": [[event.step, event.kind] for event in track.divergences],
        },
    )
    return Fit(field, history, mean, psnrs, track.seconds, track.steps, outcome, tuple(track.divergences))


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
