"""The state of a running cell: one that was killed goes on from it, and no state that is of no use stops a cell."""

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from inrlens.errors import InputError
from inrlens.resume import Resume

_log = logging.getLogger(__name__)

STATE_SECONDS = 60.0
"""Seconds between two writings of a cell's state."""
Result = TypeVar("Result")


def with_state(path: str | None, work: Callable[[Resume | None], Result]) -> Result:
    """``work`` with its state in the file ``path``, from which it goes on where there is one.

    A state that is damaged or of another loop is removed and the cell begins anew; where none can be written, it runs
    without. Both are logged.

    Raises:
        InputError: what ``work`` raises without a state, too.
    """
    if path is None:
        return work(None)
    file = Path(path)
    resume = Resume(file, STATE_SECONDS)
    if file.exists():
        try:
            return work(resume)
        except InputError as error:
            with suppress(OSError):
                file.unlink(missing_ok=True)
            _log.warning("the cell begins anew, since its state is of no use: %s", error)
    try:
        return work(resume)
    except InputError as error:
        result = work(None)
        _log.warning("the cell kept no state: %s", error)
        return result
