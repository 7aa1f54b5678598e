"""Peak memory of full-batch fitting steps at 768x512 pixels: ours, the plain loop's, and a cohort of ten's.

    python benchmarks/fit_memory.py [--csv FILE]

Each figure is the peak of a process of its own that takes two steps; ``ratio`` compares what ours and the plain loop
take beyond a process that only builds the network.
"""

import argparse
import subprocess
import sys
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import inrlens as il
from fit_peers import plain_step
from fit_steps import our_step
from timing import write_csv

GRID = (512, 768)


@dataclass(frozen=True)
class Row:
    """One backbone; peak resident MiB of whole processes."""

    backbone: str
    network_only: float
    ours: float
    plain: float
    ours_ten_heads: float

    @property
    def ratio(self) -> float:
        """The plain loop's memory over ours, both beyond the network-only process."""
        return (self.plain - self.network_only) / (self.ours - self.network_only)


def take_steps(which: str, backbone: str, heads: int) -> None:
    """Takes two steps and prints the process's peak memory in MiB."""
    field = il.Field.new(backbone, heads=heads)
    if which != "network":
        step = our_step(backbone, GRID, 0, heads) if which == "ours" else plain_step(field, GRID, 3 * heads)
        step()
        step()
    print(own_peak_mib())


def own_peak_mib() -> float:
    """Peak resident MiB of this program; Linux's own count, since rusage's begins with the parent process's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def peak(which: str, backbone: str, heads: int = 1) -> float:
    """Peak MiB of a process of its own."""
    command = [sys.executable, __file__, "--take", which, backbone, str(heads)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Prints the table and writes it as CSV where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--csv", type=Path, help="write the table here")
    parser.add_argument("--take", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.take:
        take_steps(options.take[0], options.take[1], int(options.take[2]))
        return
    print(f"{'peak MiB at 768x512':20} {'network':>8} {'ours':>8} {'plain':>8} {'ratio':>6} {'ours, ten heads':>16}")
    rows = []
    for backbone in il.backbone_names():
        row = Row(
            backbone,
            peak("network", backbone),
            peak("ours", backbone),
            peak("plain", backbone),
            peak("ours", backbone, 10),
        )
        rows.append(row)
        print(
            f"{backbone:20} {row.network_only:8.0f} {row.ours:8.0f} {row.plain:8.0f} {row.ratio:6.1f} "
            f"{row.ours_ten_heads:16.0f}",
            flush=True,
        )
    if options.csv:
        write_csv(options.csv, [field.name for field in fields(Row)], [astuple(row) for row in rows])


if __name__ == "__main__":
    main()
