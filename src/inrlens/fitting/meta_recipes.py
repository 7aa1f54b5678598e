"""How a start is meta-learned, as plain numbers; ``paper`` is that of Tancik et al. 2021, ``small`` is ours."""

from dataclasses import asdict, dataclass
from typing import Any

from inrlens.errors import InputError
from inrlens.fields.backbone import Backbone, backbone_settings
from inrlens.fitting import recipes
from inrlens.fitting.recipes import Recipe, Schedule


@dataclass(frozen=True)
class MetaRecipe:
    """Everything that decides a meta-learned start besides its signals and its seed.

    An outer step takes ``signals`` of the signals, fits each from the present start by ``inner_steps`` steps of plain
    gradient descent over all coordinates, and moves the start by Adam. A signal's loss is the mean squared error over
    coordinates and channels.
    """

    name: str
    """What to call it in reports; changes nothing."""
    backbone: Backbone
    """The network to build."""
    steps: int
    """Outer steps."""
    learning_rate: float
    """Adam's learning rate in the outer steps."""
    inner_steps: int = 2
    """Steps of gradient descent on each signal."""
    inner_learning_rate: float = 1e-2
    """Their learning rate. What it does to a SIREN grows with omega^2."""
    signals: int = 1
    """At most this many signals a step, drawn without replacement until all were seen."""
    schedule: Schedule = "constant"
    """Of the outer rate, as in ``Recipe``."""
    record_every: int = 10
    """Outer steps between two rows of the history."""

    def __post_init__(self) -> None:
        for key in ("inner_steps", "signals"):
            if getattr(self, key) < 1:
                raise InputError(f"recipe {self.name!r}: {key} must be at least 1, not {getattr(self, key)}.")
        if not 0.0 < self.inner_learning_rate <= 1e30:
            raise InputError(
                f"recipe {self.name!r}: inner_learning_rate must be positive and at most 1e30, "
                f"not {self.inner_learning_rate}."
            )
        _ = self.outer

    @property
    def outer(self) -> Recipe:
        """The outer steps as those of a fit whose batches are of signals.

        Raises:
            InputError: where a number is not allowed.
        """
        return Recipe(
            self.name,
            self.backbone,
            self.steps,
            self.learning_rate,
            batch=self.signals,
            schedule=self.schedule,
            record_every=self.record_every,
        )


def meta_settings(recipe: MetaRecipe) -> dict[str, Any]:
    """A recipe as plain JSON values."""
    backbone = {"name": recipe.backbone.name, **backbone_settings(recipe.backbone)}
    return {**asdict(recipe), "backbone": backbone}


def paper(backbone: str) -> MetaRecipe:
    """The numbers of the public code of Tancik et al. 2021 (tancik/learnit, ``meta_demo.ipynb``, 178x178 faces).

    Outer Adam 1e-5 for 150,000 steps of 3 signals, 2 inner steps at 1e-2. Theirs is a SIREN with omega_0 200 on
    coordinates in [0, 1); the network here is that of our cohort recipes, so that the starts can be compared.
    """
    return MetaRecipe(f"paper meta {backbone}", _network(backbone), 150_000, 1e-5, signals=3)


def small(backbone: str) -> MetaRecipe:
    """Our recipe for pictures of some 5,000 pixels: 600 steps of one signal each, a cosine to 0.

    Found for ``siren`` at 32x40 with ten signals, outer Adam 3e-4. The other backbones take the rate of their small
    cohort; ``finer`` gains from it as ``siren`` does, ``ffmlp`` and ``gauss`` nothing, at inner rates of 1e-2 and 1e-1.
    """
    rate = 3e-4 if backbone == "siren" else recipes.small("cohort", backbone).learning_rate
    return MetaRecipe(f"small meta {backbone}", _network(backbone), 600, rate, schedule="cosine")


def named(name: str, backbone: str) -> MetaRecipe:
    """The recipe ``paper`` or ``small``.

    Raises:
        InputError: where there is no such recipe or backbone.
    """
    tables = {"paper": paper, "small": small}
    if name not in tables:
        raise InputError(f"recipe {name!r} is not known; allowed are {', '.join(tables)}.")
    return tables[name](backbone)


def _network(backbone: str) -> Backbone:
    network = recipes.cohort(backbone).backbone
    assert network is not None
    return network
