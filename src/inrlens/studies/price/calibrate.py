"""How fast this machine is at a study's work, measured with that work."""

import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median
from threading import BrokenBarrierError

import torch

from inrlens.errors import InputError
from inrlens.studies.cells.plan import StudyPlan
from inrlens.studies.price.benchmarks import Piece, class_of, piece_of, prepare
from inrlens.studies.price.operations import Cells, operations_of

_SLOW_CORE = 2e10
"""Operations per second of a slow core: a repeat is chosen so that such a one still makes several in its time."""
_REPEATS = 5
_FEWEST_REPEATS = 2
_LONGEST_START = 120.0


@dataclass(frozen=True)
class Calibration:
    """Operations per second of one worker while all ``workers`` are busy, by class of cells (``pieces.class_of``)."""

    rates: Mapping[str, float]
    workers: int
    machine: str

    def rate(self, name: str) -> float:
        """The rate of a class; of one that was not measured, the median of those whose names share most words.

        Raises:
            InputError: where nothing was measured.
        """
        if name in self.rates:
            return self.rates[name]
        if not self.rates:
            raise InputError("this calibration measured nothing: calibrate with a plan that has cells.")
        wanted = name.split()
        shared = {one: _shared(wanted, one.split()) for one in self.rates}
        most = max(shared.values())
        return median(self.rates[one] for one, words in shared.items() if words == most)


def calibrate(plan: StudyPlan, seconds: float = 20.0, workers: int | None = None) -> Calibration:
    """Measures every class of the plan's cells on this machine; a default of ``workers`` takes a core each.

    As many processes of one thread as will run the study do the same short piece at the same time, since they share
    memory and its bandwidth; pieces are a few steps of the class's largest cell by the engine itself, on random
    pictures of its size. The rate is taken from the median time of all repeats but each process's first, so that a
    pause of the machine now and then changes nothing; a load that lasts is measured as it is. ``seconds`` bounds the
    whole call, the start of the processes and one last repeat of each class aside; where it does not suffice for all
    classes, those of most operations come first.

    Raises:
        InputError: where ``workers`` or ``seconds`` is not positive, or a process dies.
    """
    workers = _cores() if workers is None else workers
    if workers < 1:
        raise InputError(f"workers must be at least 1, not {workers}.")
    if not seconds > 0.0:
        raise InputError(f"a calibration needs a positive number of seconds, not {seconds:g}.")
    started = time.perf_counter()
    cells = plan.by_key()
    names = _classes(cells)
    found: dict[str, float] = {}
    with _Workers(workers) as pool:
        # Starting costs the same for 5 s and for 60 s: at least half of the time is for measuring.
        left = max(seconds - (time.perf_counter() - started), seconds / 2)
        deadline = time.perf_counter() + left
        for place, (name, key) in enumerate(names.items()):
            share = max(0.0, deadline - time.perf_counter()) / (len(names) - place)
            if share == 0.0 and found:
                break
            piece = piece_of(name, cells[key], cells, _SLOW_CORE * share / _REPEATS)
            found[name] = pool.rate(piece, share)
    return Calibration(found, workers, machine())


def measure(piece: Piece, seconds: float, start: Callable[[], object] | None = None) -> tuple[float, list[float]]:
    """Operations of a repeat, and the seconds of each; ``start`` is called before the first, which warms up and is
    not counted. At least two are counted, however long they take."""
    ready = prepare(piece)
    if start is not None:
        start()
    end = time.perf_counter() + seconds
    ready.run()
    times: list[float] = []
    while len(times) < _FEWEST_REPEATS or time.perf_counter() < end:
        began = time.perf_counter()
        ready.run()
        times.append(time.perf_counter() - began)
    return ready.operations, times


def machine() -> str:
    """Processor, cores that may be used, and the version of torch."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    return f"{name}, {_cores()} cores, torch {torch.__version__}"


def _classes(cells: Cells) -> dict[str, str]:
    """The largest cell of each class, by the class's name; classes of most operations first."""
    largest: dict[str, str] = {}
    total: dict[str, float] = {}
    counted = operations_of(cells)
    for key, count in counted.items():
        name = class_of(cells[key], cells)
        total[name] = total.get(name, 0.0) + count
        if name not in largest or count > counted[largest[name]]:
            largest[name] = key
    return {name: largest[name] for name in sorted(total, key=lambda one: (-total[one], one))}


class _Workers:
    """Processes of one thread that all measure the same piece at the same time."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._count = count
        self._pool = ProcessPoolExecutor(count, context, _begin, (context.Barrier(count),))

    def __enter__(self) -> "_Workers":
        self._together(_arrive, [() for _ in range(self._count)])
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def rate(self, piece: Piece, seconds: float) -> float:
        """Operations per second of one process."""
        found = self._together(_measure, [(piece, seconds) for _ in range(self._count)])
        return found[0][0] / median(one for _, times in found for one in times)

    def _together(
        self, work: Callable[..., tuple[float, list[float]]], arguments: Sequence[tuple[object, ...]]
    ) -> list[tuple[float, list[float]]]:
        futures = [self._pool.submit(work, *own) for own in arguments]
        try:
            return [future.result() for future in futures]
        except (BrokenProcessPool, BrokenBarrierError) as error:
            raise InputError(
                f"the calibration with {self._count} workers ended because one of its processes died, as it does where "
                "memory runs out: take fewer workers."
            ) from error


_barrier: Barrier | None = None


def _begin(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier
    torch.set_num_threads(1)
    # Torch loads parts of itself, for seconds, at an optimiser's first step.
    weight = torch.nn.Parameter(torch.zeros(1))
    weight.grad = torch.zeros(1)
    torch.optim.Adam([weight], fused=True).step()


def _arrive() -> tuple[float, list[float]]:
    assert _barrier is not None
    # A process that waits here takes no second job: each of them is given one.
    _barrier.wait(_LONGEST_START)
    return 0.0, []


def _measure(piece: Piece, seconds: float) -> tuple[float, list[float]]:
    return measure(piece, seconds, _arrive)


def _shared(wanted: Sequence[str], words: Sequence[str]) -> int:
    return sum(word in words for word in wanted)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
