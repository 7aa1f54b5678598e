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


_COUNTERPARTS = {"faces": "CelebA", "mri": "OASIS", "kodak": "Kodak"}
"""The paper's name of each data set of ``paper-cut``."""


def paper_cut() -> str:
    """PSNRs of ``paper-cut`` beside the published ones, from what ``inrlens study export paper-cut --csv`` wrote."""
    cells = []
    for file in sorted((ROOT / "docs" / "results").glob("paper-cut-*.csv")):
        source = file.stem.removeprefix("paper-cut-")
        if source not in _COUNTERPARTS:
            continue
        with file.open(newline="", encoding="utf-8") as opened:
            for row in csv.DictReader(opened):
                measured, theirs = float(row["PSNR measured (dB)"]), float(row["PSNR published (dB)"])
                sd = float(row["PSNR published (dB), sd over pictures"])
                where = f"{_COUNTERPARTS[source]} to {_COUNTERPARTS[row['target']]}"
                verdict = "within 1 sd" if abs(measured - theirs) <= sd else "outside"
                numbers = (f"{theirs:.2f} \N{PLUS-MINUS SIGN} {sd:.2f}", f"{measured:.2f}", f"{measured - theirs:+.2f}")
                cells.append((where, row["backbone"], row["setting"], *numbers, row["pictures"], row["seeds"], verdict))
    head = ("cohort to pictures", "backbone", "setting", "published, dB", "measured, dB", "difference, dB")
    return table((*head, "pictures", "seeds", "verdict"), cells)


def paper_cut_passes() -> str:
    """Frozen fits of 500 passes over the coordinates in batches of several sizes, beside the published PSNR."""
    from inrlens.reports.study.published import published

    with (ROOT / "docs" / "results" / "paper-cut-passes.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    updates = sorted({int(row["updates"]) for row in rows})
    psnrs: dict[tuple[str, str, str], dict[int, str]] = {}
    for row in rows:
        where = psnrs.setdefault((row["backbone"], row["tau"], row["picture"]), {})
        where[int(row["updates"])] = f"{float(row['psnr']):.2f}"
    cells = []
    for (backbone, tau, picture), found in psnrs.items():
        theirs = published("CelebA", "CelebA", backbone, int(tau))
        assert theirs is not None
        stated = f"{theirs.psnr_mean:.2f} \N{PLUS-MINUS SIGN} {theirs.psnr_std:.2f}"
        cells.append((backbone.upper(), f"\N{GREEK SMALL LETTER TAU} = {tau}", picture, stated))
        cells[-1] += tuple(found.get(count, "") for count in updates)
    return table(
        ("backbone", "frozen", "picture", "published, dB", *(f"{count:,} updates" for count in updates)), cells
    )


def paper_cut_ranks() -> str:
    """Stable ranks of ``paper-cut``'s cohorts beside the published ones, layer by layer."""
    from inrlens.reports.study.published import published

    with (ROOT / "docs" / "results" / "paper-cut-scores.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    cells = []
    for row in rows:
        score = {"sr(W)": "sr_w", "sr(H) post_centred": "sr_h"}.get(row["score"])
        layers = [name for name in row if name.startswith("layer ")]
        source = _COUNTERPARTS[row["source"]]
        theirs = [published(source, source, row["backbone"].lower(), tau) for tau in range(len(layers))]
        if score is not None:
            both = [
                f"{float(row[layer]):.1f} ({getattr(one, score):.1f})"
                for layer, one in zip(layers, theirs, strict=True)
            ]
            cells.append((source, row["backbone"], row["score"], *both))
    return table(("cohort", "backbone", "score", *(f"layer {tau}" for tau in range(5))), cells)


FILLS: dict[str, Callable[[], str]] = {
    "paper-cut": paper_cut,
    "paper-cut-passes": paper_cut_passes,
    "paper-cut-ranks": paper_cut_ranks,
    "readings": readings,
    "suite-times": suite_times,
    "signal-formats": signal_formats,
    "reading-memory": reading_memory,
}
