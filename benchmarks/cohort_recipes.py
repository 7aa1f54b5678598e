"""What to start a new picture from, at equal test-time budget: PSNR against steps and seconds.

    python benchmarks/cohort_recipes.py [--size 64x80] [--width 128] [--steps 200] [--signals 3] [--csv FILE]

Starts: scratch; cohorts (STRAINER) of photographs and, needing no data, of noise (SNP: uniform, Gaussian, dead leaves,
1/f); meta-learned ones (MAML, Reptile) of the same photographs; and a cohort of the photographs that is given as long
as MAML took. The network, the transfer recipe (every layer trained, full-batch Adam, a cosine down to 0) and the test
pictures are the same for all; each start is tried at every one of ``--rates``, and told after each number of steps at
the rate that serves it best there, since no one rate is fair to all. Each is taken with a fresh head and with its own:
a cohort's is the mean of its heads. The seconds that a start takes to learn are its own affair and stand beside it.
The pictures are the bundled ones, or with ``--folder`` those of a folder by name: ten to learn from, then the test.
"""

import argparse
import math
import statistics
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

import torch

import inrlens as il
from timing import about, write_csv

NOISE = ("uniform", "gaussian", "dead-leaves", "spectrum")
COHORT = 10
SHOWN = (0, 1, 2, 5, 10, 20, 50, 100)
"""Steps that are told of, before the last."""


@dataclass(frozen=True)
class Row:
    """One row of one transfer's history; ``learned`` is what its start took in seconds."""

    start: str
    head: str
    rate: float
    learned: float
    signal: str
    seed: int
    step: int
    seconds: float
    psnr: float


def learned_starts(
    photos: list[il.Signal], width: int, cohort_steps: int, outer_steps: int, seed: int
) -> dict[str, il.Fit]:
    """A cohort of the photographs and of each kind of noise, MAML and Reptile on the photographs, then a cohort of them
    with as many more steps as MAML took longer."""
    recipe = il.recipes.small("cohort", "siren")
    assert recipe.backbone is not None
    network = replace(recipe.backbone, width=width)
    recipe = replace(recipe, backbone=network, steps=cohort_steps)
    meta = replace(il.meta_recipes.small("siren"), backbone=network, steps=outer_steps)
    first = photos[0]
    sources = [photos, *(il.noise_cohort(kind, COHORT, first.shape, first.channels, seed) for kind in NOISE)]
    cohorts = [il.fit_cohort(source, recipe, seed=seed) for source in sources]
    maml, reptile = il.fit_maml(photos, meta, seed=seed), il.fit_reptile(photos, meta, seed=seed)
    longer = replace(recipe, steps=max(cohort_steps, round(cohort_steps * maml.seconds / cohorts[0].seconds)))
    named = dict(zip(("photos", *NOISE), cohorts, strict=True))
    return {**named, "maml": maml, "reptile": reptile, "photos long": il.fit_cohort(photos, longer, seed=seed)}


def measure(name: str, start: il.Fit, tests: list[il.Signal], recipe: il.Recipe, seed: int) -> list[Row]:
    """Every test picture on a start, with both heads; scratch has no head to keep and learned nothing."""
    scratch = name == "scratch"
    rows = []
    for head in ("reinit",) if scratch else ("reinit", "warm"):
        rest = "reinit" if scratch else "warm"
        cells = [il.TransferJob(test, None, rest, seed, head) for test in tests]
        for test, fitted in zip(tests, il.transfer_many(start.field, cells, recipe=recipe), strict=True):
            told = (name, head, recipe.learning_rate, 0.0 if scratch else start.seconds, test.name, seed)
            rows += [
                Row(*told, record.step, record.seconds, record.psnr)
                for record in fitted.history
                if record.step in (*SHOWN, recipe.steps)
            ]
    return rows


def at_its_best_rate(rows: list[Row]) -> dict[int, list[Row]]:
    """A start and head's rows by step, each at the rate whose mean PSNR is highest there."""
    best = {}
    for step in dict.fromkeys(row.step for row in rows):
        by_rate: dict[float, list[Row]] = {}
        for row in rows:
            if row.step == step:
                by_rate.setdefault(row.rate, []).append(row)
        best[step] = max(by_rate.values(), key=lambda own: statistics.mean(row.psnr for row in own))
    return best


def line(rows: list[Row], scratch: list[Row]) -> str:
    """Mean PSNR of a start and head after so many steps; at the last with its rate, its standard error over pictures
    and seeds, and the mean gain over the same pictures and seeds from scratch, each at its own best rate."""
    best, plain = at_its_best_rate(rows), at_its_best_rate(scratch)
    last = max(best)
    start = {(row.signal, row.seed): row.psnr for row in plain[last]}
    gains = [row.psnr - start[row.signal, row.seed] for row in best[last]]
    learned = statistics.mean({row.seed: row.learned for row in rows}.values())
    means = " ".join(f"{statistics.mean(row.psnr for row in own):7.2f}" for own in best.values())
    spread = error([row.psnr for row in best[last]])
    ends = f"{best[last][0].rate:7g} {spread:6.2f} {statistics.mean(gains):+7.2f} {error(gains):6.2f}"
    return f"{rows[0].start:12} {rows[0].head:7} {learned:9.1f} {means} {ends}"


def error(values: list[float]) -> float:
    """The standard error of a mean; not a number for one value."""
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def main() -> None:
    """Prints a line a start and head, and writes every record as CSV where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="64x80", help="height x width of the pictures (default 64x80)")
    parser.add_argument("--width", type=int, default=128, help="units a layer (default 128)")
    parser.add_argument("--steps", type=int, default=200, help="steps of a transfer (default 200)")
    parser.add_argument(
        "--rates", type=float, nargs="+", default=[1e-4, 3e-4, 1e-3, 3e-3], help="Adam's in a transfer, all tried"
    )
    parser.add_argument("--cohort-steps", type=int, default=1500, help="steps of a cohort (default 1500)")
    parser.add_argument("--outer-steps", type=int, default=600, help="outer steps of MAML and Reptile (default 600)")
    parser.add_argument("--signals", type=int, default=3, help="test pictures (default 3)")
    parser.add_argument("--seeds", type=int, default=1, help="seeds of everything (default 1)")
    parser.add_argument("--threads", type=int, help="torch's threads (default: torch's own)")
    parser.add_argument("--folder", type=Path, help="pictures instead of the bundled ones")
    parser.add_argument("--csv", type=Path, help="write every record here")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    height, width = (int(side) for side in options.size.split("x"))
    size = (height, width)
    if options.folder:
        pictures = list(il.load_folder(options.folder, size=size, limit=COHORT + options.signals))
        photos, tests = pictures[:COHORT], pictures[COHORT:]
    else:
        photos, tests = il.bundled_photos("cohort", size), il.bundled_photos("heldout", size)[: options.signals]
    recipe = replace(il.recipes.transfer("siren"), steps=options.steps, schedule="cosine", record_every=1)
    recipes = [replace(recipe, learning_rate=rate) for rate in options.rates]
    rows: list[Row] = []
    for seed in range(options.seeds):
        fits = learned_starts(photos, options.width, options.cohort_steps, options.outer_steps, seed)
        for name, start in {"scratch": fits["photos"], **fits}.items():
            for one in recipes:
                rows += measure(name, start, tests, one, seed)
    steps = list(dict.fromkeys(row.step for row in rows))
    seconds = [statistics.median(row.seconds for row in rows if row.step == step) for step in steps]
    scratch = [row for row in rows if row.start == "scratch"]
    print(about())
    print(f"{len(tests)} pictures, {options.seeds} seeds; mean PSNR in dB; +-: standard error of what stands before it")
    print(f"{'step':30} " + " ".join(f"{step:7}" for step in steps))
    print(f"{'median seconds':30} " + " ".join(f"{value:7.2f}" for value in seconds))
    ends = f"{'rate':>7} {'+-':>6} {'gain':>7} {'+-':>6}"
    print(f"{'start':12} {'head':7} {'learned s':>9} {'':{8 * len(steps) - 1}} {ends}")
    for name, head in dict.fromkeys((row.start, row.head) for row in rows):
        print(line([row for row in rows if (row.start, row.head) == (name, head)], scratch))
    if options.csv:
        write_csv(options.csv, [field.name for field in fields(Row)], [astuple(row) for row in rows])


if __name__ == "__main__":
    main()
