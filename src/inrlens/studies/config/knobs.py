"""The numbers of a recipe and the settings of a backbone: their names, and what may stand for each."""

import types
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from inrlens.errors import InputError
from inrlens.fields.backbone import make_backbone
from inrlens.fitting.recipes import Recipe
from inrlens.studies.config.toml_text import toml_value

NONE = "none"
"""In a file, what stands for None: no ``stop_psnr``, no ``batch``."""
_WORDS: dict[Any, str] = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def recipe_knobs() -> dict[str, Any]:
    """The numbers of a recipe by name, with their types; neither its name nor its backbone."""
    hints = get_type_hints(Recipe)
    return {one.name: hints[one.name] for one in fields(Recipe) if one.name not in ("name", "backbone")}


def network_knobs(backbone: str) -> dict[str, Any]:
    """The settings of a registered backbone by name, with their types.

    Raises:
        InputError: where there is no such backbone.
    """
    cls = type(make_backbone(backbone))
    hints = get_type_hints(cls)
    return {one.name: hints[one.name] for one in fields(cls)}  # type: ignore[arg-type]


def may_be_none(hint: Any) -> bool:
    """Whether ``"none"`` may stand for this number."""
    return type(None) in _options(hint)


def converted(value: Any, hint: Any) -> Any:
    """``value`` as the type ``hint``: whole numbers become floats where floats are meant, lists tuples.

    ``"none"`` stays what it is, so that it can stand in a table; ``None`` is not taken.

    Raises:
        InputError: where it is of another type; the sentence starts with ``must be``.
    """
    for option in _options(hint):
        found = _as(value, option)
        if found is not None:
            return found
    options = _options(hint)
    words = ["a list of numbers"] if len(options) == 1 and get_origin(hint) is tuple else map(_word, options)
    allowed = " or ".join(dict.fromkeys(words))
    raise InputError(f"must be {allowed}, not {toml_value(value)}")


def settled(value: Any, hint: Any) -> Any:
    """As ``converted``, with None where ``"none"`` stands for it.

    Raises:
        InputError: as ``converted``.
    """
    found = converted(value, hint)
    return None if found == NONE and may_be_none(hint) else found


def _options(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _as(value: Any, option: Any) -> Any:
    """``value`` as one type, or None where it is of another."""
    if option is type(None):
        return value if value == NONE else None
    if get_origin(option) is Literal:
        return value if isinstance(value, str) and value in get_args(option) else None
    if get_origin(option) is tuple:
        entries = [_as(one, get_args(option)[0]) for one in value] if isinstance(value, (list, tuple)) else []
        return tuple(entries) if entries and None not in entries else None
    if option is float and type(value) in (int, float):
        try:
            return float(value)
        except OverflowError:
            return None
    return value if type(value) is option else None


def _word(option: Any) -> str:
    if option is type(None):
        return f'"{NONE}"'
    if get_origin(option) is Literal:
        return f"one of {', '.join(get_args(option))}"
    if get_origin(option) is tuple:
        return "a list of them"
    return _WORDS.get(option, str(option))
