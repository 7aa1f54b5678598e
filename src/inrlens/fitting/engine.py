"""Loss and gradients of the recipe's loss over any rows, in tiles, on every core.

A coordinate network treats every coordinate by itself, so the gradient over all coordinates is the sum over tiles of
any size, taken in any order by any core.
"""

from collections.abc import Sequence
from threading import Event

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from inrlens.errors import InputError
from inrlens.fields.encoder import Head
from inrlens.fitting.analytic_gradient import AnalyticGradient
from inrlens.fitting.autograd_gradient import AutogradGradient
from inrlens.fitting.compute import Compute
from inrlens.fitting.cuda_graph import CudaGraph
from inrlens.fitting.prefix import PrefixRows
from inrlens.fitting.stack import Stack
from inrlens.rows import row_count, tiles
from inrlens.workers import on_cores

_CPU_TILE = 1024
_AUTOGRAD_TILE = 2048


class Engine:
    """Writes the gradient of each network's loss into ``.grad`` of what is trained of it.

    The loss of one network is ``sum_j (1 / (B c)) sum_i ||f_j(x_i) - s_j(x_i)||^2`` over the B rows of a step and its
    heads j (arXiv:2605.08298 eq. 2, per-signal means). On a CPU each of ``cores`` threads takes a share of the rows
    through the whole network. Where a layer does not state its derivative, or is a module of another kind, autograd
    differentiates the tiles, on the calling thread; its intermediates do not count towards the memory.

    Args:
        modules: what is trained of each network before its heads (``Encoder.trained``); all networks have the same
            shapes and see the same rows.
        heads: each network's heads.
        channels: c.
        compute: tile, memory and precision.
        cores: threads that share the rows on a CPU.
        rows: how many there are at most; a tile is never larger.

    Raises:
        InputError: where the memory does not hold one tile.
    """

    @torch.no_grad()
    def __init__(
        self,
        modules: Sequence[Sequence[nn.Module]],
        heads: Sequence[Head],
        channels: int,
        compute: Compute = Compute(),  # noqa: B008 - frozen
        cores: int = 1,
        rows: int | None = None,
    ) -> None:
        self.channels = channels
        self.stack = Stack(modules, heads)
        self.budget = compute.memory_mib * 2**20
        on_cpu = heads[0].weight.device.type == "cpu"
        self.cores = cores if on_cpu and self.stack.is_written_out else 1
        self._parts: list[AnalyticGradient] | list[AutogradGradient]
        if self.stack.is_written_out:
            row = AnalyticGradient.bytes_a_row(self.stack)
            # Half of the memory at most, unless a tile is asked for: the rest is for rows that are kept.
            affordable = max(1, self.budget // (2 * row * self.cores))
            self.tile = compute.tile or (min(_CPU_TILE, affordable) if on_cpu else affordable)
            self.tile = min(self.tile, rows or self.tile)
            self._reserve(self.tile * row * self.cores, compute)
            self._parts = [AnalyticGradient(self.stack, self.tile) for _ in range(self.cores)]
            self._gradients = self.stack.fold(self._parts[0].gradients)
            flat = [gradient for own in zip(*self._gradients, strict=True) for gradient in own]
        else:
            self.tile = compute.tile or _AUTOGRAD_TILE
            self._parts = [AutogradGradient(self.stack)]
            self._gradients = flat = self._parts[0].gradients
        for parameter, gradient in zip(self.stack.parameters, flat, strict=True):
            parameter.grad = gradient
        self._replay = CudaGraph() if compute.cuda_graphs and not on_cpu else None

    @property
    def parameters(self) -> list[nn.Parameter]:
        """What the optimiser moves: each network's head, then its modules', network after network."""
        return self.stack.parameters

    @torch.no_grad()
    def gradient(
        self,
        inputs: PrefixRows,
        targets: Float[Tensor, "s n mc"],
        rows: slice | Int[Tensor, " b"],
    ) -> tuple[Float[Tensor, " s"], Float[Tensor, "s mc"]]:
        """One pass over ``rows``; the gradients replace what ``.grad`` held.

        Returns each network's loss and the squared error of its clamped output summed over rows.
        """
        if isinstance(rows, Tensor):
            rows = rows.to(targets.device)
        if self._replay is not None:
            return self._replay(self._pass, inputs, targets, rows)
        return self._pass(inputs, targets, rows)

    def _pass(self, inputs: PrefixRows, targets: Tensor, rows: slice | Tensor) -> tuple[Tensor, Tensor]:
        count = row_count(rows)
        weight = 1.0 / (count * self.channels)
        if self.stack.is_written_out:
            self.stack.spread()
        ended = Event()

        @torch.no_grad()
        def work(core: int) -> tuple[Tensor, Tensor]:
            part = self._parts[core]
            for gradient in part.gradients:
                gradient.zero_()
            loss = targets.new_zeros(targets.shape[0])
            clamped = targets.new_zeros(targets.shape[0], targets.shape[2])
            share = slice(count * core // self.cores, count * (core + 1) // self.cores)
            for tile in tiles(share.stop - share.start, self.tile):
                if ended.is_set():
                    break
                at = slice(share.start + tile.start, share.start + tile.stop)
                which = slice(rows.start + at.start, rows.start + at.stop) if isinstance(rows, slice) else rows[at]
                part.add(inputs.take(which), targets[:, which], weight, loss, clamped)
            return loss, clamped

        found = [work(0)] if self.cores == 1 else on_cores(work, range(self.cores), self.cores, ended.set)
        for part in self._parts[1:]:
            torch._foreach_add_(self._parts[0].gradients, part.gradients)
        if self.stack.is_written_out:
            for gradient, folded in zip(self._gradients, self.stack.fold(self._parts[0].gradients), strict=True):
                if gradient is not folded:
                    gradient.copy_(folded)
        return torch.stack([loss for loss, _ in found]).sum(0), torch.stack([square for _, square in found]).sum(0)

    def _reserve(self, needed: int, compute: Compute) -> None:
        if needed > self.budget:
            raise InputError(
                f"memory_mib={compute.memory_mib} does not hold a tile of {self.tile} coordinates for each core, which "
                f"takes {-(-needed // 2**20)} MiB: give more memory or a smaller tile."
            )
        self.budget -= needed
