"""The best setting for what a user can pay, in steps and in seconds."""

import math
from collections.abc import Sequence
from statistics import median

from inrlens.reports import words
from inrlens.reports.study.table import Cell, Column, StudyTable
from inrlens.reports.study.tables.common import (
    BACKBONE,
    BEHIND,
    DB,
    RECIPE,
    freeze_words,
    interval,
    recipe,
    split_words,
)
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.advice import BudgetAdvice, best_for_budget
from inrlens.studies.tables.curves import Unit

_SHARES = (0.1, 0.25, 0.5, 1.0)
_LEAD = "ahead of the next best"
COLUMNS = (
    BACKBONE,
    Column("budget"),
    Column("best setting"),
    RECIPE,
    Column("PSNR", "number", DB),
    Column("next best", group=_LEAD),
    Column("by", "number", DB, sign=True, group=_LEAD),
    Column("95 % interval", "interval", DB, sign=True, group=_LEAD),
    Column("told apart", group=_LEAD),
    *BEHIND,
)


def budgets(study: ToldStudy) -> list[StudyTable]:
    """The advice at a tenth, a quarter, a half and all of what a transfer took."""
    rows: list[tuple[Cell, ...]] = []
    for backbone in dict.fromkeys(row.backbone for row in study.rows.transfers):
        own = [row for row in study.rows.transfers if row.backbone == backbone and row.split == study.split]
        seconds = [row.seconds for row in own if math.isfinite(row.seconds) and row.seconds > 0.0]
        amounts: list[tuple[Unit, Sequence[float]]] = []
        if own:
            amounts.append(("steps", _shares(float(max(row.steps for row in own)), whole=True)))
        if seconds:
            amounts.append(("seconds", _shares(median(seconds), whole=False)))
        for unit, values in amounts:
            rows += [_cells(one) for one in best_for_budget(own, backbone, values, unit, split=study.split)]
    if not rows:
        return []
    note = (
        f"{split_words(study)}{study.so_far('transfer')}PSNR when a fit is stopped at the budget, over all sources and "
        "targets, from the fits' histories; budgets are a tenth, a quarter, a half and all of the longest transfer's "
        "steps, and of the middle one's seconds. Values before a fit's end are of the step's own rows. Seconds are "
        "those of the machines that the study ran on."
    )
    return [StudyTable("budgets", "The best setting for a budget", note, COLUMNS, tuple(rows))]


def _shares(of: float, *, whole: bool) -> list[float]:
    values = [share * of for share in _SHARES]
    return list(dict.fromkeys(max(1.0, float(round(one))) for one in values)) if whole else values


def _cells(found: BudgetAdvice) -> tuple[Cell, ...]:
    lead = found.lead
    steps = words.count(round(found.budget), "step") if found.unit == "steps" else words.duration(found.budget)
    apart = None if lead is None or lead.low is None else "yes" if lead.told_apart else "no"
    second = None
    if found.runner_up is not None:
        second = freeze_words(found.runner_up.setting)
        second += f" ({recipe(found.runner_up.variant)})" if found.runner_up.variant else ""
    return (
        words.backbone_title(found.backbone),
        steps,
        freeze_words(found.best.setting),
        recipe(found.best.variant),
        found.psnr,
        second,
        lead.difference if lead else None,
        interval(lead) if lead else None,
        apart,
        found.images,
        found.seeds,
    )
