"""Turning atoms down, off or up, and looking at the picture."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.atoms.codes import encode
from inrlens.atoms.suffix import Suffix, weighted_sums
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.network import EVALUATION_TILE, Network
from inrlens.fields.quality import signal_psnr
from inrlens.rows import tiles
from inrlens.signals.signal import Signal


@dataclass(frozen=True, eq=False)
class Ablation:
    """One atom taken out of the picture.

    ``atom`` is its number; ``map`` is ``z_a`` on the grid; ``before`` and ``after`` are the pictures ``(*grid, c)``,
    unclamped; ``delta`` is their difference, exactly 0 wherever the map is. ``psnr_before`` and ``psnr_after``: the
    pictures' PSNR against the signal in dB, None without one.
    """

    atom: int
    map: Float[Tensor, "*grid"]
    before: Float[Tensor, "*grid c"]
    after: Float[Tensor, "*grid c"]
    delta: Float[Tensor, "*grid c"]
    psnr_before: float | None
    psnr_after: float | None

    @property
    def psnr_drop(self) -> float | None:
        """Decibels lost, None without a signal."""
        if self.psnr_before is None or self.psnr_after is None:
            return None
        return self.psnr_before - self.psnr_after


def ablate(
    field: Network,
    sae: SparseAutoencoder,
    atom: int,
    *,
    grid: tuple[int, ...] | None = None,
    head: int = 0,
    signal: Signal | None = None,
) -> Ablation:
    """Replaces ``H_l`` by ``H_l - z_a w_a^T`` and runs the rest of the network (arXiv:2605.08298, Sec. 3.3).

    Raises:
        InputError: where there is no such atom or head, or the signal does not lie on the grid.
    """
    codes = encode(field, sae, grid)
    codes.check_atom(atom)
    if signal is not None:
        codes.check_signal(signal, field.channels)
    before = field.render(head, codes.grid)
    after = edit(field, sae, {atom: 0.0}, grid=codes.grid, head=head)
    quality = [None if signal is None else signal_psnr(image, signal) for image in (before, after)]
    return Ablation(atom, codes.map(atom), before, after, before - after, *quality)


@torch.no_grad()
def edit(
    field: Network,
    sae: SparseAutoencoder,
    gains: Mapping[int, float],
    *,
    grid: tuple[int, ...] | None = None,
    head: int = 0,
) -> Float[Tensor, "*grid c"]:
    """One head's picture with each named atom's part multiplied by its gain: 0 removes, 1 keeps, 2 doubles.

    Everything else is kept, the dictionary's own error included; where no named atom fires, the picture is unchanged
    to the bit. Unclamped.

    Raises:
        InputError: where there is no such atom or head, or a gain is not finite.
    """
    codes = encode(field, sae, grid)
    factor = torch.zeros(sae.n_atoms, dtype=field.dtype, device=field.device)
    for atom, gain in gains.items():
        codes.check_atom(atom)
        if not math.isfinite(gain):
            raise InputError(f"the gain of atom {atom} must be a finite number, not {gain}.")
        factor[atom] = gain - 1.0
    suffix = Suffix(field, sae, head)
    out = field.render(head, codes.grid).reshape(-1, field.channels)
    change = codes.values * factor[codes.indices.long()]
    touched = (change != 0.0).any(1).nonzero()[:, 0]
    x = field.grid_coordinates(codes.grid)
    for part in tiles(touched.shape[0], EVALUATION_TILE):
        rows = touched[part]
        u = suffix.enter(field.run_to(x[rows], sae.layer))
        u += weighted_sums(codes.indices[rows].long(), change[rows], suffix.reach)
        out[rows] = suffix.finish(u, x[rows])
    return out.reshape(*codes.grid, field.channels)
