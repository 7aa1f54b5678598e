"""Times one dictionary step's gradients against a dense TopK autoencoder's, in one run.

    python benchmarks/dictionary_step.py

The dense step is written here the way the field writes it: codes scattered into an (rows, n) matrix, decoded by a dense
product, differentiated by autograd. ``floor`` is one encode product and one top-k. Times alternate, medians are shown.
"""

import torch
import torch.nn.functional as F

from inrlens.dictionaries.step import reconstruction_gradients
from inrlens.dictionaries.topk import SaeOrigin, SparseAutoencoder
from timing import alternate


def measure(rows: int, n_atoms: int, k: int, width: int = 256, rounds: int = 5) -> dict[str, float]:
    """Seconds of our step, the dense one, and the floor."""
    draws = torch.Generator().manual_seed(0)
    h = torch.randn(rows, width, generator=draws)
    sae = SparseAutoencoder(torch.randn(n_atoms, width, generator=draws), h.mean(0), k, SaeOrigin(0))

    def dense() -> None:
        sae.zero_grad()
        u = F.linear(h - sae.pre_bias, sae.encoder, sae.encoder_bias)
        values, atoms = torch.topk(u, k, dim=1)
        codes = torch.zeros_like(u).scatter(1, atoms, values.relu())
        loss = (codes @ sae.decoder + sae.pre_bias - h).square().sum(1).mean()
        loss.backward()

    def least() -> None:
        with torch.no_grad():
            torch.topk(h @ sae.encoder.T, k, dim=1, sorted=False)

    return alternate({"ours": lambda: reconstruction_gradients(sae, h), "dense": dense, "floor": least}, rounds)


def main() -> None:
    """Prints the table."""
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"{'step':34} {'ours':>8} {'dense/ours':>11} {'ours/floor':>11}")
    for rows, n_atoms, k in ((1024, 1024, 16), (4096, 4096, 32)):
        times = measure(rows, n_atoms, k)
        ours, dense, floor = times["ours"], times["dense"], times["floor"]
        print(f"{f'{rows} rows, n={n_atoms}, k={k}':34} {ours * 1e3:6.0f}ms {dense / ours:11.2f} {ours / floor:11.2f}")


if __name__ == "__main__":
    main()
