"""The layers after a dictionary, with atoms taken out before they run.

The layer that follows is linear before its nonlinearity: taking ``z_a w_a`` out of its input takes ``z_a W w_a`` out of
its pre-activation. ``W w_a`` is computed once for every atom, so that an ablation skips that layer's product; after the
last layer only the head follows, and an effect is ``z_a W_head w_a`` itself.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from inrlens.dictionaries.evaluate import check_fits
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.fields.field import Field

_ROWS = 2048
"""Rows that a CPU core takes through the layers at once, so that they stay in its cache."""
_ROWS_ELSEWHERE = 2**18


def weighted_sums(
    indices: Int[Tensor, "r k"], weights: Float[Tensor, "r k"], vectors: Float[Tensor, "n d"]
) -> Float[Tensor, "r d"]:
    """``sum_j weights_ij vectors_(indices_ij)`` for every row i."""
    return F.embedding_bag(indices, vectors, per_sample_weights=weights, mode="sum")


class Suffix:
    """One head's output from the pre-activations that follow a dictionary's layer, in buffers that are made once.

    ``reach`` ``(n, d')`` is what each atom adds there. An object serves one thread.

    Raises:
        InputError: where the dictionary does not fit the field, or there is no such head.
    """

    @torch.no_grad()
    def __init__(self, field: Field, sae: SparseAutoencoder, head: int, reach: Tensor | None = None) -> None:
        check_fits(field, sae)
        columns = field.columns(head)
        self._layers = [field.encoder.layer(index) for index in range(sae.layer + 1, field.depth)]
        self._products = [(layer.weight.detach(), layer.bias.detach()) for layer in self._layers]
        self._products.append((field.head.weight.detach()[columns], field.head.bias.detach()[columns]))
        self.reach: Float[Tensor, "n d2"] = sae.decoder.detach() @ self._products[0][0].T if reach is None else reach
        self.rows = _ROWS if field.device.type == "cpu" else _ROWS_ELSEWHERE
        self._buffers: dict[tuple[int, int], Tensor] = {}

    def enter(self, h: Float[Tensor, "r d"]) -> Float[Tensor, "r d2"]:
        """The pre-activations that follow ``h``, or the output itself after the last layer."""
        weight, bias = self._products[0]
        return torch.addmm(bias, h, weight.T)

    def without(
        self,
        u: Float[Tensor, "r d2"],
        row: Int[Tensor, " s"],
        atom: Int[Tensor, " s"],
        code: Float[Tensor, " s"],
    ) -> Float[Tensor, "s d2"]:
        """For each of s (row, atom) pairs the row's pre-activations with that atom taken out; overwritten by the next
        call."""
        out = torch.index_select(u, 0, row, out=self._buffer(0, row.numel(), u.shape[1], u))
        part = torch.index_select(self.reach, 0, atom, out=self._buffer(1, row.numel(), u.shape[1], u))
        return out.sub_(part.mul_(code[:, None]))

    def finish(self, u: Float[Tensor, "r d2"]) -> Float[Tensor, "r c"]:
        """The output from pre-activations, which are overwritten; the output itself by the next call."""
        for place, layer in enumerate(self._layers):
            v = u if layer.scale == 1.0 else u.mul_(layer.scale)
            h = layer.nonlinearity.value(v, v)
            weight, bias = self._products[place + 1]
            # The buffer that held the last input but one is free again.
            u = torch.addmm(bias, h, weight.T, out=self._buffer(2 + place % 2, h.shape[0], weight.shape[0], h))
        return u

    def _buffer(self, place: int, rows: int, width: int, like: Tensor) -> Tensor:
        found = self._buffers.get((place, width))
        if found is None or found.shape[0] < rows:
            found = like.new_empty(max(rows, min(self.rows, 2 * rows)), width)
            self._buffers[place, width] = found
        return found[:rows]
