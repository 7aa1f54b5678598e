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


_of_main_thread: list[Interrupt] = []


@contextmanager
def first_interrupt_asks() -> Iterator[Interrupt]:
    """Within the block, the first Ctrl-C only sets ``asked``; afterwards the earlier handling is back.

    Outside the main thread signals cannot be caught: there, ``asked`` is that of the block that the main thread is in,
    and stays False where it is in none.
    """
    if threading.current_thread() is not threading.main_thread():
        yield _of_main_thread[-1] if _of_main_thread else Interrupt()
        return
    interrupt = Interrupt()
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: FrameType | None) -> None:
        interrupt.asked = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    _of_main_thread.append(interrupt)
    try:
        yield interrupt
    finally:
        _of_main_thread.pop()
        signal.signal(signal.SIGINT, before)
