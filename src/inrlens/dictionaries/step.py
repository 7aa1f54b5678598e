"""One training step's gradients, written out: only the encode product is dense.

With at most k of n codes alive in a row, decoding, both weight gradients and the gradient of the codes touch
``rows * k`` entries instead of ``rows * n``. They run as products with sparse matrices that share one pattern.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.dictionaries.topk import SparseAutoencoder


@dataclass(frozen=True)
class SaeLoss:
    """Over the rows of one step: the summed squared error, the number of rows, and which atoms fired ``(n,)``."""

    squared_error: float
    rows: int
    fired: Tensor


@torch.no_grad()
def reconstruction_gradients(sae: SparseAutoencoder, h: Float[Tensor, "b d"]) -> SaeLoss:
    """Sets ``.grad`` of the loss ``mean_i ||h_hat_i - h_i||^2`` for all four parameters of ``sae``."""
    rows, k = h.shape[0], sae.k
    centred = h - sae.pre_bias
    values, atoms = torch.topk(torch.addmm(sae.encoder_bias, centred, sae.encoder.T), k, dim=1, sorted=False)
    atoms, order = atoms.sort(dim=1)
    codes = values.gather(1, order).clamp_(min=0.0)
    alive = codes > 0.0
    by_row = _by_row(codes, atoms, sae.n_atoms)
    error = (by_row @ sae.decoder).sub_(centred)
    squared = float(torch.dot(error.view(-1), error.view(-1)))
    error.mul_(2.0 / rows)

    sampled = torch.sparse.sampled_addmm(by_row, error, sae.decoder.T, beta=0.0)
    code_gradient = sampled.values().view(rows, k) * alive
    by_atom = _by_atom(atoms, sae.n_atoms)
    sae.decoder.grad = by_atom(codes) @ error
    sae.encoder.grad = by_atom(code_gradient) @ centred
    bias = torch.zeros_like(sae.encoder_bias).index_add_(0, atoms.view(-1), code_gradient.view(-1))
    sae.encoder_bias.grad = bias
    # b_pre enters twice: it is subtracted before the encoder and added after the decoder.
    sae.pre_bias.grad = error.sum(0) - bias @ sae.encoder
    fired = torch.zeros_like(bias, dtype=torch.bool)
    fired[atoms[alive]] = True
    return SaeLoss(squared, rows, fired)


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


def _by_row(codes: Tensor, atoms: Tensor, n: int) -> Tensor:
    """The codes as a sparse ``(rows, n)`` matrix; a row's atoms are in ascending order."""
    rows, k = codes.shape
    ends = torch.arange(0, rows * k + 1, k, device=codes.device)
    return _csr(ends, atoms.view(-1), codes.view(-1), (rows, n))


def _by_atom(atoms: Tensor, n: int) -> Callable[[Tensor], Tensor]:
    """Turns values that lie like ``atoms`` ``(rows, k)`` into the sparse ``(n, rows)`` transpose; one sort for all."""
    rows, k = atoms.shape
    order = torch.argsort(atoms.view(-1), stable=True)
    counts = torch.bincount(atoms.view(-1), minlength=n)
    ends = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return lambda values: _csr(ends, order // k, values.reshape(-1)[order], (n, rows))


def _csr(ends: Tensor, columns: Tensor, values: Tensor, size: tuple[int, int]) -> Tensor:
    with warnings.catch_warnings():
        # torch announces once that its CSR format is in beta; the two products used here are tested against autograd.
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(ends, columns, values, size, check_invariants=False)
