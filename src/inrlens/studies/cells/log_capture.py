"""What a cell has to say while it is computed: the log of InrLens and Python's warnings, line by line."""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class _Lines(logging.Handler):
    """Keeps what the thread that made it logs."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self._lines.append(f"{record.levelname.lower()}: {record.getMessage()}")


@contextmanager
def listening() -> Iterator[list[str]]:
    """Within the block, what InrLens logs on this thread and every warning; afterwards nothing of it is left."""
    lines: list[str] = []

    def keep(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        lines.append(f"{category.__name__}: {message}")

    logger, handler = logging.getLogger("inrlens"), _Lines(lines)
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = keep
            yield lines
    finally:
        logger.removeHandler(handler)
