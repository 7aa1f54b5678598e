"""Every setting of every pair, a table a source: the paper's Tables 3, 4 and 5."""

from collections.abc import Iterable
from statistics import fmean

from inrlens.reports.study.published import TABLES, Published
from inrlens.reports.study.table import Cell, Column, PlusMinus, StudyTable
from inrlens.reports.study.tables.common import (
    BACKBONE,
    BEHIND,
    DB,
    RECIPE,
    TARGET,
    Block,
    blocks,
    difference,
    freeze_words,
    split_words,
    spread_cell,
)
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.keys import MEASURES, Measure
from inrlens.studies.tables.records import CohortRow, TransferRow
from inrlens.studies.tables.spread import spread

WEIGHTS, ACTIVATIONS = "sr(W)", "sr(H) post"
_TITLES = {"psnr": "PSNR", "ssim": "SSIM", "lpips": "LPIPS"}


def _measured(measure: Measure) -> tuple[Column, ...]:
    title, unit, digits = _TITLES[measure], DB if measure == "psnr" else "", 2 if measure == "psnr" else 4
    return (
        Column("measured", "spread", unit, digits, group=title),
        Column("sd over seeds", "number", unit, digits, group=title),
        Column("published", "spread", unit, digits, group=title),
        Column("difference", "number", unit, digits, sign=True, group=title),
    )


COLUMNS = (
    TARGET,
    BACKBONE,
    RECIPE,
    Column("setting"),
    *BEHIND,
    *(column for measure in MEASURES for column in _measured(measure)),
    Column("measured", "number", group=WEIGHTS),
    Column("published", "number", group=WEIGHTS),
    Column("measured", "number", group=ACTIVATIONS),
    Column("published", "number", group="sr(H)"),
)


def settings(study: ToldStudy) -> list[StudyTable]:
    """A table for every source that has transfers; fits from scratch open each block."""
    found = blocks(study)
    scratch = [block for block in found if block.pair.source is None]
    sources = dict.fromkeys(block.pair.source for block in found if block.pair.source is not None)
    tables = [_of_source(study, source, found, scratch) for source in sources]
    if not tables and scratch:
        tables = [_of_source(study, None, found, scratch)]
    return tables


def _of_source(study: ToldStudy, source: str | None, found: list[Block], scratch: list[Block]) -> StudyTable:
    theirs = study.counterpart(source)
    cohorts = {row.key: row for row in study.rows.cohorts}
    rows: list[tuple[Cell, ...]] = []
    if source is None:
        rows += [line for block in scratch for line in _lines(study, block, cohorts)]
    begun: set[tuple[str, str]] = set()
    for block in found:
        if source is None or block.pair.source != source:
            continue
        where = (block.pair.target, block.pair.backbone)
        if where not in begun:
            begun.add(where)
            for other in scratch:
                if (other.pair.target, other.pair.backbone) == where:
                    rows += _lines(study, other, cohorts)
        rows += _lines(study, block, cohorts)
    number = TABLES.get(theirs or "")
    beside = f" (the paper's Table {number})" if number else ""
    title = f"Every setting, cohort of {source}{beside}" if source else "Fits from scratch"
    note = (
        f"{split_words(study)}{study.so_far('transfer')}Mean over pictures \N{PLUS-MINUS SIGN} standard deviation over "
        "pictures; that over seeds, of the same picture, stands apart. The published deviation is over pictures, "
        "as its caption says. sr(W) and sr(H) are of layer \N{GREEK SMALL LETTER TAU} of the cohort; sr(H) is measured "
        "after the nonlinearity with the mean left in, while the paper does not say which variant its own is."
    )
    name = f"table{number}-{source}" if number else f"settings-{source or 'scratch'}"
    return StudyTable(name, title, note, COLUMNS, tuple(rows), detail=len(rows) > 24)


def _lines(study: ToldStudy, block: Block, cohorts: dict[str, CohortRow]) -> list[tuple[Cell, ...]]:
    _, target, backbone, variant = block.words
    lines = []
    for setting, rows in block.by_setting.items():
        theirs = study.published_for(rows[0])
        found = spread(rows)
        cells: list[Cell] = [target, backbone, variant, freeze_words(setting), found.images, found.seeds]
        for measure in MEASURES:
            cells += _measure_cells(rows, measure, theirs)
        cells += [_score(rows, cohorts, WEIGHTS), theirs.sr_w if theirs else None]
        cells += [_score(rows, cohorts, ACTIVATIONS), theirs.sr_h if theirs else None]
        lines.append(tuple(cells))
    return lines


def _measure_cells(rows: list[TransferRow], measure: Measure, theirs: Published | None) -> list[Cell]:
    found = spread(rows, measure)
    mean = getattr(theirs, f"{measure}_mean") if theirs else None
    published = PlusMinus(mean, getattr(theirs, f"{measure}_std")) if mean is not None else None
    return [spread_cell(found), found.over_seeds, published, difference(found.mean, mean)]


def _score(rows: Iterable[TransferRow], cohorts: dict[str, CohortRow], name: str) -> float | None:
    """A score of layer tau, mean over the cohorts that the rows reuse."""
    found = {}
    for row in rows:
        cohort = cohorts.get(row.cohort or "")
        layers = cohort.scores.get(name, ()) if cohort else ()
        if row.freeze is not None and row.freeze < len(layers):
            found[row.cohort] = layers[row.freeze]
    return fmean(found.values()) if found else None
