"""Times one full-batch fitting step against the plain loop and against this machine's floor, in one run.

    python benchmarks/fit_steps.py [--quick] [--csv FILE]

A step is gradient and Adam. ``plain`` is the loop that the field writes: the whole image through autograd at once,
nothing frozen; where the package siren-pytorch is installed, its network is timed in the same loop. ``floor`` is the
time that our step's matrix products take at the rate of a 2048x2048 product, plus torch's functions in cache for every
value of a layer: sine and cosine for SIREN and FINER, exp for Gauss, all three for WIRE, complex and real (the engine's
own come from numpy and are faster). A hash grid has none: looking up its tables is no product, and the products of the
64 units behind them, of 3 at its head, never run at that rate. All are timed in turn, medians are shown.
"""

import argparse
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import inrlens as il
from fit_peers import plain_step, random_targets, siren_pytorch
from inrlens.fields.encoder import HiddenLayer
from inrlens.fitting.engine import Engine
from inrlens.fitting.optimisers import Optimisers
from inrlens.fitting.prefix import PrefixRows
from inrlens.signals.signal import coordinates
from inrlens.workers import cores, torch_on_one_thread
from timing import Machine, MachineCalls, about, alternate, write_csv

TAU_STAR = {"ffmlp": 0, "hashgrid": 0}
"""The freeze depth that a network's second line is timed at, where it is not 1."""
_WAVES = {"sine", "finer", "gabor", "complex gabor"}
_BELLS = {"gauss", "gabor", "complex gabor"}


@dataclass(frozen=True)
class Row:
    """One line of the table; times in seconds, rates of the machine during this line."""

    backbone: str
    grid: str
    frozen: int
    ours: float
    plain: float
    floor: float | None
    siren_pytorch: float | None
    product_flops: float
    sine_cosine_seconds: float
    exp_seconds: float


def our_step(
    backbone: str,
    grid: tuple[int, int],
    frozen: int,
    heads: int = 1,
    *,
    networks: int = 1,
    device: str = "cpu",
    compute: il.Compute = il.Compute(),  # noqa: B008 - frozen
) -> Callable[[], object]:
    """A step as ``fit``, ``fit_cohort``, ``transfer`` and, of several networks, ``fit_many`` on a GPU take it, with
    layers below ``frozen`` kept."""
    made = [il.Field.new(backbone, heads=heads, seed=seed, grid=grid).to(device) for seed in range(networks)]
    modules, headed = [field.encoder.trained(frozen) for field in made], [field.head for field in made]
    engine = Engine(modules, headed, 3, compute, cores())
    optimisers = Optimisers(engine.stack, il.recipes.single(backbone), engine.cores)
    inputs = PrefixRows(made[0].encoder, coordinates(grid).to(device), frozen, engine.budget)
    target = random_targets(grid, 3 * heads).to(device).expand(networks, -1, -1).contiguous()

    def step() -> None:
        with torch_on_one_thread() if engine.cores > 1 else nullcontext():
            engine.gradient(inputs, target, slice(0, target.shape[1]))
            optimisers.step(0)

    return step


def floor(machine: Machine, backbone: str, grid: tuple[int, int], frozen: int) -> float | None:
    """Seconds of the step's products at peak, and of its waves and bells; None for a hash grid."""
    field = il.Field.new(backbone)
    if backbone == "hashgrid":
        return None
    layers = [field.encoder.layer(index) for index in range(frozen, field.depth)]
    weights = [layer.weight for layer in layers] + [field.head.weight]
    # Forward and weight gradient for every matrix; the gradient of its input for all but the first trained one.
    products = 2.0 * sum(weight.numel() * (3 if index else 2) for index, weight in enumerate(weights))
    functions = sum(_waves(layer) * _seconds(machine, layer.nonlinearity.name) for layer in layers)
    return grid[0] * grid[1] * (products / machine.product + functions)


def _waves(layer: HiddenLayer) -> int:
    """How many values phi and its derivative take waves or bells of, in a row of the layer: one a complex unit."""
    units = int(layer.weight.shape[0])
    return units // 2 if layer.nonlinearity.name == "complex gabor" else units


def _seconds(machine: Machine, nonlinearity: str) -> float:
    """Seconds that phi and its derivative take of one value at least."""
    waves = machine.sine_cosine if nonlinearity in _WAVES else 0.0
    return waves + (machine.exp if nonlinearity in _BELLS else 0.0)


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
        machine.exp,
    )


def line(row: Row) -> str:
    """A row as a line of the printed table."""
    name = f"{row.backbone} {row.grid}, {row.frozen} frozen"
    share = f"{row.ours / row.floor:.2f}" if row.floor else "-"
    other = f"{row.siren_pytorch / row.ours:19.2f}" if row.siren_pytorch else f"{'-':>19}"
    times = f"{row.ours * 1e3:6.0f}ms {row.plain / row.ours:11.2f} {share:>11}"
    return f"{name:34} {times} {other} {row.product_flops / 1e9:8.0f}"


def main() -> None:
    """Prints the table and writes it as CSV where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="178x218 only, three rounds")
    parser.add_argument("--backbone", choices=il.backbone_names(), help="default: all")
    parser.add_argument("--csv", type=Path, help="write the table here")
    options = parser.parse_args()
    print(about())
    print(f"{'step':34} {'ours':>8} {'plain/ours':>11} {'ours/floor':>11} {'siren-pytorch/ours':>19} {'GFLOP/s':>8}")
    rows = []
    # Height by width, as everywhere; the pictures are 178 and 768 wide.
    cases = [((218, 178), 3 if options.quick else 7)] + ([] if options.quick else [((512, 768), 2)])
    for grid, rounds in cases:
        for backbone in [options.backbone] if options.backbone else il.backbone_names():
            for frozen in (0, TAU_STAR.get(backbone, 1) + 1):
                row = measure(backbone, grid, frozen, rounds)
                rows.append(row)
                print(line(row), flush=True)
    if options.csv:
        write_csv(options.csv, [field.name for field in fields(Row)], [astuple(row) for row in rows])


if __name__ == "__main__":
    main()
