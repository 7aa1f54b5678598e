"""What each atom does over the grid, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from inrlens.atoms.codes import Codes
from inrlens.errors import InputError

ACTIVE_THRESHOLD = 0.01
"""An atom is active where its code exceeds this (arXiv:2605.08298, Sec. 4.2)."""

Ranking = Literal["mean_magnitude", "active_fraction", "firing_rate"]


@dataclass(frozen=True, eq=False)
class AtomStatistics:
    """One entry an atom, each over all N coordinates of the grid; float64.

    ``active_fraction``: share of coordinates with ``z_a > 0.01``. ``firing_rate``: share with ``z_a > 0``.
    ``mean_magnitude``: mean of ``z_a``. ``ipr``: inverse participation ratio ``sum z^4 / (sum z^2)^2``, 1 for an atom
    that lives on one coordinate and 1/N for one that is the same everywhere, NaN for a dead one. ``dead``: fires
    nowhere on the grid.
    """

    active_fraction: Float[Tensor, " n"]
    firing_rate: Float[Tensor, " n"]
    mean_magnitude: Float[Tensor, " n"]
    ipr: Float[Tensor, " n"]
    dead: Bool[Tensor, " n"]

    def top(self, count: int, by: Ranking = "mean_magnitude") -> list[int]:
        """The ``count`` first living atoms by a statistic, largest first, ties by number.

        Raises:
            InputError: for an unknown statistic or a count below 1.
        """
        check_ranking(by, get_args(Ranking))
        if count < 1:
            raise InputError(f"the number of top atoms must be at least 1, not {count}.")
        values: Tensor = getattr(self, by)
        return ranked(values, self.dead)[:count]


def check_ranking(by: str, allowed: Sequence[str]) -> None:
    """Raises InputError where atoms cannot be ranked by ``by``."""
    if by not in allowed:
        raise InputError(f"atoms cannot be ranked by {by!r}; allowed are {', '.join(allowed)}.")


def ranked(values: Float[Tensor, " n"], dead: Bool[Tensor, " n"]) -> list[int]:
    """The living atoms by a value, largest first, ties by number; NaN last."""
    order = torch.argsort(values.nan_to_num(nan=-torch.inf, posinf=torch.inf), descending=True, stable=True)
    gone = dead.tolist()
    return [atom for atom in order.tolist() if not gone[atom]]


@dataclass(frozen=True)
class Spread:
    """Median and quartiles over atoms."""

    median: float
    low: float
    high: float


def spread(values: Float[Tensor, " n"]) -> Spread | None:
    """Median, 25th and 75th percentile of the finite values; None where there are none."""
    finite = values[torch.isfinite(values)].double()
    if finite.numel() == 0:
        return None
    low, median, high = (float(q) for q in torch.quantile(finite, finite.new_tensor([0.25, 0.5, 0.75])))
    return Spread(median, low, high)


def atom_statistics(codes: Codes) -> AtomStatistics:
    """Statistics of every atom from the codes of the whole grid."""
    n, rows = codes.n_atoms, codes.values.shape[0]
    atoms = codes.indices.reshape(-1).long()
    z = codes.values.reshape(-1).double()

    def per_atom(entries: Tensor) -> Tensor:
        return torch.zeros(n, dtype=torch.float64, device=z.device).index_add_(0, atoms, entries)

    squares = per_atom(z.square())
    ipr = per_atom(z.pow(4)) / squares.square()
    firing = per_atom((z > 0.0).double()) / rows
    return AtomStatistics(
        active_fraction=per_atom((z > ACTIVE_THRESHOLD).double()) / rows,
        firing_rate=firing,
        mean_magnitude=per_atom(z) / rows,
        ipr=ipr,
        dead=firing == 0.0,
    )


def mean_map(codes: Codes, atoms: list[int]) -> Float[Tensor, "*grid"]:
    """The average of several atoms' maps.

    Raises:
        InputError: where an atom does not exist or none is given.
    """
    if not atoms:
        raise InputError("a mean map needs at least 1 atom.")
    for atom in atoms:
        codes.check_atom(atom)
    member = torch.zeros(codes.n_atoms, dtype=torch.bool, device=codes.values.device)
    member[atoms] = True
    chosen = torch.where(member[codes.indices.long()], codes.values, 0.0)
    return (chosen.sum(1) / len(atoms)).reshape(codes.grid)
