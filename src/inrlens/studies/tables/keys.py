"""What statistics are made over: pictures, and the runs that were made on each."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from inrlens.errors import InputError
from inrlens.studies.tables.records import SingleRow, TransferRow

FitRow = TransferRow | SingleRow
Measure = Literal["psnr", "ssim", "lpips"]
MEASURES: tuple[Measure, ...] = ("psnr", "ssim", "lpips")
Value = Callable[[FitRow], float | None]
"""The number that is looked at in a row; None where it was not measured."""


class Picture(NamedTuple):
    """A picture by its data set and its name."""

    data: str
    image: str


class Run(NamedTuple):
    """The seeds of a fit; ``cohort_seed`` is None where no cohort is reused."""

    cohort_seed: int | None
    seed: int


def picture(row: FitRow) -> Picture:
    """The picture that a row's network was fitted to."""
    return Picture(row.target if isinstance(row, TransferRow) else row.data, row.image)


def source(row: FitRow) -> str | None:
    """The data set whose cohort a row reuses; None for fits from scratch."""
    return row.source if isinstance(row, TransferRow) else None


def run(row: FitRow) -> Run:
    """The seeds of a row."""
    return Run(row.cohort_seed if isinstance(row, TransferRow) else None, row.seed)


def setting(row: FitRow) -> str:
    """The row's setting; a fit of one picture has the name ``single``."""
    return row.setting if isinstance(row, TransferRow) else "single"


def conditions(row: FitRow) -> tuple[Any, ...]:
    """Everything but the picture and the seeds that tells rows apart."""
    return source(row), row.backbone, setting(row), row.variant, row.split


def value_of(measure: str) -> Value:
    """How ``psnr`` (dB), ``ssim`` or ``lpips`` is read from a row.

    Raises:
        InputError: for any other name.
    """
    if measure not in MEASURES:
        raise InputError(f"measure {measure!r} is not known; allowed are {', '.join(MEASURES)}.")

    def value(row: FitRow) -> float | None:
        return getattr(row, measure)  # type: ignore[no-any-return]

    return value


def seed_count(runs: Iterable[Run]) -> int:
    """How many different seeds, or pairs of a cohort's seed and a fit's, stand behind a number."""
    return len(set(runs))
