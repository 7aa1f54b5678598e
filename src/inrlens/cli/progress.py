"""Bars on standard error: what is running, how far it is, how well it does, and the time left."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from inrlens.cli.output import duration, err, note

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from inrlens.studies.progress import Progress

_STAGE_LABEL = 31


class _Countdown:
    """Time so far; time left, reckoned from the first telling on, which counts down between two tellings."""

    def __init__(self) -> None:
        self._made = time.monotonic()
        self._started: float | None = None
        self._end: float | None = None

    def tell(self, done: float) -> None:
        now = time.monotonic()
        if self._started is None:
            self._started = now
        elapsed = now - self._started
        if done >= 0.002 and elapsed >= 1.0:
            self._end = now + elapsed * (1.0 - done) / done

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._made

    @property
    def knows(self) -> bool:
        """Whether enough was told to reckon the time left."""
        return self._end is not None

    def text(self) -> str:
        if self._end is None:
            return f"{duration(self.elapsed)} so far"
        return f"{duration(max(0.0, self._end - time.monotonic()))} left"


@contextmanager
def told_where_slow(what: str, seconds: float = 2.0) -> Iterator[None]:
    """Says what is being done where the block takes longer than ``seconds``."""
    timer = threading.Timer(seconds, note, [f"{what} ..."])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class Bar:
    """One bar, for one fit or one training; a single plain line at the end where there is no terminal.

    ``tell`` takes the share that is done (0 to 1) and a detail such as ``PSNR 31.2 dB``. ``expected`` are the seconds
    that all is thought to take: the bar moves by them until what was told says more.
    """

    def __init__(self, title: str, expected: float | None = None) -> None:
        self._title, self._expected = title, expected
        self._done, self._detail = 0.0, ""
        self._clock = _Countdown()
        self._live: Live | None = None

    def __enter__(self) -> "Bar":
        if err().is_terminal:
            self._live = _live(self)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()
        elif kind is None:
            detail = f", {self._detail}" if self._detail else ""
            err().print(f"{self._title}: {duration(self._clock.elapsed)}{detail}", soft_wrap=True)

    def tell(self, done: float, detail: str) -> None:
        """Moves the bar."""
        self._done, self._detail = done, detail
        self._clock.tell(done)

    def __rich__(self) -> "RenderableType":
        done, left = self._done, self._clock.text()
        if self._expected is not None and not self._clock.knows:
            done = max(done, min(0.99, self._clock.elapsed / self._expected))
            left = f"about {duration(max(0.0, self._expected - self._clock.elapsed))} left"
        return _rows([(self._title, done, f"{self._detail}  {left}")])


class StageBars:
    """Two bars, for all stages and for the running one; a line for every finished stage, with or without a terminal."""

    def __init__(self) -> None:
        self._last: Progress | None = None
        self._clock = _Countdown()
        self._stage_started = time.monotonic()
        self._live: Live | None = None

    def __enter__(self) -> "StageBars":
        if err().is_terminal:
            self._live = _live(self)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()
        if kind is None and self._last is not None and self._last.stage_done >= 1.0 - 1e-9:
            self._finished(self._last)

    def __call__(self, progress: "Progress") -> None:
        """Takes a run's progress."""
        if self._last is None or progress.stage != self._last.stage:
            if self._last is not None:
                self._finished(self._last)
            self._stage_started = time.monotonic()
        self._last = progress
        self._clock.tell(progress.whole_done)

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        if self._last is None:
            return Text("starting")
        now = self._last
        stage = f"{now.number}/{now.stages} {now.stage}"
        bars = _rows(
            [("whole demo", now.whole_done, self._clock.text()), (stage, now.stage_done, "")],
            _STAGE_LABEL,
        )
        return Group(bars, Text(f"  {now.detail}", style="dim", no_wrap=True, overflow="ellipsis"))

    def _finished(self, stage: "Progress") -> None:
        seconds = time.monotonic() - self._stage_started
        counter = f"{stage.number:>{len(str(stage.stages))}}/{stage.stages}"
        line = f"{counter}  {stage.stage:<29} {duration(seconds):>6}  {stage.detail}"
        if self._live is None:
            err().print(line.rstrip(), soft_wrap=True)
        else:
            err().print(line.rstrip(), no_wrap=True, overflow="ellipsis")


def _live(renderable: "RenderableType") -> "Live":
    from rich.live import Live

    return Live(renderable, console=err(), refresh_per_second=5, transient=True)


def _rows(rows: list[tuple[str, float, str]], label: int = 0) -> "RenderableType":
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis", min_width=label, max_width=34)
    table.add_column(ratio=1, min_width=8)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for title, done, text in rows:
        table.add_row(title, ProgressBar(total=1.0, completed=min(done, 1.0)), f"{100 * min(done, 1.0):.0f}%", text)
    return table
