"""A table of a study: cells with their types, the same for the page, for files and for LaTeX."""

from dataclasses import dataclass
from typing import Literal

from inrlens.reports import words

Kind = Literal["text", "prose", "count", "number", "spread", "interval"]
Value = str | int | float | None


@dataclass(frozen=True)
class PlusMinus:
    """A mean with a standard deviation over pictures, None for a single one; both in the column's unit."""

    mean: float
    sd: float | None


@dataclass(frozen=True)
class Interval:
    """The 95 % interval of a number, in the column's unit."""

    low: float
    high: float


Cell = Value | PlusMinus | Interval


@dataclass(frozen=True)
class Column:
    """What a column holds.

    ``text`` and ``prose`` (which may wrap) are words, ``count`` whole numbers, ``number`` floats, ``spread`` a
    ``PlusMinus``, ``interval`` an ``Interval``; a cell of any may be None. Numbers are shown with ``digits`` decimals,
    their sign always with ``sign``; ``unit`` stands in the heading. ``group`` is a heading over neighbours that share
    it.
    """

    name: str
    kind: Kind = "text"
    unit: str = ""
    digits: int = 2
    sign: bool = False
    group: str = ""

    @property
    def heading(self) -> str:
        """The name with its unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def full_name(self) -> str:
        """The name with its group and unit, which no other column of the table has."""
        return f"{self.group} {self.heading}" if self.group else self.heading

    @property
    def is_words(self) -> bool:
        """Whether its cells are words, which stand at the left."""
        return self.kind in ("text", "prose")


@dataclass(frozen=True)
class StudyTable:
    """A table: ``name`` for files and anchors, ``note`` what its numbers are and how many stand behind them.

    ``rows`` have a cell a column. ``detail`` marks one that only few will read through.
    """

    name: str
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    detail: bool = False

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.name!r} has a row that is not of its {len(self.columns)} columns.")


def shown(cell: Cell, column: Column) -> str:
    """A cell as a reader meets it, its unit left to the heading."""
    if cell is None:
        return words.MISSING
    if isinstance(cell, str):
        return cell
    if isinstance(cell, PlusMinus):
        mean = words.fixed(cell.mean, column.digits)
        return mean if cell.sd is None else f"{mean} \N{PLUS-MINUS SIGN} {words.fixed(cell.sd, column.digits)}"
    say = words.signed if column.sign else words.fixed
    if isinstance(cell, Interval):
        return f"{say(cell.low, column.digits)} to {say(cell.high, column.digits)}"
    if column.kind == "count":
        return say(float(cell), 0)
    return say(float(cell), column.digits)


def without_empty(table: StudyTable) -> StudyTable:
    """The table without the columns that hold nothing at all."""
    kept = [at for at, _ in enumerate(table.columns) if any(row[at] is not None for row in table.rows)]
    return StudyTable(
        table.name,
        table.title,
        table.note,
        tuple(table.columns[at] for at in kept),
        tuple(tuple(row[at] for at in kept) for row in table.rows),
        table.detail,
    )


def flat(table: StudyTable) -> tuple[tuple[str, ...], list[tuple[Value, ...]]]:
    """Headings and rows of plain values for files: a spread becomes mean and sd, an interval its two ends."""
    headings: list[str] = []
    for column in table.columns:
        own = column.full_name
        if column.kind == "spread":
            headings += [own, f"{own}, sd over pictures"]
        elif column.kind == "interval":
            headings += [f"{own}, low", f"{own}, high"]
        else:
            headings.append(own)
    return tuple(headings), [_flat_row(row, table.columns) for row in table.rows]


def _flat_row(row: tuple[Cell, ...], columns: tuple[Column, ...]) -> tuple[Value, ...]:
    values: list[Value] = []
    for cell, column in zip(row, columns, strict=True):
        if isinstance(cell, PlusMinus):
            values += [cell.mean, cell.sd]
        elif isinstance(cell, Interval):
            values += [cell.low, cell.high]
        elif column.kind in ("spread", "interval"):
            values += [None, None]
        else:
            values.append(cell)
    return tuple(values)
