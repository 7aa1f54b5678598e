"""What happens to the picture when one atom is taken out: exactly, for every atom at once.

A coordinate network treats every coordinate by itself, and a coordinate has at most k codes. So removing an atom
changes nothing where its code is 0, and all n removals together touch at most ``k * N`` (coordinate, atom) pairs: they
cost k passes through the layers after the dictionary, not n.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.atoms.codes import Codes
from inrlens.dictionaries.evaluate import check_fits
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.field import EVALUATION_TILE, Field
from inrlens.metrics import psnr_from_mse
from inrlens.rows import tiles
from inrlens.signals.signal import Signal


@dataclass(frozen=True, eq=False)
class Effects:
    """``Delta_a(x) = f(x) - f^{-a}(x)`` wherever it is not zero (arXiv:2605.08298, Sec. 3.3).

    ``delta`` ``(N, k, c)``: slot j of row i belongs to atom ``codes.indices[i, j]`` and is exactly 0 where its code
    is; ``output`` ``(N, c)`` is f itself, unclamped. ``f^{-a}`` takes ``z_a w_a`` out of the layer's activations and
    keeps everything else, the dictionary's own error included.
    """

    delta: Float[Tensor, "n k c"]
    output: Float[Tensor, "n c"]
    codes: Codes
    head: int

    def of(self, atom: int) -> Float[Tensor, "*grid c"]:
        """One atom's effect laid out on the grid.

        Raises:
            InputError: where there is no such atom.
        """
        self.codes.check_atom(atom)
        chosen = (self.codes.indices == atom)[:, :, None]
        effect = torch.where(chosen, self.delta, 0.0).sum(1)
        return effect.reshape(*self.codes.grid, effect.shape[1])


@torch.no_grad()
def effects(field: Field, sae: SparseAutoencoder, codes: Codes, head: int = 0) -> Effects:
    """The effect of every atom on one head's output, over the grid of ``codes``.

    Raises:
        InputError: where dictionary, codes and field do not fit together, or there is no such head.
    """
    check_fits(field, sae)
    if codes.n_atoms != sae.n_atoms:
        raise InputError(f"the codes speak of {codes.n_atoms} atoms, the dictionary has {sae.n_atoms}.")
    columns = field.columns(head)
    rows, k = codes.values.shape
    delta = codes.values.new_zeros(rows, k, field.channels)
    output = codes.values.new_empty(rows, field.channels)
    for part, h in _layer_tiles(field, sae, codes.grid):
        whole = run_suffix(field, sae.layer, h, columns)
        output[part] = whole
        for slot in range(k):
            z = codes.values[part, slot]
            fires = (z > 0.0).nonzero()[:, 0]
            atoms = codes.indices[part, slot].long()[fires]
            without = h[fires] - z[fires, None] * sae.decoder[atoms]
            delta[part.start + fires, slot] = whole[fires] - run_suffix(field, sae.layer, without, columns)
    return Effects(delta, output, codes, head)


def psnr_drops(effects: Effects, signal: Signal) -> Float[Tensor, " n"]:
    """By how many dB the PSNR against ``signal`` falls when each atom alone is removed; negative where it rises.

    Needs no further pass: outside an atom's support nothing changes, so each removal's squared error is that of the
    whole picture plus the differences on the support.

    Raises:
        InputError: where the signal does not lie on the codes' grid.
    """
    target = signal.values.to(effects.output)
    if signal.shape != effects.codes.grid or target.shape != effects.output.shape:
        raise InputError(f"signal {signal.name!r} of {signal.shape} does not lie on the grid {effects.codes.grid}.")
    before = (effects.output.clamp(0.0, 1.0) - target).double().square().sum(1)
    ablated = (effects.output[:, None] - effects.delta).clamp(0.0, 1.0)
    after = (ablated - target[:, None]).double().square().sum(2)
    change = torch.zeros(effects.codes.n_atoms, dtype=torch.float64, device=target.device)
    change.index_add_(0, effects.codes.indices.reshape(-1).long(), (after - before[:, None]).reshape(-1))
    total, values = float(before.sum()), target.numel()
    intact = psnr_from_mse(total / values)
    drops = [intact - psnr_from_mse(max(total + float(more), 0.0) / values) for more in change]
    return torch.tensor(drops, dtype=torch.float64)


def run_suffix(field: Field, layer: int, h: Float[Tensor, "n d"], columns: slice) -> Float[Tensor, "n c"]:
    """One head's output from the activations of ``layer``."""
    last = field.encoder.run(h, layer + 1, None)
    return torch.nn.functional.linear(last, field.head.weight[columns], field.head.bias[columns])


def _layer_tiles(field: Field, sae: SparseAutoencoder, grid: tuple[int, ...]) -> Iterator[tuple[slice, Tensor]]:
    x = field.grid_coordinates(grid)
    for part in tiles(x.shape[0], EVALUATION_TILE):
        yield part, field.encoder.run(x[part], 0, sae.layer + 1)
