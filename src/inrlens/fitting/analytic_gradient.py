"""Loss and gradients of one tile with forward and backward written out; buffers are made once and reused.

All tensors carry a leading axis of S networks that share their input rows; one network is a stack of one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.fields.encoder import HiddenLayer
from inrlens.fitting.stack import Stack


class AnalyticGradient:
    """Adds up the gradients of tiles of at most ``tile`` rows in ``gradients``, ordered as the stack's ``real``.

    A layer whose input is not trained gets no gradient for it. Buffers take ``bytes_a_row`` for each row of the tile.
    """

    @torch.no_grad()
    def __init__(self, stack: Stack, tile: int) -> None:
        self._stack = stack
        self._layers: Sequence[HiddenLayer] = stack.written_out_layers()
        self.gradients = [torch.zeros_like(weight) for weight in stack.real]
        self._buffers = _Buffers.of(stack, tile)
        self._packed: dict[int, _Buffers] = {}

    @staticmethod
    def bytes_a_row(stack: Stack) -> int:
        """Bytes of buffers for each row of a tile."""
        one = _Buffers.of(stack, 1)
        kept = {tensor.data_ptr(): tensor for tensor in (*one.v, *one.h, one.error, one.clamped, *one.gradients())}
        encodings = sum(encoding.bytes_a_row for encoding in stack.encodings)
        return encodings + sum(tensor.numel() * tensor.element_size() for tensor in kept.values())

    @torch.no_grad()
    def add(
        self,
        inputs: Float[Tensor, "n d"],
        targets: Float[Tensor, "s n mc"],
        weight: float,
        loss: Float[Tensor, " s"],
        clamped: Float[Tensor, "s mc"],
    ) -> None:
        """Adds one tile's share to ``gradients``, to the loss, and to the clamped output's squared error.

        ``weight`` is what one squared error counts in the loss.
        """
        stack, buffers = self._stack, self._of(inputs.shape[0])
        around = stack.encodings[0].vertices(inputs) if stack.encodings else None
        if around is None:
            entering = inputs.expand(targets.shape[0], -1, -1)
        else:
            entering = torch.stack([encoding.interpolate(*around) for encoding in stack.encodings])
        h = entering
        for index, layer in enumerate(self._layers):
            v = buffers.v[index]
            bias = stack.biases[index].unsqueeze(1)
            torch.baddbmm(bias, h, stack.matrices[index].mT, beta=layer.scale, alpha=layer.scale, out=v)
            h = layer.nonlinearity.value(v, buffers.h[index])
        error, clamp = buffers.error, buffers.clamped
        torch.baddbmm(stack.head_bias.unsqueeze(1), h, stack.head_weight.mT, out=error)
        torch.clamp(error, 0.0, 1.0, out=clamp).sub_(targets)
        clamped += clamp.square_().sum(1)
        error -= targets
        torch.square(error, out=clamp)
        loss += weight * clamp.sum((1, 2))
        error *= 2.0 * weight

        self._accumulate(0, error, h, 1.0)
        delta, above, scale = error, stack.head_weight, 1.0
        for index in reversed(range(len(self._layers))):
            layer = self._layers[index]
            grad = buffers.backward[index % 2][int(above.shape[2])]
            # delta lacks its layer's scale so far: alpha carries it for free. With beta=0 the input is not read.
            torch.baddbmm(grad, delta, above, beta=0.0, alpha=scale, out=grad)
            assert layer.nonlinearity.pull_back is not None
            layer.nonlinearity.pull_back(grad, buffers.v[index], buffers.h[index])
            below = buffers.h[index - 1] if index else entering
            self._accumulate(stack.first + 2 * index, grad, below, layer.scale)
            delta, above, scale = grad, stack.matrices[index], layer.scale
        if around is not None:
            grad = scale * torch.bmm(delta, above)
            for encoding, one, total in zip(stack.encodings, grad, self.gradients[2], strict=True):
                encoding.pull_back(*around, one, total)

    def _of(self, n: int) -> "_Buffers":
        if n not in self._packed:
            self._packed[n] = self._buffers.packed(n)
        return self._packed[n]

    def _accumulate(self, at: int, delta: Tensor, below: Tensor, scale: float) -> None:
        self.gradients[at].baddbmm_(delta.mT, below, alpha=scale)
        self.gradients[at + 1].add_(delta.sum(1), alpha=scale)


@dataclass(frozen=True)
class _Buffers:
    """Of one tile: each layer's ``v`` and output (one and the same where the output is what is kept), the head's output
    twice, and two gradients for each width, which the layers take in turn.
    """

    v: list[Tensor]
    h: list[Tensor]
    error: Tensor
    clamped: Tensor
    backward: tuple[dict[int, Tensor], dict[int, Tensor]]

    @classmethod
    def of(cls, stack: Stack, tile: int) -> "_Buffers":
        count, outputs, width = stack.head_weight.shape
        layers = stack.written_out_layers()
        units = [int(layer.weight.shape[0]) for layer in layers]

        def new(size: int) -> Tensor:
            return stack.head_weight.new_empty(count, tile, size)

        v = [new(size) for size in units]
        h = [
            own if layer.nonlinearity.keeps == "output" else new(size)
            for own, layer, size in zip(v, layers, units, strict=True)
        ]
        one, two = ({size: new(size) for size in {*units, int(width)}} for _ in range(2))
        return cls(v, h, new(outputs), new(outputs), (one, two))

    def gradients(self) -> list[Tensor]:
        return [buffer for side in self.backward for buffer in side.values()]

    def packed(self, n: int) -> "_Buffers":
        """Views for ``n`` rows without gaps between the networks of a stack."""

        def start(buffer: Tensor) -> Tensor:
            count, _, width = buffer.shape
            return buffer.view(-1)[: count * n * width].view(count, n, width)

        one, two = ({size: start(buffer) for size, buffer in side.items()} for side in self.backward)
        v, h = [start(buffer) for buffer in self.v], [start(buffer) for buffer in self.h]
        return _Buffers(v, h, start(self.error), start(self.clamped), (one, two))
