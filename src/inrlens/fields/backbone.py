"""What a backbone is, and the register of them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from numbers import Integral, Real
from typing import Any, ClassVar, Protocol, TypeVar, get_type_hints, runtime_checkable

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.encoder import Encoder


@runtime_checkable
class Backbone(Protocol):
    """A family of encoders: a frozen dataclass of plain numbers that draws its own initial weights.

    A field of the dataclass is a setting; everything that decides what a weight means must be one, since a checkpoint
    stores the settings and nothing else.
    """

    name: ClassVar[str]
    weight_rule: ClassVar[str]
    bias_rule: ClassVar[str]

    @property
    def coordinates(self) -> int:
        """Number of coordinates m."""
        ...

    @property
    def coordinate_range(self) -> tuple[float, ...]:
        """What the first and the last sample of every axis have for their coordinate, ``(low, high)``."""
        ...

    @property
    def width(self) -> int:
        """Units d a layer."""
        ...

    @property
    def depth(self) -> int:
        """Number of layers L."""
        ...

    def encoder(self, generator: torch.Generator) -> Encoder:
        """A freshly initialised encoder, float32 on the CPU."""
        ...

    def head(self, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Initial weight ``(rows, width)`` and bias ``(rows,)`` of linear heads."""
        ...


WHOLE = (-1.0, 1.0)
"""The range of every coordinate where nothing else is said."""
NO_SIZE = {"is_size": False}
"""Metadata of a setting that is a whole number, yet no side and no number of the network's tensors."""

_REGISTER: dict[str, type[Any]] = {}
B = TypeVar("B", bound=type[Any])


def register_backbone(name: str) -> Callable[[B], B]:
    """Class decorator that makes a backbone known by ``name`` to ``Field.new``, recipes and checkpoints."""

    def enter(cls: B) -> B:
        cls.name = name
        _REGISTER[name] = cls
        return cls

    return enter


def backbone_names() -> tuple[str, ...]:
    """The names of all registered backbones."""
    return tuple(sorted(_REGISTER))


def make_backbone(name: str, **settings: Any) -> Backbone:
    """The backbone ``name`` with ``settings`` over its defaults; ``docs/api/backbones.md`` lists those of each.

    Raises:
        InputError: where the name or a setting is not known, or a value is not allowed.
    """
    if name not in _REGISTER:
        raise InputError(f"backbone {name!r} is not known; allowed are {', '.join(backbone_names())}.")
    cls = _REGISTER[name]
    known = [field.name for field in fields(cls)]
    for setting in settings:
        if setting not in known:
            raise InputError(f"{name} has no setting {setting!r}; allowed are {', '.join(known)}.")
    plain, hints = {key: _plain(value) for key, value in settings.items()}, get_type_hints(cls)
    for setting, value in plain.items():
        words, suits = _KINDS.get(hints[setting], ("", lambda value: True))
        if not suits(value):
            raise InputError(f"{name}: {setting} must be {words}, not {value!r}.")
    backbone: Backbone = cls(**plain)
    return backbone


def _plain(value: Any) -> Any:
    """A setting as JSON writes it: numpy's numbers become Python's. JSON has no tuples: a list means one."""
    if isinstance(value, list | tuple):
        return tuple(_plain(each) for each in value)
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    return int(value) if isinstance(value, Integral) else float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_KINDS: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    int: ("a whole number", lambda value: _is_number(value) and isinstance(value, int)),
    float: ("a number", _is_number),
    str: ("a text", lambda value: isinstance(value, str)),
    bool: ("True or False", lambda value: isinstance(value, bool)),
    float | None: ("a number or None", lambda value: value is None or _is_number(value)),
    tuple[float, ...]: ("numbers", lambda value: isinstance(value, tuple) and all(map(_is_number, value))),
    float | tuple[float, ...]: (
        "a number, or one a layer",
        lambda value: all(map(_is_number, value if isinstance(value, tuple) else (value,))),
    ),
}
"""What a setting of a declared type must be, in words and as a test."""


def backbone_settings(backbone: Backbone) -> dict[str, Any]:
    """The settings of a backbone as plain JSON values."""
    settings: dict[str, Any] = asdict(backbone)  # type: ignore[call-overload]
    return {key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()}


def check_sizes(name: str, **sizes: int) -> None:
    """Raises InputError where a size is below 1."""
    for key, value in sizes.items():
        if value < 1:
            raise InputError(f"{name}: {key} must be at least 1, not {value}.")


def check_one_of(name: str, setting: str, value: str, allowed: Sequence[str]) -> None:
    """Raises InputError where a setting is none of the words that it may be."""
    if value not in allowed:
        raise InputError(f"{name}: {setting} must be one of {', '.join(allowed)}, not {value!r}.")


def check_range(name: str, span: tuple[float, ...]) -> None:
    """Raises InputError where a range of coordinates is no pair of finite numbers, the smaller first."""
    if len(span) != 2 or not -math.inf < span[0] < span[1] < math.inf:
        raise InputError(
            f"{name}: coordinate_range must be two finite numbers, the first sample's coordinate and the last's, the "
            f"smaller first, such as (-1, 1) or (0, 1), not {span}."
        )


def uniform(shape: tuple[int, ...], bound: float, generator: torch.Generator) -> Tensor:
    """Values drawn from U(-bound, bound)."""
    return (torch.rand(shape, generator=generator) * 2.0 - 1.0) * bound
