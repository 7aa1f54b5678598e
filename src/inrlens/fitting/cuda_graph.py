"""A gradient recorded once as a CUDA graph and replayed, since launching small kernels takes longer than they run."""

import gc
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
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


class CudaGraph:
    """A gradient with one CUDA graph for each number of rows; it is the same function in every call.

    Inputs and targets must stay where they are in memory; what is returned is overwritten by the next call.
    """

    def __init__(self) -> None:
        # The gradient is not kept: it is the method of what holds this, and a cycle would outlive both on the GPU.
        self._records: dict[Hashable, _Recording] = {}

    def __call__(
        self, gradient: Gradient, inputs: PrefixRows, targets: Tensor, rows: slice | Tensor
    ) -> tuple[Tensor, Tensor]:
        which = (rows.start, rows.stop) if isinstance(rows, slice) else row_count(rows)
        key = (id(inputs), targets.data_ptr(), which)
        if key not in self._records:
            self._records[key] = _record(gradient, inputs, targets, rows)
        record = self._records[key]
        if isinstance(rows, Tensor) and isinstance(record.rows, Tensor):
            record.rows.copy_(rows)
        record.replay()
        return record.found


def _record(gradient: Gradient, inputs: PrefixRows, targets: Tensor, rows: slice | Tensor) -> _Recording:
    rows = rows.clone() if isinstance(rows, Tensor) else rows
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(_WARM_UP):
            gradient(inputs, targets, rows)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with _no_collection(), torch.cuda.graph(graph):
        found = gradient(inputs, targets, rows)
    return _Recording(graph.replay, rows, found)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Collects garbage before the block and none within: a graph that is freed while another is recorded ends it."""
    gc.collect()
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
