"""From what was typed to values, with sentences that name the option."""

import math
import re
import tempfile
from pathlib import Path
from typing import Literal

from inrlens.errors import InputError
from inrlens.files import ensure_free_file

_LONGEST_SIDE = 65_535
_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_MOST_PIXELS = 100_000_000
"""Beyond this a machine of today runs out of memory in the middle of its work."""


def parse_size(text: str | None, option: str = "--size") -> tuple[int, int] | None:
    """``HEIGHTxWIDTH`` as ``(height, width)``; None stays None.

    Raises:
        InputError: where it is not two whole numbers from 1 to 65,535 with an x between them.
    """
    if text is None:
        return None
    sides = _sides(text)
    if len(sides) != 2 or max(sides) > _LONGEST_SIDE:
        raise InputError(
            f"{option} {text!r} is no size: write HEIGHTxWIDTH, such as 64x80, each from 1 to {_LONGEST_SIDE} pixels."
        )
    _check_count(option, text, sides, "pixels")
    return sides[0], sides[1]


def parse_grid(text: str | None, option: str = "--grid") -> tuple[int, ...] | None:
    """The sides of a grid of any number of axes with an x between them; None stays None.

    Raises:
        InputError: where it is anything else.
    """
    if text is None:
        return None
    sides = _sides(text)
    if not sides:
        raise InputError(
            f"{option} {text!r} is no grid: write a whole number of at least 1 for each axis, such as 64x80 for a "
            "picture, 32x64x80 for a volume or 8000 for a sound."
        )
    _check_count(option, text, sides, "coordinates")
    return sides


def _sides(text: str) -> tuple[int, ...]:
    """The sides that a text gives, each at least 1; none where it is anything else."""
    found = re.fullmatch(r"\d{1,9}([xX×]\d{1,9})*", text.strip())
    sides = tuple(int(side) for side in re.split("[xX×]", text.strip())) if found else ()
    return sides if all(sides) else ()


def _check_count(option: str, text: str, sides: tuple[int, ...], what: str) -> None:
    if math.prod(sides) > _MOST_PIXELS:
        raise InputError(f"{option} {text!r} is {math.prod(sides):,} {what}: at most {_MOST_PIXELS:,} are allowed.")


def parse_numbers(text: str | None, option: str) -> tuple[float, ...] | None:
    """``30`` or ``30,1`` as numbers; None stays None.

    Raises:
        InputError: where it is no list of finite numbers with commas between them.
    """
    if text is None:
        return None
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or not all(math.isfinite(number) for number in numbers):
        raise InputError(f"{option} {text!r} is no number and no list of them: write 30, or 30,1.")
    return numbers


def parse_spans(text: str | None, option: str) -> tuple[tuple[float, float], ...] | None:
    """``-1,1`` as one range (low, high), ``0,1:0,0.75`` as two; None stays None.

    Raises:
        InputError: where it is no such list.
    """
    if text is None:
        return None
    spans = []
    for part in text.split(":"):
        numbers = parse_numbers(part, option) if re.fullmatch(r"[^,]+,[^,]+", part) else None
        if numbers is None:
            raise InputError(f"{option} {text!r} is no range: write LOW,HIGH, or one an axis, as 0,1:0,0.75.")
        spans.append((numbers[0], numbers[1]))
    return tuple(spans)


def parse_window(text: str | None) -> tuple[float, float] | None:
    """``-1000,400`` of ``--window`` as (low, high); None stays None.

    Raises:
        InputError: where it is anything else, or high is not above low.
    """
    numbers = parse_numbers(text, "--window")
    if numbers is None:
        return None
    if len(numbers) != 2 or not numbers[0] < numbers[1]:
        raise InputError(f"--window {text!r} is no window: write LOW,HIGH with low below high, such as -1000,400.")
    return numbers[0], numbers[1]


def check_positive(option: str, value: float | None) -> None:
    """Raises InputError where a number is given that is not positive and finite."""
    if value is not None and not 0.0 < value < math.inf:
        raise InputError(f"{option} must be a positive number, not {value}.")


def parse_duration(text: str, option: str) -> float:
    """Seconds of a time such as ``45s``, ``90min``, ``2h`` or ``1.5d``.

    Raises:
        InputError: for anything else.
    """
    match = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*(s|min|m|h|d)\s*", text)
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not seconds > 0.0:
        raise InputError(f"{option} {text!r} is no time: write a number and a unit, such as 45s, 90min, 2h or 1.5d.")
    return seconds


def parse_freeze(text: str) -> int | Literal["auto"] | None:
    """``auto``, ``none`` (no layer frozen), or a layer's number.

    Raises:
        InputError: for anything else.
    """
    word = text.strip().lower()
    if word == "auto":
        return "auto"
    if word == "none":
        return None
    if not re.fullmatch(r"-?\d{1,6}", word):
        raise InputError(f"--freeze {text!r} is not known; allowed are auto, none and a layer's number.")
    return int(word)


def parse_gains(texts: list[str]) -> dict[int, float]:
    """``ATOM=GAIN`` pairs as a table.

    Raises:
        InputError: where a text is no such pair, a gain is not finite, or an atom is named twice.
    """
    gains: dict[int, float] = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            atom, gain = int(name), float(number)
        except ValueError as error:
            raise InputError(f"--gain {text!r} is no gain: write ATOM=NUMBER, such as 17=0 or 230=2.") from error
        if not math.isfinite(gain):
            raise InputError(f"--gain {text!r}: the gain of an atom must be a finite number.")
        if atom in gains:
            raise InputError(f"--gain names atom {atom} twice: give each atom one gain.")
        gains[atom] = gain
    return gains


def check_there(path: Path) -> None:
    """Raises InputError where nothing is at the path of a run, or of a file of InrLens."""
    if not path.exists():
        raise InputError(f"{path} does not exist: give the folder of a run, or a .safetensors file of ours.")


def check_not_input(out: Path, *inputs: Path) -> None:
    """Refuses to write over what is read, or over a file inside a folder that is read.

    Raises:
        InputError: where ``out`` exists and is such a file.
    """
    for source in inputs:
        if not out.exists() or not source.exists():
            continue
        if out.samefile(source) or (source.is_dir() and out.resolve().is_relative_to(source.resolve())):
            raise InputError(f"-o {out} belongs to {source}, which is read here: give the output a file of its own.")


def check_free_file(path: Path, force: bool, *endings: str) -> None:
    """Refuses an output file before the work that fills it, not after.

    Raises:
        InputError: where the path is a folder, exists without ``force``, has another ending, or cannot be written.
    """
    ensure_free_file(path, force)
    if endings and not path.name.lower().endswith(endings):
        if len(endings) == 1:
            raise InputError(f"{path} does not end in {endings[0]}, the format that is written: give a name that does.")
        raise InputError(f"{path} must end in one of {', '.join(endings)}, the formats that are written.")
    nearest = next(parent for parent in path.absolute().parents if parent.exists())
    try:
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:
        raise InputError(f"{path} cannot be written, {nearest} takes no files: {error.strerror or error}.") from error
