"""What a dictionary is worth after the same steps on the same rows: ours, the plain dense trainer's, the libraries'.

    python benchmarks/dictionary_quality.py [--photos FOLDER] [--steps N] [--quick] [--csv FILE]

The rows are layer 2 of a SIREN fitted to a cohort by the fast recipe; without a folder the cohort is the bundled
photographs. Ours is ``inrlens.train_sae``; the dense trainer starts from the same weights and, as every library, takes
the same batches; the libraries keep their own initial weights, optimisers and learning rates (sae_peers.py). FVU and
dead atoms are taken over the whole grid. Seconds are of one training after another: read them as a rough measure.
"""

import argparse
import time
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import torch
from torch import Tensor

import inrlens as il
from dictionary_trainers import Dense, Ours, Trainer
from inrlens.dictionaries.activations import layer_rows
from inrlens.dictionaries.topk import SaeOrigin, SparseAutoencoder
from inrlens.rows import Batches, tiles
from inrlens.seeding import generator
from sae_peers import PEERS, build, version, why_absent
from timing import about, write_csv

GRID = (218, 178)
N_ATOMS, K, BATCH, LAYER, SEED = 4096, 32, 4096, 2, 0


@dataclass(frozen=True)
class Row:
    """One trainer at the end: fraction of variance unexplained, that over the dense trainer's, share of dead atoms."""

    trainer: str
    version: str
    steps: int
    fvu: float | None
    over_dense: float | None
    dead: float | None
    seconds: float | None
    note: str


@torch.no_grad()
def measure(trainer: Trainer, rows: Tensor) -> tuple[float, float]:
    """FVU and the share of atoms that fire nowhere, over all rows."""
    error = 0.0
    fires = torch.zeros(N_ATOMS, dtype=torch.bool)
    for part in tiles(rows.shape[0], 2048):
        codes, h_hat = trainer.reconstruct(rows[part])
        error += float((h_hat - rows[part]).double().square().sum())
        fires |= (codes > 0.0).any(0)
    centred = (rows.double() - rows.double().mean(0)).square().sum()
    return error / float(centred), 1.0 - float(fires.double().mean())


def first_dictionary(rows: Tensor) -> SparseAutoencoder:
    """The dictionary that ``train_sae`` starts from."""
    atoms = torch.randn(N_ATOMS, rows.shape[1], generator=generator(SEED, "sae", LAYER))
    return SparseAutoencoder(atoms, rows.mean(0), K, SaeOrigin(LAYER, SEED))


def train(trainer: Trainer, rows: Tensor, steps: int) -> float:
    """Takes the steps on the batches that ``train_sae`` draws; the seconds that they took."""
    batches = Batches(rows.shape[0], BATCH, generator(SEED, "sae", LAYER, "batches"))
    started = time.perf_counter()
    for _ in range(steps):
        trainer.step(rows[next(batches)])
    return time.perf_counter() - started


@torch.no_grad()
def check_same_start(rows: Tensor, fit: il.SaeFit) -> None:
    """Stops where the dense trainer would not begin as ``train_sae`` began: the comparison would be of two problems."""
    h = rows[next(Batches(rows.shape[0], BATCH, generator(SEED, "sae", LAYER, "batches")))]
    error = (first_dictionary(rows)(h) - h).square().sum() / h.shape[0]
    fvu = float(error / (rows - rows.mean(0)).square().sum(1).mean())
    if abs(fit.history[0].fvu / fvu - 1.0) > 1e-4:
        raise SystemExit(f"train_sae begins at FVU {fit.history[0].fvu}, the dense trainer at {fvu}.")


def compare(field: il.Field, steps: int, learning_rate: float, with_peers: bool) -> list[Row]:
    """A row for every trainer, printed as it comes; the learning rate is for ours and the dense one."""
    rows = layer_rows(field, LAYER)
    fit = il.train_sae(
        field, LAYER, n_atoms=N_ATOMS, k=K, steps=steps, learning_rate=learning_rate, batch=BATCH, seed=SEED
    )
    check_same_start(rows, fit)
    dense = Dense(first_dictionary(rows), learning_rate)
    dense_seconds = train(dense, rows, steps)
    dense_fvu, dense_dead = measure(dense, rows)
    fvu, dead = measure(Ours(fit.sae), rows)
    table = [
        Row("ours", il.__version__, steps, fvu, fvu / dense_fvu, dead, fit.seconds, ""),
        Row("dense", torch.__version__, steps, dense_fvu, 1.0, dense_dead, dense_seconds, ""),
    ]
    print("\n".join(line(row) for row in table), flush=True)
    for name, peer in PEERS.items() if with_peers else ():
        note = why_absent(peer)
        if note:
            row = Row(name, "", steps, None, None, None, None, note)
        else:
            trainer = build(peer, rows.shape[1], N_ATOMS, K, steps)
            seconds = train(trainer, rows, steps)
            fvu, dead = measure(trainer, rows)
            row = Row(name, version(peer), steps, fvu, fvu / dense_fvu, dead, seconds, "")
        table.append(row)
        print(line(row), flush=True)
    return table


def line(row: Row) -> str:
    """A row as a line of the printed table."""
    if row.fvu is None or row.over_dense is None or row.dead is None or row.seconds is None:
        return f"{row.trainer:20} {row.note}"
    return f"{row.trainer:20} {row.fvu:10.6f} {row.over_dense:11.4f} {row.dead:8.2%} {row.seconds:7.1f}s"


def main() -> None:
    """Fits the cohort, prints the table and writes it as CSV where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, help="a folder of photographs; default: the bundled ones")
    parser.add_argument("--limit", type=int, default=10, help="how many of them, by name (default 10)")
    parser.add_argument("--steps", type=int, default=1000, help="steps of every training (default 1000)")
    parser.add_argument("--learning-rate", type=float, default=1e-4, help="ours and the dense trainer's (default 1e-4)")
    parser.add_argument("--quick", action="store_true", help="without the libraries")
    parser.add_argument("--csv", type=Path, help="write the table here")
    options = parser.parse_args()
    print(about())
    photos: list[il.Signal] = il.bundled_photos("cohort", size=GRID)[: options.limit]
    if options.photos:
        photos = il.load_folder(options.photos, size=GRID, how="cover", limit=options.limit)
    fit = il.fit_cohort(photos, il.recipes.fast("cohort", "siren"), seed=SEED)
    print(f"a cohort of {len(photos)}, {fit.psnr:.1f} dB; layer {LAYER}, {options.steps} steps at batch {BATCH}")
    print(f"{'trainer':20} {'FVU':>10} {'over dense':>11} {'dead':>8} {'time':>8}")
    table = compare(fit.field, options.steps, options.learning_rate, not options.quick)
    if options.csv:
        write_csv(options.csv, [field.name for field in fields(Row)], [astuple(row) for row in table])


if __name__ == "__main__":
    main()
