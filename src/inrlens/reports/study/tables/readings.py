"""Which reading of the paper comes nearest: every variant of a cohort beside the published ranks and PSNRs, ranked."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from inrlens.reports import words
from inrlens.reports.published import PAPER
from inrlens.reports.study.table import Cell, Column, StudyTable
from inrlens.reports.study.tables.common import BACKBONE, DB, RECIPE, SOURCE, recipe
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.predictors import argmax
from inrlens.studies.tables.records import CohortRow, TransferRow, Variant

WEIGHTS = "sr(W)"
ACTIVATIONS = ("sr(H) post", "sr(H) post_centred", "sr(H) pre")
_LN, _PSNR = "distance in ln", "PSNR by tau"
COLUMNS = (
    SOURCE,
    BACKBONE,
    Column("reading"),
    RECIPE,
    Column(WEIGHTS, "number", _LN, 2),
    *(Column(name, "number", _LN, 2) for name in ACTIVATIONS),
    Column("argmax sr(W)"),
    Column("RMS", "number", DB, 1, group=_PSNR),
    Column("within 1 sd", "count", group=_PSNR),
    Column("compared", "count", group=_PSNR),
    Column("pictures", "count"),
    Column("cohort seeds", "count"),
)
_NONE = math.inf


@dataclass(frozen=True)
class Reading:
    """One variant of a cohort beside the paper.

    ``distance`` by score: the root mean square over layers of ``ln(measured / published)``, the measured one a mean
    over cohort seeds. ``top`` is the measured argmax of sr(W) and ``their_top`` the published one. ``psnr_rms`` in dB
    is that over settings (nothing frozen; layers 0..tau frozen, the rest reinitialised) of the measured mean over
    pictures less the published one, ``within`` of ``compared`` of which lie within one published standard deviation.
    """

    source: str
    backbone: str
    variant: Variant
    distance: Mapping[str, float]
    top: int | None
    their_top: int | None
    psnr_rms: float | None
    within: int
    compared: int
    pictures: int
    seeds: int

    @property
    def nearness(self) -> float:
        """What readings are ranked by, the least first: sr(W)'s distance and the least of sr(H)'s, averaged."""
        return (self.distance[WEIGHTS] + min(self.distance[name] for name in ACTIVATIONS)) / 2.0


def found_readings(study: ToldStudy) -> list[Reading]:
    """Every variant whose cohort the paper has ranks of, by data and registered backbone, the nearest first."""
    groups: dict[tuple[str, str, Variant], list[CohortRow]] = {}
    for row in study.rows.cohorts:
        groups.setdefault((row.source, row.backbone, row.variant), []).append(row)
    found = [one for where, rows in groups.items() if (one := _reading(study, *where, rows)) is not None]
    order = list(dict.fromkeys(_of(study, one) for one in found))
    return sorted(found, key=lambda one: (order.index(_of(study, one)), one.nearness))


def _of(study: ToldStudy, one: Reading) -> tuple[str, str]:
    """What readings are alternatives of: a cohort's data and the registered backbone."""
    return one.source, study.registered(one.backbone)


def readings(study: ToldStudy) -> list[StudyTable]:
    """The ranked table, where the study has two readings or more of a cohort; else there is nothing to rank."""
    found = found_readings(study)
    kinds = [_of(study, one) for one in found]
    if not any(kinds.count(kind) > 1 for kind in kinds):
        return []
    note = (
        f"{study.so_far('cohort', 'transfer')}Each line is one way to read {PAPER}, nearest first: by the mean of the "
        "distance of sr(W) and the least of sr(H)'s. Distance: root mean square over layers of ln(measured / "
        "published), 0.1 being some 10 %. PSNR: nothing frozen, and layers 0 to \N{GREEK SMALL LETTER TAU} frozen with "
        "the rest reinitialised; within 1 sd counts the settings whose mean lies within one published standard "
        "deviation."
    )
    return [
        StudyTable(
            "readings", "Readings of the paper, ranked", note, COLUMNS, tuple(_cells(study, one) for one in found)
        )
    ]


def _reading(
    study: ToldStudy, source: str, backbone: str, variant: Variant, rows: Sequence[CohortRow]
) -> Reading | None:
    measured = {name: _layers(rows, name) for name in (WEIGHTS, *ACTIVATIONS)}
    theirs = [study.published(source, source, backbone, tau) for tau in range(len(measured[WEIGHTS]))]
    weights = [None if one is None else one.sr_w for one in theirs]
    activations = [None if one is None else one.sr_h for one in theirs]
    if None in weights or None in activations:
        return None
    distance = {
        name: ln_rms(measured[name], weights if name == WEIGHTS else activations)  # type: ignore[arg-type]
        for name in measured
    }
    off, within, pictures = _psnrs(study, source, backbone, variant)
    return Reading(
        source=source,
        backbone=backbone,
        variant=variant,
        distance=distance,
        top=argmax(measured[WEIGHTS]),
        their_top=argmax(tuple(weights)),  # type: ignore[arg-type]
        psnr_rms=math.sqrt(fmean(one * one for one in off)) if off else None,
        within=within,
        compared=len(off),
        pictures=pictures,
        seeds=len({row.seed for row in rows}),
    )


def _layers(rows: Sequence[CohortRow], name: str) -> tuple[float, ...]:
    """A score of every layer, mean over seeds."""
    return tuple(fmean(layer) for layer in zip(*(row.scores[name] for row in rows), strict=True))


def ln_rms(measured: Sequence[float], published: Sequence[float]) -> float:
    """The root mean square of ``ln(measured / published)``; infinite where a measured number is not positive."""
    if not all(value > 0.0 for value in measured):
        return _NONE
    return math.sqrt(fmean(math.log(ours / theirs) ** 2 for ours, theirs in zip(measured, published, strict=True)))


def _psnrs(study: ToldStudy, source: str, backbone: str, variant: Variant) -> tuple[list[float], int, int]:
    """Measured less published PSNR by setting, how many lie within one published deviation, and the pictures."""
    settings: dict[tuple[str, int | None], list[TransferRow]] = {}
    for row in study.rows.transfers:
        if (row.source, row.backbone, row.variant, row.split) != (source, backbone, variant, study.split):
            continue
        if study.published_for(row) is not None:
            settings.setdefault((row.target, row.freeze), []).append(row)
    off, within = [], 0
    for rows in settings.values():
        theirs = study.published_for(rows[0])
        assert theirs is not None
        off.append(fmean(row.psnr for row in rows) - theirs.psnr_mean)
        within += abs(off[-1]) <= theirs.psnr_std
    return off, within, len({row.image for rows in settings.values() for row in rows})


def _cells(study: ToldStudy, one: Reading) -> tuple[Cell, ...]:
    same = "as published" if one.top == one.their_top else f"{one.top}, published {one.their_top}"
    return (
        one.source,
        words.backbone_title(study.registered(one.backbone)),
        one.backbone,
        recipe(one.variant),
        *(one.distance[name] if one.distance[name] < _NONE else None for name in (WEIGHTS, *ACTIVATIONS)),
        same,
        one.psnr_rms,
        one.within,
        one.compared,
        one.pictures,
        one.seeds,
    )
