"""What goes to the terminal: results to standard output, everything else to standard error."""

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table


@cache
def err() -> "Console":
    """The console of standard error; bars, notes, warnings and errors share it, so that none breaks another."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False)


@cache
def out() -> "Console":
    """The console of standard output."""
    from rich.console import Console

    return Console(highlight=False, markup=False)


def show(*renderables: "RenderableType") -> None:
    """Prints results."""
    for renderable in renderables:
        out().print(renderable, soft_wrap=isinstance(renderable, str))


def show_json(content: Any) -> None:
    """Prints one JSON object; dataclasses and tuples become plain, infinities and NaN become strings."""
    from pydantic_core import to_jsonable_python

    from inrlens.files import plain_json

    plain = plain_json(to_jsonable_python(content))
    out().print(json.dumps(plain, indent=2, allow_nan=False, ensure_ascii=False), soft_wrap=True)


def note(text: str) -> None:
    """A line beside the results."""
    _line(text, "dim")


def warn(text: str) -> None:
    """Something that the user should know, as one yellow line."""
    _line(f"warning: {text}", "yellow")


def fail(text: str) -> None:
    """What went wrong, as one red line."""
    _line(f"error: {text}", "red")


def _line(text: str, style: str) -> None:
    err().print(" ".join(text.split()), style=style, soft_wrap=True)


def pairs(rows: Sequence[tuple[str, str]]) -> "Table":
    """Labels and values in two columns."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(label, value)
    return table


def columns(title: str | None, *headings: str) -> "Table":
    """An empty table: the first column to the left, the others, numbers, to the right."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left", no_wrap=True)
    return table


class _Lines(logging.Handler):
    """Log records as lines: yellow ones, or notes where they are less than a warning."""

    def emit(self, record: logging.LogRecord) -> None:
        (note if record.levelno < logging.WARNING else warn)(record.getMessage())


@contextmanager
def log_as_lines() -> Iterator[None]:
    """Within the block, Python's warnings and InrLens's log are lines on standard error."""

    def show_warning(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
    ) -> None:
        warn(str(message))

    handler = _Lines()
    log = logging.getLogger("inrlens")
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = show_warning
            yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def shown_path(path: Path) -> str:
    """A path as a user would type it: relative to the working folder where it lies inside."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def duration(seconds: float) -> str:
    """``3.2 s``, ``41 s``, ``12:30``, ``1:02:03``, or ``12 days`` from two days on."""
    if seconds >= 172_800:
        return f"{seconds / 86_400:,.0f} days"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
