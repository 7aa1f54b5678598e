"""What fit, cohort and transfer share: run it under a bar, write its folder, show what came out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import typer

from inrlens.cli.output import duration, note, pairs, show, show_json, shown_path, warn
from inrlens.cli.progress import Bar, told_where_slow
from inrlens.cli.resume import begin_anew, naming_state, only_one, state_file
from inrlens.cli.run_output import new_run

if TYPE_CHECKING:
    from inrlens.fitting.history import Callback, Fit
    from inrlens.resume import Resume
    from inrlens.signals.folders import Skipped
    from inrlens.signals.signal import Signal
    from inrlens.studies.record import ConditionRecord


@dataclass(frozen=True)
class RunFolder:
    """Where a fit writes: the folder, whether it may be replaced, whether the state beside it is continued, and every
    how many seconds that state is kept.
    """

    out: Path
    replace: bool
    resume: bool
    save_every: float


def fit_into_folder(
    where: RunFolder,
    as_json: bool,
    title: str,
    signals: "Sequence[Signal]",
    work: "Callable[[Callback, Resume], Fit]",
    skipped: "Sequence[Skipped]" = (),
    expected: float | None = None,
) -> None:
    """Runs ``work`` with a callback that moves a bar and a place for its state, writes the run folder, shows numbers.

    ``expected`` are the seconds that it is thought to take, by which the bar moves before the first step has ended.

    Raises:
        typer.Exit: with code 130 where Ctrl-C ended it; what was reached is kept.
    """
    from inrlens.interrupt import first_interrupt_asks
    from inrlens.resume import Resume
    from inrlens.studies.run_folder import write_fit_run

    out = where.out
    state = Resume(state_file(out), where.save_every, keep=True)
    # One block for the fit and for writing it down: the results of a long fit outlive a Ctrl-C that comes in between.
    with naming_state(out), new_run(out, where.replace) as folder, only_one(out), first_interrupt_asks():
        begin_anew(out, where.resume)
        with Bar(title, expected) as bar:
            fitted = work(lambda record, steps: bar.tell(record.step / steps, f"PSNR {record.psnr:.1f} dB"), state)
        with told_where_slow("measuring the network and writing the run"):
            record = write_fit_run(folder, fitted, signals)
    if fitted.outcome != "interrupted":
        state_file(out).unlink(missing_ok=True)
    condition = record.conditions[0]
    if as_json:
        show_json(_numbers(out, condition, signals, skipped))
    else:
        show(pairs([*_rows(condition, signals), ("written to", shown_path(out))]))
    if condition.outcome == "diverged":
        warn("the fit diverged: a lower --lr may help.")
    if condition.outcome == "interrupted":
        note(
            f"interrupted: {shown_path(out)} holds the network as it was after step {condition.steps}; "
            f"the same command with --resume goes on from there."
        )
        raise typer.Exit(130)


def _rows(condition: "ConditionRecord", signals: "Sequence[Signal]") -> list[tuple[str, str]]:
    rows = [("PSNR", f"{condition.psnr:.2f} dB{_mean(signals)}")]
    if condition.left_out_psnrs is not None:
        rows.append(("left out", _left_out(condition.left_out_psnrs, signals)))
        rows.append(("SSIM", "none: its windows would see samples that are left out"))
    if condition.ssim is not None:
        rows.append(("SSIM", f"{condition.ssim:.4f}{_mean(signals)}"))
    if len(signals) > 1:
        order = sorted(range(len(signals)), key=lambda index: condition.psnrs[index])
        low, high = order[0], order[-1]
        rows.append(("lowest", f"{condition.psnrs[low]:.2f} dB, {signals[low].name}"))
        rows.append(("highest", f"{condition.psnrs[high]:.2f} dB, {signals[high].name}"))
    rows.append(("steps", f"{condition.steps:,} in {duration(condition.seconds)}, {condition.outcome}"))
    events = [f"step {event.step}: {event.kind}" for event in condition.divergences]
    rows.append(("divergences", "; ".join(events) or "none"))
    rows.append(("recipe", str(condition.recipe["name"])))
    if condition.kind == "cohort":
        rows.append(("advice", condition.advice))
    if condition.kind == "transfer":
        rows.append(("start", _start(condition.notes)))
    return rows


def _left_out(psnrs: "Sequence[float]", signals: "Sequence[Signal]") -> str:
    left, every = signals[0].left_out, len(signals[0].values)
    each = " of each signal" if len(signals) > 1 else ""
    return f"{left:,} of {every:,} samples{each} by the mask; PSNR there {fmean(psnrs):.2f} dB{_mean(signals)}"


def _start(notes: "dict[str, Any]") -> str:
    from inrlens.reports.words import source

    freeze, rest, warm = notes["freeze"], notes["rest"], f"warm from the {source(notes)}"
    head = ", the head too" if notes["head"] == "warm" else ""
    if freeze is None:
        return "nothing reused (scratch)" if rest == "reinit" else f"nothing frozen, every layer {warm}{head}"
    frozen = "layer 0 frozen" if freeze == 0 else f"layers 0 to {freeze} frozen"
    return f"{frozen}, the rest {'reinitialised' if rest == 'reinit' else warm}{head}"


def _mean(signals: "Sequence[Signal]") -> str:
    return f", mean over {len(signals)} signals" if len(signals) > 1 else ""


def _numbers(
    out: Path, condition: "ConditionRecord", signals: "Sequence[Signal]", skipped: "Sequence[Skipped]"
) -> dict[str, Any]:
    return {
        "folder": str(out),
        "kind": condition.kind,
        "backbone": condition.backbone,
        "recipe": condition.recipe,
        "seed": condition.seed,
        "psnr": condition.psnr,
        "ssim": condition.ssim,
        "left_out": signals[0].left_out,
        "left_out_psnr": None if condition.left_out_psnrs is None else fmean(condition.left_out_psnrs),
        "signals": [
            {"name": signal.name, "psnr": psnr, "left_out_psnr": left}
            for signal, psnr, left in zip(
                signals, condition.psnrs, condition.left_out_psnrs or [None] * len(signals), strict=True
            )
        ],
        "skipped": list(skipped),
        "steps": condition.steps,
        "seconds": condition.seconds,
        "outcome": condition.outcome,
        "divergences": condition.divergences,
        "weight_stable_rank": condition.ranks.weight,
        "tau": condition.tau,
        "margin": condition.margin,
        "advice": condition.advice,
        "notes": condition.notes,
    }
