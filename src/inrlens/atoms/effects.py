"""What happens to the picture when one atom is taken out: exactly, for every atom at once.

A coordinate network treats every coordinate by itself, and a coordinate has at most k codes. So removing an atom
changes nothing where its code is 0, and all n removals together touch at most ``k * N`` (coordinate, atom) pairs: they
cost k passes through the layers after the dictionary, not n. Together they are the atlas of a layer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.atoms.codes import Codes, check_codes
from inrlens.atoms.footprint import Footprint, footprint
from inrlens.atoms.statistics import AtomStatistics, atom_statistics, check_ranking, ranked
from inrlens.atoms.suffix import Suffix
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.network import Network
from inrlens.metrics import psnr_from_mse
from inrlens.rows import over_tiles, tiles, within
from inrlens.signals.signal import Signal

_DROP_TILE = 8192
EFFECT_RANKINGS = ("psnr_drop", "energy", "largest", "support", "in_box", "in_radius", "pieces")
STATISTIC_RANKINGS = ("mean_magnitude", "active_fraction", "firing_rate", "ipr")


@dataclass(frozen=True, eq=False)
class Effects:
    """``Delta_a(x) = f(x) - f^{-a}(x)`` wherever it is not zero (arXiv:2605.08298, Sec. 3.3): the atlas of a layer.

    ``delta`` ``(N, k, c)``: slot j of row i belongs to atom ``codes.indices[i, j]`` and is exactly 0 where its code is;
    ``output`` ``(N, c)`` is f itself, the output of ``head``, unclamped; ``codes`` say who fires. ``f^{-a}`` takes
    ``z_a w_a`` out of the activations of ``layer`` and keeps everything else, the dictionary's own error included.
    ``signal`` is what the head was fitted to, where it is known.
    """

    delta: Float[Tensor, "n k c"]
    output: Float[Tensor, "n c"]
    codes: Codes
    head: int
    layer: int
    signal: Signal | None = None

    def of(self, atom: int) -> Float[Tensor, "*grid c"]:
        """One atom's effect laid out on the grid.

        Raises:
            InputError: where there is no such atom.
        """
        self.codes.check_atom(atom)
        chosen = (self.codes.indices == atom)[:, :, None]
        effect = torch.where(chosen, self.delta, 0.0).sum(1)
        return effect.reshape(*self.codes.grid, effect.shape[1])

    @cached_property
    def statistics(self) -> AtomStatistics:
        """What each atom's codes are like over the grid."""
        return atom_statistics(self.codes)

    @cached_property
    def footprint(self) -> Footprint:
        """Where and how strongly each atom acts on the picture."""
        return footprint(self.delta, self.codes)

    @cached_property
    def psnr_drop(self) -> Float[Tensor, " n"]:
        """By how many dB the PSNR against ``signal`` falls when each atom alone is removed.

        Raises:
            InputError: where no signal is known.
        """
        if self.signal is None:
            raise InputError("these effects know no signal, so no PSNR: give effects(..., signal=...) the one fitted.")
        return psnr_drops(self, self.signal)

    def measure(self, name: str) -> Float[Tensor, " n"]:
        """A number for every atom, by name: one of ``EFFECT_RANKINGS`` or ``STATISTIC_RANKINGS``.

        Raises:
            InputError: for an unknown name, or a PSNR drop where no signal is known.
        """
        check_ranking(name, EFFECT_RANKINGS + STATISTIC_RANKINGS)
        if name == "psnr_drop":
            return self.psnr_drop
        values: Tensor = getattr(self.statistics if name in STATISTIC_RANKINGS else self.footprint, name)
        return values.double()

    def rank(self, by: str = "psnr_drop") -> list[int]:
        """All living atoms by a measure, largest first, ties by number.

        Raises:
            InputError: as ``measure``.
        """
        return ranked(self.measure(by), self.statistics.dead)


@torch.no_grad()
def effects(
    field: Network, sae: SparseAutoencoder, codes: Codes, head: int = 0, *, signal: Signal | None = None
) -> Effects:
    """The effect of every atom on one head's output, over the grid of ``codes``; every core takes its share of rows.

    Args:
        field: the network.
        sae: a dictionary of one of its layers.
        codes: that dictionary's, from ``encode``.
        head: whose output.
        signal: what the head was fitted to; needed for PSNR drops alone.

    Raises:
        InputError: where dictionary, codes and field do not fit together, there is no such head, or the signal does
            not lie on the codes' grid.
    """
    first = Suffix(field, sae, head)
    check_codes(field, sae, codes)
    if signal is not None:
        codes.check_signal(signal, field.channels)
    x = field.grid_coordinates(codes.grid)
    rows, k = codes.values.shape
    delta = codes.values.new_zeros(rows, k, field.channels)
    output = codes.values.new_empty(rows, field.channels)

    def worker() -> Callable[[slice], None]:
        suffix = Suffix(field, sae, head, first.reach)

        def tile(part: slice) -> None:
            u = suffix.enter(field.run_to(x[part], sae.layer))
            whole = suffix.finish(u.clone(), x[part]).clone()
            row, slot = (codes.values[part] > 0.0).nonzero(as_tuple=True)
            atom, code = codes.indices[part][row, slot].long(), codes.values[part][row, slot]
            output[part] = whole
            delta[part][row, slot] = whole[row].sub_(suffix.finish(suffix.without(u, row, atom, code), x[part][row]))

        return tile

    over_tiles(rows, max(1, first.rows // k), worker, field.device)
    return Effects(delta, output, codes, head, sae.layer, signal)


def psnr_drops(effects: Effects, signal: Signal) -> Float[Tensor, " n"]:
    """By how many dB the PSNR against ``signal`` falls when each atom alone is removed; negative where it rises.

    Needs no further pass: outside an atom's support nothing changes, so each removal's squared error is that of the
    whole picture plus the differences on the support. Samples that the signal's mask leaves out do not count.

    Raises:
        InputError: where the signal does not lie on the codes' grid.
    """
    codes = effects.codes
    codes.check_signal(signal, effects.output.shape[1])
    used, count = signal.used, signal.used_count * signal.channels
    target = signal.values.to(effects.output)
    change = torch.zeros(codes.n_atoms, dtype=torch.float64, device=target.device)
    total = 0.0
    for part in tiles(signal.used_count, _DROP_TILE):
        rows = within(part, used)
        before = (effects.output[rows].clamp(0.0, 1.0) - target[rows]).double().square().sum(1)
        ablated = (effects.output[rows, None] - effects.delta[rows]).clamp(0.0, 1.0)
        after = (ablated - target[rows, None]).double().square().sum(2)
        change.index_add_(0, codes.indices[rows].reshape(-1).long(), (after - before[:, None]).reshape(-1))
        total += float(before.sum())
    intact = psnr_from_mse(total / count)
    drops = [intact - psnr_from_mse(max(total + more, 0.0) / count) for more in change.tolist()]
    return torch.tensor(drops, dtype=torch.float64)
