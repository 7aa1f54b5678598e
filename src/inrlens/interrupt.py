"""Ctrl-C as a question: the first one ends a loop after the running step, the second stops at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class Interrupt:
    """Set by the first Ctrl-C; a loop looks at it after every step."""

    asked: bool = False


_listening: list[Interrupt] = []
"""That of the main thread's block, if it is in one."""


@contextmanager
def first_interrupt_asks() -> Iterator[Interrupt]:
    """Within the block, the first Ctrl-C only sets ``asked``; afterwards the earlier handling is back.

    Blocks inside a block, on whatever thread, share its answer: all loops of a run end. Where the main thread is in no
    block, signals cannot be caught on another thread, and ``asked`` stays False there.
    """
    if _listening or threading.current_thread() is not threading.main_thread():
        yield _listening[0] if _listening else Interrupt()
        return
    interrupt = Interrupt()
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: FrameType | None) -> None:
        interrupt.asked = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    _listening.append(interrupt)
    try:
        yield interrupt
    finally:
        _listening.pop()
        signal.signal(signal.SIGINT, before)
