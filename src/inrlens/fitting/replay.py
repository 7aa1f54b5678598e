"""A gradient recorded once as a CUDA graph and replayed, since launching small kernels takes longer than they run."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import torch
from torch import Tensor

from inrlens.fitting.prefix import PrefixRows
from inrlens.rows import row_count

Gradient = Callable[[PrefixRows, Tensor, slice | Tensor], tuple[Tensor, Tensor]]

_WARM_UP = 3


@dataclass(frozen=True)
class _Recording:
    replay: Callable[[], None]
    rows: slice | Tensor
    found: tuple[Tensor, Tensor]


class Replay:
    """``gradient`` with one CUDA graph for each number of rows.

    Inputs and targets must stay where they are in memory; what is returned is overwritten by the next call. Not tried
    on a GPU yet.
    """

    def __init__(self, gradient: Gradient) -> None:
        self._gradient = gradient
        self._records: dict[Hashable, _Recording] = {}

    def __call__(self, inputs: PrefixRows, targets: Tensor, rows: slice | Tensor) -> tuple[Tensor, Tensor]:
        which = (rows.start, rows.stop) if isinstance(rows, slice) else row_count(rows)
        key = (id(inputs), targets.data_ptr(), which)
        if key not in self._records:
            self._records[key] = self._record(inputs, targets, rows)
        record = self._records[key]
        if isinstance(rows, Tensor) and isinstance(record.rows, Tensor):
            record.rows.copy_(rows)
        record.replay()
        return record.found

    def _record(self, inputs: PrefixRows, targets: Tensor, rows: slice | Tensor) -> _Recording:
        rows = rows.clone() if isinstance(rows, Tensor) else rows
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP):
                self._gradient(inputs, targets, rows)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            found = self._gradient(inputs, targets, rows)
        return _Recording(graph.replay, rows, found)
