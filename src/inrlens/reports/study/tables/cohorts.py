"""The cohorts: how well they fit, and the scores of their layers."""

from collections.abc import Iterable
from statistics import fmean

from inrlens.reports import words
from inrlens.reports.study.table import Cell, Column, PlusMinus, StudyTable
from inrlens.reports.study.tables.common import BACKBONE, DB, RECIPE, SOURCE, recipe
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.predictors import argmax
from inrlens.studies.tables.records import CohortRow, Variant

_FITS = (
    SOURCE,
    BACKBONE,
    RECIPE,
    Column("seed", "count"),
    Column("pictures", "count"),
    Column("PSNR", "spread", DB),
    Column("steps", "count"),
    Column("time", "number", "s", 1),
    Column("ended"),
)


def cohorts(study: ToldStudy) -> list[StudyTable]:
    """How every cohort came out, and its layers' scores as means over seeds."""
    rows = study.rows.cohorts
    if not rows:
        return []
    note = (
        f"{study.so_far('cohort')}PSNR: mean over the cohort's pictures \N{PLUS-MINUS SIGN} their standard deviation, "
        "after the last step on the whole grid."
    )
    fits = StudyTable("cohorts", "The cohorts", note, _FITS, tuple(_fit(row) for row in rows))
    return [fits, *_scores(study, rows)]


def _fit(row: CohortRow) -> tuple[Cell, ...]:
    n = len(row.psnrs)
    sd = (sum((one - fmean(row.psnrs)) ** 2 for one in row.psnrs) / (n - 1)) ** 0.5 if n > 1 else None
    return (
        row.source,
        words.backbone_title(row.backbone),
        recipe(row.variant),
        row.seed,
        n,
        PlusMinus(row.psnr, sd),
        row.steps,
        row.seconds,
        row.outcome,
    )


def _scores(study: ToldStudy, rows: Iterable[CohortRow]) -> list[StudyTable]:
    groups: dict[tuple[str, str, Variant], list[CohortRow]] = {}
    for row in rows:
        groups.setdefault((row.source, row.backbone, row.variant), []).append(row)
    depth = max((len(layers) for row in study.rows.cohorts for layers in row.scores.values()), default=0)
    lines: list[tuple[Cell, ...]] = []
    for (source, backbone, variant), own in groups.items():
        for name in own[0].scores:
            known = [row.scores[name] for row in own if name in row.scores]
            means = tuple(fmean(layer) for layer in zip(*known, strict=True))
            layers = (*means, *(None,) * (depth - len(means)))
            top = argmax(means)
            lines.append((source, words.backbone_title(backbone), recipe(variant), name, *layers, top, len(known)))
    if not lines:
        return []
    columns = (
        SOURCE,
        BACKBONE,
        RECIPE,
        Column("score"),
        *(Column(f"layer {layer}", "number") for layer in range(depth)),
        Column("highest at layer", "count"),
        Column("seeds", "count"),
    )
    note = (
        f"{study.so_far('cohort')}Of the trained cohort, mean over seeds. sr: stable rank, squared Frobenius norm over "
        "squared largest singular value; W: weights; H: activations after the nonlinearity (post), with each unit's "
        "mean removed (post_centred), or before the nonlinearity (pre)."
    )
    return [StudyTable("scores", "Scores of the cohorts' layers", note, columns, tuple(lines), detail=len(lines) > 24)]
