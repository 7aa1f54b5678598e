"""PSNR of Gauss, FINER and WIRE beside the same networks written straight from their papers' equations.

    python benchmarks/backbone_quality.py [--network NAME] [--size 64x80] [--steps N] [--photos N] [--seeds N]
                                          [--device cuda] [--csv FILE]

Both start from the same weights and take the published recipe (``il.recipes.single``), on bundled photographs. FINER
has a second peer whose derivative holds ``|u| + 1`` fixed, as its public code does. At their rates any difference of
Gauss and WIRE grows some tenfold a step at first (in float64 from 1e-13 in the first gradient), and two runs end
decibels apart: the mean over photographs and seeds is what counts. It falls short where it lies over 0.1 dB and two
standard errors below 0; a single run has no verdict.
"""

import argparse
import math
import statistics
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

import torch

import inrlens as il
from backbone_peers import Wave, finer_wave, finer_wave_held, from_start, gauss_wave, trained, wire_wave
from timing import about, write_csv

PEERS: dict[str, tuple[str, Callable[[], Wave]]] = {
    "gauss": ("gauss", lambda: gauss_wave(30.0)),
    "finer": ("finer", lambda: finer_wave(30.0)),
    "finer, |u| + 1 held": ("finer", lambda: finer_wave_held(30.0)),
    "wire": ("wire", lambda: wire_wave(20.0, 10.0)),
}
"""By name: the backbone and the peer's nonlinearity with the numbers of the published recipe."""
ALLOWED = -0.1
"""dB."""


@dataclass(frozen=True)
class Row:
    """One photograph under one network and seed; PSNR in dB after the last step, output clamped to [0, 1]."""

    peer: str
    photo: str
    seed: int
    steps: int
    ours: float
    theirs: float


def measure(peer: str, photo: il.Signal, recipe: il.Recipe, seed: int, ours: float, device: str = "cpu") -> Row:
    """The peer's PSNR from the start of our fit's seed, beside ``ours``."""
    assert recipe.backbone is not None
    start = il.Field.new(recipe.backbone, heads=1, channels=photo.values.shape[1], seed=seed, grid=photo.shape)
    start, targets = start.to(device), photo.values.to(device)
    out = trained(from_start(start, PEERS[peer][1]()), start.grid_coordinates(), targets, recipe)
    theirs = float(il.psnr(out, targets))
    return Row(peer, photo.name, seed, recipe.steps, ours, theirs)


def verdict(gaps: list[float]) -> str:
    """The mean of ours less theirs in dB, its standard error, and whether it may be more than ``ALLOWED`` below."""
    mean = statistics.mean(gaps)
    if len(gaps) == 1:
        return f"{mean:+.2f} dB in one run"
    error = statistics.stdev(gaps) / math.sqrt(len(gaps))
    short = mean < ALLOWED and mean < -2.0 * error
    return f"{mean:+.2f} dB over {len(gaps)} runs, standard error {error:.2f}: {'falls short' if short else 'holds'}"


def main() -> None:
    """Prints a line a run and the means, and writes the runs as CSV where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = sorted({backbone for backbone, _ in PEERS.values()})
    parser.add_argument("--network", choices=names, help="default: all")
    parser.add_argument("--size", default="64x80", help="height x width of the photographs (default 64x80)")
    parser.add_argument("--steps", type=int, default=5000, help="steps of every fit (default: the published 5000)")
    parser.add_argument("--photos", type=int, default=1, help="how many bundled photographs (default 1)")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds of each (default 1)")
    parser.add_argument("--threads", type=int, help="torch's threads (default: torch's own)")
    parser.add_argument("--device", default="cpu", help="where both are computed (default cpu)")
    parser.add_argument("--csv", type=Path, help="write the runs here")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    height, width = (int(side) for side in options.size.split("x"))
    print(about(options.device))
    peers = {peer: backbone for peer, (backbone, _) in PEERS.items() if options.network in (None, backbone)}
    print(f"{'network':20} {'photo':24} {'seed':>4} {'ours':>7} {'theirs':>7} {'ours - theirs':>13}")
    rows: list[Row] = []
    for photo in il.bundled_photos(size=(height, width))[: options.photos]:
        for seed in range(options.seeds):
            ours: dict[str, float] = {}
            for peer, backbone in peers.items():
                recipe = replace(il.recipes.single(backbone), steps=options.steps)
                if backbone not in ours:
                    ours[backbone] = il.fit(photo, recipe, seed=seed, device=options.device).psnr
                row = measure(peer, photo, recipe, seed, ours[backbone], options.device)
                rows.append(row)
                gap = row.ours - row.theirs
                print(
                    f"{peer:20} {photo.name[:24]:24} {seed:4} {row.ours:7.2f} {row.theirs:7.2f} {gap:13.2f}", flush=True
                )
    for peer in peers:
        print(f"{peer}: {verdict([row.ours - row.theirs for row in rows if row.peer == peer])}")
    if options.csv:
        write_csv(options.csv, [field.name for field in fields(Row)], [astuple(row) for row in rows], options.device)


if __name__ == "__main__":
    main()
