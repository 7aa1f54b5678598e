"""What wrapping costs: a forward pass of a wrapped network over that of the bare module, timed in turn.

    python benchmarks/wrapping.py
    python benchmarks/wrapping.py --csv benchmarks/results/wrapping.csv

5 layers of 256 units on the rows of a 44 x 55 picture, as one matrix that malloc keeps: what a larger one costs in
fresh pages scatters by more than wrapping does. Ranges as they are, and ranges that are mapped on the way in and out
(coordinates from [0, 1], outputs from [-1, 1]), beside the bare module with the same two lines before and after it: the
20 kB that they hold move the matrices of the pass, which costs more than the lines do. A pass that runs on from edited
activations is a whole one, and is shown beside it; so is one that ends at the middle layer. A ratio is that of the
fastest passes, since whatever else runs on the machine only ever adds; the bare module twice shows what that still is.
"""

import argparse
import math
import random
import sys
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn

import inrlens as il
from timing import about, write_csv

GRID = (55, 44)
LIMIT = 1.03


class Sine(nn.Module):
    """``sin(30 x)``."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(30.0 * x)


def networks(width: int, depth: int) -> dict[str, nn.Sequential]:
    """A sine and a ReLU network: the second leaves less time for anything to hide in."""
    torch.manual_seed(0)
    made = {}
    for name, bend in (("sine", Sine), ("relu", nn.ReLU)):
        sizes = [2, *[width] * depth]
        layers = [step for one, other in pairwise(sizes) for step in (nn.Linear(one, other), bend())]
        made[name] = nn.Sequential(*layers, nn.Linear(width, 3))
    return made


def ratios(calls: Mapping[str, Callable[[], object]], base: str, rounds: int) -> dict[str, float]:
    """The fastest of each call over the fastest of ``base``, after a round of warm-up."""
    fastest = dict.fromkeys(calls, math.inf)
    names, draws = list(calls), random.Random(0)
    for number in range(rounds + 1):
        # A pass finds the memory as the one before it left it, and where its matrices then lie is worth some 5 %: none
        # always follows the same, and what is held meanwhile moves them about.
        draws.shuffle(names)
        for name in names:
            held = [torch.empty(draws.randrange(1, 1 << 20)) for _ in range(4)]
            started = time.perf_counter()
            calls[name]()
            if number:
                fastest[name] = min(fastest[name], time.perf_counter() - started)
            del held
    return {name: seconds / fastest[base] for name, seconds in fastest.items() if name != base}


@torch.no_grad()
def measured(module: nn.Sequential, rounds: int) -> dict[str, float]:
    """The ratios of one network."""
    paths = [str(number) for number in range(1, len(module) - 1, 2)]
    plain = il.wrap(module, paths, grid=GRID)
    mapped = il.wrap(module, paths, grid=GRID, coordinates=(0.0, 1.0), output=(-1.0, 1.0))
    # Wrapping copies: the bare module is the copy itself, since where weights lie in memory is told from a ratio too.
    inside = plain.module
    mapped.module = inside
    x = plain.grid_coordinates()
    middle = len(paths) // 2
    h = plain.run_to(x, middle)
    calls = {
        "bare": lambda: inside(x),
        "bare again": lambda: inside(x),
        "wrapped": lambda: plain(x),
        "bare, ranges mapped by hand": lambda: (inside((x + 1.0) / 2.0) + 1.0) / 2.0,
        "wrapped, ranges mapped": lambda: mapped(x),
        "to the middle layer": lambda: plain.run_to(x, middle),
        "on from the middle layer": lambda: plain.run_on(h, x, middle),
    }
    return ratios(calls, "bare", rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--depth", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--csv", type=Path, help="also write the numbers here")
    given = parser.parse_args()
    print(f"{about()}\n{GRID[0] * GRID[1]} rows, {given.depth} layers of {given.width} units; over the bare module")
    rows: list[tuple[str, str, str]] = []
    slow = []
    for name, module in networks(given.width, given.depth).items():
        for what, ratio in measured(module, given.rounds).items():
            print(f"  {name:5} {what:28} {ratio:6.3f}")
            rows.append((name, what, f"{ratio:.4f}"))
            if what.startswith("wrapped") and ratio >= LIMIT:
                slow.append(f"{name}, {what}: {ratio:.3f}")
    if given.csv is not None:
        write_csv(given.csv, ("network", "pass", "ratio"), rows)
    if slow:
        sys.exit(f"over {LIMIT}: {'; '.join(slow)}")


if __name__ == "__main__":
    main()
