"""Ctrl-C as a question: the first one ends a loop after the running step, the second stops at once.

SIGTERM, by which clusters and service managers announce the end, asks in the same way.
"""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

_log = logging.getLogger(__name__)


@dataclass
class Interrupt:
    """Set by the first Ctrl-C or SIGTERM; a loop looks at it after every step."""

    asked: bool = False


_listening: list[Interrupt] = []
"""That of the main thread's block, if it is in one."""


@contextmanager
def first_interrupt_asks() -> Iterator[Interrupt]:
    """Within the block, the first Ctrl-C or SIGTERM only sets ``asked`` and tells the log; then the earlier handling
    is back.

    Blocks inside a block, on whatever thread, share its answer: all loops of a run end. Where the main thread is in no
    block, signals cannot be caught on another thread, and ``asked`` stays False there.
    """
    outer = _listening[:1]
    if outer or threading.current_thread() is not threading.main_thread():
        yield outer[0] if outer else Interrupt()
        return
    interrupt = Interrupt()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # What a shell has set to be ignored stays so; what was not set from Python could not be given back.
    before = {number: handler for number, handler in handlers.items() if handler not in (signal.SIG_IGN, None)}

    def give_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame: FrameType | None) -> None:
        interrupt.asked = True
        give_back()
        _log.info("stopping after this step; Ctrl-C again stops now.")

    for number in before:
        signal.signal(number, ask)
    _listening.append(interrupt)
    try:
        yield interrupt
    finally:
        _listening.pop()
        give_back()
