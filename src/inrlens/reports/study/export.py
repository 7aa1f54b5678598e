"""A study's tables and rows as files: CSV, LaTeX, or Parquet."""

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args

from inrlens.errors import InputError
from inrlens.files import whole_file
from inrlens.reports.study.drawn import all_figures
from inrlens.reports.study.latex import tex_document, tex_table
from inrlens.reports.study.raw import Frame, frames
from inrlens.reports.study.table import StudyTable, Value, flat
from inrlens.reports.study.tables.every import study_tables
from inrlens.reports.study.told import StudyStore, ToldStudy, told

Form = Literal["csv", "latex", "parquet"]
FORMS: tuple[Form, ...] = get_args(Form)
TABLES, ROWS, FIGURES = "tables", "rows", "figures"


def export_study(store: StudyStore, study: str, folder: Path, form: str) -> tuple[Path, ...]:
    """Writes a study's tables into ``folder``, each file whole or not at all, and returns the files' paths.

    ``form`` is one of ``FORMS``: ``csv`` and ``parquet`` write ``tables/`` with a file a table and ``rows/`` with one
    a kind of cell, and all fits' histories; ``latex`` writes ``tables/`` with a file a table for ``\\input``,
    ``figures/`` as PDF, and ``tables.tex``, a document of them all.

    Raises:
        InputError: where the store has no such study, the form is not known or lacks its library, or the folder cannot
            be written.
    """
    if form not in FORMS:
        raise InputError(f"form {form!r} is not known; allowed are {', '.join(FORMS)}.")
    folder = Path(folder)
    write = _parquet_writer() if form == "parquet" else _write_csv
    found = told(store, study)
    tables = study_tables(found)
    if form == "latex":
        return tuple(_write_latex(store, found, tables, folder))
    written = []
    for table in tables:
        headings, rows = flat(table)
        path = folder / TABLES / f"{file_name(table.name)}.{form}"
        write(path, Frame(table.name, headings, rows))
        written.append(path)
    for frame in frames(found.rows):
        path = folder / ROWS / f"{frame.name}.{form}"
        write(path, frame)
        written.append(path)
    return tuple(written)


def file_name(name: str) -> str:
    """A table's name with nothing in it that a file system or LaTeX might take amiss."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-") or "table"


def _write_csv(path: Path, frame: Frame) -> None:
    with (
        whole_file(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(frame.headings)
        writer.writerows(frame.rows)


def _parquet_writer() -> Callable[[Path, Frame], None]:
    try:
        # Not imported by name: it is no dependency of ours, and need not be here for the types to be checked.
        polars: Any = import_module("polars")
    except ImportError as error:
        raise InputError("Parquet needs the library polars: pip install 'inrlens[tables]'.") from error

    types: dict[type, Any] = {str: polars.String, int: polars.Int64, float: polars.Float64}

    def write(path: Path, frame: Frame) -> None:
        kinds = [column_type([row[at] for row in frame.rows]) for at in range(len(frame.headings))]
        series = [
            polars.Series(heading, [_as(kind, row[at]) for row in frame.rows], dtype=types[kind])
            for at, (heading, kind) in enumerate(zip(frame.headings, kinds, strict=True))
        ]
        with whole_file(path) as temporary:
            polars.DataFrame(series).write_parquet(temporary)

    return write


def _as(kind: Any, value: Value) -> Any:
    return None if value is None else kind(value)


def column_type(values: Iterable[Value]) -> type[str] | type[int] | type[float]:
    """What all values of a column can be: whole numbers, floats, or else text; text where there are none."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int}:
        return int
    return float if kinds and kinds <= {int, float} else str


def _write_latex(store: StudyStore, study: ToldStudy, tables: Sequence[StudyTable], folder: Path) -> Iterable[Path]:
    names = []
    for table in tables:
        name = file_name(table.name)
        names.append(name)
        path = folder / TABLES / f"{name}.tex"
        _write(path, tex_table(table).encode())
        yield path
    figures = []
    for figure in all_figures(store, study):
        path = folder / FIGURES / f"{file_name(figure.name)}.pdf"
        _write(path, figure.pdf())
        figures.append((f"{FIGURES}/{path.name}", f"{figure.title}. {figure.caption}"))
        yield path
    document = folder / "tables.tex"
    _write(document, tex_document(study.spec.title or study.name, names, figures, TABLES).encode())
    yield document


def _write(path: Path, content: bytes) -> None:
    with whole_file(path) as temporary:
        temporary.write_bytes(content)
