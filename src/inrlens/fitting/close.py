"""What a fit comes to when its loop has ended."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import nn

from inrlens.fields.field import Field
from inrlens.fitting.history import Callback, Fit, Outcome, Record
from inrlens.fitting.track import Track

Quality = Callable[[], tuple[tuple[float, ...], float]]
"""Gives each signal's PSNR on the samples used, and the loss there, of the parameters as they are."""


def plain(number: float) -> float | str:
    """A number as JSON can hold it."""
    return number if math.isfinite(number) else str(number)


@torch.no_grad()
def close(
    field: Field,
    track: Track,
    parameters: Sequence[nn.Parameter],
    quality: Quality,
    steps: int,
    callback: Callback | None = None,
) -> Fit:
    """The result of a fit of ``steps`` planned steps; how it went is added to the notes of the field's origin."""
    psnrs, loss = quality()
    if not math.isfinite(loss):
        track.roll_back(list(parameters))
        psnrs, loss = quality()
    mean = sum(psnrs) / len(psnrs)
    last = Record(track.steps, loss, mean, track.seconds)
    history = (*(row for row in track.history if row.step < track.steps), last)
    if callback is not None:
        callback(last, steps)
    fell = track.is_far_below(mean)
    if fell and track.outcome != "diverged" and not track.is_far_below(track.history[-1].psnr):
        track.note_fall(track.steps, mean)
    outcome: Outcome = track.outcome or ("diverged" if fell else "finished")
    notes = {
        **field.origin.notes,
        "steps_taken": track.steps,
        "outcome": outcome,
        "psnr_db": plain(mean),
        "divergences": [[event.step, event.kind] for event in track.divergences],
    }
    field.origin = replace(field.origin, notes=notes)
    return Fit(field, history, mean, psnrs, track.seconds, track.steps, outcome, tuple(track.divergences))
