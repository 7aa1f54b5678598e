"""The short of a study: its findings in a few titled sentences."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from inrlens.reports import words
from inrlens.reports.published import TAU_STAR
from inrlens.reports.study.tables.common import best_depth
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.advice import best_for_budget
from inrlens.studies.tables.factors import decided_by
from inrlens.studies.tables.freeze import FreezeSweep
from inrlens.studies.tables.predictors import LAYER_0, LAYER_1, RANDOM, PredictorRecord
from inrlens.studies.tables.records import Variant
from inrlens.studies.tables.sentences import (
    advice_sentence,
    factors_sentence,
    freeze_sentence,
    frozen_against_none,
    predictor_sentence,
)

_WEIGHTS = "sr(W)"


def brief(study: ToldStudy) -> list[tuple[str, str]]:
    """A title and sentences for everything that the study has an answer to so far."""
    backbones = list(dict.fromkeys(row.backbone for row in study.rows.transfers))
    found = [(f"Freezing {words.backbone_title(one)}", _freezing(study, one)) for one in backbones]
    found.append(("Best setting", " ".join(_advice(study, one) for one in backbones)))
    found.append(("Predicted depth", _predicted(study)))
    for one in backbones:
        factors = decided_by(study.rows.transfers, one, split=study.split)
        found.append((f"What decides {words.backbone_title(one)}", factors_sentence(one, factors)))
    return [(title, text.strip()) for title, text in found if text.strip()]


def _freezing(study: ToldStudy, backbone: str) -> str:
    """The best depth against no freeze, for each start of the rest; of several recipes the best one."""
    parts = []
    for rest in ("reinit", "warm"):
        groups: dict[Variant, list[FreezeSweep]] = {}
        for one in study.sweeps:
            if one.backbone == backbone and one.rest == rest and one.by_image:
                groups.setdefault(one.variant, []).append(one)
        depths = {variant: tau for variant, own in groups.items() if (tau := best_depth(own)) is not None}
        if not depths:
            continue
        variant = max(depths, key=lambda one: fmean(sweep.by_depth[depths[one]] for sweep in groups[one]))
        against = frozen_against_none(study.rows.transfers, backbone, rest, depths[variant], variant, study.split)
        note = "its best depth here" + (f", its best of {len(depths)} recipes" if len(depths) > 1 else "")
        theirs = _published_gain(study, backbone, groups[variant]) if rest == "reinit" else None
        parts.append(freeze_sentence(replace(against, note=note), theirs))
    return " ".join(parts)


def _published_gain(study: ToldStudy, backbone: str, sweeps: Sequence[FreezeSweep]) -> float | None:
    """The paper's mean gain at its own tau* over the same pairs; None where it lacks any of them."""
    star = TAU_STAR.get(study.registered(backbone))
    gains = []
    for source, target in dict.fromkeys((one.source, one.target) for one in sweeps):
        frozen, unfrozen = (study.published(source, target, backbone, tau) for tau in (star, None))
        if star is None or frozen is None or unfrozen is None:
            return None
        gains.append(frozen.psnr_mean - unfrozen.psnr_mean)
    return fmean(gains) if gains else None


def _advice(study: ToldStudy, backbone: str) -> str:
    own = [row for row in study.rows.transfers if row.backbone == backbone and row.split == study.split]
    if not own:
        return ""
    found = best_for_budget(own, backbone, [float(max(row.steps for row in own))], split=study.split)
    return " ".join(advice_sentence(one) for one in found)


def _predicted(study: ToldStudy) -> str:
    """sr(W), the other score that loses least, and a layer at random; all of them stand in the table."""
    records = study.records.get("reinit", ())
    by_name = {one.predictor: one for one in records}
    others = [one for one in records if one.predictor not in (_WEIGHTS, LAYER_0, LAYER_1, RANDOM)]
    chosen: list[PredictorRecord] = [by_name[_WEIGHTS]] if _WEIGHTS in by_name else []
    known = [one for one in others if one.loss_mean is not None]
    if known:
        chosen.append(min(known, key=lambda one: one.loss_mean or 0.0))
    chosen += [by_name[RANDOM]] if RANDOM in by_name else []
    return " ".join(predictor_sentence(one) for one in chosen)
