"""Times one full-batch fitting step against the plain loop and against this machine's floor, in one run.

    python benchmarks/fit_steps.py [--quick] [--csv FILE]

A step is gradient and Adam. ``plain`` is the loop that the field writes: the whole image through autograd at once,
nothing frozen; where the package siren-pytorch is installed, its network is timed in the same loop. ``floor`` is the
time that our step's matrix products take at the rate of a 2048x2048 product, plus torch's sine and cosine in cache for
every value of a SIREN (the engine's own sines come from numpy and are faster). All are timed in turn,
medians are shown.
"""

import argparse
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import inrlens as il
from fit_peers import plain_step, random_targets, siren_pytorch
from inrlens.fitting.engine import Engine
from inrlens.fitting.optimisers import Optimisers
from inrlens.fitting.prefix import PrefixRows
from inrlens.signals.signal import coordinates
from inrlens.workers import cores, torch_on_one_thread
from timing import Machine, MachineCalls, about, alternate

TAU_STAR = {"siren": 1, "ffmlp": 0}


@dataclass(frozen=True)
class Row:
    """One line of the table; times in seconds, rates of the machine during this line."""

    backbone: str
    grid: str
    frozen: int
    ours: float
    plain: float
    floor: float
    siren_pytorch: float | None
    product_flops: float
    sine_cosine_seconds: float


def our_step(backbone: str, grid: tuple[int, int], frozen: int, heads: int = 1) -> Callable[[], object]:
    """A step as ``fit``, ``fit_cohort`` and ``transfer`` take it, with layers below ``frozen`` kept."""
    field = il.Field.new(backbone, heads=heads, seed=0, grid=grid)
    layers = [field.encoder.layer(index) for index in range(frozen, field.depth)]
    engine = Engine([layers], [field.head], 3, il.Compute(), cores())
    optimisers = Optimisers(engine.stack, il.recipes.single(backbone), engine.cores)
    inputs = PrefixRows(field.encoder, coordinates(grid), frozen, engine.budget)
    target = random_targets(grid, 3 * heads)[None]

    def step() -> None:
        with torch_on_one_thread():
            engine.gradient(inputs, target, slice(0, target.shape[1]))
            optimisers.step(0)

    return step


def floor(machine: Machine, backbone: str, grid: tuple[int, int], frozen: int) -> float:
    """Seconds of the step's products at peak, and of its sines and cosines."""
    field = il.Field.new(backbone)
    weights = [field.encoder.layer(index).weight for index in range(frozen, field.depth)] + [field.head.weight]
    # Forward and weight gradient for every matrix; the gradient of its input for all but the first trained one.
    products = 2.0 * sum(weight.numel() * (3 if index else 2) for index, weight in enumerate(weights))
    values = sum(weight.shape[0] for weight in weights[:-1]) if backbone == "siren" else 0
    return grid[0] * grid[1] * (products / machine.product + values * machine.sine_cosine)


def measure(backbone: str, grid: tuple[int, int], frozen: int, rounds: int) -> Row:
    """One line of the table."""
    machine_calls = MachineCalls()
    calls = {"ours": our_step(backbone, grid, frozen), "plain": plain_step(il.Field.new(backbone), grid)}
    other = siren_pytorch() if backbone == "siren" and not frozen else None
    if other is not None:
        calls["siren_pytorch"] = plain_step(other, grid)
    times = alternate({**calls, **machine_calls.calls}, rounds)
    machine = machine_calls.of(times)
    return Row(
        backbone,
        f"{grid[0]}x{grid[1]}",
        frozen,
        times["ours"],
        times["plain"],
        floor(machine, backbone, grid, frozen),
        times.get("siren_pytorch"),
        machine.product,
        machine.sine_cosine,
    )


def line(row: Row) -> str:
    """A row as a line of the printed table."""
    name = f"{row.backbone} {row.grid}, {row.frozen} of 5 frozen"
    other = f"{row.siren_pytorch / row.ours:19.2f}" if row.siren_pytorch else f"{'-':>19}"
    times = f"{row.ours * 1e3:6.0f}ms {row.plain / row.ours:11.2f} {row.ours / row.floor:11.2f}"
    return f"{name:34} {times} {other} {row.product_flops / 1e9:8.0f}"


def main() -> None:
    """Prints the table and writes it as CSV where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="178x218 only, three rounds")
    parser.add_argument("--csv", type=Path, help="write the table here")
    options = parser.parse_args()
    print(about())
    print(f"{'step':34} {'ours':>8} {'plain/ours':>11} {'ours/floor':>11} {'siren-pytorch/ours':>19} {'GFLOP/s':>8}")
    rows = []
    # Height by width, as everywhere; the pictures are 178 and 768 wide.
    cases = [((218, 178), 3 if options.quick else 7)] + ([] if options.quick else [((512, 768), 2)])
    for grid, rounds in cases:
        for backbone in il.backbone_names():
            for frozen in (0, TAU_STAR[backbone] + 1):
                row = measure(backbone, grid, frozen, rounds)
                rows.append(row)
                print(line(row), flush=True)
    if options.csv:
        write_csv(options.csv, [field.name for field in fields(Row)], [astuple(row) for row in rows])


if __name__ == "__main__":
    main()
