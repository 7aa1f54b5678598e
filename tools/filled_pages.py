"""Places of pages that are filled: with numbers of record from a benchmark's CSV file, with tables of a registry.

A place lies between ``<!-- filled: NAME -->`` and ``<!-- end of NAME -->``; ``FILLS`` says what stands there.
``python tools/reference_pages.py`` fills them all.
"""

import csv
import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
_PLACE = re.compile(r"<!-- filled: ([\w-]+) -->\n(.*?)<!-- end of \1 -->\n", re.DOTALL)
_MARK = re.compile(r"<!-- (?:filled: |end of )[\w-]+ -->")


def pages() -> list[Path]:
    """The pages that may have places."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def filled(text: str) -> str:
    """A page's text with every place filled.

    Raises:
        ValueError: where a place has no end, or a name that nothing fills.
    """
    if len(_MARK.findall(text)) != 2 * len(_PLACE.findall(text)):
        raise ValueError("a place to fill begins or ends without the other, or has the other's name.")

    def fill(place: re.Match[str]) -> str:
        told = FILLS.get(place[1])
        if told is None:
            raise ValueError(f"nothing fills {place[1]!r}; known are {', '.join(FILLS)}.")
        return f"<!-- filled: {place[1]} -->\n\n{told()}\n\n<!-- end of {place[1]} -->\n"

    return _PLACE.sub(fill, text)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table as Markdown has it."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def suite_times(file: Path = RESULTS / "suite_times.csv") -> str:
    """How long the commands take that run tests."""
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    cells = [
        (f"`make {row['command']}`", f"{int(row['passed']):,}", row["skipped"], _minutes(float(row["seconds"])))
        for row in rows
    ]
    (machine,) = {row["machine"] for row in rows}
    shown = table(("command", "tests passed", "skipped", "time"), cells)
    return f"{shown}\n\nMeasured on {machine}, in a fresh clone with everything installed."


def signal_formats() -> str:
    """What ``il.load_signal`` reads."""
    from inrlens.signals.formats import FORMATS

    head = ("a file that holds", "on the grid", "is known in a folder by", "keywords of its own", "read by")
    cells = [
        (
            one.what,
            one.grid,
            " ".join(f"`{ending}`" for ending in one.endings),
            ", ".join(f"`{option}`" for option in one.options) or "none",
            f"{one.library}, the extra `{one.extra}`" if one.extra else one.library,
        )
        for one in FORMATS
    ]
    return table(head, cells)


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def reading_memory() -> str:
    """What reading a file takes beside its values, as ``benchmarks/reading_memory.py`` wrote it."""
    with (RESULTS / "reading_memory.csv").open(newline="") as file:
        rows = [(f"`{row['file']}`", row["values_mb"], row["times"]) for row in csv.DictReader(file)]
    return table(("File", "Values, MB", "Memory while it is read, in multiples of them"), rows)


def readings() -> str:
    """The readings of the paper that were measured, nearest first, as ``inrlens study export readings --csv`` wrote
    them."""
    with (ROOT / "docs" / "results" / "readings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = ("sr(W)", "sr(H) post", "sr(H) post_centred", "sr(H) pre")
    cells = [
        (
            f"`{row['reading']}`",
            *(f"{float(row[f'{name} (distance in ln)']):.2f}" for name in columns),
            row["argmax sr(W)"],
            row["cohort seeds"],
        )
        for row in rows
    ]
    return table(("reading", *columns, "argmax sr(W)", "cohort seeds"), cells)


FILLS: dict[str, Callable[[], str]] = {
    "readings": readings,
    "suite-times": suite_times,
    "signal-formats": signal_formats,
    "reading-memory": reading_memory,
}
