"""One training step's gradients, written out: only the encode product is dense.

With at most k of n codes alive in a row, decoding, both weight gradients and the gradient of the codes touch
``rows * k`` entries instead of ``rows * n``. Rows need each other only in the weight gradients, so on a CPU every core
takes its share of the rows from the encode product to the gradient of the codes, and then its share of the gradients.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from inrlens.dictionaries.encoding import ENCODING_TILE, RowEncoder
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.rows import tiles
from inrlens.workers import on_cores

Result = TypeVar("Result")


@dataclass(frozen=True)
class SaeLoss:
    """Over the rows of one step: the summed squared error, the number of rows, and which atoms fired ``(n,)``."""

    squared_error: float
    rows: int
    fired: Tensor


@dataclass(frozen=True, eq=False)
class _Share:
    """What a core found in its rows: its codes, row after row, and the gradient of each."""

    counts: Tensor
    atoms: Tensor
    codes: Tensor
    gradients: Tensor
    squared_error: float


class SaeGradients:
    """Sets ``.grad`` of the loss ``mean_i ||h_hat_i - h_i||^2`` for all four parameters of ``sae``.

    Args:
        sae: whose parameters.
        cores: threads that share the work on a CPU.
    """

    @torch.no_grad()
    def __init__(self, sae: SparseAutoencoder, cores: int = 1) -> None:
        self._sae = sae
        self.cores = cores if sae.decoder.device.type == "cpu" else 1
        self._encoders = [RowEncoder(sae) for _ in range(self.cores)]
        for parameter in sae.parameters():
            parameter.grad = torch.zeros_like(parameter)

    @torch.no_grad()
    def __call__(self, h: Float[Tensor, "b d"]) -> SaeLoss:
        """The gradients over the rows ``h``; they replace what ``.grad`` held."""
        sae, rows = self._sae, h.shape[0]
        centred = h - sae.pre_bias
        error = torch.empty_like(centred)

        @torch.no_grad()
        def share(core: int) -> _Share:
            part = slice(rows * core // self.cores, rows * (core + 1) // self.cores)
            return self._share(core, centred[part], error[part], 2.0 / rows)

        found = self._on_cores(share)
        counts, atoms, codes, gradients = (
            torch.cat([getattr(one, name) for one in found]) for name in ("counts", "atoms", "codes", "gradients")
        )
        # Narrow keys are sorted by radix, several times faster.
        order = torch.argsort(atoms.to(torch.int16 if sae.n_atoms <= 2**15 else torch.int32), stable=True)
        row = torch.repeat_interleave(torch.arange(rows, device=h.device), counts)[order]
        fires = torch.bincount(atoms, minlength=sae.n_atoms)
        starts = torch.cat([fires.new_zeros(1), fires.cumsum(0)])
        bounds = _even_bounds(starts, self.cores)
        products = ((sae.decoder, codes[order], error), (sae.encoder, gradients[order], centred))

        @torch.no_grad()
        def weight_gradients(core: int) -> None:
            first, last = bounds[core], bounds[core + 1]
            own = slice(int(starts[first]), int(starts[last]))
            offsets = starts[first:last] - own.start
            for parameter, weights, source in products:
                assert parameter.grad is not None
                parameter.grad[first:last] = _weighted_sums(row[own], weights[own], offsets, source)

        self._on_cores(weight_gradients)
        bias = torch.zeros_like(sae.encoder_bias).index_add_(0, atoms, gradients)
        sae.encoder_bias.grad = bias
        # b_pre enters twice: it is subtracted before the encoder and added after the decoder.
        sae.pre_bias.grad = error.sum(0) - bias @ sae.encoder
        return SaeLoss(math.fsum(one.squared_error for one in found), rows, fires > 0)

    def _share(self, core: int, centred: Tensor, error: Tensor, scale: float) -> _Share:
        """Fills ``error`` with ``scale`` times the reconstruction's error over a core's rows."""
        sae, parts = self._sae, []
        squared_error = 0.0
        for tile in tiles(centred.shape[0], ENCODING_TILE):
            h, e = centred[tile], error[tile]
            fired = self._encoders[core].centred(h)
            ends = torch.cat([fired.counts.new_zeros(1), fired.counts.cumsum(0)])
            torch.sub(_weighted_sums(fired.atoms, fired.codes, ends[:-1], sae.decoder), h, out=e)
            squared_error += float(torch.dot(e.view(-1), e.view(-1))) if fired.finite else math.nan
            e.mul_(scale)
            parts.append((fired.counts, fired.atoms, fired.codes, _sampled(ends, fired.atoms, e, sae.decoder)))
        if not parts:
            none = sae.decoder.new_empty(0)
            return _Share(none.long(), none.long(), none, none, 0.0)
        counts, atoms, codes, gradients = (torch.cat(column) for column in zip(*parts, strict=True))
        return _Share(counts, atoms, codes, gradients, squared_error)

    def _on_cores(self, work: Callable[[int], Result]) -> list[Result]:
        return [work(0)] if self.cores == 1 else on_cores(work, range(self.cores), self.cores)


@torch.no_grad()
def remove_parallel_part(sae: SparseAutoencoder) -> None:
    """Takes from each atom's gradient its part along the atom, which unit norm would undo anyway."""
    gradient = sae.decoder.grad
    assert gradient is not None
    gradient -= (gradient * sae.decoder).sum(1, keepdim=True) * sae.decoder


@torch.no_grad()
def renormalise(sae: SparseAutoencoder) -> None:
    """Brings every atom back to unit norm."""
    sae.decoder.div_(sae.decoder.norm(dim=1, keepdim=True).clamp_min_(torch.finfo(sae.decoder.dtype).tiny))


def _weighted_sums(indices: Tensor, weights: Tensor, offsets: Tensor, source: Tensor) -> Tensor:
    """For each run of ``indices`` that begins at one of ``offsets``: the weighted sum of those rows of ``source``."""
    if not indices.numel():
        return source.new_zeros(offsets.numel(), source.shape[1])
    return F.embedding_bag(indices, source, offsets, per_sample_weights=weights, mode="sum")


def _sampled(ends: Tensor, atoms: Tensor, error: Tensor, decoder: Tensor) -> Tensor:
    """``<error_i, decoder_a>`` for every code of row i and atom a, in their order."""
    pattern = _csr(ends, atoms, decoder.new_zeros(atoms.numel()), (error.shape[0], decoder.shape[0]))
    sampled: Tensor = torch.sparse.sampled_addmm(pattern, error, decoder.T, beta=0.0).values()
    return sampled


def _even_bounds(starts: Tensor, parts: int) -> list[int]:
    """Bounds of ``parts`` runs of atoms that hold about equally many codes each."""
    total = int(starts[-1])
    inner = [int(torch.searchsorted(starts, total * part // parts)) for part in range(1, parts)]
    return [0, *inner, starts.numel() - 1]


def _csr(ends: Tensor, columns: Tensor, values: Tensor, size: tuple[int, int]) -> Tensor:
    with warnings.catch_warnings():
        # torch announces once that its CSR format is in beta; the product used here is tested against autograd.
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(ends, columns, values, size, check_invariants=False)
