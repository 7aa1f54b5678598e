"""Times one full-batch fitting step on a GPU against the plain loop and against the card's floor, in one run.

    python benchmarks/gpu_steps.py [--grid 218x178] [--rounds N] [--csv FILE]

A step is gradient and Adam, nothing frozen, float32. ``plain`` is the field's loop (``fit_steps.py``), ``graphs`` our
step with ``Compute(cuda_graphs=True)``, ``stacked`` one network's share of a step that ``--networks`` of them take in
one ``fit_many``, with graphs. ``floor`` is what the step's matrix products take at the rate of an 8192x8192 product
and torch's functions over a large array for every value of a layer. All are timed in turn; medians are shown.
"""

import argparse
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import torch

import inrlens as il
from fit_peers import plain_step, siren_pytorch
from fit_steps import floor, our_step
from timing import Machine, about, alternate, write_csv

_STEPS = 10
"""How many steps a timed call takes before it waits for the card."""


@dataclass(frozen=True)
class Row:
    """One line of the table; times in seconds a step of one network."""

    backbone: str
    grid: str
    ours: float
    graphs: float
    stacked: float
    networks: int
    plain: float
    floor: float | None
    siren_pytorch: float | None
    product_flops: float


def several(step: Callable[[], object]) -> Callable[[], None]:
    """Some steps, and the wait for the card."""

    def run() -> None:
        for _ in range(_STEPS):
            step()
        torch.cuda.synchronize()

    return run


def card_calls() -> dict[str, Callable[[], object]]:
    """What is timed to know the card: products, waves and bells over arrays that fill it."""
    a, b, out = (torch.randn(8192, 8192, device="cuda") for _ in range(3))
    return {
        "product": lambda: torch.mm(a, b, out=out),
        "waves": lambda: torch.cos(a, out=torch.sin(a, out=out)),
        "exp": lambda: torch.exp(a, out=out),
    }


def measure(backbone: str, grid: tuple[int, int], rounds: int, networks: int) -> Row:
    """One line of the table."""
    calls = {
        "ours": our_step(backbone, grid, 0, device="cuda"),
        "graphs": our_step(backbone, grid, 0, device="cuda", compute=il.Compute(cuda_graphs=True)),
        "stacked": our_step(
            backbone,
            grid,
            0,
            networks=networks,
            device="cuda",
            compute=il.Compute(memory_mib=8192, cuda_graphs=True),
        ),
        "plain": plain_step(il.Field.new(backbone).to("cuda"), grid, device="cuda"),
    }
    other = siren_pytorch() if backbone == "siren" else None
    if other is not None:
        calls["siren_pytorch"] = plain_step(other.to("cuda"), grid, device="cuda")
    times = alternate({name: several(call) for name, call in (calls | card_calls()).items()}, rounds)
    times = {name: seconds / _STEPS for name, seconds in times.items()}
    machine = Machine(2.0 * 8192**3 / times["product"], times["waves"] / 8192**2, times["exp"] / 8192**2)
    return Row(
        backbone,
        f"{grid[0]}x{grid[1]}",
        times["ours"],
        times["graphs"],
        times["stacked"] / networks,
        networks,
        times["plain"],
        floor(machine, backbone, grid, 0),
        times.get("siren_pytorch"),
        machine.product,
    )


def line(row: Row) -> str:
    """A row as a line of the printed table."""
    ratios = [row.plain / row.ours, row.plain / row.graphs, row.plain / row.stacked]
    ratios += [row.graphs / row.floor if row.floor else float("nan"), (row.siren_pytorch or float("nan")) / row.graphs]
    shown = " ".join(f"{ratio:13.2f}" for ratio in ratios)
    return f"{row.backbone:10} {row.grid:9} {row.ours * 1e3:7.2f}ms {shown} {row.product_flops / 1e12:8.1f}"


def main() -> None:
    """Prints the table and writes it as CSV where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grid", default="218x178", help="height x width (default 218x178)")
    parser.add_argument("--rounds", type=int, default=5, help="timings of each, of which the median counts (default 5)")
    parser.add_argument("--networks", type=int, default=16, help="how many are stacked (default 16)")
    parser.add_argument("--csv", type=Path, help="write the table here")
    options = parser.parse_args()
    height, width = (int(side) for side in options.grid.split("x"))
    print(about("cuda"))
    names = ("plain/ours", "plain/graphs", "plain/stacked", "graphs/floor", "s-pyt./graphs")
    print(f"{'step':10} {'grid':9} {'ours':>9} {' '.join(f'{name:>13}' for name in names)} {'TFLOP/s':>8}")
    rows = []
    for backbone in il.backbone_names():
        rows.append(measure(backbone, (height, width), options.rounds, options.networks))
        print(line(rows[-1]), flush=True)
    if options.csv:
        write_csv(options.csv, [field.name for field in fields(Row)], [astuple(row) for row in rows], "cuda")


if __name__ == "__main__":
    main()
