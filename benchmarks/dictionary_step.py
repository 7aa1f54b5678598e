"""Times a whole training step of a TopK dictionary: ours, the plain dense one, the libraries', and the machine's floor.

    python benchmarks/dictionary_step.py [--quick] [--csv FILE]

A step runs from the forward pass to the optimiser and what follows it. ``floor`` is what no such step can do without:
one encode product, one ``torch.topk``, one step of Adam over all parameters, each timed as a call of its own.
All are timed in turn, each after an untimed call of its own, medians are shown; ``over ours`` is a time divided by that
of our step.
"""

import argparse
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

import inrlens as il
from dictionary_trainers import Dense, Ours, Trainer
from inrlens.dictionaries.activations import layer_rows
from inrlens.dictionaries.topk import SaeOrigin, SparseAutoencoder
from sae_peers import PEERS, build, version, why_absent
from timing import about, alternate, write_csv

ROWS, N_ATOMS, K, WIDTH = 4096, 4096, 32, 256
LAYER = 2
FLOOR = ("encode product", "top-k", "Adam")


@dataclass(frozen=True)
class Row:
    """One line of the table: seconds a step and that over ours, none where ``note`` says why not."""

    step: str
    version: str
    batch: int
    n: int
    k: int
    d: int
    seconds: float | None
    over_ours: float | None
    note: str


def activations() -> Tensor:
    """The rows ``(b, d)`` of a batch: a SIREN's layer, untrained, at coordinates drawn from a picture's grid."""
    rows = layer_rows(il.Field.new("siren", seed=0, grid=(218, 178)), LAYER)
    return rows[torch.randperm(rows.shape[0], generator=torch.Generator().manual_seed(0))[:ROWS]]


def dictionary(h: Tensor) -> SparseAutoencoder:
    """A dictionary at its start."""
    atoms = torch.randn(N_ATOMS, WIDTH, generator=torch.Generator().manual_seed(0))
    return SparseAutoencoder(atoms, h.mean(0), K, SaeOrigin(LAYER))


def floor_calls(h: Tensor) -> dict[str, Callable[[], object]]:
    """The parts of the floor; the product and the top-k write into memory that they are given."""
    sae = dictionary(h)
    optimizer = torch.optim.Adam(sae.parameters(), fused=True)
    for parameter in sae.parameters():
        parameter.grad = torch.randn_like(parameter)
    encoder = sae.encoder.detach()
    u = h @ encoder.T
    values, atoms = torch.topk(u, K, dim=1, sorted=False)
    return {
        "encode product": lambda: torch.mm(h, encoder.T, out=u),
        "top-k": lambda: torch.topk(u, K, dim=1, sorted=False, out=(values, atoms)),
        "Adam": optimizer.step,
    }


def measure(with_peers: bool, rounds: int) -> list[Row]:
    """Every line of the table, timed in one run."""
    h = activations()
    trainers: dict[str, Trainer] = {"ours": Ours(dictionary(h)), "dense": Dense(dictionary(h))}
    absent = {}
    for name, peer in PEERS.items() if with_peers else ():
        absent[name] = why_absent(peer)
        if not absent[name]:
            trainers[name] = build(peer, WIDTH, N_ATOMS, K, steps=10_000)
    steps = {name: partial(one.step, h) for name, one in trainers.items()}
    times = alternate({**steps, **floor_calls(h)}, rounds, settle=1)
    times["floor"] = sum(times[part] for part in FLOOR)

    def row(step: str, what: str = "", note: str = "") -> Row:
        seconds = times.get(step)
        return Row(
            step, what, ROWS, N_ATOMS, K, WIDTH, seconds, None if seconds is None else seconds / times["ours"], note
        )

    ours = [row("ours", il.__version__), row("dense", torch.__version__)]
    peers = [row(name, "" if note else version(PEERS[name]), note) for name, note in absent.items()]
    return [*ours, *peers, *(row(name, torch.__version__) for name in (*FLOOR, "floor"))]


def line(row: Row) -> str:
    """A row as a line of the printed table."""
    if row.seconds is None or row.over_ours is None:
        return f"{row.step:22} {row.note}"
    return f"{row.step:22} {row.version:12} {row.seconds * 1e3:6.1f}ms {row.over_ours:10.2f}"


def main() -> None:
    """Prints the table and writes it as CSV where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without the libraries, five rounds")
    parser.add_argument("--csv", type=Path, help="write the table here")
    options = parser.parse_args()
    print(about())
    print(f"a training step at batch {ROWS}, n={N_ATOMS}, k={K}, d={WIDTH}")
    rows = measure(not options.quick, 5 if options.quick else 11)
    print(f"{'':22} {'version':12} {'time':>8} {'over ours':>10}")
    print("\n".join(line(row) for row in rows))
    print(f"ours over the floor: {1.0 / (rows[-1].over_ours or float('nan')):.2f}")
    if options.csv:
        write_csv(options.csv, [field.name for field in fields(Row)], [astuple(row) for row in rows])


if __name__ == "__main__":
    main()
