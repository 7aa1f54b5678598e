"""What the dictionaries' atoms do."""

from inrlens.reports.study.table import Cell, Column, Interval, StudyTable
from inrlens.reports.study.tables.common import DB
from inrlens.reports.study.tables.dictionaries import WHERE, alike, mean, where
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.records import AnalysisRow

_FRACTION, _IPR, _TOP, _LOST = "active fraction", "IPR", "strongest atom", "PSNR lost without one atom"
COLUMNS = (
    *WHERE,
    Column("median", "number", "%", group=_FRACTION),
    Column("quartiles", "interval", "%", group=_FRACTION),
    Column("median", "number", digits=5, group=_IPR),
    Column("quartiles", "interval", digits=5, group=_IPR),
    Column("dead", "number", "%", 1),
    Column("magnitude", "number", digits=3, group=_TOP),
    Column("fires at", "number", "% of coordinates", 1, group=_TOP),
    Column("its own", "number", DB, group=_TOP),
    Column("median", "number", DB, 4, group=_LOST),
    Column("worst", "number", DB, group=_LOST),
    Column("its rank by magnitude", "number", digits=0, group=_LOST),
    Column("seeds", "count"),
)


def atoms(study: ToldStudy) -> list[StudyTable]:
    """One line a dictionary, mean over its seeds."""
    rows = [_line(own) for own in alike(study.rows.analyses)]
    if not rows:
        return []
    note = (
        f"{study.so_far('analysis')}Over living atoms. Active fraction: share of coordinates with a code above 0.01. "
        "IPR: inverse participation ratio of an atom's map. The strongest atom has the largest mean magnitude. PSNR "
        "lost is exact: the output of the network with the atom taken out of the layer, of every atom, on head 0."
    )
    title = "What the atoms do"
    table = StudyTable("atoms", title, note, COLUMNS, tuple(rows), detail=len(rows) > 24)
    return [table]


def _line(rows: list[AnalysisRow]) -> tuple[Cell, ...]:
    def found(name: str, part: str, scale: float = 1.0) -> float | None:
        value = mean([(row.found.get(name) or {}).get(part) for row in rows])
        return None if value is None else scale * value

    def quartiles(name: str, scale: float = 1.0) -> Interval | None:
        low, high = found(name, "low", scale), found(name, "high", scale)
        return None if low is None or high is None else Interval(low, high)

    def first(name: str) -> float | None:
        return mean([next(iter(row.found.get(name) or ()), None) for row in rows])

    def plain(name: str) -> float | None:
        return mean([row.found.get(name) for row in rows])

    dead, firing = plain("dead"), first("top_firing")
    return (
        *where(rows[0]),
        found("active_fraction", "median", 100.0),
        quartiles("active_fraction", 100.0),
        found("ipr", "median"),
        quartiles("ipr"),
        None if dead is None else 100.0 * dead,
        first("top_magnitude"),
        None if firing is None else 100.0 * firing,
        first("top_drops"),
        found("drop", "median"),
        plain("worst_drop"),
        plain("worst_rank"),
        len({row.seed for row in rows}),
    )
