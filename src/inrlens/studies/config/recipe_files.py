"""A recipe that a search has found, as a file that studies name, with the curve that it was chosen by."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from inrlens.errors import InputError
from inrlens.fields.backbone import backbone_settings, make_backbone
from inrlens.files import whole_file
from inrlens.fitting.recipes import Recipe, Task
from inrlens.studies.config.knobs import may_be_none, network_knobs, recipe_knobs, settled
from inrlens.studies.config.toml_text import toml_lines

FORMAT = 1
_KIND = "recipe"
_TABLES = frozenset({"format", "kind", "study", "task", "backbone", "recipe", "network", "curve"})


@dataclass(frozen=True)
class RecipeFile:
    """A recipe file's content.

    ``backbone`` is the registered name; ``study`` the study that searched; ``curve`` one entry a setting that was
    tried, as it was written: the setting's values, the mean PSNR in dB over the validation pictures, its spread, and
    how many images and seeds stand behind it.
    """

    recipe: Recipe
    task: Task
    backbone: str
    study: str
    curve: tuple[dict[str, Any], ...] = ()


def write_recipe_file(
    path: Path, recipe: Recipe, task: Task, backbone: str, curve: Sequence[Mapping[str, Any]], study: str
) -> None:
    """Writes a recipe, every number of it, as a small TOML file, whole or not at all; it replaces what is there.

    Args:
        path: where to.
        recipe: the recipe.
        task: what it is for.
        backbone: the registered backbone that it is for.
        curve: one entry a setting that was tried, of texts, numbers, lists and tables; None entries are left out.
        study: the name of the study that searched.

    Raises:
        InputError: where it cannot be written.
    """
    numbers = {"name": recipe.name, **{name: getattr(recipe, name) for name in recipe_knobs()}}
    head = {"format": FORMAT, "kind": _KIND, "study": study, "task": task, "backbone": backbone}
    lines = [
        f'# Found by a search: name this file in a study, {task} = {{ recipe = "PATH" }}.',
        *toml_lines(head),
        "",
        "[recipe]",
        *toml_lines(numbers),
    ]
    if recipe.backbone is not None:
        lines += ["", "[network]", *toml_lines(backbone_settings(recipe.backbone))]
    if curve:
        lines += ["", "# What was tried, PSNR in dB on the validation pictures."]
    for entry in curve:
        lines += ["", "[[curve]]", *toml_lines(entry)]
    with whole_file(Path(path)) as temporary:
        temporary.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")


def read_recipe_file(path: Path, task: Task, backbone: str) -> Recipe:
    """The recipe of a file, which must be for this task and backbone.

    Raises:
        InputError: where it is missing, damaged, or for something else.
    """
    found = load_recipe_file(path)
    if (found.task, found.backbone) != (task, backbone):
        raise InputError(
            f"{path} is a {found.task} recipe for {found.backbone}, a {task} recipe for {backbone} is needed here."
        )
    return found.recipe


def load_recipe_file(path: Path) -> RecipeFile:
    """Everything in a recipe file.

    Raises:
        InputError: where it is missing, damaged, or of a newer format.
    """
    content = _tables(Path(path))
    try:
        return _recipe_file(content)
    except InputError as error:
        raise InputError(f"{path} is no sound recipe: {str(error).rstrip('.')}.") from error


def _tables(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise InputError(f"recipe file {path} could not be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"recipe file {path} is not valid TOML: {error}.") from error
    version = content.get("format")
    if content.get("kind") != _KIND or type(version) is not int:
        raise InputError(f"{path} is no recipe file: `inrlens study best` writes them.")
    if version > FORMAT:
        raise InputError(f"{path} is written in format {version}, here format {FORMAT} is read: get a newer InrLens.")
    return content


def _recipe_file(content: dict[str, Any]) -> RecipeFile:
    unknown = sorted(set(content) - _TABLES)
    if unknown:
        raise InputError(f"{unknown[0]} is not known")
    study, task, backbone = (_of_type(content, key, str, "a text") for key in ("study", "task", "backbone"))
    if task not in get_args(Task):
        raise InputError(f"task must be one of {', '.join(get_args(Task))}, not {task!r}")
    given = _of_type(content, "recipe", dict, "a table")
    name = _of_type(given, "name", str, "a text")
    numbers = _numbers("recipe", {key: value for key, value in given.items() if key != "name"}, recipe_knobs())
    make_backbone(backbone)
    network = None
    if task != "transfer" or "network" in content:
        settings = _of_type(content, "network", dict, "a table")
        network = make_backbone(backbone, **_numbers("network", settings, network_knobs(backbone)))
    curve = content.get("curve", [])
    if not isinstance(curve, list) or not all(isinstance(entry, dict) for entry in curve):
        raise InputError("curve must be tables [[curve]]")
    return RecipeFile(Recipe(name, network, **numbers), task, backbone, study, tuple(curve))


def _of_type(table: dict[str, Any], key: str, kind: type, word: str) -> Any:
    if not isinstance(table.get(key), kind):
        raise InputError(f"{key} must be {word}" if key in table else f"{key} is missing")
    return table[key]


def _numbers(where: str, given: dict[str, Any], knobs: dict[str, Any]) -> dict[str, Any]:
    """Every number of a table; those that may be None are None where they are absent."""
    for key in given:
        if key not in knobs:
            raise InputError(f"{where}.{key} is not known")
    found: dict[str, Any] = {}
    for key, hint in knobs.items():
        if key not in given:
            if not may_be_none(hint):
                raise InputError(f"{where}.{key} is missing")
            found[key] = None
            continue
        try:
            found[key] = settled(given[key], hint)
        except InputError as error:
            raise InputError(f"{where}.{key} {error}") from None
    return found
