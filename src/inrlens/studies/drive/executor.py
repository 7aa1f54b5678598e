"""What the driver asks of whoever computes: a local pool, a cluster."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from inrlens.studies.cells.task import Finished, Task

Work = Callable[[Task], Finished]
"""What a worker runs: ``inrlens.studies.cells.execute.execute``, or a stand-in in tests. It must be importable."""


@runtime_checkable
class Executor(Protocol):
    """Workers that take one task each; used from one thread."""

    @property
    def slots(self) -> int:
        """How many tasks can run at the same time; it may change as workers come and go."""
        ...

    def submit(self, task: Task) -> None:
        """Hands a task out; the driver never has more than ``slots`` of them outside."""
        ...

    def wait(self, timeout: float) -> list[Finished]:
        """What has ended since the last call, as soon as anything has, or nothing after ``timeout`` seconds."""
        ...

    def close(self, *, now: bool) -> None:
        """Ends the workers: after what they run, or ``now``, whatever they run."""
        ...
