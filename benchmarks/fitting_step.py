"""Times one full-batch fitting step against the plain loop and against this machine's floor, in one run.

    python benchmarks/fitting_step.py [--quick] [--csv FILE]

``plain`` is the loop that the field writes: the whole image through autograd at once, written out here; where the
package siren-pytorch is installed, its network as it comes is timed in the same loop. ``floor`` is the time that the
step's matrix products take at the machine's measured peak, plus a sine and a cosine for every value of a SIREN. Times
alternate, medians are shown. Peak memory is that of a process of its own.
"""

import argparse
import csv
import platform
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import torch
import torch.nn.functional as F

import inrlens as il
from inrlens.fitting.engine import Engine
from inrlens.fitting.prefix import PrefixRows
from inrlens.signals.signal import coordinates
from timing import Machine, alternate, measure_machine

TAU_STAR = {"siren": 1, "ffmlp": 0}
TILE = 1024


@dataclass(frozen=True)
class Row:
    """One line of the table; times in seconds, memory in MiB."""

    backbone: str
    grid: str
    frozen: int
    ours: float
    plain: float
    floor: float
    siren_pytorch: float | None
    ours_memory: float | None
    plain_memory: float | None


def our_step(backbone: str, grid: tuple[int, int], frozen: int) -> Callable[[], object]:
    """A gradient of layers ``frozen``.. and the head, as ``fit`` and ``transfer`` take it."""
    field = il.Field.new(backbone, seed=0, grid=grid)
    x = coordinates(grid)
    engine = Engine([field.encoder.layer(i) for i in range(frozen, field.depth)], field.head, 3, TILE)
    inputs, target = PrefixRows(field.encoder, x, frozen, TILE), targets(grid)
    return lambda: engine.gradient(inputs, target, slice(0, x.shape[0]))


def plain_step(module: torch.nn.Module, grid: tuple[int, int]) -> Callable[[], object]:
    """The same gradient of all layers through autograd, the whole image at once."""
    x, target = coordinates(grid), targets(grid)

    def step() -> None:
        module.zero_grad()
        F.mse_loss(module(x), target).backward()

    return step


def targets(grid: tuple[int, int]) -> torch.Tensor:
    """Random colours: a step's time does not depend on them."""
    return torch.rand(grid[0] * grid[1], 3, generator=torch.Generator().manual_seed(0))


def floor(machine: Machine, backbone: str, grid: tuple[int, int], frozen: int) -> float:
    """Seconds of the step's products at peak, and of its sines and cosines."""
    field = il.Field.new(backbone)
    weights = [field.encoder.layer(i).weight for i in range(frozen, field.depth)] + [field.head.weight]
    # Forward and weight gradient for every matrix; the gradient of its input for all but the first trained one.
    products = 2.0 * sum(weight.numel() * (3 if index else 2) for index, weight in enumerate(weights))
    values = sum(weight.shape[0] for weight in weights[:-1]) if backbone == "siren" else 0
    return grid[0] * grid[1] * (products / machine.product + values * machine.sine_cosine)


def other_siren() -> torch.nn.Module | None:
    """The network of the package siren-pytorch, None where it is not installed."""
    try:
        from siren_pytorch import SirenNet  # type: ignore[import-not-found]
    except ImportError:
        return None
    net: torch.nn.Module = SirenNet(dim_in=2, dim_hidden=256, dim_out=3, num_layers=5, w0_initial=30.0)
    return net


def peak_memory(which: str, backbone: str, grid: tuple[int, int]) -> float:
    """Peak resident MiB of a process that takes two steps, less that of one that only builds the network."""
    found = []
    for steps in (2, 0):
        arguments = [sys.executable, __file__, "--memory-of", which, backbone, str(grid[0]), str(grid[1]), str(steps)]
        found.append(float(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout))
    return found[0] - found[1]


def take_steps(which: str, backbone: str, height: str, width: str, steps: str) -> None:
    """Takes some steps and prints the process's peak memory in MiB."""
    grid = (int(height), int(width))
    step = our_step(backbone, grid, 0) if which == "ours" else plain_step(il.Field.new(backbone), grid)
    for _ in range(int(steps)):
        step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measure(backbone: str, grid: tuple[int, int], frozen: int, rounds: int, machine: Machine, memory: bool) -> Row:
    """One line of the table."""
    calls = {"ours": our_step(backbone, grid, frozen), "plain": plain_step(il.Field.new(backbone), grid)}
    other = other_siren() if backbone == "siren" and not frozen else None
    if other is not None:
        calls["siren_pytorch"] = plain_step(other, grid)
    times = alternate(calls, rounds)
    return Row(
        backbone,
        f"{grid[0]}x{grid[1]}",
        frozen,
        times["ours"],
        times["plain"],
        floor(machine, backbone, grid, frozen),
        times.get("siren_pytorch"),
        peak_memory("ours", backbone, grid) if memory else None,
        peak_memory("plain", backbone, grid) if memory else None,
    )


def main() -> None:
    """Prints the table and writes it as CSV where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="178x218 only, three rounds")
    parser.add_argument("--csv", type=Path, help="write the table here")
    parser.add_argument("--memory-of", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        take_steps(*options.memory_of)
        return
    machine = measure_machine()
    about = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    print(f"{about}; products {machine.product / 1e9:.0f} GFLOP/s, sine and cosine {machine.sine_cosine * 1e9:.2f} ns")
    print(f"{'step':34} {'ours':>8} {'plain/ours':>11} {'ours/floor':>11} {'siren-pytorch/ours':>19} {'memory':>8}")
    rows = []
    cases = [((218, 178), 3 if options.quick else 7)] + ([] if options.quick else [((512, 768), 3)])
    for grid, rounds in cases:
        for backbone in il.backbone_names():
            for frozen in (0, TAU_STAR[backbone] + 1):
                # Both grids are written height x width; memory is asked once a network, with nothing frozen.
                row = measure(backbone, grid, frozen, rounds, machine, memory=frozen == 0 and grid[1] > 700)
                rows.append(row)
                name = f"{row.backbone} {row.grid}, {row.frozen} of 5 frozen"
                other = f"{row.siren_pytorch / row.ours:19.2f}" if row.siren_pytorch else f"{'-':>19}"
                memory = f"{row.plain_memory / row.ours_memory:7.1f}x" if row.ours_memory and row.plain_memory else "-"
                print(
                    f"{name:34} {row.ours * 1e3:6.0f}ms {row.plain / row.ours:11.2f} {row.ours / row.floor:11.2f} "
                    f"{other} {memory:>8}",
                    flush=True,
                )
    if options.csv:
        with options.csv.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["machine", *(field.name for field in fields(Row))])
            writer.writerows([about, *astuple(row)] for row in rows)


if __name__ == "__main__":
    main()
