"""From the options of a fit to its recipe."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from inrlens.cli.output import duration, note
from inrlens.cli.parsing import check_positive

if TYPE_CHECKING:
    from inrlens.fields.backbone import Backbone
    from inrlens.fitting.adapt_recipe import AnyRecipe
    from inrlens.fitting.recipes import Recipe
    from inrlens.signals.signal import Signal

_MANY = 100_000


def chosen_recipe(
    name: str,
    task: Literal["single", "cohort", "transfer"],
    backbone: str,
    steps: int | None,
    learning_rate: float | None,
    batch: int | None,
) -> "Recipe":
    """The named recipe with what was given in place of its own numbers.

    Raises:
        InputError: for an unknown backbone or a number that is not positive.
    """
    from inrlens.fitting.recipes import named

    check_positive("--lr", learning_rate)
    return changed(named(name, task, backbone), {"steps": steps, "learning_rate": learning_rate, "batch": batch})


def changed(recipe: "AnyRecipe", given: dict[str, int | float | None]) -> "AnyRecipe":
    """The recipe with the numbers that were given, which its name then tells."""
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        return recipe
    words = ", ".join(f"{key}={value:g}" for key, value in changes.items())
    return replace(recipe, name=f"{recipe.name} with {words}", **changes)  # type: ignore[arg-type]


def tell_cost(
    recipe: "Recipe", backbone: "Backbone", signals: "Sequence[Signal]", device: str, start: int = 0
) -> float | None:
    """Says what a fit will cost, and how to be faster, where every step visits very many coordinates.

    Gives the seconds that it is thought to take then, and None for others.
    """
    rows, channels = signals[0].used_count, signals[0].channels
    if min(recipe.batch or rows, rows) <= _MANY:
        return None

    from inrlens.fitting.cost import cost_of

    cost = cost_of(recipe, backbone, rows, (len(signals), channels), start=start, device=device)
    note(
        f"every step visits {cost.rows:,} samples and takes about {duration(cost.step)}, all {recipe.steps:,} about "
        f"{duration(cost.whole)}: --size, --batch or --recipe fast make it faster."
    )
    return cost.whole
