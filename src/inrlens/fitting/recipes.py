"""How a network is fitted, as plain numbers.

``single``, ``cohort`` and ``transfer`` are Table 2 of arXiv:2605.08298 for ``siren`` and ``ffmlp``. For ``hashgrid``
they are carried over from its paper, for the others from the settings that FINER's public scripts fit pictures with.
``fast`` and ``small`` are ours.
"""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from inrlens.errors import InputError
from inrlens.fields.backbone import Backbone, backbone_settings, make_backbone
from inrlens.fields.ffmlp import FFMLP
from inrlens.fields.finer import Finer
from inrlens.fields.gauss import Gauss
from inrlens.fields.hashgrid import HashGrid
from inrlens.fields.posenc import PosEnc
from inrlens.fields.relu import ReLU
from inrlens.fields.siren import Siren
from inrlens.fields.wire import Wire
from inrlens.fields.wire_real import WireReal

Optimizer = Literal["adam", "muon"]
Schedule = Literal["constant", "cosine", "exponential"]
Iteration = Literal["step", "pass"]
Task = Literal["single", "cohort", "transfer"]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a fit besides its signals and its seed.

    The loss is the mean squared error over coordinates and channels of each signal, summed over signals (STRAINER's
    code; arXiv:2605.08298 eq. 2 up to the factor N*c).
    """

    name: str
    """What to call it in reports; changes nothing."""
    backbone: Backbone | None
    """The network to build; None in a transfer, which takes the cohort's."""
    steps: int
    """Optimiser steps, or passes where ``iteration`` says so."""
    learning_rate: float
    """Adam's learning rate."""
    optimizer: Optimizer = "adam"
    """``adam`` (beta_1 0.9), or ``muon``: Muon on the hidden layers' matrices, Adam on the rest."""
    adam_beta2: float = 0.999
    """Adam's beta_2, in [0, 1): how long it remembers a gradient's square."""
    adam_eps: float = 1e-8
    """Adam's epsilon: gradients that are not well above it move a parameter less than its rate."""
    muon_learning_rate: float = 2e-3
    """Muon's learning rate, where ``optimizer`` is ``muon``."""
    muon_momentum: float = 0.9
    """Muon's momentum (Nesterov's), in [0, 1)."""
    batch: int | None = None
    """At most this many coordinates a step, drawn without replacement until all were seen, all steps of such a round
    being equally large; None takes all coordinates every step."""
    schedule: Schedule = "constant"
    """``constant``, ``cosine`` from the full rate at the first step towards 0 after the last, or ``exponential`` to a
    tenth: ``0.1 ** (step / steps)``."""
    stop_psnr: float | None = None
    """Stop as soon as the recorded PSNR (mean over signals, dB) reaches this; None runs all steps."""
    record_every: int = 10
    """Optimiser steps between two rows of the history."""
    iteration: Iteration = "step"
    """What ``steps`` counts: ``step``, an update of the weights; ``pass``, as many as one round of batches takes."""

    def __post_init__(self) -> None:
        for key in ("steps", "record_every", "batch"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise InputError(f"recipe {self.name!r}: {key} must be at least 1, not {value}.")
        for key in ("learning_rate", "adam_eps", "muon_learning_rate"):
            value = getattr(self, key)
            if not 0.0 < value <= 1e30:
                raise InputError(f"recipe {self.name!r}: {key} must be positive and at most 1e30, not {value}.")
        for key in ("adam_beta2", "muon_momentum"):
            if not 0.0 <= getattr(self, key) < 1.0:
                raise InputError(f"recipe {self.name!r}: {key} must lie in [0, 1), not {getattr(self, key)}.")
        if self.stop_psnr is not None and not math.isfinite(self.stop_psnr):
            raise InputError(
                f"recipe {self.name!r}: stop_psnr must be a finite number of dB or None, not {self.stop_psnr}."
            )
        named = (("optimizer", Optimizer), ("schedule", Schedule), ("iteration", Iteration))
        for key, choices in ((key, get_args(kind)) for key, kind in named):
            if getattr(self, key) not in choices:
                raise InputError(
                    f"recipe {self.name!r}: {key} {getattr(self, key)!r} is not known; "
                    f"allowed are {', '.join(choices)}."
                )

    def over(self, rows: int) -> "Recipe":
        """The recipe whose ``steps`` are updates of the weights where there are so many coordinates."""
        if self.iteration == "step":
            return self
        return replace(self, steps=updates(self.steps, self.batch, self.iteration, rows), iteration="step")


def updates(steps: int, batch: int | None, iteration: str, rows: int) -> int:
    """How many updates of the weights ``steps`` means on so many coordinates."""
    return steps if iteration == "step" else steps * -(-rows // min(batch or rows, rows))


def recipe_settings(recipe: Recipe) -> dict[str, Any]:
    """A recipe as plain JSON values."""
    settings = asdict(replace(recipe, backbone=None))
    if recipe.backbone is not None:
        settings["backbone"] = {"name": recipe.backbone.name, **backbone_settings(recipe.backbone)}
    return settings


_SINGLE = {
    "siren": Recipe("paper single siren", Siren(omega_0=50.0), steps=500, learning_rate=2e-4),
    "ffmlp": Recipe("paper single ffmlp", FFMLP(sigma=20.0), steps=500, learning_rate=5e-4),
}
_COHORT = {
    "siren": Recipe("paper cohort siren", Siren(omega_0=30.0), steps=5000, learning_rate=1e-4),
    "ffmlp": Recipe("paper cohort ffmlp", FFMLP(sigma=10.0), steps=5000, learning_rate=1e-4),
}
_TRANSFER = {
    "siren": Recipe("paper transfer siren", None, steps=500, learning_rate=1e-4),
    "ffmlp": Recipe("paper transfer ffmlp", None, steps=500, learning_rate=1e-4),
}
_PUBLISHED: dict[str, tuple[Backbone, float]] = {
    "gauss": (Gauss(depth=4, scale=30.0), 5e-3),
    "finer": (Finer(depth=4, omega_0=30.0), 5e-4),
    "wire": (Wire(width=362, depth=4, omega_0=20.0, scale=10.0), 5e-3),
    "wire_real": (WireReal(depth=4, omega_0=20.0, scale=10.0), 5e-3),
    "posenc": (PosEnc(depth=4, frequencies=10), 1e-3),
    "relu": (ReLU(depth=4), 1e-3),
}
"""Networks and rates of the public scripts of FINER (liuzhen0212/FINER: ``run_gauss.sh``, ``run_finer.sh``,
``run_wire.sh``, ``run_pemlp.sh``): one layer, three hidden ones, 5,000 full-batch steps, ``0.1 ** (t / T)``.

``wire_real`` takes WIRE's numbers and ``relu`` those of positional encoding. WIRE bears little more than its rate:
there, 28.8 dB at 5e-3, 24.0 at 1e-2 and 12.6 at 2e-2.
"""
for _name, (_network, _rate) in _PUBLISHED.items():
    _SINGLE[_name] = Recipe(f"paper single {_name}", _network, 5000, _rate, schedule="exponential")
    _COHORT[_name] = Recipe(f"paper cohort {_name}", _network, 5000, _rate, schedule="exponential")
    _TRANSFER[_name] = Recipe(f"paper transfer {_name}", None, 500, _rate, schedule="exponential")

_HASH_GRID = Recipe("paper single hashgrid", HashGrid(finest=256), 1000, 1e-2, adam_beta2=0.99, adam_eps=1e-15)
"""Mueller et al. 2022, Table 1 (T at its smallest) and section 4; the rate is that of their program's
``configs/image/base.json``. Their batch of 2^18 holds every coordinate of our pictures, and their weak decay of the
network's weights, 1e-6, is left out. Ours are: the finest resolution, where they have 512 and more, since with much
more than a cell a pixel what lies between the pixels is nobody's; the steps, since they fit for a time; and all of a
cohort.
"""
_SINGLE["hashgrid"] = _HASH_GRID
_COHORT["hashgrid"] = replace(_HASH_GRID, name="paper cohort hashgrid")
_TRANSFER["hashgrid"] = replace(_HASH_GRID, name="paper transfer hashgrid", backbone=None, steps=500)


def _muon(recipe: Recipe, steps: int, batch: int, muon_rate: float, rate: float) -> Recipe:
    return replace(
        _cosine(recipe, "fast", steps, batch, rate),
        optimizer="muon",
        muon_learning_rate=muon_rate,
        record_every=5,
    )


def _cosine(recipe: Recipe, table: str, steps: int, batch: int, rate: float) -> Recipe:
    return replace(
        recipe,
        name=recipe.name.replace("paper", table),
        steps=steps,
        learning_rate=rate,
        batch=batch,
        schedule="cosine",
        record_every=20,
    )


_FAST = {
    "single": {
        "siren": _muon(_SINGLE["siren"], 185, 8192, 2e-3, 2e-4),
        "ffmlp": _muon(_SINGLE["ffmlp"], 200, 4096, 5e-2, 2e-3),
    },
    "cohort": {
        "siren": _cosine(_COHORT["siren"], "fast", 1900, 1024, 2e-4),
        "ffmlp": _cosine(_COHORT["ffmlp"], "fast", 1900, 1024, 1e-3),
    },
    "transfer": {
        "siren": _muon(_TRANSFER["siren"], 185, 8192, 2e-3, 2e-4),
        "ffmlp": _muon(_TRANSFER["ffmlp"], 200, 4096, 5e-2, 2e-3),
    },
}
_SMALL = {
    "single": {
        "siren": _cosine(_SINGLE["siren"], "small", 400, 512, 2e-4),
        "ffmlp": _cosine(_SINGLE["ffmlp"], "small", 400, 512, 2e-3),
    },
    "cohort": {
        "siren": _cosine(_COHORT["siren"], "small", 1500, 512, 2e-4),
        "ffmlp": _cosine(_COHORT["ffmlp"], "small", 1500, 512, 2e-3),
    },
    "transfer": {
        "siren": _cosine(_TRANSFER["siren"], "small", 200, 512, 3e-4),
        "ffmlp": _cosine(_TRANSFER["ffmlp"], "small", 280, 512, 2e-3),
    },
}
_FOR_FEW_PIXELS: dict[str, tuple[Backbone, float]] = {
    "gauss": (Gauss(depth=4, scale=5.0), 3e-3),
    "wire": (Wire(width=362, depth=4, omega_0=5.0, scale=5.0), 3e-3),
    "wire_real": (WireReal(depth=4, omega_0=5.0, scale=5.0), 3e-3),
}
"""Where the published numbers, which are for pictures of hundreds of pixels a side, fit no cohort of thumbnails: its
PSNR stays at 13 dB, where these reach 25 (docs/recipes.md)."""
for _name, (_, _rate) in _PUBLISHED.items():
    _few, _few_rate = _FOR_FEW_PIXELS.get(_name, _PUBLISHED[_name])
    for _task, _recipe in (("single", _SINGLE[_name]), ("cohort", _COHORT[_name]), ("transfer", _TRANSFER[_name])):
        _FAST[_task][_name] = _cosine(_recipe, "fast", 1900, 1024, _rate)
        _thumbnails = replace(_recipe, backbone=None if _recipe.backbone is None else _few)
        _SMALL[_task][_name] = _cosine(_thumbnails, "small", 1500 if _task == "cohort" else 400, 512, _few_rate)
for _task, _table in (("single", _SINGLE), ("cohort", _COHORT), ("transfer", _TRANSFER)):
    _steps = 1900 if _task == "cohort" else 400
    _FAST[_task]["hashgrid"] = _cosine(_table["hashgrid"], "fast", _steps, 4096, 1e-2)
    _SMALL[_task]["hashgrid"] = _cosine(_table["hashgrid"], "small", 1500 if _task == "cohort" else 400, 512, 1e-2)
_TABLES: dict[str, dict[str, dict[str, Recipe]]] = {
    "paper": {"single": _SINGLE, "cohort": _COHORT, "transfer": _TRANSFER},
    "fast": _FAST,
    "small": _SMALL,
}


def single(backbone: str) -> Recipe:
    """The published recipe for one signal.

    ``siren`` and ``ffmlp``: 500 full Adam steps, omega_0 50 at 2e-4, sigma 20 at 5e-4 (arXiv:2605.08298, Table 2).

    ``hashgrid``: 1,000 full Adam steps at 1e-2 with beta_2 0.99 and eps 1e-15, 16 levels of 2 features from 16 to 256
    cells in tables of 2^14 rows, two layers of 64 (Mueller et al. 2022; the steps and the 256 are ours, they have 512
    and more).

    The others: 5,000 full Adam steps whose rate falls to a tenth, four layers (FINER's public scripts): ``gauss`` s 30
    at 5e-3, ``finer`` omega_0 30 at 5e-4, ``wire`` omega_0 20, s 10, 181 complex units at 5e-3, ``posenc`` 10
    frequencies at 1e-3. ``wire_real`` is fitted as ``wire``, ``relu`` as ``posenc``: nobody published theirs. Those
    scripts fit targets in [-1, 1] (``posenc`` in [0, 1]); ours are in [0, 1].
    """
    return _known(_SINGLE, backbone)


def cohort(backbone: str) -> Recipe:
    """The paper's recipe for a cohort: 5,000 full-batch Adam steps at 1e-4; SIREN omega_0 30, FFMLP sigma 10.

    The paper has no other backbones: theirs is the recipe of a single signal, with as many steps.

    The paper also says that the cohort stops near a mean PSNR of 30 dB; a cohort of ours passes that long before step
    5,000, so the recipe leaves ``stop_psnr`` off and counts the steps. Set it to 30.0 to stop there.
    """
    return _known(_COHORT, backbone)


def transfer(backbone: str) -> Recipe:
    """The paper's recipe for fitting a new signal on a cohort's layers: 500 full-batch Adam steps at 1e-4.

    Backbones that the paper does not have take their single rate and its fall in as many steps.
    """
    return _known(_TRANSFER, backbone)


def paper(task: Task, backbone: str) -> Recipe:
    """The paper's recipe for a task: ``single``, ``cohort`` or ``transfer``."""
    return _of("paper", task, backbone)


def fast(task: Task, backbone: str) -> Recipe:
    """Our recipe for pictures of some 40,000 pixels: the paper's quality in a fraction of its passes (docs/recipes.md).

    Single fits and transfers take Muon. Cohorts take Adam, since Muon flattens a cohort's stable ranks and with them
    the advice where to freeze. All this was tuned for ``siren`` and ``ffmlp`` alone: the other backbones take Adam at
    their published rate, on batches of 1,024 with a cosine, ``hashgrid`` of 4,096.
    """
    return _of("fast", task, backbone)


def small(task: Task, backbone: str) -> Recipe:
    """Our recipe for pictures of some 5,000 pixels, as in the demo: Adam on batches of 512 and a cosine to 0.

    Tuned for ``siren`` and ``ffmlp``; ``gauss``, ``wire`` and ``wire_real`` have wider bells and slower waves than
    published, found in a coarse search; the others take their published rate.
    """
    return _of("small", task, backbone)


def named(name: str, task: Task, backbone: str) -> Recipe:
    """The recipe of the table ``paper``, ``fast`` or ``small``.

    Raises:
        InputError: where there is no such table, task or backbone.
    """
    if name not in _TABLES:
        raise InputError(f"recipe {name!r} is not known; allowed are {', '.join(_TABLES)}.")
    return _of(name, task, backbone)


def _of(name: str, task: str, backbone: str) -> Recipe:
    table = _TABLES[name]
    if task not in table:
        raise InputError(f"task {task!r} is not known; allowed are {', '.join(table)}.")
    return _known(table[task], backbone)


def _known(table: dict[str, Recipe], backbone: str) -> Recipe:
    if backbone not in table:
        make_backbone(backbone)
        raise InputError(f"there is no recipe for {backbone!r} yet; allowed are {', '.join(table)}.")
    return table[backbone]
