"""From the options of a fit to its recipe."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from inrlens.cli.output import note
from inrlens.cli.parsing import check_positive

if TYPE_CHECKING:
    from inrlens.fitting.recipes import Recipe
    from inrlens.fitting.suited import AnyRecipe

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


def hint_at_size(recipe: "Recipe", coordinates: int) -> None:
    """Says how to be faster where every step visits very many coordinates."""
    a_step = min(recipe.batch or coordinates, coordinates)
    if a_step > _MANY:
        note(f"every step visits {a_step:,} pixels: --size, --batch or --recipe fast make it faster.")
