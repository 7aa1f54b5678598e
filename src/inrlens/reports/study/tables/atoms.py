"""What the dictionaries' atoms do, and the paper's figures beside."""

from collections.abc import Iterable, Sequence
from typing import Any

from inrlens.reports import words
from inrlens.reports.comparison import TOP, TOPS, agrees
from inrlens.reports.published import FACTS, Fact
from inrlens.reports.study.table import Cell, Column, Interval, StudyTable
from inrlens.reports.study.tables.common import DB
from inrlens.reports.study.tables.dictionaries import WHERE, alike, mean, where
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.rows import AnalysisRow

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
_PERCENTS = ("active", "dead", "firing")
_BESIDE = (
    Column("network"),
    Column("what", "prose"),
    Column("published", group="paper"),
    Column("where", group="paper"),
    Column("measured"),
    Column("agrees"),
    Column("dictionaries", "count"),
    Column("caution", "prose"),
)


def atoms(study: ToldStudy) -> list[StudyTable]:
    """One line a dictionary, mean over its seeds, and the statements of the paper about them."""
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
    return [table, *_beside(study)]


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


def _beside(study: ToldStudy) -> list[StudyTable]:
    rows = []
    for fact in FACTS:
        for network in fact.kinds:
            own = [
                row
                for row in study.rows.analyses
                if row.network == network
                and study.registered(row.backbone) == fact.backbone
                and (fact.layers is None or row.layer in fact.layers)
            ]
            values = [value for row in own for value in _values(fact, row.found)]
            if values:
                rows.append(_fact_row(fact, network, own, values))
    note = (
        f"{study.so_far('analysis')}Least and most over this study's dictionaries of the layers that the paper speaks "
        "of, whatever their size. A figure published as about agrees within a factor of 2, a range where all values "
        "lie in it."
    )
    title = "Atoms beside the paper's figures"
    return [StudyTable("atoms-published", title, note, _BESIDE, tuple(rows))] if rows else []


def _fact_row(fact: Fact, network: str, rows: Sequence[AnalysisRow], values: Sequence[float]) -> tuple[Cell, ...]:
    if fact.measure == "drop_worst":
        values = [max(values)]
    unit: words.Say = words.percent if fact.measure in _PERCENTS else _plain
    if fact.measure.startswith("drop"):
        unit = _decibels
    bounds = words.span(unit(fact.low), unit(fact.high))
    stated = {"about": f"about {bounds}", "at most": f"at most {unit(fact.high)}", "within": bounds}[fact.rule]
    return (
        words.condition_title(network, fact.backbone or ""),
        fact.what,
        stated,
        fact.where,
        words.span(unit(min(values)), unit(max(values))),
        "yes" if agrees(fact.rule, fact.low, fact.high, values) else "no",
        len(rows),
        fact.caution or None,
    )


def _values(fact: Fact, found: Any) -> Iterable[float]:
    """What an analysis has for a statement; nothing for those about all atoms' single costs, which it does not list."""
    top = [float(one) for one in found.get("top_magnitude") or ()]
    drops = [float(one) for one in found.get("top_drops") or ()]
    firing = [float(one) for one in found.get("top_firing") or ()]
    spread = found.get("active_fraction")
    worst = found.get("worst_drop")
    known: dict[str, Iterable[float]] = {
        "active": [spread["median"]] if spread else [],
        "dead": [found["dead"]] if found.get("dead") is not None else [],
        "magnitude": top[:1],
        "dominance": [top[0] / top[1]] if len(top) > 1 and top[1] > 0.0 else [],
        # "At most" is said of all 16; a range is said of the strongest.
        "firing": firing if fact.rule == "at most" else firing[:1],
        "drop_top": drops[:TOP],
        "drop_tops": drops[:TOPS],
        "drop_worst": [float(worst)] if worst is not None else [],
    }
    return known.get(fact.measure, ())


def _plain(value: float | None) -> str:
    return words.significant(value, 2)


def _decibels(value: float | None) -> str:
    return words.db(value, 2)
