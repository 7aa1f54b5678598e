"""Changes of a study's entries by their paths in its file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from inrlens.studies.config.model import RecipeSpec, StudySpec


@dataclass(frozen=True)
class Change:
    """One entry of a study's file: its path there, such as ``transfers[0].images`` or ``data.kodak.size``, what it was
    (None: not given), what it becomes, and why."""

    path: str
    before: Any
    after: Any
    why: str


def apply_changes(spec: StudySpec, changes: Sequence[Change]) -> StudySpec:
    """The study with every change made."""
    for change in changes:
        spec = cast(StudySpec, _set(spec, change.path, change.after))
    return spec


def _set(target: Any, path: str, value: Any) -> Any:
    """``target`` with ``value`` at a path of attributes, ``[numbers]`` and names of data sets and backbones.

    Names may hold dots: a table is entered by the longest of its names that the path begins with.
    """
    if not path:
        return value
    if isinstance(target, tuple):
        if (number := re.match(r"\[(\d+)\]", path)) is not None:
            at, rest = int(number[1]), path[number.end() :]
        else:
            fitting = [place for place, one in enumerate(target) if path.startswith(f".{one.name}.")]
            at = max(fitting, key=lambda place: len(target[place].name))
            rest = path.removeprefix(f".{target[at].name}")
        return (*target[:at], _set(target[at], rest, value), *target[at + 1 :])
    name = re.match(r"\.?(\w+)", path)
    assert name is not None
    if isinstance(target, RecipeSpec):
        others = tuple(pair for pair in target.overrides if pair[0] != name[1])
        return replace(target, overrides=(*others, (name[1], (value,))))
    return replace(target, **{name[1]: _set(getattr(target, name[1]), path[name.end() :], value)})
