"""Alternating timings, and what this machine can do at best."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch


def alternate(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each call, timed in turn round by round after one round of warm-up."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if number:
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(found) for name, found in times.items()}


@dataclass(frozen=True)
class Machine:
    """The best rates measured here and now: products in FLOP/s, sine with cosine in seconds a value, in cache."""

    product: float
    sine_cosine: float


def measure_machine(rounds: int = 7) -> Machine:
    """Measures large float32 products, and sine and cosine over a buffer that stays in cache."""
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    out = torch.empty(2048, 2048)
    v, w = torch.randn(256, 256), torch.empty(256, 256)

    def waves() -> None:
        for _ in range(20):
            torch.sin(v, out=w)
            torch.cos(v, out=w)

    found = alternate({"product": lambda: torch.mm(a, b, out=out), "waves": waves}, rounds)
    return Machine(2.0 * 2048**3 / found["product"], found["waves"] / (20 * v.numel()))
