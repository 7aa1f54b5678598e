"""The workers of one machine: a process a slot, each with one thread, each alone in dying."""

import os
import pickle
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import wait as wait_for
from types import ModuleType
from typing import Any

from inrlens.errors import InputError
from inrlens.studies.cells.task import Failed, Finished, Lost, Task
from inrlens.studies.drive.executor import Work
from inrlens.studies.drive.worker import END, serve

_SPAWN = get_context("spawn")
_PATIENCE = 10.0
"""Seconds that a process which has closed its end of the pipe may take to end."""


def workers_for(cores: int | None = None) -> int:
    """How many workers, of one thread each, keep ``cores`` busy; None means those that this process may use.

    Raises:
        InputError: where ``cores`` is below 1.
    """
    if cores is None:
        return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    if cores < 1:
        raise InputError(f"a pool needs at least 1 core, not {cores}.")
    return cores


class LocalPool:
    """An ``Executor`` of ``workers`` processes that each run one task at a time on one thread.

    A worker that dies takes only its own task with it, which is reported as ``Lost``, and is replaced. All workers die
    at once when the process that made the pool does, whatever kills it.

    Args:
        workers: how many.
        work: what they run, ``execute`` of cells by default; it must be importable in a new process. One that the
            running script itself defines makes every worker run the script again, as far as its
            ``if __name__ == "__main__":``.

    Raises:
        InputError: where ``workers`` is below 1.
    """

    def __init__(self, workers: int, work: Work | None = None) -> None:
        if workers < 1:
            raise InputError(f"a pool needs at least 1 worker, not {workers}.")
        # By name: where it is looked up decides whether torch is loaded before or after its threads are settled.
        named = ("inrlens.studies.cells.execute", "execute") if work is None else (work.__module__, work.__qualname__)
        self._slots = [_Slot(named) for _ in range(workers)]

    @property
    def slots(self) -> int:
        """The number of workers."""
        return len(self._slots)

    def submit(self, task: Task) -> None:
        """Hands a task to a free worker.

        Raises:
            ValueError: where none is free.
        """
        slot = next((slot for slot in self._slots if slot.key is None), None)
        if slot is None:
            raise ValueError(f"all {self.slots} workers are busy.")
        slot.begin(task)

    def wait(self, timeout: float) -> list[Finished]:
        """What has ended since the last call, as soon as anything has, or nothing after ``timeout`` seconds."""
        busy: dict[Any, _Slot] = {slot.connection: slot for slot in self._slots if slot.key is not None}
        return [busy[ready].end() for ready in wait_for(list(busy), timeout)]

    def close(self, *, now: bool) -> None:
        """Ends the workers: ``now``, or after what they run, whose outcome is dropped if nobody waits for it before."""
        while not now and any(slot.key is not None for slot in self._slots):
            self.wait(1.0)
        for slot in self._slots:
            slot.close(now)
        self._slots = []


class _Slot:
    """One place in the pool: a process, the pipe to it, and the key of the task that it runs."""

    def __init__(self, work: tuple[str, str]) -> None:
        self._work = work
        self.key: str | None = None
        self._process: Any = None

    def _start(self) -> None:
        self.connection, theirs = _SPAWN.Pipe()
        # Daemons are ended with the process that made them, also where nobody closes the pool.
        self._process = _SPAWN.Process(target=serve, args=(theirs, *self._work), daemon=True, name="inrlens-worker")
        with _without_ctrl_c(), _without_script(self._work[0]):
            self._process.start()
        theirs.close()

    def begin(self, task: Task) -> None:
        # Not before: a study of which everything is done needs no processes.
        if self._process is not None and not self._process.is_alive():
            self._bury()
        if self._process is None:
            self._start()
        self.key = task.key
        # A worker that dies in this moment is found by `end`, like one that dies later.
        with suppress(OSError):
            self.connection.send_bytes(pickle.dumps(task, pickle.HIGHEST_PROTOCOL))

    def end(self) -> Finished:
        key, self.key = self.key, None
        assert key is not None
        try:
            content = self.connection.recv_bytes()
        except (EOFError, OSError):
            return Lost(key, f"its worker {self._bury()}")
        try:
            outcome: Finished = pickle.loads(content)
        except Exception as error:
            return Failed(key, f"the cell's outcome could not be read: {type(error).__name__}: {error}.")
        return outcome

    def close(self, now: bool) -> None:
        if self._process is None:
            return
        if now:
            self._process.kill()
        else:
            with suppress(OSError):
                self.connection.send_bytes(END)
        self._bury()

    def _bury(self) -> str:
        """Waits for a process that is about to end; gives how it ended."""
        self._process.join(_PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        code = self._process.exitcode or 0
        self._process.close()
        self._process = None
        self.connection.close()
        return f"was killed by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"ended with code {code}"


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Within the block, processes begin deaf to Ctrl-C, which their driver hears; its own waits until after."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # which would hear it again when it begins
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _without_script(module: str) -> Iterator[None]:
    """Within the block, processes begin without running the script that made the pool, unless it defines the work.

    Otherwise a script with no ``if __name__ == "__main__":`` would drive its store again in every worker, and one that
    came through a pipe would be looked for as a file.
    """
    script = sys.modules["__main__"]
    if module != "__main__":
        sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script
