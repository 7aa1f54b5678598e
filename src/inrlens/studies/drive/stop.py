"""Ctrl-C for a driver: once, it finishes what is running; twice, it stops now."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class StopRequest:
    """What has been asked of a driver; it looks several times a second."""

    soon: bool = False
    """Hand nothing out any more, and end when what is running has ended."""
    now: bool = False
    """End at once; what is running is done anew the next time."""

    def __call__(self) -> bool:
        """Whether to stop at all."""
        return self.soon or self.now


@contextmanager
def listen_for_ctrl_c() -> Iterator[StopRequest]:
    """Within the block, the first Ctrl-C asks to stop soon, the second to stop now; SIGTERM asks to stop now.

    After that, and after the block, the earlier handling is back. On any thread but the main one, where signals cannot
    be caught, nothing is ever asked.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # What a shell has set to be ignored stays so; what was not set from Python could not be given back.
    before = {number: handler for number, handler in handlers.items() if handler not in (signal.SIG_IGN, None)}

    def give_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame: FrameType | None) -> None:
        request.now = request.soon or number == signal.SIGTERM
        request.soon = True
        if request.now:
            give_back()

    for number in before:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        give_back()
