"""Numbers and names as a reader meets them; None, infinities and NaN get words of their own."""

import math
from collections.abc import Callable, Mapping, Sequence

MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"
MISSING = "\N{EN DASH}"
Say = Callable[[float | None], str]
"""A way to put a number into words."""
KIND_ORDER = ("single", "cohort", "transfer", "meta", "imported", "untrained")
VARIANTS = {
    "post": "after the nonlinearity",
    "post_centred": "after the nonlinearity, each unit's mean removed",
    "pre": "before the nonlinearity",
}

ORDERS = {"psnr_drop": "by cost", "mean_magnitude": "by mean magnitude", "random": "at random"}
"""Orders that many atoms are taken out in; cost is what each costs alone."""


def fixed(value: float | None, digits: int = 2) -> str:
    """A number with a fixed count of decimals, a true minus sign, and no minus before a rounded zero."""
    if value is None:
        return MISSING
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else f"{MINUS}\N{INFINITY}"
    text = f"{value:,.{digits}f}".replace(",", THIN)
    if text.startswith("-"):
        text = text[1:] if not text.strip("-0.") else MINUS + text[1:]
    return text


def signed(value: float | None, digits: int = 2) -> str:
    """The same with its sign always shown, except on zero."""
    text = fixed(value, digits)
    return f"+{text}" if value is not None and value > 0 and text.strip("0.") else text


def significant(value: float | None, digits: int = 3) -> str:
    """A number of any size to ``digits`` significant digits: 0.00123, 45.6, 1.2e-07."""
    if value is None or not math.isfinite(value):
        return fixed(value)
    if value == 0.0:
        return "0"
    if not 1e-4 <= abs(value) < 1e5:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        power = int(exponent)
        return f"{mantissa.replace('-', MINUS)}e{MINUS if power < 0 else ''}{abs(power)}"
    # Rounding can carry into a new leading digit (9.996 is 10.0), so the decade is that of the rounded number.
    rounded = f"{value:.{digits - 1}e}"
    decade = int(rounded.partition("e")[2])
    return fixed(value, max(0, digits - 1 - decade))


def db(value: float | None, digits: int = 1) -> str:
    """Decibels with their unit."""
    if value is None:
        return "not measured"
    if math.isnan(value):
        return "not a number"
    return f"{fixed(value, digits)}{THIN}dB"


def gain(value: float | None, digits: int = 2) -> str:
    """A difference in decibels, signed."""
    return db(value, digits) if value is None or not math.isfinite(value) else f"{signed(value, digits)}{THIN}dB"


def change(value: float | None) -> str:
    """A difference in decibels of any size, signed, to three significant digits: what one atom of thousands does."""
    if value is None or not math.isfinite(value):
        return db(value)
    return f"{'+' if value > 0.0 else ''}{significant(value)}{THIN}dB"


def locality(share: float | None) -> str:
    """A share of an effect's energy; there is none of an atom without effect."""
    return "no effect" if share is None or math.isnan(share) else percent(share)


def percent(share: float | None) -> str:
    """A share of 1 as a percentage, with as many digits as it needs to be told from nothing and from everything."""
    if share is None or not math.isfinite(share):
        return fixed(share)
    hundred = 100.0 * share
    if hundred == 0.0:
        return f"0{THIN}%"
    distance = min(abs(hundred), abs(100.0 - hundred)) or abs(hundred)
    if distance < 0.01:
        return f"{'under 0.01' if hundred < 50.0 else 'over 99.99'}{THIN}%"
    return f"{fixed(hundred, 2 if distance < 0.1 else 1 if distance < 10.0 else 0)}{THIN}%"


def span(low: str, high: str) -> str:
    """A range of two values already in words; one value where both read the same, one unit where they share it."""
    if low == high:
        return low
    number, _, unit = low.rpartition(THIN)
    if number and high.endswith(f"{THIN}{unit}") and not unit.isdigit():
        low = number
    return f"{low} to {high}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number and its noun: 1 photo, 1 200 steps."""
    return f"{number:,}".replace(",", THIN) + f" {noun if number == 1 else plural or noun + 's'}"


def listed(parts: Sequence[str], last: str = "and") -> str:
    """A, B and C."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def duration(seconds: float) -> str:
    """A length of time in the units a person would say it in."""
    if seconds < 10.0:
        return f"{fixed(seconds, 1)}{THIN}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{THIN}s"
    if whole < 3600:
        return f"{whole // 60}{THIN}min {whole % 60}{THIN}s"
    return f"{whole // 3600}{THIN}h {whole % 3600 // 60}{THIN}min"


def backbone_title(backbone: str) -> str:
    """A backbone as it is written in prose."""
    return backbone.upper()


def condition_title(kind: str, backbone: str) -> str:
    """A condition as it is written in prose: Cohort SIREN."""
    return f"{kind.capitalize()} {backbone_title(backbone)}"


def source(notes: Mapping[str, object]) -> str:
    """What a transfer started from, by the notes of its origin."""
    return "meta-learned start" if notes.get("source") == "meta" else "cohort"


def thing(shape: Sequence[int]) -> str:
    """What lies on a grid, in one word."""
    return {1: "sound", 2: "picture", 3: "volume"}.get(len(shape), "grid")


def size(shape: Sequence[int]) -> str:
    """A grid's samples an axis, a picture's height first as arrays have it."""
    return " \N{MULTIPLICATION SIGN} ".join(str(side) for side in shape)


def sentence(text: str) -> str:
    """The text with a capital and a full stop."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}" if text.endswith((".", "!", "?")) else f"{text[:1].upper()}{text[1:]}."


def layers(numbers: Sequence[int]) -> str:
    """Layer 1; layers 0, 2 and 3."""
    return f"layer{'' if len(numbers) == 1 else 's'} {listed([str(number) for number in numbers])}"


def db_cell(value: float | None) -> str:
    """Decibels in a table's cell, whose column names the unit."""
    return fixed(value, 2)
