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
from inrlens.studies.opened import OpenRun
from inrlens.studies.record import ConditionRecord

AMPLIFICATIONS = (1, 2, 5, 10, 20, 50, 100, 200)


@dataclass(frozen=True)
class Reconstruction:
    """One head's picture beside its signal; ``error`` is the mean absolute error over channels, amplified."""

    title: str
    signal: str
    original: Picture
    reconstruction: Picture
    error: Picture
    psnr: str
    ssim: str


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
    for condition in conditions if run.pictures else ():
        pictures = [image.cpu() for image in run.field(condition).render_all()]
        for head, (position, image) in enumerate(zip(condition.signals, pictures, strict=True)):
            rendered[condition.name, head] = image
            errors[condition.name, head] = (image.clamp(0.0, 1.0) - run.signal(position).image()).abs().mean(-1)
            counted.append(errors[condition.name, head].reshape(-1)[run.signal(position).used])
    factor = _amplification(counted) if counted else 1
    made = {
        (c.name, head): _reconstruction(run, c, head, rendered[c.name, head], errors[c.name, head], factor)
        for c in conditions
        for head in range(len(c.signals))
        if rendered
    }
    name = run.signal(conditions[0].signals[0]).name
    times = f"amplified {factor} times" if factor > 1 else "not amplified"
    what = (
        f"Original, reconstruction and absolute error of {name}, mean over channels, {times}: the "
        f"palest yellow is an error of {words.significant(1.0 / factor, 2)} or more on values from 0 to 1. PSNR and "
        f"SSIM are this picture's own, output clamped to [0, 1].{_left_out(run)}"
    )
    return Reconstructions(
        reading=quality_reading(conditions),
        what=what,
        first=tuple(made[c.name, 0] for c in conditions if (c.name, 0) in made),
        others=tuple(
            (words.condition_title(c.kind, c.backbone), tuple(made[c.name, head] for head in range(1, len(c.signals))))
            for c in conditions
            if len(c.signals) > 1 and made
        ),
        history=_history(run),
    )


def _left_out(run: OpenRun) -> str:
    """What a reader must know of masked pictures."""
    if not any(signal.left_out for signal in run.signals):
        return ""
    return (
        " Hatched are samples that a mask leaves out: no step saw them, they count in no error and no PSNR, and SSIM, "
        "whose windows would see them, is not given. The reconstruction shows what the network makes of them."
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
    similar = ssim(image, signal.image()) if min(signal.shape) >= 11 and not signal.left_out else None
    left_out = None if signal.mask is None else ~signal.mask.reshape(signal.shape)
    hatched = "" if left_out is None else ", hatched where samples are left out"
    return Reconstruction(
        title=title,
        signal=signal.name,
        original=picture(signal.image(), f"{signal.name}, original{hatched}", left_out),
        reconstruction=picture(image, f"{signal.name}, reconstruction of the {title} network, {quality}"),
        error=heat_map(
            error, f"Absolute error of the {title} network on {signal.name}{hatched}", 1.0 / factor, left_out
        ),
        psnr=quality,
        ssim=words.fixed(similar, 3),
    )
