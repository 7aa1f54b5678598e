"""What a driver tells while it runs, and when it has ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from inrlens.studies.cells.cell import Cell, CellKind
from inrlens.studies.cells.task import Done, Failed


@dataclass(frozen=True)
class KindProgress:
    """How many cells of one kind are done, have failed, run, and there are in all."""

    done: int
    failed: int
    running: int
    total: int


@dataclass(frozen=True)
class DriveProgress:
    """Where a study stands: cells done (those from earlier runs too), failed, running, blocked, and in all.

    ``seconds_left`` is None until something is known of every kind that is left. ``finished`` is the cell that has
    just got its outcome; None where it is only time to show something.
    """

    done: int
    failed: int
    running: int
    blocked: int
    total: int
    by_kind: Mapping[CellKind, KindProgress]
    seconds_left: float | None
    finished: tuple[Cell, Done | Failed] | None = None


DriveListener = Callable[[DriveProgress], None]


@dataclass(frozen=True)
class DriveSummary:
    """What a run did: cells done, failed (in this run and, left alone, in earlier ones), and skipped as done before.

    ``waiting`` cells were not reached before the stop; ``blocked`` ones need a cell that failed.
    """

    done: int
    failed: int
    skipped: int
    waiting: int
    blocked: int
    seconds: float
