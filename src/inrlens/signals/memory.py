"""Whether the machine's memory holds a signal, asked before it is read."""

import math
import os

from inrlens.errors import InputError
from inrlens.signals.sizing import sides

_FLOAT = 4


def check_memory(name: str, shape: tuple[int, ...], channels: int = 1) -> None:
    """Refuses a signal that no fit on this machine could hold.

    A fit keeps at least the values, a copy of them as its targets, and the coordinates: ``N (2c + m)`` float32.

    Raises:
        InputError: where that is more than the machine's memory; nothing is refused where the system does not say.
    """
    needed, there = _FLOAT * math.prod(shape) * (2 * channels + len(shape)), physical_memory()
    if there is not None and needed > there:
        raise InputError(
            f"{name} holds {sides(shape)} samples of {channels} channel{'s' if channels > 1 else ''}, for which a fit "
            f"needs at least {needed / 2**30:.1f} GiB, and this machine has {there / 2**30:.1f} GiB: cut a part out, "
            "or bring it to a coarser grid first."
        )


def physical_memory() -> int | None:
    """The machine's memory in bytes; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
