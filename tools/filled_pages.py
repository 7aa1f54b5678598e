"""Fills the places of pages that show numbers of record, from the CSV files that named commands wrote.

A place begins with ``<!-- filled: NAME -->`` and ends with ``<!-- end of NAME -->``; ``FILLERS`` makes what stands in
between. ``python tools/filled_pages.py`` writes every page anew, ``--check`` says which ones differ.
"""

import csv
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMAND = "python tools/filled_pages.py"
_PLACE = re.compile(r"(<!-- filled: (?P<name>\w+) -->\n)(.*?)(\n?<!-- end of (?P<end>\w+) -->)", re.DOTALL)


def rows(path: str) -> list[dict[str, str]]:
    """The rows of a CSV file of this repository."""
    with (ROOT / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def minutes(seconds: float) -> str:
    """A time as minutes and seconds."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def suite_times() -> str:
    """How long ``make test`` takes; ``benchmarks/suite_times.py`` wrote the numbers."""
    found = rows("benchmarks/results/suite_times.csv")
    seconds = {row["step"]: float(row["seconds"]) for row in found}
    tests = next(row for row in found if row["step"] == "unit")
    return (
        f"`make test` takes {minutes(sum(seconds.values()))} on {found[0]['machine']}, everything installed: types "
        f"{minutes(seconds['types'])}, {tests['passed']} tests {minutes(seconds['unit'])}."
    )


FILLERS: dict[str, Callable[[], str]] = {"suite_times": suite_times}


def filled(text: str) -> str:
    """A page's text with every place filled.

    Raises:
        ValueError: where a place has an unknown name, or another name at its end.
    """

    def fill(place: re.Match[str]) -> str:
        name = place["name"]
        if name not in FILLERS or place["end"] != name:
            raise ValueError(f"{name!r} ends as {place['end']!r}; the places are {', '.join(FILLERS)}.")
        return f"{place[1]}{FILLERS[name]()}\n<!-- end of {name} -->"

    return _PLACE.sub(fill, text)


def pages() -> list[Path]:
    """README and documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def main(arguments: list[str]) -> int:
    """Exit code 1 where ``--check`` finds a page stale."""
    stale = False
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (wanted := filled(text)) == text:
            continue
        name = page.relative_to(ROOT)
        if arguments == ["--check"]:
            sys.stderr.write(f"{name} shows other numbers than its CSV file: run `{COMMAND}`.\n")
            stale = True
        else:
            page.write_text(wanted, encoding="utf-8")
            sys.stdout.write(f"{name}\n")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
