"""What a fit records while it runs, and what it was."""

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Literal

from inrlens.fields.field import Field
from inrlens.files import whole_file

Outcome = Literal["finished", "reached", "interrupted", "diverged"]


@dataclass(frozen=True)
class Record:
    """One row of a history.

    ``step`` counts the updates made before it was measured; ``loss`` is the recipe's; ``psnr`` is the mean over
    signals in dB, output clamped to [0, 1], over the rows of that step (all samples used, or the batch); ``seconds`` is
    time since the start.
    """

    step: int
    loss: float
    psnr: float
    seconds: float


@dataclass(frozen=True)
class Divergence:
    """A moment at which a fit went wrong: a non-finite loss, or a PSNR more than 6 dB below the best so far.

    ``step`` counts the updates made before it, ``kind`` says which of the two; ``best_psnr`` is the best until then and
    ``psnr`` the one at that step, both in dB.
    """

    step: int
    kind: Literal["non-finite loss", "PSNR fell"]
    best_psnr: float
    psnr: float


@dataclass(frozen=True)
class Fit:
    """A fitted ``field`` and how it went; of a meta-learned start, the quality is that after the recipe's inner steps.

    ``history`` holds a ``Record`` every ``record_every`` steps; ``seconds`` is how long all took, ``steps`` the number
    of updates made; ``divergences`` are the moments at which it went wrong, if any. ``psnr`` (dB) is the
    mean over signals of each signal's PSNR after the last step, on every sample of the grid that is used, output
    clamped to [0, 1]; ``psnrs`` are the signals' own. ``left_out_psnrs`` are theirs on the samples that their mask
    leaves out, which no step saw; None where there are none. ``outcome`` is ``finished`` (all steps), ``reached`` (the
    recipe's ``stop_psnr``), ``interrupted`` (the field is that of the last whole step), or ``diverged`` (the loss was
    not finite: the field is the last recorded finite one; or the fit ended more than 6 dB below its best).
    """

    field: Field
    history: tuple[Record, ...]
    psnr: float
    psnrs: tuple[float, ...]
    seconds: float
    steps: int
    outcome: Outcome
    divergences: tuple[Divergence, ...]
    left_out_psnrs: tuple[float, ...] | None = None

    @property
    def left_out_psnr(self) -> float | None:
        """The mean of ``left_out_psnrs``."""
        return None if self.left_out_psnrs is None else fmean(self.left_out_psnrs)


Callback = Callable[[Record, int], None]
"""Called with every new record and the number of steps planned."""


def write_history(path: Path, history: tuple[Record, ...]) -> None:
    """Writes a history as CSV, whole or not at all."""
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "loss", "psnr", "seconds"])
        for row in history:
            writer.writerow([row.step, f"{row.loss:.9g}", f"{row.psnr:.6f}", f"{row.seconds:.4f}"])


def read_history(path: Path) -> tuple[Record, ...]:
    """Reads what ``write_history`` wrote."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return tuple(
            Record(int(row["step"]), float(row["loss"]), float(row["psnr"]), float(row["seconds"]))
            for row in csv.DictReader(file)
        )


def drop(best: float, now: float) -> float:
    """By how many dB ``now`` stands below ``best``; infinite where it is not a number."""
    return math.inf if math.isnan(now) else best - now
