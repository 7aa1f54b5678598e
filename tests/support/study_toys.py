"""Stand-ins for studies: cells that take milliseconds and need no torch, and a driver of them.

Workers import this module: it loads as little as it can.
"""

import hashlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inrlens.studies.cells.cell import Cell
from inrlens.studies.cells.plan import DataFile, StudyPlan
from inrlens.studies.cells.task import Done, Failed, Finished, Lost, Task
from inrlens.studies.config.model import StudySpec
from inrlens.studies.drive.driver import drive
from inrlens.studies.drive.executor import Work
from inrlens.studies.drive.pool import LocalPool
from inrlens.studies.store.store import Store

LOG = "INRLENS_TOY_LOG"
"""Names a file in which each cell leaves its key when it begins."""


FILE = DataFile("faces", "a.png", "test", "00", "11")
SOURCE = "name = 'toy'\n"


def plan_of(cells: Iterable[Cell], name: str = "toy", source: str = SOURCE, **more: Any) -> StudyPlan:
    """A plan of these cells."""
    spec = StudySpec(name, "Toys", data=(), backbones=())
    return StudyPlan(spec, source, tuple(cells), more.pop("signals", {}), (FILE,), **more)


def cell(kind: Any = "transfer", number: int = 0, needs: Iterable[Cell] = (), **settings: Any) -> Cell:
    """A cell whose artefact, if it is no transfer, depends on its settings and inputs."""
    keys = tuple(need.key for need in needs)
    return Cell(kind, {"kind": kind, "number": number, "needs": list(keys), **settings}, keys, (), {"number": number})


def plan(transfers: int = 24, sleep: float = 0.004) -> StudyPlan:
    """Two cohorts, transfers from both, dictionaries, analyses of them, of ``sleep`` seconds each.

    One transfer fails, and one dictionary, so that its analysis is blocked.
    """
    cohorts = [cell("cohort", number, sleep=sleep) for number in range(2)]
    moved = [cell("transfer", n, [cohorts[n % 2]], fails=n == 5, sleep=sleep) for n in range(transfers)]
    saes = [cell("dictionary", n, [cohorts[n % 2]], fails=n == 3, sleep=sleep) for n in range(6)]
    seen = [cell("analysis", n, [cohorts[n % 2], sae], sleep=sleep) for n, sae in enumerate(saes)]
    # Not in the order in which they can run.
    return plan_of((*moved, *cohorts, *seen, *saes))


def work(task: Task) -> Done | Failed:
    """A result from settings and inputs alone. ``dies`` names a file: the process kills itself unless it is there."""
    settings = task.settings
    if LOG in os.environ:
        with Path(os.environ[LOG]).open("a") as file:
            file.write(f"{task.key}\n")
    if settings.get("dies"):
        once = Path(settings["dies"])
        if settings.get("always") or not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    if settings.get("keeps_state"):
        assert task.state is not None
        Path(task.state).write_bytes(b"half way")
    time.sleep(settings.get("sleep", 0.0))
    if settings.get("raises"):
        raise ArithmeticError("no number")
    if settings.get("fails"):
        return Failed(task.key, "the toy was told to fail.", f"in process {os.getpid()}")
    inputs = hashlib.sha256(b"".join(task.inputs)).hexdigest()
    pictures = [hashlib.sha256(picture.values).hexdigest() for picture in task.pictures]
    seed = f"{task.key}{inputs}".encode()
    result = {"psnr": int.from_bytes(hashlib.sha256(seed).digest()[:2]) / 1000.0, "bad": float("nan"), "seen": pictures}
    artefact = None if task.kind == "transfer" else hashlib.sha256(seed).digest() * settings.get("size", 100)
    return Done(task.key, result, {"seconds": time.monotonic()}, artefact, f"in process {os.getpid()}")


def task(number: int = 0, **settings: Any) -> Task:
    """A cell's task as a driver hands it out."""
    made = cell("cohort", number, **settings)
    return Task(made.key, made.kind, made.settings)


def outcomes(pool: LocalPool, count: int) -> list[Finished]:
    """The next ``count`` outcomes."""
    found: list[Finished] = []
    until = time.monotonic() + 60.0
    while len(found) < count and time.monotonic() < until:
        found += pool.wait(1.0)
    return found


def environment(task: Task) -> Done | Failed:
    """What a worker finds around itself."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    found = {name: os.environ.get(name) for name in names}
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    return Done(task.key, {**found, "deaf": ignored, "torch": "torch" in sys.modules, "process": os.getpid()})


def torch_threads(task: Task) -> Done | Failed:
    """How many threads torch would use."""
    import torch

    return Done(task.key, {"threads": torch.get_num_threads()})


class Inline:
    """An executor that computes in the calling process when it is waited for, in the order of ``submit``."""

    def __init__(self, slots: int = 2, lose: Iterable[str] = (), work: Work = work) -> None:
        self.slots = slots
        self.begun: list[Task] = []
        self.most = 0
        self.closed: bool | None = None
        self._lose = list(lose)
        self._work = work
        self._outside: list[Task] = []

    def submit(self, task: Task) -> None:
        """Keeps the task."""
        self.begun.append(task)
        self._outside.append(task)
        self.most = max(self.most, len(self._outside))

    def wait(self, timeout: float) -> list[Finished]:
        """Computes the oldest one; one whose key is in ``lose`` is lost, as often as it is there."""
        if not self._outside:
            return []
        task = self._outside.pop(0)
        if task.key in self._lose:
            self._lose.remove(task.key)
            return [Lost(task.key, "its worker was told to die")]
        return [self._work(task)]

    def close(self, *, now: bool) -> None:
        """Notes how it was closed."""
        self.closed = now


def main(folder: str) -> None:
    """Drives the toy plan with two workers, for a process of its own."""

    os.environ[LOG] = str(Path(folder) / "log")
    with Store.open(folder, write=True) as store:
        drive(store, plan(), LocalPool(2, work))
