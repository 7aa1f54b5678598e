"""How the machine does a fit: speed and memory, never what is minimised."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from inrlens.errors import InputError

Precision = Literal["float32", "tf32", "bfloat16"]
_AS_TORCH_SAYS = {"float32": "highest", "tf32": "high", "bfloat16": "medium"}


@dataclass(frozen=True)
class Compute:
    """Tile, memory and precision of a fit's arithmetic. Two settings of ``tile`` or ``memory_mib`` give the same fit up
    to rounding.
    """

    tile: int | None = None
    """Coordinates worked on at once; None takes 1,024 on a CPU, where a tile stays in cache, and as many as the memory
    allows on a GPU."""
    memory_mib: int = 512
    """MiB that work buffers and the kept output of frozen layers may take together, beside network and signals; what
    does not fit is recomputed tile by tile."""
    precision: Precision = "float32"
    """Of the matrix products: ``float32``; ``tf32`` or ``bfloat16`` where the device has them
    (``torch.set_float32_matmul_precision`` ``high`` and ``medium``)."""
    cuda_graphs: bool = False
    """Replay a step's gradient as one CUDA graph, 1.1 to 1.5 times faster on an H200 at 178x218; ignored on a CPU. No
    other thread may use the GPU while the first step is recorded."""

    def __post_init__(self) -> None:
        if self.tile is not None and self.tile < 1:
            raise InputError(f"tile must be at least 1 coordinate, not {self.tile}.")
        if self.memory_mib < 1:
            raise InputError(f"memory_mib must be at least 1, not {self.memory_mib}.")
        if self.precision not in get_args(Precision):
            raise InputError(
                f"precision {self.precision!r} is not known; allowed are {', '.join(get_args(Precision))}."
            )

    @contextmanager
    def products(self) -> Iterator[None]:
        """Within the block, matrix products have this precision; afterwards the earlier setting is back."""
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision(_AS_TORCH_SAYS[self.precision])
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(before)
