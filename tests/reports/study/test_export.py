"""A study's tables and rows as files: what they hold, and that LaTeX is well formed."""

import csv
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from inrlens.errors import InputError
from inrlens.reports.study import export
from inrlens.reports.study.export import column_type, export_study, file_name
from inrlens.reports.study.latex import ROWS, escaped, tex_table
from inrlens.reports.study.table import Column, StudyTable, flat
from inrlens.reports.study.tables.every import study_tables
from inrlens.reports.study.told import ToldStudy, told
from study_rows import IMAGES, STUDY, MadeUpStore, made_up_figure, made_up_store


@pytest.fixture(scope="module", autouse=True)
def _one_figure() -> Iterator[None]:
    """The figures have tests of their own and take seconds; one stands for them here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "all_figures", lambda store, study: [made_up_figure()])
        yield


@pytest.fixture(scope="module")
def store() -> MadeUpStore:
    return made_up_store(images=IMAGES[:2], seeds=(0,))


@pytest.fixture(scope="module")
def study(store: MadeUpStore) -> ToldStudy:
    return told(store, STUDY)


@pytest.fixture(scope="module")
def tables(study: ToldStudy) -> list[StudyTable]:
    return study_tables(study)


@pytest.fixture(scope="module")
def as_csv(store: MadeUpStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("csv")
    assert set(export_study(store, STUDY, folder, "csv")) == set(folder.rglob("*.csv"))
    return folder


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_holds_every_table_cell_for_cell(as_csv: Path, tables: list[StudyTable]) -> None:
    for table in tables:
        headings, rows = flat(table)
        found = read(as_csv / "tables" / f"{file_name(table.name)}.csv")
        assert [tuple(row) for row in found] == [headings] * len(rows)
        assert [list(row.values()) for row in found] == [
            ["" if one is None else str(one) for one in row] for row in rows
        ]


def test_csv_holds_every_cell_of_the_study_and_its_history(as_csv: Path, study: ToldStudy) -> None:
    rows = {path.stem: read(path) for path in (as_csv / "rows").iterdir()}
    assert set(rows) == {"cohorts", "transfers", "dictionaries", "analyses", "curves"}
    assert len(rows["transfers"]) == len(study.rows.transfers)
    for found, row in zip(rows["transfers"], study.rows.transfers, strict=True):
        assert (found["key"], float(found["psnr"]), found["rest"]) == (row.key, row.psnr, row.rest)
        assert found["freeze"] == ("" if row.freeze is None else str(row.freeze))
    assert json.loads(rows["cohorts"][0]["scores.sr(W)"]) == list(study.rows.cohorts[0].scores["sr(W)"])
    assert float(rows["dictionaries"][0]["quality.r2"]) == study.rows.dictionaries[0].quality["r2"]
    fits = (*study.rows.cohorts, *study.rows.transfers)
    assert len(rows["curves"]) == sum(len(row.curve.steps) for row in fits)
    first = rows["curves"][0]
    assert (first["kind"], first["key"]) == ("cohort", study.rows.cohorts[0].key)


def balanced(tex: str) -> None:
    """Braces close in order, environments too, and every row of a tabular has as many cells as its columns."""
    bare = re.sub(r"\\[\\{}]", lambda found: "  ", re.sub(r"(?<!\\)%[^\n]*", "", tex))
    depth = 0
    for one in bare:
        depth += {"{": 1, "}": -1}.get(one, 0)
        assert depth >= 0
    assert depth == 0
    assert len(re.findall(r"(?<!\\)\$", tex)) % 2 == 0
    stack: list[str] = []
    for what, name in re.findall(r"\\(begin|end)\{(\w+)\}", tex):
        if what == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert stack == []
    assert len(re.findall(r"\\if(?:dim|x)\b", tex)) == len(re.findall(r"\\fi\b", tex))
    assert "#" not in re.sub(r"\\#", "", tex)
    assert tex.isascii() or all(one <= "\xff" for one in tex)


def rows_of(tex: str) -> list[tuple[int, list[int]]]:
    """Of each tabular: its number of columns, and the cells in each of its rows, those that are spanned counted."""
    found = []
    for spec, body in re.findall(r"\\begin\{tabular\}\{((?:[lr]|p\{6cm\})+)\}(.*?)\\end\{tabular\}", tex, re.DOTALL):
        counts = []
        for row in (one.replace("\\hline", "").strip() for one in body.split("\\\\\n")):
            if row:
                spans = [int(one) for one in re.findall(r"\\multicolumn\{(\d+)\}", row)]
                counts.append(len(re.findall(r"(?<!\\)&", row)) + 1 + sum(spans) - len(spans))
        found.append((len(spec.replace("p{6cm}", "p")), counts))
    return found


def test_latex_is_well_formed_and_complete(store: MadeUpStore, tables: list[StudyTable], tmp_path: Path) -> None:
    written = export_study(store, STUDY, tmp_path, "latex")
    document = (tmp_path / "tables.tex").read_text()
    balanced(document)
    assert re.findall(r"\\input\{(.+?)\}", document) == [f"tables/{file_name(table.name)}" for table in tables]
    assert all((tmp_path / f"{name}.tex").exists() for name in re.findall(r"\\input\{(.+?)\}", document))
    for name in re.findall(r"\\includegraphics\[.*?\]\{(.+?)\}", document):
        assert (tmp_path / name).read_bytes().startswith(b"%PDF")
    assert (
        r"\includegraphics[width=\linewidth,height=0.85\textheight,keepaspectratio]{figures/freeze-siren.pdf}"
        in document
    )
    assert r"A figure. One line, 50 \% up." in document
    for table in tables:
        tex = (tmp_path / "tables" / f"{file_name(table.name)}.tex").read_text()
        balanced(tex)
        parts = rows_of(tex)
        heads = 2 if any(column.group for column in table.columns) else 1
        assert sum(len(counts) - heads for _, counts in parts) == len(table.rows)
        assert all(count == columns == len(table.columns) for columns, counts in parts for count in counts)
    assert set(written) == {path for path in tmp_path.rglob("*") if path.is_file()}


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles(store: MadeUpStore, tmp_path: Path) -> None:
    export_study(store, STUDY, tmp_path, "latex")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "tables.pdf").read_bytes().startswith(b"%PDF")


def test_a_long_table_goes_on_in_another_tabular() -> None:
    table = StudyTable("t", "T", "n", (Column("a"), Column("b", "count")), tuple(("x", one) for one in range(ROWS + 1)))
    tex = tex_table(table)
    assert [len(counts) - 1 for _, counts in rows_of(tex)] == [ROWS, 1]
    assert "T (1 of 2)" in tex
    assert tex.count("scriptsize") == 1


def test_what_is_special_to_latex_is_escaped() -> None:
    assert escaped("50 % of a_b & {c} $d #e ~f ^g \\h") == (
        r"50 \% of a\_b \& \{c\} \$d \#e \textasciitilde{}f \textasciicircum{}g \textbackslash{}h"
    )
    assert escaped("−1.0 ± 2 × τ*") == r"$-$1.0 $\pm$ 2 $\times$ $\tau${*}"
    assert escaped("Zürich, ﬁ, 図") == "Zürich, fi, ?"
    assert escaped("a\nb\tc\0") == "a b c?"
    assert escaped("a-b it's -- ''x'' [1]") == "a-b it's -{}- '{}'x'{}' {[}1{]}"


@given(st.text(max_size=60))
def test_any_text_is_set_in_balance(text: str) -> None:
    tex = escaped(text)
    balanced(tex)
    assert tex.isprintable()
    bare = re.sub(r"\\([&%#_{}$,]|text\w+\{\}|pm|times|infty|tau|sigma|omega)", "", tex)
    assert "\\" not in bare
    assert not re.search(r"[&%#]", bare)
    # Only what stands for a sign of mathematics is raised or lowered.
    assert not re.search(r"[_^]", re.sub(r"\$[^$]*\$", "", bare))


def test_an_unknown_form_is_refused(store: MadeUpStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="form 'xls' is not known; allowed are csv, latex, parquet"):
        export_study(store, STUDY, tmp_path, "xls")


def test_parquet_without_its_library_names_the_extra(
    store: MadeUpStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(InputError, match=r"pip install 'inrlens\[tables\]'"):
        export_study(store, STUDY, tmp_path, "parquet")
    assert not any(tmp_path.iterdir())


def test_parquet_holds_the_same_with_types(
    store: MadeUpStore, study: ToldStudy, tables: list[StudyTable], tmp_path: Path
) -> None:
    polars = pytest.importorskip("polars")
    written = export_study(store, STUDY, tmp_path, "parquet")
    assert set(written) == set(tmp_path.rglob("*.parquet"))
    for table in tables:
        headings, rows = flat(table)
        frame = polars.read_parquet(tmp_path / "tables" / f"{file_name(table.name)}.parquet")
        assert frame.columns == list(headings)
        assert frame.rows() == rows
    transfers = polars.read_parquet(tmp_path / "rows" / "transfers.parquet")
    assert transfers["psnr"].dtype == polars.Float64
    assert transfers["freeze"].dtype == polars.Int64
    assert transfers["freeze"].null_count() == sum(row.freeze is None for row in study.rows.transfers)


def test_a_column_has_the_type_of_all_its_values() -> None:
    assert column_type([1, None, 2]) is int
    assert column_type([1, 2.5]) is float
    assert column_type([1, "a"]) is str
    assert column_type([None]) is str


def test_names_of_files_are_plain() -> None:
    assert file_name("table3-my faces/ü") == "table3-my-faces"
    assert file_name("ü") == "table"
