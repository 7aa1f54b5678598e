"""Settings that are one number for all layers or one a layer."""

import math

from inrlens.errors import InputError

EachLayer = float | tuple[float, ...]
"""One positive number for all layers, or one a layer."""


def check_per_layer(name: str, setting: str, value: EachLayer, depth: int) -> None:
    """Raises InputError where ``value`` is neither a positive number nor one for each of ``depth`` layers."""
    # One number is not repeated for every layer here: a damaged file may speak of a billion of them.
    given, needed = (value, depth) if isinstance(value, tuple) else ((float(value),), 1)
    if len(given) != needed or not all(0.0 < number < math.inf for number in given):
        raise InputError(f"{name}: {setting} must be one positive number, or {depth} of them, not {value}.")


def per_layer(value: EachLayer, depth: int) -> tuple[float, ...]:
    """The number of every layer."""
    return value if isinstance(value, tuple) else (float(value),) * depth
