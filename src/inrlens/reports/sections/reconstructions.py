"""Reconstructions beside their originals, and how the fits got there."""

from dataclasses import dataclass

import torch
from torch import Tensor

from inrlens.fields.quality import signal_psnr
from inrlens.metrics import ssim
from inrlens.reports import words
from inrlens.reports.figures.fits import history_panels
from inrlens.reports.parts import Figure, condition_keys
from inrlens.reports.pictures import Picture, heat_map, picture
from inrlens.reports.readings.fits import history_reading, quality_reading
from inrlens.reports.views import how_cut, how_heard
from inrlens.studies.record import ConditionRecord
from inrlens.studies.run_reader import OpenRun

AMPLIFICATIONS = (1, 2, 5, 10, 20, 50, 100, 200)


@dataclass(frozen=True)
class Reconstruction:
    """One head's output beside its signal; ``error`` is the mean absolute error over channels, amplified; ``ssim`` is
    None where the signal is no picture."""

    title: str
    signal: str
    original: Picture
    reconstruction: Picture
    error: Picture
    psnr: str
    ssim: str | None


@dataclass(frozen=True)
class Reconstructions:
    """Signal 0 under every condition, then every head of the cohorts; ``amplified`` is the factor of the error maps."""

    reading: str
    what: str
    first: tuple[Reconstruction, ...]
    others: tuple[tuple[str, tuple[Reconstruction, ...]], ...]
    history: Figure | None


def reconstructions(run: OpenRun) -> Reconstructions | None:
    """None where the run has no network."""
    conditions = run.record.conditions
    if not conditions:
        return None
    rendered: dict[tuple[str, int], Tensor] = {}
    errors: dict[tuple[str, int], Tensor] = {}
    counted: list[Tensor] = []
    for condition in conditions:
        pictures = [image.cpu() for image in run.field(condition).render_all()]
        for head, (position, image) in enumerate(zip(condition.signals, pictures, strict=True)):
            signal = run.signal(position)
            rendered[condition.name, head] = image
            errors[condition.name, head] = (image.clamp(0.0, 1.0) - signal.image()).abs().mean(-1)
            counted.append(errors[condition.name, head].reshape(-1)[signal.used])
    factor = _amplification(counted)
    made = {
        (c.name, head): _reconstruction(run, c, head, rendered[c.name, head], errors[c.name, head], factor)
        for c in conditions
        for head in range(len(c.signals))
    }
    shown = run.signal(conditions[0].signals[0])
    times = f"amplified {factor} times" if factor > 1 else "not amplified"
    own = "PSNR and SSIM are" if len(shown.shape) == 2 else "PSNR is"
    difference = " The error's spectrogram is that of the difference." if len(shown.shape) == 1 else ""
    what = (
        f"Original, reconstruction and absolute error of {shown.name}, mean over channels, {times}: the "
        f"palest yellow is an error of {words.significant(1.0 / factor, 2)} or more on values from 0 to 1. {own} "
        f"this {words.thing(shown.shape)}'s own, output clamped to [0, 1]."
        f"{how_cut(shown.shape)}{how_heard(shown)}{difference}{_how_left_out(run)}"
    )
    return Reconstructions(
        reading=quality_reading(conditions),
        what=what,
        first=tuple(made[c.name, 0] for c in conditions),
        others=tuple(
            (words.condition_title(c.kind, c.backbone), tuple(made[c.name, head] for head in range(1, len(c.signals))))
            for c in conditions
            if len(c.signals) > 1
        ),
        history=_history(run),
    )


def _how_left_out(run: OpenRun) -> str:
    """What a reader must know of masked signals."""
    masked = next((signal for signal in run.signals if signal.left_out), None)
    if masked is None:
        return ""
    drawn = "Silent in the original" if len(masked.shape) == 1 else "Hatched"
    ssim_too = ", and SSIM, whose windows would see them, is not given" if len(masked.shape) == 2 else ""
    return (
        f" {drawn} are samples that a mask leaves out: no step saw them, they count in no error and no PSNR{ssim_too}. "
        "The reconstruction shows what the network makes of them."
    )


def _history(run: OpenRun) -> Figure | None:
    histories = [(condition, run.history(condition)) for condition in run.record.conditions]
    histories = [(condition, rows) for condition, rows in histories if len(rows) > 1]
    if not histories:
        return None
    return Figure(
        name="history",
        reading=history_reading(histories),
        what="PSNR of each recorded step's own coordinates against seconds; the last point is over all that is "
        "used of the grid, and the mean over signals for a cohort. One fit a line.",
        panels=tuple(history_panels(histories)),
        keys=condition_keys([condition for condition, _ in histories]),
    )


def _amplification(errors: list[Tensor]) -> int:
    """The largest factor at which 98 % of all error pixels still fit on the scale."""
    pooled = torch.cat([error.reshape(-1) for error in errors])
    high = float(torch.sort(pooled)[0][int(0.98 * (pooled.numel() - 1))])
    fitting = [factor for factor in AMPLIFICATIONS if factor * high <= 1.0]
    return max(fitting, default=1)


def _reconstruction(
    run: OpenRun, condition: ConditionRecord, head: int, image: Tensor, error: Tensor, factor: int
) -> Reconstruction:
    signal = run.signal(condition.signals[head])
    title = words.condition_title(condition.kind, condition.backbone)
    quality = words.db(signal_psnr(image, signal), 2)
    windowed = len(signal.shape) == 2 and min(signal.shape) >= 11 and not signal.left_out
    similar = ssim(image, signal.image()) if windowed else None
    difference = 0.5 + image - signal.image() if len(signal.shape) == 1 else None
    original, left_out, hatched = signal.image(), None, ""
    if signal.mask is not None:
        # What lies under the mask must not show, not even where several samples share a pixel or a bin.
        left_out = ~signal.mask.reshape(signal.shape)
        original = original.masked_fill(left_out[..., None], 0.5)
        error = error.masked_fill(left_out, 0.0)
        difference = None if difference is None else difference.masked_fill(left_out[..., None], 0.5)
        hatched = ", without the samples left out"
    return Reconstruction(
        title=title,
        signal=signal.name,
        original=picture(original, f"{signal.name}, original{hatched}", left_out=left_out),
        reconstruction=picture(image, f"{signal.name}, reconstruction of the {title} network, {quality}"),
        error=heat_map(
            error,
            f"Absolute error of the {title} network on {signal.name}{hatched}",
            1.0 / factor,
            sound=difference,
            left_out=left_out,
        ),
        psnr=quality,
        ssim=words.fixed(similar, 3) if len(signal.shape) == 2 else None,
    )
