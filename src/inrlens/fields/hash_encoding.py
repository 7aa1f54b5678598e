"""The multiresolution hash encoding: features kept at the vertices of grids of many resolutions, and interpolated.

Paper: Mueller, Evans, Schied, Keller, "Instant Neural Graphics Primitives with a Multiresolution Hash Encoding", ACM
Transactions on Graphics 41(4), 2022, section 3. Its CUDA code (tiny-cuda-nn) shifts every grid by half a cell; here the
grids lie as the paper's text has them. The code is our own.
"""

import itertools
import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from inrlens.fields.encoding import Encoding

PRIMES = (1, 2_654_435_761, 805_459_861)
"""The pi_i of eq. 4, one a coordinate; the first is 1 since that keeps neighbours together in memory."""


def grid_resolutions(levels: int, coarsest: int, finest: int) -> tuple[int, ...]:
    """``N_l = floor(coarsest * b^l)`` cells a side (eq. 2), ``b = exp((ln finest - ln coarsest) / (levels - 1))``
    (eq. 3), l = 0..levels-1."""
    steps = max(levels - 1, 1)
    growth = math.exp((math.log(finest) - math.log(coarsest)) / steps)
    # Rounding must not take a cell from a level whose resolution is whole.
    return tuple(math.floor(coarsest * growth**level + 1e-6) for level in range(levels))


class HashEncoding(Encoding):
    """Trained features ``(N, levels * F)``, coarsest level first, multi-linear between the vertices of each grid.

    Level l has ``N_l + 1`` vertices along each coordinate, the first at the low end of ``span``, the last at the high
    one. Where all of them fit into T rows, each has a row of its own (x along fastest); where not, the vertex ``v`` has
    row ``(v_1 pi_1 XOR v_2 pi_2 XOR v_3 pi_3) mod T`` (eq. 4) of T, and vertices that collide share it.
    ``tables`` ``(rows, F)`` holds all levels' rows one after another. Beyond ``span`` the outermost cells go on.

    Args:
        tables: values of ``table_rows`` rows.
        resolutions: N_l, in ascending order.
        coordinates: m, 1 to 3.
        log2_table: the binary logarithm of T.
        span: the range of every coordinate.
    """

    resolutions: Tensor
    factors: Tensor
    starts: Tensor

    def __init__(
        self,
        tables: Float[Tensor, "rows f"],
        resolutions: Sequence[int],
        coordinates: int,
        log2_table: int,
        span: tuple[float, ...] = (-1.0, 1.0),
    ) -> None:
        super().__init__()
        self.low, self.high = span
        self.tables = nn.Parameter(tables)
        self.log2_table = log2_table
        sizes = level_rows(resolutions, coordinates, log2_table)
        self.dense_levels = sum((n + 1) ** coordinates == size for n, size in zip(resolutions, sizes, strict=True))
        factors = [
            [(n + 1) ** axis for axis in range(coordinates)] if level < self.dense_levels else PRIMES[:coordinates]
            for level, n in enumerate(resolutions)
        ]
        starts = [0, *itertools.accumulate(sizes)][:-1]
        for name, values in (("resolutions", resolutions), ("factors", factors), ("starts", starts)):
            self.register_buffer(name, torch.tensor(values, dtype=torch.int64), persistent=False)

    @property
    def operations(self) -> int:
        """Of the sums over ``2^m`` vertices."""
        levels, m = self.factors.shape
        return int(2 * levels * 2**m * self.tables.shape[1])

    @property
    def bytes_a_row(self) -> int:
        """Memory of a coordinate's vertices, twice, as ``interpolate`` turns them round, and of its features and their
        gradient."""
        levels, m = self.factors.shape
        number = self.tables.element_size()
        return int(2 * levels * 2**m * (8 + number) + 2 * levels * self.tables.shape[1] * number)

    def vertices(
        self, x: Float[Tensor, "n m"]
    ) -> tuple[Int[Tensor, "corners levels n"], Float[Tensor, "corners levels n"]]:
        """The rows of the ``2^m`` vertices around each coordinate, and their weights, which add up to 1."""
        # Coordinates last: every operation then runs along memory.
        cells = self.resolutions.unsqueeze(1)
        at = (x.T.unsqueeze(1) - self.low) / (self.high - self.low) * cells
        near = torch.minimum(at.floor().long().clamp_min(0), cells - 1)
        far_share = at - near
        near = near * self.factors.T.unsqueeze(2)
        sides, shares = (near, near + self.factors.T.unsqueeze(2)), (1.0 - far_share, far_share)
        rows = near.new_empty(2 ** x.shape[1], *near.shape[1:])
        weights = at.new_empty(rows.shape)
        dense, hashed = slice(0, self.dense_levels), slice(self.dense_levels, None)
        for corner, side in enumerate(itertools.product((0, 1), repeat=x.shape[1])):
            row, weight = rows[corner].copy_(sides[side[0]][0]), weights[corner].copy_(shares[side[0]][0])
            for axis in range(1, x.shape[1]):
                row[dense] += sides[side[axis]][axis, dense]
                row[hashed] ^= sides[side[axis]][axis, hashed]
                weight *= shares[side[axis]][axis]
        rows[:, hashed] &= 2**self.log2_table - 1
        rows += self.starts.unsqueeze(1)
        return rows, weights

    def forward(self, x: Float[Tensor, "n m"]) -> Float[Tensor, "n e"]:
        """The features at coordinates in ``span``, levels together."""
        return self.interpolate(*self.vertices(x))

    def interpolate(
        self, rows: Int[Tensor, "corners levels n"], weights: Float[Tensor, "corners levels n"]
    ) -> Float[Tensor, "n e"]:
        """The features between vertices as ``vertices`` gives them."""
        if torch.is_grad_enabled():
            # embedding_bag, which makes no array over all corners, has no second derivative, as MAML needs it.
            features = (nn.functional.embedding(rows, self.tables) * weights.unsqueeze(-1)).sum(0)
        else:
            features = nn.functional.embedding_bag(
                rows.flatten(1).T, self.tables, per_sample_weights=weights.flatten(1).T, mode="sum"
            )
        _, levels, n = rows.shape
        by_row = features.reshape(levels, n, self.tables.shape[1]).transpose(0, 1)
        return by_row.reshape(n, levels * self.tables.shape[1])

    def pull_back(
        self,
        rows: Int[Tensor, "corners levels n"],
        weights: Float[Tensor, "corners levels n"],
        grad: Float[Tensor, "n e"],
        total: Float[Tensor, "rows f"],
    ) -> None:
        """Adds to ``total`` the gradient of the tables, where ``grad`` is that of ``interpolate(rows, weights)``."""
        which = rows.flatten()
        by_feature = grad.reshape(rows.shape[2], rows.shape[1], total.shape[1]).permute(2, 1, 0)
        for feature, one in enumerate(by_feature):
            share = (weights * one).flatten()
            if total.is_cuda:
                # There index_add_ adds in whatever order threads come, and the last bits differ from run to run.
                total[:, feature].index_put_((which,), share, accumulate=True)
            else:
                total[:, feature].index_add_(0, which, share)


def level_rows(resolutions: Sequence[int], coordinates: int, log2_table: int) -> tuple[int, ...]:
    """How many rows each level takes: one a vertex where at most ``2^log2_table`` are needed, else as many as that."""
    return tuple(min((n + 1) ** coordinates, 2**log2_table) for n in resolutions)
