"""Codes of many rows: the encode product in a buffer that is made once, then the k largest."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from inrlens.dictionaries.select import SparseRows, top_codes
from inrlens.dictionaries.topk import SparseAutoencoder

ENCODING_TILE = 512
"""Rows whose pre-codes are held at once by a core: large enough for the product's full rate."""


class RowEncoder:
    """Encodes tiles of rows one after another; an object serves one thread.

    The pre-codes of a tile lie in one buffer: a fresh matrix of them costs as much as the product that fills it.
    """

    def __init__(self, sae: SparseAutoencoder) -> None:
        self._sae = sae
        self._buffer = sae.decoder.new_empty(0)

    @torch.no_grad()
    def centred(self, h: Float[Tensor, "b d"]) -> SparseRows:
        """What fires in rows from which ``pre_bias`` has been taken already."""
        return top_codes(self._precodes(h), self._sae.k)

    @torch.no_grad()
    def __call__(self, h: Float[Tensor, "b d"]) -> tuple[Float[Tensor, "b k"], Int[Tensor, "b k"]]:
        """As ``SparseAutoencoder.encode``; the k atoms of a row are distinct, also where fewer fire."""
        k = self._sae.k
        u = self._precodes(h - self._sae.pre_bias)
        found = top_codes(u, k)
        rows = torch.repeat_interleave(torch.arange(h.shape[0], device=h.device), found.counts)
        slots = torch.arange(rows.numel(), device=h.device) - (found.counts.cumsum(0) - found.counts)[rows]
        values, atoms = h.new_zeros(h.shape[0], k), found.atoms.new_zeros(h.shape[0], k)
        values[rows, slots] = found.codes
        atoms[rows, slots] = found.atoms
        short = (found.counts < k).nonzero()[:, 0]
        if short.numel():
            best, atoms[short] = torch.topk(u[short], k, dim=1, sorted=False)
            values[short] = best.relu()
        return values, atoms

    def _precodes(self, h: Tensor) -> Tensor:
        sae, needed = self._sae, h.shape[0] * self._sae.n_atoms
        if self._buffer.numel() < needed:
            self._buffer = h.new_empty(needed)
        u = self._buffer[:needed].view(h.shape[0], sae.n_atoms)
        return torch.addmm(sae.encoder_bias, h, sae.encoder.T, out=u)
