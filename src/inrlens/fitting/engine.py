"""Loss and gradients of a stack of layers and heads, forward and backward written out, in tiles.

A coordinate network treats every coordinate by itself, so the gradient over all coordinates is the sum over tiles of
any size. A tile of about a thousand rows stays in cache; buffers are made once and reused. Nothing here depends on
which network it is: a layer names its nonlinearity and slope.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from inrlens.fields.encoder import Encoder, Head, Layer
from inrlens.rows import tiles

PREFIX_BUDGET_BYTES = 512 * 2**20


class PrefixRows:
    """What enters the first trained layer: the frozen layers' output, row for row.

    It never changes during a fit, so it is computed once and kept, ``(N, d)``; where that would take more than
    ``budget`` bytes it is recomputed tile by tile.
    """

    @torch.no_grad()
    def __init__(
        self,
        encoder: Encoder,
        x: Float[Tensor, "n m"],
        start: int,
        tile: int,
        budget: int = PREFIX_BUDGET_BYTES,
    ) -> None:
        self._encoder = encoder
        self._x = x
        self._start = start
        self.rows: Tensor | None = None
        first = encoder.run(x[:1], 0, start)
        if x.shape[0] * first.shape[1] * first.element_size() <= budget:
            self.rows = first.new_empty(x.shape[0], first.shape[1])
            for part in tiles(x.shape[0], tile):
                self.rows[part] = encoder.run(x[part], 0, start)

    def __len__(self) -> int:
        return int(self._x.shape[0])

    @torch.no_grad()
    def take(self, which: slice | Int[Tensor, " b"]) -> Float[Tensor, "b d"]:
        """The rows of a slice, or of an index tensor."""
        if self.rows is not None:
            return self.rows[which]
        return self._encoder.run(self._x[which], 0, self._start)


class Engine:
    """Sums the gradient of the recipe's loss over tiles into ``.grad`` of the layers' and the head's parameters.

    The loss is ``sum_j (1 / (B c)) sum_i ||f_j(x_i) - s_j(x_i)||^2`` over the B rows of a step (arXiv:2605.08298
    eq. 2, per-signal means).
    """

    @torch.no_grad()
    def __init__(self, layers: Sequence[Layer], head: Head, channels: int, tile: int) -> None:
        self.layers = list(layers)
        self.head = head
        self.channels = channels
        self.tile = tile
        like = head.weight
        self._h = [like.new_empty(tile, layer.weight.shape[0]) for layer in self.layers]
        self._slope = [like.new_empty(tile, layer.weight.shape[0]) for layer in self.layers]
        widths = {layer.weight.shape[0] for layer in self.layers} | {int(head.weight.shape[1])}
        self._error = {width: like.new_empty(tile, width) for width in widths}
        self._out = like.new_empty(tile, head.weight.shape[0])
        self._clamped = like.new_empty(tile, head.weight.shape[0])
        self.parameters: list[torch.nn.Parameter] = [*head.parameters()]
        for layer in self.layers:
            self.parameters += [layer.weight, layer.bias]
        for parameter in self.parameters:
            parameter.grad = torch.zeros_like(parameter)

    @torch.no_grad()
    def gradient(
        self,
        inputs: PrefixRows,
        targets: Float[Tensor, "n mc"],
        rows: slice | Int[Tensor, " b"],
    ) -> tuple[Tensor, Tensor]:
        """One pass over ``rows``; the gradients replace what ``.grad`` held.

        Returns the loss ``()`` and the squared error of the clamped output summed over rows, ``(M*c,)``.
        """
        for parameter in self.parameters:
            assert parameter.grad is not None
            parameter.grad.zero_()
        count = rows.stop - rows.start if isinstance(rows, slice) else rows.shape[0]
        loss = targets.new_zeros(())
        clamped = targets.new_zeros(targets.shape[1])
        for part in tiles(count, self.tile):
            which = slice(rows.start + part.start, rows.start + part.stop) if isinstance(rows, slice) else rows[part]
            self._tile(inputs.take(which), targets[which], 1.0 / (count * self.channels), loss, clamped)
        return loss, clamped

    def _tile(self, h: Tensor, target: Tensor, weight: float, loss: Tensor, clamped: Tensor) -> None:
        n = h.shape[0]
        below = [h]
        for layer, h_buffer, slope_buffer in zip(self.layers, self._h, self._slope, strict=True):
            v, out = slope_buffer[:n], h_buffer[:n]
            torch.addmm(layer.bias, h, layer.weight.T, beta=layer.scale, alpha=layer.scale, out=v)
            h = layer.nonlinearity.value(v, out)
            layer.nonlinearity.slope(v, h, v)
            below.append(h)
        error, clamp = self._out[:n], self._clamped[:n]
        torch.addmm(self.head.bias, h, self.head.weight.T, out=error)
        torch.clamp(error, 0.0, 1.0, out=clamp).sub_(target)
        clamped += clamp.square_().sum(0)
        error -= target
        loss += weight * torch.dot(error.view(-1), error.view(-1))
        error *= 2.0 * weight

        self._accumulate(self.head.weight, self.head.bias, error, below[-1], 1.0)
        if not self.layers:
            return
        grad = self._error[self.head.weight.shape[1]][:n]
        torch.mm(error, self.head.weight, out=grad)
        for index in reversed(range(len(self.layers))):
            layer = self.layers[index]
            delta = self._slope[index][:n].mul_(grad)
            self._accumulate(layer.weight, layer.bias, delta, below[index], layer.scale)
            if index > 0:
                grad = self._error[int(layer.weight.shape[1])][:n]
                # delta lacks its layer's scale so far: alpha carries it for free. With beta=0 the input is not read.
                torch.addmm(grad, delta, layer.weight, beta=0.0, alpha=layer.scale, out=grad)

    @staticmethod
    def _accumulate(weight: Tensor, bias: Tensor, delta: Tensor, below: Tensor, scale: float) -> None:
        assert weight.grad is not None
        assert bias.grad is not None
        weight.grad.addmm_(delta.T, below, alpha=scale)
        bias.grad.add_(delta.sum(0), alpha=scale)
