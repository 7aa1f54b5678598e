"""Times one fitting step and one dictionary step against their plain autograd forms, as ratios in one run.

Run with ``make bench``. The plain forms are written here the way the field writes them: the whole image through
autograd at once; a dense TopK autoencoder. Times alternate between the two, medians are shown.
"""

import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

import inrlens as il
from inrlens.dictionaries.step import reconstruction_gradients
from inrlens.dictionaries.topk import SaeOrigin, SparseAutoencoder
from inrlens.fitting.engine import Engine, PrefixRows
from inrlens.signals.signal import coordinates

ROUNDS = 5


def alternate(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of two calls, timed in turn after a warm-up."""
    times: tuple[list[float], list[float]] = ([], [])
    for round_number in range(ROUNDS + 1):
        for call, found in zip((first, second), times, strict=True):
            started = time.perf_counter()
            call()
            if round_number:
                found.append(time.perf_counter() - started)
    return statistics.median(times[0]), statistics.median(times[1])


def fitting_step(backbone: str, grid: tuple[int, int], frozen: int) -> tuple[float, float]:
    """Seconds of a full-batch gradient: ours, and the plain loop's over all layers."""
    field = il.Field.new(backbone, seed=0, grid=grid)
    x = coordinates(grid)
    target = torch.rand(x.shape[0], 3, generator=torch.Generator().manual_seed(0))
    plain = il.Field.new(backbone, seed=0, grid=grid)

    def plain_step() -> None:
        plain.zero_grad()
        F.mse_loss(plain(x), target).backward()

    engine = Engine([field.encoder.layer(i) for i in range(frozen, field.depth)], field.head, 3, tile=1024)
    inputs = PrefixRows(field.encoder, x, frozen, 1024)
    return alternate(lambda: engine.gradient(inputs, target, slice(0, x.shape[0])), plain_step)


def dictionary_step(rows: int, n_atoms: int, k: int, width: int = 256) -> tuple[float, float]:
    """Seconds of a dictionary's gradients: ours, and a dense TopK autoencoder's."""
    draws = torch.Generator().manual_seed(0)
    h = torch.randn(rows, width, generator=draws)
    sae = SparseAutoencoder(torch.randn(n_atoms, width, generator=draws), h.mean(0), k, SaeOrigin(0))

    def dense_step() -> None:
        sae.zero_grad()
        u = F.linear(h - sae.pre_bias, sae.encoder, sae.encoder_bias)
        values, atoms = torch.topk(u, k, dim=1)
        codes = torch.zeros_like(u).scatter(1, atoms, values.relu())
        loss = (codes @ sae.decoder + sae.pre_bias - h).square().sum(1).mean()
        loss.backward()

    return alternate(lambda: reconstruction_gradients(sae, h), dense_step)


def main() -> None:
    """Prints the table."""
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"{'what':58} {'ours':>9} {'plain':>9} {'plain/ours':>10}")
    for backbone in il.backbone_names():
        for grid, frozen in (((64, 80), 0), ((218, 178), 0), ((218, 178), 2)):
            ours, plain = fitting_step(backbone, grid, frozen)
            what = f"{backbone} step, {grid[0]}x{grid[1]}, {frozen} of 5 layers frozen"
            print(f"{what:58} {ours * 1e3:7.0f}ms {plain * 1e3:7.0f}ms {plain / ours:10.2f}")
    for rows, n_atoms, k in ((1024, 1024, 16), (4096, 4096, 32)):
        ours, plain = dictionary_step(rows, n_atoms, k)
        what = f"dictionary step, {rows} rows, n={n_atoms}, k={k}"
        print(f"{what:58} {ours * 1e3:7.0f}ms {plain * 1e3:7.0f}ms {plain / ours:10.2f}")


if __name__ == "__main__":
    main()
