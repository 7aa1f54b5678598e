"""Times the exact effects of all atoms against one pass through the rest of the network an atom, in one run.

    python benchmarks/atlas.py [--field RUN --sae FILE] [--size HEIGHTxWIDTH] [--csv FILE]

``atlas`` is codes and effects; ``told`` adds every atom's PSNR drop and footprint. ``a pass`` takes one atom out of the
layer's activations and runs the layers after it over the whole picture, as one ablation is done everywhere; it is timed
for ``--checked`` atoms, reckoned for all of them, and each result is compared with the atlas. Without ``--field``, the
network is untrained and its dictionary trained for a few steps: times do not depend on what a network has learned.
"""

import argparse
import resource
import time
from pathlib import Path

import torch

import inrlens as il
from inrlens.checkpoints import load_sae
from inrlens.dictionaries.activations import layer_rows
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.studies.run_folder import open_field
from timing import about, write_csv

COLUMNS = (
    "grid", "n_atoms", "k", "atlas_seconds", "told_seconds", "pass_seconds", "passes_over_atlas", "largest_difference",
    "largest_off_support", "peak_mib",
)  # fmt: skip


@torch.no_grad()
def passes(field: il.Field, sae: SparseAutoencoder, atlas: il.Effects, atoms: list[int]) -> tuple[float, float, float]:
    """Seconds a pass, the largest difference from the atlas, and the largest effect off an atom's support."""
    h = layer_rows(field, sae.layer, atlas.codes.grid)
    columns = field.columns(atlas.head)
    maps = [atlas.codes.map(atom).reshape(-1, 1) for atom in atoms]
    weight, bias = field.head.weight[columns], field.head.bias[columns]
    last = []
    started = time.perf_counter()
    for atom, z in zip(atoms, maps, strict=True):
        out = field.encoder.run(h - z * sae.decoder[atom], sae.layer + 1, None)
        last.append(torch.nn.functional.linear(out, weight, bias))
    seconds = (time.perf_counter() - started) / len(atoms)
    difference = off = 0.0
    for atom, z, out in zip(atoms, maps, last, strict=True):
        effect = atlas.of(atom).reshape(out.shape)
        difference = max(difference, float((atlas.output - out - effect).abs().max()))
        off = max(off, float(effect[(z == 0.0)[:, 0]].abs().max()))
    return seconds, difference, off


def main() -> None:
    """Prints one line, and writes it as CSV where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--field", type=Path, help="a run folder or a field's file")
    parser.add_argument("--sae", type=Path, help="a dictionary of one of its layers")
    parser.add_argument("--size", default="218x178", help="height x width of the untrained network's picture")
    parser.add_argument("--checked", type=int, default=8, help="atoms that are also taken out one by one")
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    if options.field:
        field, signals = open_field(options.field)
        sae, signal = load_sae(options.sae), signals[0] if signals else None
    else:
        height, width = (int(side) for side in options.size.split("x"))
        field = il.Field.new("siren", heads=10, grid=(height, width), seed=0)
        sae = il.train_sae(field, 2, steps=20, seed=0).sae
        signal = il.Signal("grey", torch.full((height * width, 3), 0.5), (height, width))
    print(about())
    started = time.perf_counter()
    atlas = il.effects(field, sae, il.encode(field, sae), signal=signal)
    made = time.perf_counter() - started
    order = atlas.rank("energy")
    told = time.perf_counter() - started
    if signal is not None:
        order = atlas.rank()
        told = time.perf_counter() - started
    # Before the passes, which need more memory than the atlas.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    chosen = [order[len(order) * number // options.checked] for number in range(options.checked)]
    seconds, difference, off = passes(field, sae, atlas, chosen)
    grid = "x".join(str(side) for side in atlas.codes.grid)
    ratio = seconds * sae.n_atoms / made
    print(f"{grid}, n={sae.n_atoms}, k={sae.k}: atlas {made:.2f} s, with every atom's numbers {told:.2f} s")
    print(f"one pass {seconds * 1e3:.0f} ms, all {seconds * sae.n_atoms:.0f} s: {ratio:.0f} times the atlas")
    print(f"largest difference {difference:.1e}, off the support {off:.1e}; peak memory {peak:.0f} MiB")
    if options.csv:
        row = (grid, sae.n_atoms, sae.k, made, told, seconds, ratio, difference, off, peak)
        write_csv(options.csv, COLUMNS, [row])


if __name__ == "__main__":
    main()
