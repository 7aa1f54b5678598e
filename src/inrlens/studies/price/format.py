"""Durations, operations and bytes in words."""

import math

_UNITS = ((86_400.0 * 365.25, "years"), (86_400.0, "days"), (3_600.0, "h"), (60.0, "min"))
_BYTES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def duration(seconds: float) -> str:
    """Such as ``3.2 h``, ``12 min``, ``45 s``: two digits, or three where they do not show a fraction."""
    if not math.isfinite(seconds):
        return "no end"
    for size, unit in _UNITS:
        if seconds >= 0.995 * size:
            return f"{_two(seconds / size)} {unit}"
    return "under 0.1 s" if 0.0 < seconds < 0.1 else f"{_two(seconds)} s"


def operations(count: float) -> str:
    """Such as ``1.1e18 operations``."""
    if count <= 0.0:
        return "0 operations"
    power = math.floor(math.log10(count))
    digits = round(count / 10.0**power, 1)
    if digits >= 10.0:
        digits, power = 1.0, power + 1
    return f"{digits:.1f}e{power} operations"


def memory(size: int) -> str:
    """Such as ``1.4 GiB``."""
    for unit, name in _BYTES:
        if size >= unit:
            return f"{_two(size / unit)} {name}"
    return f"{size} bytes"


def _two(value: float) -> str:
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}"
