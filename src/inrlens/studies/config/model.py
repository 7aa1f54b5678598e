"""A study as plain numbers: data sets, backbones with their recipes, and what is run on them."""

from dataclasses import dataclass
from typing import Literal

from inrlens.signals.kinds import DataKind
from inrlens.signals.sizing import Fitting

Split = Literal["test", "validation"]
Rest = Literal["reinit", "warm"]
Network = Literal["cohort", "single"]
Counterpart = Literal["CelebA", "Kodak", "OASIS"]
"""A data set of arXiv:2605.08298, whose numbers a study's are set beside."""
Metric = Literal["psnr", "ssim", "lpips"]
Freeze = int | Literal["scratch", "none", "each"]
"""tau; ``each`` is every layer that a cohort has, whatever its depth; ``none`` freezes nothing and starts warm
(STRAINER); ``scratch`` reuses nothing at all."""
Scalar = int | float | str | tuple[float, ...]
METRICS: tuple[Metric, ...] = ("psnr", "ssim", "lpips")


@dataclass(frozen=True)
class DataSpec:
    """One data set: where it lies, how its pictures are read, and how many go where.

    The pictures are shuffled by ``split_seed``; the first ``cohort`` are the cohort's, the next ``validation`` are for
    choosing recipes, the next ``test`` (None: all the rest) for measuring.
    """

    name: str
    kind: DataKind
    path: str | None
    """As written: absolute, or relative to the study's file; ``${NAME}`` stands for an environment variable. None for
    ``bundled`` and noise."""
    cohort: int = 10
    validation: int = 0
    test: int | None = None
    split_seed: int = 0
    size: tuple[int, int] | None = None
    """``(height, width)`` that every picture is brought to; None keeps them as they are."""
    how: Fitting = "resize"
    channels: Literal[1, 3] = 3
    """1 makes pictures grey; 3 repeats a grey picture's channel, so that its encoder meets the same kind of head."""
    turn: bool = False
    """Turn upright pictures by a quarter to the left, so that a set of both kinds shares one grid."""
    pattern: str = "*"
    counterpart: Counterpart | None = None
    """Which of the paper's data sets stands beside it in tables; None takes what its kind says."""


@dataclass(frozen=True)
class RecipeSpec:
    """A recipe by name with overrides; an override of several values is an axis of the study's grid.

    ``base`` is ``paper``, ``fast``, ``small``, or the path of a recipe file that ``inrlens study best`` wrote.
    ``overrides`` pairs a number of ``Recipe``, or a setting of the backbone, with one or more values.
    """

    base: str = "paper"
    overrides: tuple[tuple[str, tuple[Scalar, ...]], ...] = ()

    @property
    def axes(self) -> tuple[str, ...]:
        """The overrides that have several values."""
        return tuple(name for name, values in self.overrides if len(values) > 1)


@dataclass(frozen=True)
class BackboneSpec:
    """A backbone as tables name it, and how its networks are fitted."""

    name: str
    backbone: str
    """The registered backbone's name."""
    cohort: RecipeSpec = RecipeSpec()
    transfer: RecipeSpec = RecipeSpec()
    single: RecipeSpec = RecipeSpec()


@dataclass(frozen=True)
class TransferSpec:
    """Which transfers are run: every source's cohort to every target's pictures at every freeze setting.

    Empty ``sources``, ``targets`` and ``backbones`` mean all. ``images`` takes only the first so many of the split.
    """

    freeze: tuple[Freeze, ...]
    rest: tuple[Rest, ...] = ("reinit",)
    sources: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    backbones: tuple[str, ...] = ()
    split: Split = "test"
    images: int | None = None


@dataclass(frozen=True)
class SingleSpec:
    """Which fits of one picture are run."""

    data: tuple[str, ...] = ()
    backbones: tuple[str, ...] = ()
    split: Split = "test"
    images: int | None = None


@dataclass(frozen=True)
class DictionarySpec:
    """Which dictionaries are trained: every size and sparsity on every layer of every network.

    A ``cohort`` network is that of a source with the study's first cohort seed; a ``single`` one is fitted to the
    source's first ``images`` test pictures with the study's first seed. Where a recipe has axes, the first value of
    each counts. Pairs with k above n are left out. ``effects`` adds an analysis of every dictionary: the statistics
    and the exact effects of all of its atoms.
    """

    networks: tuple[Network, ...] = ("cohort",)
    sources: tuple[str, ...] = ()
    backbones: tuple[str, ...] = ()
    layers: tuple[int, ...] = ()
    """Empty: all of the backbone's."""
    images: int = 1
    n_atoms: tuple[int, ...] = (4096,)
    k: tuple[int, ...] = (32,)
    steps: int = 10_000
    batch: int = 4096
    learning_rate: float = 1e-4
    seeds: tuple[int, ...] = (0,)
    effects: bool = True


@dataclass(frozen=True)
class StudySpec:
    """Everything that a study's file says."""

    name: str
    title: str
    data: tuple[DataSpec, ...]
    backbones: tuple[BackboneSpec, ...]
    transfers: tuple[TransferSpec, ...] = ()
    singles: tuple[SingleSpec, ...] = ()
    dictionaries: tuple[DictionarySpec, ...] = ()
    seeds: tuple[int, ...] = (0,)
    """Of transfers and single fits: heads, reinitialised layers, batches."""
    cohort_seeds: tuple[int, ...] = (0,)
    metrics: tuple[Metric, ...] = METRICS
