"""Alternating timings, and what this machine can do at best."""

import csv
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch


def alternate(calls: Mapping[str, Callable[[], object]], rounds: int, settle: int = 0) -> dict[str, float]:
    """Median seconds of each call, timed in turn round by round after one round of warm-up.

    Each timed call follows ``settle`` untimed ones of its own: what comes after itself in real use should find its own
    threads and caches, not those of another.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            for _ in range(settle):
                call()
            started = time.perf_counter()
            call()
            if number:
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(found) for name, found in times.items()}


_REPEATED = 20
"""How often a timed call goes over its values."""


@dataclass(frozen=True)
class Machine:
    """Rates measured here and now: products in FLOP/s, sine with cosine and exp in seconds a value, in cache."""

    product: float
    sine_cosine: float
    exp: float


class MachineCalls:
    """What is timed to know the machine, in turn with whatever else: products, torch's waves and exp in cache."""

    def __init__(self) -> None:
        self._a, self._b, self._out = (torch.randn(2048, 2048) for _ in range(3))
        self._v, self._w = torch.randn(256, 256), torch.empty(256, 256)
        self.calls: dict[str, Callable[[], object]] = {
            "product": self._product,
            "waves": self._waves,
            "exp": self._exp,
        }

    def of(self, times: Mapping[str, float]) -> Machine:
        """The machine's rates from the medians of these calls."""
        values = _REPEATED * self._v.numel()
        return Machine(2.0 * 2048**3 / times["product"], times["waves"] / values, times["exp"] / values)

    def _product(self) -> None:
        torch.mm(self._a, self._b, out=self._out)

    def _waves(self) -> None:
        for _ in range(_REPEATED):
            torch.sin(self._v, out=self._w)
            torch.cos(self._v, out=self._w)

    def _exp(self) -> None:
        for _ in range(_REPEATED):
            torch.exp(self._v, out=self._w)


def about(device: str = "cpu") -> str:
    """Machine, threads and versions, for the head of a table and a column of its CSV; of a GPU, card and versions."""
    versions = f"torch {torch.__version__}, Python {platform.python_version()}"
    if device != "cpu":
        return f"{torch.cuda.get_device_name(device)}, {versions}"
    name = platform.processor() or platform.machine()
    if sys.platform == "linux":
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        name = names[0] if names else name
    return f"{name}, {torch.get_num_threads()} threads, {versions}"


def write_csv(path: Path, names: Sequence[str], rows: Sequence[Sequence[object]], device: str = "cpu") -> None:
    """Writes a benchmark's rows, each led by the machine or card that it was measured on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["machine", *names])
        writer.writerows([about(device), *row] for row in rows)
