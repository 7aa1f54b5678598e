"""What a fit comes to when its loop has ended."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import torch
from torch import nn

from inrlens.fields.field import Field
from inrlens.fitting.fit_progress import FitProgress
from inrlens.fitting.history import Callback, Fit, Outcome, Record


@dataclass(frozen=True)
class Quality:
    """Each signal's PSNR on all samples that are used, the loss there, and each one's PSNR on those that are not."""

    psnrs: tuple[float, ...]
    loss: float
    left_out_psnrs: tuple[float, ...] | None = None


@torch.no_grad()
def close(
    field: Field,
    track: FitProgress,
    parameters: Sequence[nn.Parameter],
    measure: Callable[[], Quality],
    steps: int,
    callback: Callback | None = None,
) -> Fit:
    """The result of a fit of ``steps`` planned steps; how it went is added to the notes of the field's origin.

    ``measure`` gives the quality of the parameters as they are.
    """
    quality = measure()
    if not math.isfinite(quality.loss):
        track.roll_back(list(parameters))
        quality = measure()
    mean = fmean(quality.psnrs)
    last = Record(track.steps, quality.loss, mean, track.seconds)
    history = (*(row for row in track.history if row.step < track.steps), last)
    if callback is not None:
        callback(last, steps)
    fell = track.is_far_below(mean)
    if fell and track.outcome != "diverged" and not track.is_far_below(track.history[-1].psnr):
        track.note_fall(track.steps, mean)
    outcome: Outcome = track.outcome or ("diverged" if fell else "finished")
    left_out = quality.left_out_psnrs
    notes = {**field.origin.notes, "steps_taken": track.steps, "outcome": outcome, "psnr_db": _plain(mean)}
    if left_out is not None:
        notes["left_out_psnr_db"] = _plain(fmean(left_out))
    notes["divergences"] = [[event.step, event.kind] for event in track.divergences]
    field.origin = replace(field.origin, notes=notes)
    return Fit(
        field,
        history,
        mean,
        quality.psnrs,
        track.seconds,
        track.steps,
        outcome,
        tuple(track.divergences),
        left_out,
    )


def _plain(number: float) -> float | str:
    """A number as JSON can hold it."""
    return number if math.isfinite(number) else str(number)
