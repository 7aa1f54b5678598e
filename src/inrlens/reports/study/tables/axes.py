"""What decides PSNR: the main effects of settings, data and a recipe's axes, and a search's candidates."""

from typing import Any

from inrlens.errors import InputError
from inrlens.reports import words
from inrlens.reports.study.table import Cell, Column, StudyTable
from inrlens.reports.study.tables.common import BACKBONE, BEHIND, DB, RECIPE, freeze_words, recipe, spread_cell
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.best import best_recipes
from inrlens.studies.tables.factors import decided_by

_EFFECT = (
    BACKBONE,
    Column("choice"),
    Column("value"),
    Column("mean PSNR", "number", DB),
    Column("from its worst to its best", "number", DB),
    Column("standard deviation of the means", "number", DB),
    Column("strata", "count"),
    *BEHIND,
)
_SEARCH = (
    BACKBONE,
    Column("fit"),
    RECIPE,
    Column("PSNR", "spread", DB),
    Column("sd over seeds", "number", DB),
    Column("chosen"),
    *BEHIND,
)


def effects(study: ToldStudy) -> list[StudyTable]:
    """What moves the mean PSNR most, a table a split, the widest choice first."""
    tables = []
    for split in study.splits:
        rows: list[tuple[Cell, ...]] = []
        for backbone in dict.fromkeys(row.backbone for row in study.rows.transfers):
            for factor in decided_by(study.rows.transfers, backbone, split=split):
                for first, level in zip([True] + [False] * len(factor.levels), factor.levels, strict=False):
                    whole = (factor.range, factor.deviation, factor.strata, factor.images, factor.seeds)
                    rows.append(
                        (
                            words.backbone_title(backbone),
                            factor.name,
                            _level(factor.name, level.value),
                            level.mean,
                            *(whole if first else (None,) * len(whole)),
                        )
                    )
        if rows:
            tables.append(_effects(study, split, rows))
    return tables


def _level(name: str, value: Any) -> str:
    return freeze_words(str(value)) if name == "setting" else f"{value:g}" if isinstance(value, float) else str(value)


def _effects(study: ToldStudy, split: str, rows: list[tuple[Cell, ...]]) -> StudyTable:
    note = (
        f"{study.so_far('transfer')}The mean at each value of a choice, over the combinations of all others (strata) "
        "in which every value was run, each counted once; the range is the highest of these means less the lowest. "
        "Fits from scratch are left out, since they have no cohort."
    )
    main = split == study.split
    return StudyTable(
        "effects" if main else f"effects-{split}",
        "What decides PSNR" + ("" if split == "test" else f", on {split} pictures"),
        note,
        _EFFECT,
        tuple(rows),
        detail=len(rows) > 24,
    )


def search(study: ToldStudy) -> list[StudyTable]:
    """Every candidate of a search on validation pictures; none while the search is not complete."""
    try:
        found = best_recipes(study.rows)
    except InputError:
        return []
    rows: list[tuple[Cell, ...]] = []
    for best in found:
        for candidate in best.curve if len(best.curve) > 1 else ():
            psnr = candidate.psnr
            rows.append(
                (
                    words.backbone_title(best.backbone),
                    best.task,
                    recipe(candidate.variant),
                    spread_cell(psnr),
                    psnr.over_seeds,
                    "best" if candidate.variant == best.variant else None,
                    psnr.images,
                    psnr.seeds,
                )
            )
    note = (
        "Mean over validation pictures \N{PLUS-MINUS SIGN} standard deviation over pictures; a transfer's recipe is "
        "judged over all settings that reuse a cohort. Every candidate had the same pictures, seeds and steps."
    )
    return [StudyTable("search", "The search for a recipe", note, _SEARCH, tuple(rows))] if rows else []
