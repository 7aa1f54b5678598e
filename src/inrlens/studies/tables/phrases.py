"""Numbers and names inside the sentences that a study's results are told in."""

import math
from collections.abc import Sequence

from inrlens.studies.tables.records import Variant

MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"
_SMALL = 0.1


def number(value: float, digits: int = 1, *, sign: bool = False) -> str:
    """A number with fixed decimals and a true minus sign, no sign before a rounded zero; with ``sign``, plus too."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else f"{MINUS if value < 0.0 else ''}\N{INFINITY}"
    text = f"{abs(value):.{digits}f}"
    if not text.strip("0."):
        return text
    return f"{MINUS if value < 0.0 else '+' if sign else ''}{text}"


def digits_for(*values: float | None) -> int:
    """One decimal, or two where one of the values would round to nothing much."""
    return 2 if any(value is not None and 0.0 < abs(value) < _SMALL for value in values) else 1


def db(value: float, digits: int = 1, *, sign: bool = False) -> str:
    """Decibels with their unit."""
    return f"{number(value, digits, sign=sign)}{THIN}dB"


def percent(share: float) -> str:
    """A share of 1 in whole percents, without the sign of percent."""
    return number(100.0 * share, 0)


def counted(n: int | float, noun: str) -> str:
    """1 seed, 3 seeds."""
    return f"{n:g} {noun}{'' if n == 1 else 's'}"


def evidence(images: int, seeds: int) -> str:
    """What stands behind a number: 9 pictures, 1 seed."""
    return f"{counted(images, 'picture')}, {counted(seeds, 'seed')}"


def interval(low: float | None, high: float | None, few: bool, digits: int = 1) -> str:
    """A 95 % interval, and whether it rests on hardly any pictures."""
    if low is None or high is None:
        return "no interval"
    caution = ", too narrow for so few pictures" if few else ""
    return f"95{THIN}% interval {number(low, digits)} to {number(high, digits)}{caution}"


def layers_up_to(tau: int) -> str:
    """Layer 0; layers 0 to 2."""
    return "layer 0" if tau == 0 else f"layers 0 to {tau}"


def setting_words(setting: str) -> str:
    """A setting as prose has it."""
    kind, _, tau = setting.partition(" ")
    if not tau:
        return {"scratch": "a fit from scratch", "none": "no freeze"}.get(setting, setting)
    rest = "reinitialised" if kind == "reinit" else "warm"
    return f"{layers_up_to(int(tau))} frozen with a {rest} rest"


def variant_words(variant: Variant) -> str:
    """What the axes are set to: cohort.stop_psnr = 30.0, transfer.learning_rate = 0.0001."""
    return ", ".join(f"{name} = {value}" for name, value in sorted(variant, key=lambda one: one[0])) or "the recipe"


def listed(parts: Sequence[str]) -> str:
    """A, B and C."""
    return "".join(parts) if len(parts) < 2 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def capital(text: str) -> str:
    """The text with a capital at its start."""
    return f"{text[:1].upper()}{text[1:]}"
