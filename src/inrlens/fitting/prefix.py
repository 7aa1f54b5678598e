"""What enters the first trained layer."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from inrlens.fields.encoder import Encoder
from inrlens.rows import tiles

_TILE = 4096


class PrefixRows:
    """The frozen layers' output, row for row; with nothing frozen, the coordinates, or the features of a fixed
    encoding.

    It never changes during a fit and is the same for every signal and seed on one grid, so it is computed once and
    kept, ``(N, d)``; where that would take more than ``budget`` bytes it is recomputed tile by tile.
    """

    @torch.no_grad()
    def __init__(self, encoder: Encoder, x: Float[Tensor, "n m"], start: int, budget: int) -> None:
        self._encoder = encoder
        self._x = x
        self._start = start
        self.rows: Tensor | None = None
        first = encoder.entering(x[:1], start)
        if x.shape[0] * first.shape[1] * first.element_size() <= budget:
            self.rows = first.new_empty(x.shape[0], first.shape[1])
            for part in tiles(x.shape[0], _TILE):
                self.rows[part] = encoder.entering(x[part], start)

    def __len__(self) -> int:
        return int(self._x.shape[0])

    @property
    def kept_bytes(self) -> int:
        """Memory of the kept rows; 0 where they are recomputed."""
        return 0 if self.rows is None else self.rows.numel() * self.rows.element_size()

    @torch.no_grad()
    def take(self, which: slice | Int[Tensor, " b"]) -> Float[Tensor, "b d"]:
        """The rows of a slice, or of an index tensor."""
        if self.rows is not None:
            return self.rows[which]
        return self._encoder.entering(self._x[which], self._start)
