"""From a recipe's table in a study's file to a recipe with overrides, every fault named."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_origin

from inrlens.errors import InputError
from inrlens.fitting.recipes import Recipe, Task
from inrlens.studies.config.form import found, unknown
from inrlens.studies.config.knobs import converted
from inrlens.studies.config.model import BackboneSpec, RecipeSpec, Scalar
from inrlens.studies.config.recipes import allowed_overrides, overridden, recipe_grid, starting_recipe


def recipe_spec(
    table: Mapping[str, Any], task: Task, backbone: str, where: str, base: Path, faults: list[str]
) -> RecipeSpec:
    """The recipe of a table such as ``{ recipe = "paper", steps = [100, 200] }``; what is wrong goes to ``faults``.

    Args:
        table: the table.
        task: what the recipe is for.
        backbone: the registered backbone's name.
        where: the table's path in the file.
        base: the folder that recipe files' paths start from.
        faults: where faults are entered.
    """
    name = table.get("recipe", "paper")
    start: Recipe | None = None
    if not isinstance(name, str):
        faults.append(f"{where}.recipe must be the name of a recipe or the path of its file, not {found(name)}")
        name = "paper"
    else:
        try:
            start = starting_recipe(name, task, backbone, base)
        except InputError as error:
            faults.append(f"{where}.recipe: {_bare(error)}")
    allowed = allowed_overrides(task, backbone)
    overrides: list[tuple[str, tuple[Scalar, ...]]] = []
    sound = start is not None
    for key, given in table.items():
        if key == "recipe":
            continue
        if key in allowed:
            values = _values(f"{where}.{key}", given, allowed[key], faults)
            sound = sound and bool(values)
            overrides.append((key, values))
            continue
        sound = False
        if key in allowed_overrides("cohort", backbone):
            faults.append(f"{where}.{key} is a setting of the network, which is the cohort's: set it there")
        else:
            faults.append(f"{where}.{key} {unknown(key, ['recipe', *allowed])}")
    spec = RecipeSpec(name, tuple(overrides))
    if start is None:
        return spec
    together = _combined(spec, task, backbone, base) if sound else None
    if sound and together is None:
        return spec
    alone = list(_alone(spec, task, backbone, start))
    faults.extend(f"{where}.{fault}" for fault in alone)
    if together is not None and not alone:
        faults.append(f"{where}: {together}")
    return spec


def _values(where: str, given: Any, hint: Any, faults: list[str]) -> tuple[Scalar, ...]:
    """The values of one override as the type that is meant, or nothing where any is wrong.

    A list is an axis of values; of a setting that is a list itself, such as ``coordinate_range``, a list of lists is.
    """
    listed = get_origin(hint) is tuple
    axis = isinstance(given, list) and (not listed or any(isinstance(one, list) for one in given))
    several = given if axis else [given]
    try:
        for one in several:
            if isinstance(one, dict) or (isinstance(one, list) and not listed):
                raise InputError(f"must be one value, or a list of them as an axis, not {found(given)}")
        values = tuple(converted(one, hint) for one in several)
    except InputError as error:
        faults.append(f"{where} {error}")
        return ()
    if not values or len(set(values)) < len(values):
        faults.append(f"{where} must be one value, or a list of one or more, each once, not {found(given)}")
        return ()
    return values


def _combined(spec: RecipeSpec, task: Task, backbone: str, base: Path) -> str | None:
    """What the first unsound combination of the overrides' values lacks; None where all are sound."""
    try:
        recipe_grid(spec, task, BackboneSpec(backbone, backbone), base)
    except InputError as error:
        return _bare(error)
    return None


def _alone(spec: RecipeSpec, task: Task, backbone: str, start: Recipe) -> Iterator[str]:
    """What is wrong with the values one by one."""
    for name, values in spec.overrides:
        for value in values:
            try:
                overridden(start, task, backbone, {name: value})
            except InputError as error:
                yield _bare(error)


def _bare(error: InputError) -> str:
    """A sentence of ``Recipe`` or of a backbone without its stop and the recipe's or backbone's name in front."""
    # A semicolon stands between two faults.
    text = str(error).rstrip(".").replace("; ", ", ")
    start, colon, rest = text.partition(": ")
    return rest if colon and (start.startswith("recipe '") or start.isidentifier()) else text
