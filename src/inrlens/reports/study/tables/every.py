"""All tables of a study, in the order in which a reader wants them."""

from collections.abc import Callable

from inrlens.reports.study.table import StudyTable, without_empty
from inrlens.reports.study.tables.against import frozen_against_none, warm_against_reinit
from inrlens.reports.study.tables.atoms import atoms
from inrlens.reports.study.tables.axes import effects, search
from inrlens.reports.study.tables.budgets import budgets
from inrlens.reports.study.tables.cohorts import cohorts
from inrlens.reports.study.tables.dictionaries import dictionaries
from inrlens.reports.study.tables.facts import facts
from inrlens.reports.study.tables.failures import failures
from inrlens.reports.study.tables.predictors import predictors
from inrlens.reports.study.tables.readings import readings
from inrlens.reports.study.tables.settings import settings
from inrlens.reports.study.tables.setup import setup
from inrlens.reports.study.tables.table_1 import table_1
from inrlens.reports.study.told import ToldStudy

Build = Callable[[ToldStudy], list[StudyTable]]
SECTIONS: tuple[tuple[str, str, tuple[Build, ...]], ...] = (
    ("freeze", "Frozen or not", (table_1, frozen_against_none, warm_against_reinit)),
    ("readings", "Readings of the paper", (readings,)),
    ("budget", "The best for a budget", (budgets,)),
    ("predict", "Where to freeze, predicted", (predictors,)),
    ("decide", "What decides PSNR", (effects, search)),
    ("cohorts", "The cohorts and their layers", (cohorts,)),
    ("settings", "Every setting", (settings,)),
    ("atoms", "Dictionaries and atoms", (dictionaries, atoms)),
    ("facts", "The paper's statements", (facts,)),
    ("setup", "What was run", (setup, failures)),
)
"""Anchor and title of the page's sections, and what makes their tables."""


def tables_by_section(study: ToldStudy) -> dict[str, list[StudyTable]]:
    """The tables of every section, empty columns left out; a table exists only where the study has rows for it."""
    return {
        name: [without_empty(table) for build in builds for table in build(study) if table.rows]
        for name, _, builds in SECTIONS
    }


def study_tables(study: ToldStudy) -> list[StudyTable]:
    """All tables in the page's order."""
    return [table for tables in tables_by_section(study).values() for table in tables]
