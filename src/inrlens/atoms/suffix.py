"""The layers after a dictionary, with atoms taken out before they run.

Where a plain chain of layers follows, the next one is linear before its nonlinearity: taking ``z_a w_a`` out of its
input takes ``z_a W w_a`` out of its pre-activation. ``W w_a`` is computed once for every atom, so that an ablation
skips that layer's product; after the last layer only the head follows, and an effect is ``z_a W_head w_a`` itself.
Elsewhere ``z_a w_a`` is taken out of the activations, and the network runs on from them.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from inrlens.dictionaries.evaluate import check_fits
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.fields.network import Network

_ROWS = 2048
"""Rows that a CPU core takes through the layers at once, so that they stay in its cache."""
_ROWS_ELSEWHERE = 2**18


def weighted_sums(
    indices: Int[Tensor, "r k"], weights: Float[Tensor, "r k"], vectors: Float[Tensor, "n d"]
) -> Float[Tensor, "r d"]:
    """``sum_j weights_ij vectors_(indices_ij)`` for every row i."""
    return F.embedding_bag(indices, vectors, per_sample_weights=weights, mode="sum")


class Suffix:
    """One head's output from where a dictionary's layer enters what follows, in buffers that are made once.

    That is the next pre-activations where a plain chain follows, else the activations themselves. ``reach`` ``(n, d')``
    is what each atom adds there. An object serves one thread.

    Raises:
        InputError: where the dictionary does not fit the field, or there is no such head.
    """

    @torch.no_grad()
    def __init__(self, field: Network, sae: SparseAutoencoder, head: int, reach: Tensor | None = None) -> None:
        check_fits(field, sae)
        self._field, self._layer, self._columns = field, sae.layer, field.columns(head)
        self._chain = field.chain(sae.layer, head)
        if reach is None:
            atoms = sae.decoder.detach()
            reach = atoms if self._chain is None else atoms @ self._chain.products[0][0].T
        self.reach: Float[Tensor, "n d2"] = reach
        self.rows = _ROWS if field.device.type == "cpu" else _ROWS_ELSEWHERE
        self._buffers: dict[tuple[int, int], Tensor] = {}

    def enter(self, h: Float[Tensor, "r d"]) -> Float[Tensor, "r d2"]:
        """The pre-activations that follow ``h``, or the output itself after the last layer; without a chain ``h``."""
        if self._chain is None:
            return h
        weight, bias = self._chain.products[0]
        return torch.addmm(bias, h, weight.T)

    def without(
        self,
        u: Float[Tensor, "r d2"],
        row: Int[Tensor, " s"],
        atom: Int[Tensor, " s"],
        code: Float[Tensor, " s"],
    ) -> Float[Tensor, "s d2"]:
        """For each of s (row, atom) pairs what ``enter`` gave for the row, with that atom taken out; overwritten by the
        next call."""
        out = torch.index_select(u, 0, row, out=self._buffer(0, row.numel(), u.shape[1], u))
        part = torch.index_select(self.reach, 0, atom, out=self._buffer(1, row.numel(), u.shape[1], u))
        return out.sub_(part.mul_(code[:, None]))

    def finish(self, u: Float[Tensor, "r d2"], x: Float[Tensor, "r m"]) -> Float[Tensor, "r c"]:
        """The output at coordinates ``x`` from what ``enter`` or ``without`` gave, which is overwritten; the output
        itself by the next call."""
        if self._chain is None:
            return self._field.run_on(u, x, self._layer)[:, self._columns]
        for place, layer in enumerate(self._chain.layers):
            v = u if layer.scale == 1.0 else u.mul_(layer.scale)
            h = layer.nonlinearity.value(v, v)
            weight, bias = self._chain.products[place + 1]
            # The buffer that held the last input but one is free again.
            u = torch.addmm(bias, h, weight.T, out=self._buffer(2 + place % 2, h.shape[0], weight.shape[0], h))
        return u

    def _buffer(self, place: int, rows: int, width: int, like: Tensor) -> Tensor:
        found = self._buffers.get((place, width))
        if found is None or found.shape[0] < rows:
            found = like.new_empty(max(rows, min(self.rows, 2 * rows)), width)
            self._buffers[place, width] = found
        return found[:rows]
