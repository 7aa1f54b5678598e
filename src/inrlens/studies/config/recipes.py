"""From a recipe with overrides to the recipes of a study's grid."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from inrlens.errors import InputError
from inrlens.fields.backbone import backbone_settings, make_backbone
from inrlens.fitting.recipes import Recipe, Task, named
from inrlens.studies.config.knobs import network_knobs, recipe_knobs, settled
from inrlens.studies.config.model import BackboneSpec, RecipeSpec
from inrlens.studies.config.recipe_files import read_recipe_file
from inrlens.studies.config.variant import Variant


def recipe_grid(recipe: RecipeSpec, task: Task, backbone: BackboneSpec, base: Path) -> list[tuple[Variant, Recipe]]:
    """Every combination of the axes' values, the first axis of the file slowest, with its recipe.

    Args:
        recipe: a recipe by name or file, with overrides.
        task: what it is for; a transfer's recipe takes no settings of the network, which is its cohort's.
        backbone: whose recipe it is.
        base: the folder that a recipe file's path starts from.

    Raises:
        InputError: where the recipe, an override or one of its values is not allowed.
    """
    start = starting_recipe(recipe.base, task, backbone.backbone, base)
    names = [name for name, _ in recipe.overrides]
    grid = []
    for values in product(*(values for _, values in recipe.overrides)):
        numbers = dict(zip(names, values, strict=True))
        variant = tuple((f"{task}.{name}", numbers[name]) for name in recipe.axes)
        grid.append((variant, overridden(start, task, backbone.backbone, numbers)))
    return grid


def starting_recipe(name: str, task: Task, backbone: str, base: Path) -> Recipe:
    """The recipe before its overrides: that of a table of ours, or of a file, whose name ends in ``.toml``.

    Raises:
        InputError: where there is none, or the file's is for another task or backbone.
    """
    if name.endswith(".toml"):
        return read_recipe_file(base / name, task, backbone)
    return named(name, task, backbone)


def allowed_overrides(task: Task, backbone: str) -> dict[str, Any]:
    """What a recipe of this task may override, with the types: its own numbers and, but in a transfer, the network's.

    Raises:
        InputError: where there is no such backbone.
    """
    network = network_knobs(backbone)
    return recipe_knobs() if task == "transfer" else {**recipe_knobs(), **network}


def overridden(start: Recipe, task: Task, backbone: str, numbers: Mapping[str, Any]) -> Recipe:
    """A recipe with ``numbers`` in place of its own, and of its network's.

    Raises:
        InputError: where a name or a value is not allowed.
    """
    if not numbers:
        return start
    allowed, own, network = allowed_overrides(task, backbone), recipe_knobs(), start.backbone
    values: dict[str, Any] = {}
    for name, value in numbers.items():
        if name not in allowed:
            raise InputError(f"{task} recipe of {backbone}: {name} is not known; allowed are {', '.join(allowed)}.")
        try:
            values[name] = settled(value, allowed[name])
        except InputError as error:
            raise InputError(f"{task} recipe of {backbone}: {name} {error}.") from None
    settings = {name: value for name, value in values.items() if name not in own}
    if settings:
        present = {} if network is None else backbone_settings(network)
        network = make_backbone(backbone, **{**present, **settings})
    changes = {name: value for name, value in values.items() if name in own}
    words = ", ".join(f"{name}={numbers[name]}" for name in numbers)
    return replace(start, name=f"{start.name} with {words}", backbone=network, **changes)
