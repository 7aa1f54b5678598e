"""Tables as LaTeX that compiles with any distribution: plain ``tabular`` with ``\\hline``, ``graphicx`` for width."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from inrlens.reports.study.html import breaks, column_groups
from inrlens.reports.study.table import StudyTable, shown

ROWS = 36
"""A longer table goes on in another one, since a ``tabular`` does not break between pages."""
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # At the start of a row they would belong to the end of the row before.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "\N{MINUS SIGN}": "$-$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{INFINITY}": r"$\infty$",
    "\N{GREEK SMALL LETTER TAU}": r"$\tau$",
    "\N{GREEK SMALL LETTER SIGMA}": r"$\sigma$",
    "\N{GREEK SMALL LETTER OMEGA}": r"$\omega$",
    "\N{SUPERSCRIPT TWO}": r"$^2$",
    "\N{SUBSCRIPT ZERO}": r"$_0$",
    "\N{SUBSCRIPT ONE}": r"$_1$",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": r"\,",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    '"': "''",
}


_LIGATURES = frozenset({"--", "``", "''", "?`", "!`", ",,"})


@dataclass(frozen=True)
class TexPart:
    """A piece of a table that fits a page, everything escaped: ``head`` its heading lines, ``body`` its rows' lines
    without the end of line, ``rules`` those rows before which a line is drawn."""

    caption: str
    spec: str
    head: tuple[str, ...]
    body: tuple[str, ...]
    rules: frozenset[int]


def tex_table(table: StudyTable) -> str:
    """One table as a file for ``\\input``."""
    return str(_environment().get_template("study_table.tex.j2").render(table=table, parts=tuple(_parts(table))))


def tex_document(title: str, tables: Sequence[str], figures: Sequence[tuple[str, str]], folder: str) -> str:
    """A document of the tables of these names in ``folder``; ``figures`` are pairs of a PDF's path and its caption."""
    template = _environment().get_template("study_document.tex.j2")
    return str(template.render(title=title, tables=tables, figures=figures, folder=folder))


def escaped(text: str) -> str:
    """Text that LaTeX sets as it stands: what is special to it is escaped, what it has no letters for becomes ASCII, or
    a question mark."""
    plain = unicodedata.normalize("NFC", text)
    following = f"{plain[1:]} "
    # Braces keep two letters from being set as one sign, as in two hyphens.
    return "".join(
        _letter(one) + ("{}" if one + after in _LIGATURES else "") for one, after in zip(plain, following, strict=False)
    )


def _letter(one: str) -> str:
    if one in _SPECIAL:
        return _SPECIAL[one]
    if " " <= one <= "~" or "\N{LATIN CAPITAL LETTER A WITH GRAVE}" <= one <= "\N{LATIN SMALL LETTER Y WITH DIAERESIS}":
        return one
    if one.isspace():
        return " "
    plain = unicodedata.normalize("NFKD", one).encode("ascii", "ignore").decode("ascii")
    return "".join(_SPECIAL.get(each, each) for each in plain if each.isprintable()) or "?"


def _parts(table: StudyTable) -> Iterator[TexPart]:
    marks = set(breaks(table))
    pieces = [table.rows[start : start + ROWS] for start in range(0, len(table.rows), ROWS)]
    for number, rows in enumerate(pieces):
        more = f" ({number + 1} of {len(pieces)})" if len(pieces) > 1 else ""
        lines = tuple(
            " & ".join(escaped(shown(cell, column)) for cell, column in zip(row, table.columns, strict=True))
            for row in rows
        )
        yield TexPart(
            caption=escaped(table.title) + more,
            spec="".join(_spec(column.kind) for column in table.columns),
            head=tuple(_heads(table)),
            body=lines,
            rules=frozenset(at - number * ROWS for at in marks if 0 < at - number * ROWS < ROWS),
        )


def _spec(kind: str) -> str:
    return {"text": "l", "prose": "p{6cm}"}.get(kind, "r")


def _heads(table: StudyTable) -> Iterator[str]:
    groups = column_groups(table)
    if groups:
        yield " & ".join(
            rf"\multicolumn{{{span}}}{{{'c' if label else 'l'}}}{{{escaped(label)}}}" for label, span in groups
        )
    yield " & ".join(escaped(column.heading) for column in table.columns)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """LaTeX is full of braces and percents, so its templates have delimiters of their own."""
    made = Environment(
        loader=PackageLoader("inrlens.reports"),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    made.filters["tex"] = escaped
    return made
