"""The numbers of a dictionary's training."""

from dataclasses import dataclass
from typing import Literal, get_args

from inrlens.errors import InputError

_MOST_ATOMS = 2**20
"""Their weights, gradients and moments alone take 8 GB at a width of 256."""
Centre = Literal["mean", "geometric_median"]


@dataclass(frozen=True)
class SaeRecipe:
    """The numbers of a training; defaults are those of arXiv:2605.08298 Sec. 4.2, with its open points filled in."""

    n_atoms: int = 4096
    """Dictionary size n."""
    k: int = 32
    """Codes kept in a row."""
    steps: int = 10_000
    """Adam steps."""
    learning_rate: float = 1e-4
    """Adam's learning rate (beta 0.9, 0.999, eps 1e-8)."""
    batch: int = 4096
    """Rows a step, drawn from the grid without replacement, round after round. The paper does not say."""
    centre: Centre = "mean"
    """Where b_pre starts: the activations' mean, or their geometric median. The paper does not say."""
    auxiliary_k: int = 0
    """Dead atoms that model the residual (AuxK of Gao et al. 2024, coefficient 1/32); 0 is off, as in the paper."""
    record_every: int = 50
    """Steps between two rows of the history."""

    def __post_init__(self) -> None:
        for key in ("n_atoms", "k", "steps", "batch", "record_every"):
            if getattr(self, key) < 1:
                raise InputError(f"{key} must be at least 1, not {getattr(self, key)}.")
        if self.n_atoms > _MOST_ATOMS:
            raise InputError(f"n_atoms must be at most {_MOST_ATOMS:,}, not {self.n_atoms:,}.")
        if self.k > self.n_atoms:
            raise InputError(f"k must be between 1 and the number of atoms, {self.n_atoms}, not {self.k}.")
        if not 0 <= self.auxiliary_k <= self.n_atoms:
            raise InputError(f"auxiliary_k must be between 0 and {self.n_atoms}, not {self.auxiliary_k}.")
        if not 0.0 < self.learning_rate <= 1e30:
            raise InputError(f"learning_rate must be positive and at most 1e30, not {self.learning_rate}.")
        if self.centre not in get_args(Centre):
            raise InputError(f"centre={self.centre!r} is not known; allowed are {', '.join(get_args(Centre))}.")
