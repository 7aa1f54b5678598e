"""A study's file, read and checked as a whole."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from inrlens.errors import InputError
from inrlens.fields.backbone import backbone_names
from inrlens.fitting.recipes import Recipe, Task
from inrlens.signals.kinds import NOISE
from inrlens.studies.config.checks import Parts, dictionary_faults, single_faults, transfer_faults
from inrlens.studies.config.form import (
    BackboneForm,
    DataForm,
    DictionaryForm,
    Form,
    SingleForm,
    StudyForm,
    TransferForm,
    filled,
    found,
    unknown,
)
from inrlens.studies.config.model import (
    BackboneSpec,
    DataSpec,
    DictionarySpec,
    RecipeSpec,
    SingleSpec,
    StudySpec,
    TransferSpec,
)
from inrlens.studies.config.recipe_tables import recipe_spec
from inrlens.studies.config.recipes import recipe_grid
from inrlens.studies.config.shipped import SHIPPED, shipped_study

FORMAT = 1
S = TypeVar("S", TransferSpec, SingleSpec, DictionarySpec)
_TASKS: tuple[Task, ...] = get_args(Task)


@dataclass(frozen=True)
class ReadStudy:
    """A study with its file's text and the folder that its relative paths start from."""

    spec: StudySpec
    source: str
    base: Path


def read_study(name_or_path: str | Path) -> ReadStudy:
    """Reads the ``.toml`` file of a study, or one that ships, whose paths start from the current folder.

    Raises:
        InputError: where there is no such study, or with every fault of the file in one message.
    """
    name = str(name_or_path)
    if name in SHIPPED:
        source, base = shipped_study(name), Path.cwd()
        return ReadStudy(parse_study(source, f"{name}.toml", base), source, base)
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.exists():
        shipped_study(name)
    source, base = _text(path), path.absolute().parent
    return ReadStudy(parse_study(source, name, base), source, base)


def parse_study(source: str, label: str, base: Path) -> StudySpec:
    """The study of a file's text.

    Args:
        source: the text.
        label: what to call the file in messages.
        base: the folder that relative paths of recipe files start from.

    Raises:
        InputError: with every fault in one message, each with its path in the file.
    """
    try:
        content = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{label} is not valid TOML: {str(error)[:1].lower()}{str(error)[1:]}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{label} is not valid TOML: {error}.") from error
    version = content.get("format")
    if type(version) is int and version > FORMAT:
        raise InputError(
            f"{label} is written in format {version}, this InrLens reads format {FORMAT}: install a newer InrLens."
        )
    faults: list[str] = []
    spec = _study(content, base, faults)
    if faults or spec is None:
        counted = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise InputError(f"{label} has {counted}: {'; '.join(faults)}.")
    return spec


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text, which a study's file is.") from error
    except OSError as error:
        raise InputError(f"study {path} could not be read: {error.strerror or error}.") from error


def _study(content: dict[str, Any], base: Path, faults: list[str]) -> StudySpec | None:
    """The study of the file's tables; a part at fault, which is named in ``faults``, hides no fault of another."""
    top = filled(StudyForm, content, "", faults)
    data = {name: _data(name, table, faults) for name, table in _tables(content, "data")}
    grids: dict[tuple[str, Task], list[Recipe]] = {}
    backbones = {name: _backbone(name, table, base, faults, grids) for name, table in _tables(content, "backbones")}
    parts = Parts(data, backbones, grids)
    transfers = _group(content, "transfers", TransferForm, TransferSpec, faults)
    singles = _group(content, "singles", SingleForm, SingleSpec, faults)
    dictionaries = _group(content, "dictionaries", DictionaryForm, DictionarySpec, faults)
    for where, transfer in transfers.items():
        faults.extend(transfer_faults(transfer, where, parts))
    for where, single in singles.items():
        faults.extend(single_faults(single, where, parts))
    for where, dictionary in dictionaries.items():
        faults.extend(dictionary_faults(dictionary, where, parts))
    if top is None:
        return None
    if not (top.transfers or top.singles or top.dictionaries):
        faults.append("there is nothing to do: give [[transfers]], [[singles]] or [[dictionaries]]")
    return StudySpec(
        name=top.name,
        title=top.title or top.name,
        data=tuple(one for one in data.values() if one is not None),
        backbones=tuple(one for one in backbones.values() if one is not None),
        transfers=tuple(transfers.values()),
        singles=tuple(singles.values()),
        dictionaries=tuple(dictionaries.values()),
        seeds=tuple(top.seeds),
        cohort_seeds=tuple(top.cohort_seeds),
        metrics=tuple(top.metrics),
    )


def _tables(content: dict[str, Any], section: str) -> Iterable[tuple[str, Any]]:
    tables = content.get(section)
    return tables.items() if isinstance(tables, dict) else ()


def _plain(form: Form) -> dict[str, Any]:
    """A form's fields as those of our dataclasses: tuples for lists, an absent list of names empty."""
    values = {name: getattr(form, name) for name in type(form).model_fields}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _data(name: str, table: Any, faults: list[str]) -> DataSpec | None:
    where = f"data.{name}"
    form = filled(DataForm, table, where, faults)
    if form is None:
        return None
    noise = form.kind.startswith(NOISE)
    if (form.path is None) != (form.kind == "bundled" or noise):
        missing = f"{where}.path is missing: it must be the folder of the {form.kind} pictures"
        what = "noise, which is drawn" if noise else "the bundled pictures"
        faults.append(missing if form.path is None else f"{where}.path has no meaning for {what}: leave it out")
        return None
    unsaid = [key for key in ("size", "test") if getattr(form, key) is None] if noise else []
    if unsaid:
        faults.append(f"{where}.{unsaid[0]} is missing: noise is drawn, so its size and number must be said")
        return None
    if form.turn and form.size is not None and form.size[0] > form.size[1]:
        faults.append(f"{where}.size: with `turn` every picture lies on its side, but {found(form.size)} is upright")
        return None
    return DataSpec(name=name, **_plain(form))


def _backbone(
    name: str, table: Any, base: Path, faults: list[str], grids: dict[tuple[str, Task], list[Recipe]]
) -> BackboneSpec | None:
    """A backbone; the recipes of its sound tasks are entered in ``grids``."""
    where = f"backbones.{name}"
    form = filled(BackboneForm, table, where, faults)
    if form is None:
        return None
    backbone = form.backbone or name
    if backbone not in backbone_names():
        key = f"{where}.backbone" if form.backbone else where
        faults.append(f"{key}: backbone {found(backbone)} {unknown(backbone, backbone_names())}")
        return None
    recipes: dict[Task, RecipeSpec] = {}
    sound = set()
    for task in _TASKS:
        before = len(faults)
        recipes[task] = recipe_spec(getattr(form, task), task, backbone, f"{where}.{task}", base, faults)
        if len(faults) == before:
            sound.add(task)
    spec = BackboneSpec(name, backbone, recipes["cohort"], recipes["transfer"], recipes["single"])
    for task in sound:
        grids[name, task] = [recipe for _, recipe in recipe_grid(recipes[task], task, spec, base)]
    return spec


def _group(content: dict[str, Any], section: str, form: type[Form], spec: type[S], faults: list[str]) -> dict[str, S]:
    """The sound ones of the tables ``[[section]]`` by their path in the file."""
    tables = content.get(section)
    whole = {}
    for index, table in enumerate(tables if isinstance(tables, list) else ()):
        where = f"{section}[{index}]"
        found_form = filled(form, table, where, faults)
        if found_form is not None:
            given = {name: value for name, value in _plain(found_form).items() if value is not None}
            whole[where] = spec(**given)
    return whole
