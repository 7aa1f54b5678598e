"""Numbers of record in pages: a place of a page is filled from the CSV file that a benchmark wrote.

A place lies between ``<!-- filled: NAME -->`` and ``<!-- end of NAME -->``; ``FILLS`` says from which file, and how.
``python tools/reference_pages.py`` fills them all.
"""

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
Row = dict[str, str]
_PLACE = re.compile(r"<!-- filled: ([\w-]+) -->\n(.*?)<!-- end of \1 -->\n", re.DOTALL)
_OPENING = re.compile(r"<!-- (?:filled: |end of )[\w-]+ -->")


@dataclass(frozen=True)
class Fill:
    """What stands in a place: ``told`` makes it from the rows of the file, without a blank line around it."""

    file: Path
    told: Callable[[Sequence[Row]], str]


def pages() -> list[Path]:
    """The pages that may have places."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def filled(text: str) -> str:
    """A page's text with every place filled.

    Raises:
        ValueError: where a place has no end, or a name that nothing fills.
    """
    if len(_OPENING.findall(text)) != 2 * len(_PLACE.findall(text)):
        raise ValueError("a place to fill begins or ends without the other, or has the other's name.")

    def fill(place: re.Match[str]) -> str:
        one = FILLS.get(place[1])
        if one is None:
            raise ValueError(f"nothing fills {place[1]!r}; known are {', '.join(FILLS)}.")
        with one.file.open(newline="", encoding="utf-8") as file:
            told = one.told(list(csv.DictReader(file)))
        return f"<!-- filled: {place[1]} -->\n{told}\n<!-- end of {place[1]} -->\n"

    return _PLACE.sub(fill, text)


def _suite(rows: Sequence[Row]) -> str:
    lines = ["| command | tests passed | skipped | time |", "|---|---|---|---|"]
    lines += [
        f"| `make {row['command']}` | {int(row['passed']):,} | {row['skipped']} | {_minutes(float(row['seconds']))} |"
        for row in rows
    ]
    (machine,) = {row["machine"] for row in rows}
    return "\n".join([*lines, "", f"Measured on {machine}, in a fresh clone with everything installed."])


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


FILLS = {"suite-times": Fill(RESULTS / "suite_times.csv", _suite)}
