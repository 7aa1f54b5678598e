"""A table as the page's template takes it."""

from dataclasses import dataclass
from itertools import groupby

from inrlens.reports.study.table import Cell, StudyTable, shown


@dataclass(frozen=True)
class HtmlCell:
    """A cell's text and the class that sets it: ``word``, ``prose``, or empty for a number."""

    text: str
    style: str


@dataclass(frozen=True)
class HtmlTable:
    """Texts only: ``groups`` are headings over neighbouring columns with their number, empty where no column has one;
    ``breaks`` the rows that begin a block; ``folded`` hides it until it is asked for."""

    name: str
    title: str
    note: str
    groups: tuple[tuple[str, int], ...]
    headings: tuple[HtmlCell, ...]
    rows: tuple[tuple[HtmlCell, ...], ...]
    breaks: frozenset[int]
    folded: bool
    size: int


def html_table(table: StudyTable) -> HtmlTable:
    """The table with every cell as a reader meets it."""
    styles = ["prose" if column.kind == "prose" else "word" if column.is_words else "" for column in table.columns]
    headings = [HtmlCell(column.heading, "word" if column.is_words else "") for column in table.columns]
    rows = tuple(
        tuple(
            HtmlCell(shown(cell, column), style) for cell, column, style in zip(row, table.columns, styles, strict=True)
        )
        for row in table.rows
    )
    return HtmlTable(
        name=table.name,
        title=table.title,
        note=table.note,
        groups=column_groups(table),
        headings=tuple(headings),
        rows=rows,
        breaks=frozenset(breaks(table)),
        folded=table.detail,
        size=len(rows),
    )


def column_groups(table: StudyTable) -> tuple[tuple[str, int], ...]:
    """The headings over columns with how many they span, an empty one over those without; nothing without any."""
    found = [(name, len(list(own))) for name, own in groupby(column.group for column in table.columns)]
    return tuple(found) if any(name for name, _ in found) else ()


def breaks(table: StudyTable) -> list[int]:
    """The rows at which a block begins: where what leads, the words but the last column of them, changes."""
    words = 0
    while words < len(table.columns) and table.columns[words].kind == "text":
        words += 1
    lead = max(1, words - 1)

    def leading(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
        return row[:lead]

    rows = table.rows
    found = [at for at in range(1, len(rows)) if leading(rows[at]) != leading(rows[at - 1])]
    # A line before every row separates nothing.
    return found if len(found) < len(rows) - 1 else []
