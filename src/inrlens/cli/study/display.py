"""How far a running study is: one bar a kind of cell on a terminal, a plain line now and then elsewhere."""

import time
from types import TracebackType
from typing import TYPE_CHECKING

from inrlens.cli.output import duration, err, note

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from inrlens.studies.drive.executor import Executor
    from inrlens.studies.drive.progress import DriveProgress
    from inrlens.studies.drive.stop import StopRequest

_QUIET = 30.0
"""Seconds between two plain lines."""


class StudyBars:
    """A listener of ``drive``, to be used as a context manager around it."""

    def __init__(self, name: str, executor: "Executor", stop: "StopRequest") -> None:
        self._name, self._executor, self._stop = name, executor, stop
        self._last: DriveProgress | None = None
        self._live: Live | None = None
        self._said, self._told_stop = time.monotonic(), False

    def __enter__(self) -> "StudyBars":
        from rich.live import Live

        if err().is_terminal:
            self._live = Live(get_renderable=self._render, console=err(), refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, progress: "DriveProgress") -> None:
        """Takes the study's progress."""
        self._last = progress
        if self._stop.soon and not self._told_stop:
            self._told_stop = True
            note(f"stopping after the {progress.running} cells that are running; Ctrl-C again stops now.")
        if self._live is None and time.monotonic() - self._said >= _QUIET:
            self._said = time.monotonic()
            note(self._line(progress))

    def _line(self, progress: "DriveProgress") -> str:
        failed = f", {progress.failed:,} failed" if progress.failed else ""
        blocked = f", {progress.blocked:,} blocked" if progress.blocked else ""
        left = "" if progress.seconds_left is None else f", {duration(progress.seconds_left)} left"
        slots = self._executor.slots
        running = f"{progress.running} running" if slots else "no worker yet"
        return f"{self._name}: {progress.done:,} of {progress.total:,} done{failed}{blocked}, {running}{left}"

    def _render(self) -> "RenderableType":
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        if self._last is None:
            return Text(f"{self._name}: starting")
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(no_wrap=True, min_width=12)
        table.add_column(ratio=1, min_width=8)
        table.add_column(justify="right", no_wrap=True)
        for kind, found in self._last.by_kind.items():
            if found.total:
                notes = [f"{found.done:,}/{found.total:,}"]
                notes += [f"{found.running} running"] if found.running else []
                notes += [f"{found.failed:,} failed"] if found.failed else []
                table.add_row(kind, ProgressBar(total=found.total, completed=found.done), "  ".join(notes))
        return Group(Text(self._line(self._last), no_wrap=True, overflow="ellipsis"), table)
