"""What a walkthrough runs: recipes, sizes, the settings of its freeze sweep, and the stages in order."""

import math
from dataclasses import dataclass, replace
from typing import Any

from inrlens.errors import InputError
from inrlens.fields.backbone import Backbone
from inrlens.fitting.recipes import Recipe, Task, paper, recipe_settings, small
from inrlens.fitting.transfer import Rest


@dataclass(frozen=True)
class BackbonePlan:
    """The recipes of one backbone's part: a single fit, a cohort, and the transfers from it."""

    name: str
    single: Recipe
    cohort: Recipe
    transfer: Recipe


@dataclass(frozen=True)
class WalkthroughPlan:
    """Everything that decides a walkthrough besides its photographs.

    ``transfer_seeds`` is how many times each transfer is run with fresh draws; ``n_atoms``, ``k``, ``sae_steps``,
    ``sae_batch`` and ``sae_learning_rate`` are every dictionary's.
    """

    backbones: tuple[BackbonePlan, ...]
    transfer_seeds: int
    n_atoms: int
    k: int
    sae_steps: int
    sae_batch: int
    sae_learning_rate: float
    seed: int = 0
    device: str = "cpu"


def demo_plan(seed: int = 0, device: str = "cpu", thorough: bool = False, share: float = 1.0) -> WalkthroughPlan:
    """The plan of ``inrlens demo``: both backbones at full size, the recipes for small pictures, small dictionaries.

    ``thorough`` takes the paper's recipes, dictionaries of 4,096 atoms with k = 32 trained for 10,000 steps, and three
    seeds a transfer. ``share`` multiplies every number of steps.

    Raises:
        InputError: where ``share`` is not a positive number.
    """
    if not 0.0 < share < math.inf:
        raise InputError(f"the share of steps must be a positive number, not {share}.")

    def scaled(steps: int) -> int:
        return max(1, round(steps * share))

    def recipe(task: Task, backbone: str) -> Recipe:
        chosen = paper(task, backbone) if thorough else small(task, backbone)
        return replace(chosen, steps=scaled(chosen.steps))

    parts = tuple(
        BackbonePlan(name, recipe("single", name), recipe("cohort", name), recipe("transfer", name))
        for name in ("siren", "ffmlp")
    )
    if thorough:
        return WalkthroughPlan(parts, 3, 4096, 32, scaled(10_000), 4096, 1e-4, seed, device)
    return WalkthroughPlan(parts, 1, 1024, 16, scaled(360), 512, 2e-3, seed, device)


def sweep_settings(depth: int) -> list[tuple[int | None, Rest]]:
    """The (freeze, rest) pairs of a freeze sweep: scratch, none, and every tau with the rest reinitialised or warm.

    At the last tau no layer is left to start, so both ways are one and only ``reinit`` is listed.
    """
    pairs: list[tuple[int | None, Rest]] = [(None, "reinit"), (None, "warm")]
    pairs += [(tau, "reinit") for tau in range(depth)]
    pairs += [(tau, "warm") for tau in range(depth - 1)]
    return pairs


def freeze_label(freeze: int | None, rest: Rest) -> str:
    """The name of a freeze setting: ``scratch``, ``none``, ``reinit 2``, ``warm 2``."""
    if freeze is None:
        return "scratch" if rest == "reinit" else "none"
    return f"{rest} {freeze}"


def plan_settings(plan: WalkthroughPlan) -> dict[str, Any]:
    """A plan as plain JSON values."""
    return {
        "backbones": [
            {
                "name": part.name,
                **{task: recipe_settings(getattr(part, task)) for task in ("single", "cohort", "transfer")},
            }
            for part in plan.backbones
        ],
        "transfer_seeds": plan.transfer_seeds,
        "n_atoms": plan.n_atoms,
        "k": plan.k,
        "sae_steps": plan.sae_steps,
        "sae_batch": plan.sae_batch,
        "sae_learning_rate": plan.sae_learning_rate,
        "seed": plan.seed,
        "device": plan.device,
    }


def fit_stage(kind: str, backbone: str) -> str:
    """The name of the stage that fits a condition."""
    return f"{kind} {backbone.upper()} fit"


def sweep_stage(backbone: str) -> str:
    """The name of the stage that transfers to every held-out signal at every freeze setting."""
    return f"{backbone.upper()} freeze sweep"


def dictionary_stage(backbone: str) -> str:
    """The name of the stage that trains a backbone's dictionaries."""
    return f"{backbone.upper()} dictionaries"


def atlas_stage(backbone: str) -> str:
    """The name of the stage that looks at every atom of a cohort's middle layer."""
    return f"{backbone.upper()} atlas"


def stage_costs(plan: WalkthroughPlan, coordinates: int, heldout: int) -> dict[str, float]:
    """Every stage in order with its cost, roughly in floating-point operations; it only places the progress bar."""

    def cost_of(recipe: Recipe, backbone: Backbone) -> float:
        rows = min(recipe.batch or coordinates, coordinates)
        weights = backbone.depth * backbone.width**2
        return 6.0 * weights * rows * recipe.steps

    costs: dict[str, float] = {}
    for part in plan.backbones:
        costs[fit_stage("single", part.name)] = cost_of(part.single, _backbone(part.single))
        costs[fit_stage("cohort", part.name)] = cost_of(part.cohort, _backbone(part.cohort))
    for part in plan.backbones:
        backbone = _backbone(part.cohort)
        # Over the settings of a sweep some 58 % of a whole network is trained, on average.
        fits = heldout * plan.transfer_seeds * len(sweep_settings(backbone.depth))
        costs[sweep_stage(part.name)] = 0.58 * fits * cost_of(part.transfer, backbone)
    for part in plan.backbones:
        backbone = _backbone(part.cohort)
        products = 4.0 * plan.n_atoms * backbone.width * min(plan.sae_batch, coordinates)
        costs[dictionary_stage(part.name)] = 2 * backbone.depth * plan.sae_steps * products
    for part in plan.backbones:
        # Two trainings more: with another seed, and on the untrained network.
        costs[atlas_stage(part.name)] = costs[dictionary_stage(part.name)] / _backbone(part.cohort).depth
    return costs


def _backbone(recipe: Recipe) -> Backbone:
    assert recipe.backbone is not None, "single and cohort recipes name a backbone"
    return recipe.backbone
