"""What a dictionary sweep runs: sizes n against sparsities k, layer by layer, each cell beside its controls."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from inrlens.dictionaries.recipe import SaeRecipe
from inrlens.errors import InputError

Kind = Literal["trained", "untrained network", "random dictionary", "principal components", "neurons"]
TRAININGS: tuple[Kind, ...] = ("trained", "untrained network")
BARE: tuple[Kind, ...] = ("principal components", "neurons")
"""Controls that depend on the layer and k alone: no size, no seed."""


class CellKey(NamedTuple):
    """What tells a cell of a sweep from all others; ``n_atoms`` and ``seed`` are None where nothing depends on them."""

    kind: Kind
    layer: int
    n_atoms: int | None
    k: int
    seed: int | None


@dataclass(frozen=True)
class SweepPlan:
    """Everything that decides a sweep besides its network; sizes, sparsities and steps are those of
    arXiv:2605.08298 App. A.1.

    Cells with k above n do not exist. ``controls`` adds a random dictionary a cell, and for each layer and k the
    principal components and the neurons; ``untrained`` trains every cell once more on the network as it was before its
    fit. ``keep`` saves the trained dictionaries, which otherwise only leave their numbers behind.

    Raises:
        InputError: where a list is empty or names something twice, a number is out of range, or every k is above
            every n.
    """

    layers: tuple[int, ...]
    n_atoms: tuple[int, ...] = (1024, 2048, 4096, 8192)
    k: tuple[int, ...] = (4, 16, 32, 64, 128)
    seeds: tuple[int, ...] = (0,)
    steps: int = 10_000
    batch: int = 4096
    learning_rate: float = 1e-4
    controls: bool = True
    untrained: bool = False
    keep: bool = False
    grid: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for name, least in (("layers", 0), ("n_atoms", 1), ("k", 1), ("seeds", 0)):
            _check_list(name, getattr(self, name), least)
        if min(self.k) > max(self.n_atoms):
            raise InputError(
                f"every k is above every n (the least k is {min(self.k)}, the largest n {max(self.n_atoms)}): "
                "a dictionary needs k of n or less."
            )
        self.recipe(max(self.n_atoms), min(self.k))

    def recipe(self, n_atoms: int, k: int) -> SaeRecipe:
        """The recipe of a cell's training."""
        return SaeRecipe(n_atoms, k, self.steps, self.learning_rate, self.batch)


def sizes(plan: SweepPlan) -> list[tuple[int, int]]:
    """Every (n, k) of the plan, in its order."""
    return [(n, k) for n in plan.n_atoms for k in plan.k if k <= n]


def left_out(plan: SweepPlan) -> list[tuple[int, int]]:
    """The (n, k) that no dictionary can have, k being above n."""
    return [(n, k) for n in plan.n_atoms for k in plan.k if k > n]


def cell_keys(plan: SweepPlan) -> list[CellKey]:
    """Every cell, layer by layer, in the plan's order."""
    return [key for layer in plan.layers for key in _of_layer(plan, layer)]


def _of_layer(plan: SweepPlan, layer: int) -> Iterable[CellKey]:
    if plan.controls:
        for kind in BARE:
            yield from (CellKey(kind, layer, None, k, None) for k in plan.k if k <= max(plan.n_atoms))
    for n, k in sizes(plan):
        for seed in plan.seeds:
            yield CellKey("trained", layer, n, k, seed)
            if plan.controls:
                yield CellKey("random dictionary", layer, n, k, seed)
            if plan.untrained:
                yield CellKey("untrained network", layer, n, k, seed)


def cell_cost(plan: SweepPlan, key: CellKey, rows: int, width: int) -> float:
    """What a cell takes, in units of one code of one row; it decides only how time left is reckoned.

    A step's products run over n columns for each row of its batch; what is measured afterwards runs over all rows,
    on the grid and between its samples.
    """
    n = key.n_atoms if key.n_atoms is not None else 2 * width
    steps = plan.steps if key.kind in TRAININGS else 0
    return float(n * (steps * min(plan.batch, rows) + 2 * rows))


def _check_list(name: str, values: tuple[int, ...], least: int) -> None:
    if not values:
        raise InputError(f"a sweep needs at least one of {name}, none was given.")
    for value in values:
        if value < least:
            raise InputError(f"{name} must be {least} or more each, not {value}.")
        if values.count(value) > 1:
            raise InputError(f"{name} names {value} twice: give each once.")
