"""How well a score of a cohort's layers names the best freeze depth, and what it costs where it does not."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from inrlens.studies.tables.bootstrap import MeanInterval, mean_interval
from inrlens.studies.tables.freeze import FreezeSweep, best
from inrlens.studies.tables.keys import Picture
from inrlens.studies.tables.records import CohortRow, Variant

LAYER_0, LAYER_1, RANDOM = "layer 0", "layer 1", "random"
_FIXED = {LAYER_0: 0, LAYER_1: 1}


@dataclass(frozen=True)
class Prediction:
    """What one predictor says of one configuration: its depth (None: any layer, at random), the best one, and the
    PSNR in dB lost between them; ``right`` is 1 where nothing is lost, for ``random`` the share of such layers."""

    source: str
    target: str | None
    """None where targets were averaged over."""
    backbone: str
    cohort_seed: int | None
    """None where cohorts were averaged over."""
    variant: Variant
    depth: int | None
    best_depth: int
    loss: float
    worst: float
    """The most that can be lost: ``loss`` itself, for ``random`` that of the worst layer."""
    right: float


@dataclass(frozen=True)
class PredictorRecord:
    """How one predictor fared.

    Over ``configurations`` (source, target, backbone, cohort seed and variant): ``right`` of them, a predicted depth
    that loses nothing counting as right; ``low`` and ``high``, the 95 % Clopper-Pearson interval of that share, as if
    configurations were independent; ``loss_mean`` and ``loss_worst``, the PSNR in dB at the best depth less that at the
    predicted one. ``networks_right`` of ``networks`` is the same by (source, backbone, variant), PSNR averaged over
    targets and cohorts, scores over cohorts: the paper's way of counting (Sec. 4.1).

    ``loss_by_image`` is the loss against the configuration's best depth as a mean over pictures with its bootstrap
    interval, ``loss_of_worst`` the same of the configuration with the worst loss alone; ``loss_to_own`` is that against
    each picture's own best depth. ``untried`` counts configurations left out
    because the depth that is named was not run or the score names none. ``random`` is a layer drawn uniformly from
    those that were tried: its numbers are exact expectations, its worst that of the worst layer, and its share has no
    interval. ``seeds`` is the most that a configuration has.
    """

    predictor: str
    right: float
    configurations: int
    low: float | None
    high: float | None
    loss_mean: float | None
    loss_worst: float | None
    networks_right: float
    networks: int
    loss_of_worst: MeanInterval
    loss_by_image: MeanInterval
    loss_to_own: MeanInterval
    untried: int
    seeds: int
    predictions: tuple[Prediction, ...]


def predictor_records(
    sweeps: Iterable[FreezeSweep], cohorts: Iterable[CohortRow], rest: str = "reinit", *, seed: int = 0
) -> tuple[PredictorRecord, ...]:
    """The record of every score of the cohorts, then of ``layer 0``, ``layer 1`` and ``random``, over the sweeps whose
    rest starts as ``rest`` says and that have a picture at every depth."""
    by_key = {cohort.key: cohort for cohort in cohorts}
    used = [one for one in sweeps if one.rest == rest and one.by_image and one.cohort in by_key]
    names = dict.fromkeys(name for one in used for name in by_key[one.cohort].scores)
    return tuple(_record(name, used, by_key, seed) for name in (*names, LAYER_0, LAYER_1, RANDOM))


def argmax(scores: Sequence[float]) -> int | None:
    """The layer with the highest score that is a number, the lowest of equals; None where none is."""
    known = {layer: score for layer, score in enumerate(scores) if not math.isnan(score)}
    return best(known) if known else None


def share_interval(right: int, of: int, level: float = 0.95) -> tuple[float, float] | None:
    """The exact interval of a share (Clopper and Pearson, Biometrika 26, 1934); None of nothing."""
    # Imported here: scipy.stats takes half a second, which only reports should pay.
    from scipy.stats import binomtest

    if of == 0:
        return None
    found = binomtest(right, of).proportion_ci(level, method="exact")
    return float(found.low), float(found.high)


def _named(predictor: str, scores: Mapping[str, Sequence[float]]) -> int | None:
    """The depth that a predictor other than ``random`` names."""
    return _FIXED[predictor] if predictor in _FIXED else argmax(scores.get(predictor, ()))


def _candidates(predictor: str, depths: Iterable[int], scores: Mapping[str, Sequence[float]]) -> tuple[int, ...]:
    """The tried depths that a predictor may name, all with the same probability."""
    tried = tuple(depths)
    if predictor == RANDOM:
        return tried
    return tuple(tau for tau in tried if tau == _named(predictor, scores))


def _predict(
    sweep: FreezeSweep, by_depth: Mapping[int, float], named: Sequence[int], *, over: bool = False
) -> Prediction:
    tau = best(by_depth)
    losses = [by_depth[tau] - by_depth[depth] for depth in named]
    return Prediction(
        source=sweep.source,
        target=None if over else sweep.target,
        backbone=sweep.backbone,
        cohort_seed=None if over else sweep.cohort_seed,
        variant=sweep.variant,
        depth=named[0] if len(named) == 1 else None,
        best_depth=tau,
        loss=fmean(losses),
        worst=max(losses),
        right=fmean(loss == 0.0 for loss in losses),
    )


def _record(
    predictor: str, sweeps: Sequence[FreezeSweep], cohorts: Mapping[str, CohortRow], seed: int
) -> PredictorRecord:
    predictions: list[Prediction] = []
    by_image: dict[Picture, list[float]] = {}
    to_own: dict[Picture, list[float]] = {}
    kept: list[FreezeSweep] = []
    for sweep in sweeps:
        named = _candidates(predictor, sweep.depths, cohorts[sweep.cohort].scores)
        if not named:
            continue
        kept.append(sweep)
        predictions.append(_predict(sweep, sweep.by_depth, named))
        tau = predictions[-1].best_depth
        for image, own in sweep.by_image.items():
            where = Picture(sweep.target, image)
            reached = fmean(own[depth] for depth in named)
            by_image.setdefault(where, []).append(own[tau] - reached)
            to_own.setdefault(where, []).append(max(own.values()) - reached)
    worst = max(zip(predictions, kept, strict=True), key=lambda one: one[0].worst, default=None)
    networks = _networks(predictor, sweeps, cohorts)
    right = math.fsum(one.right for one in predictions)
    share = None if predictor == RANDOM else share_interval(round(right), len(predictions))
    return PredictorRecord(
        predictor=predictor,
        right=right,
        configurations=len(predictions),
        low=share[0] if share else None,
        high=share[1] if share else None,
        loss_mean=fmean(one.loss for one in predictions) if predictions else None,
        loss_worst=max(one.worst for one in predictions) if predictions else None,
        networks_right=math.fsum(one.right for one in networks),
        networks=len(networks),
        loss_of_worst=mean_interval(_worst_losses(*worst) if worst else (), seed=seed),
        loss_by_image=mean_interval([fmean(values) for values in by_image.values()], seed=seed),
        loss_to_own=mean_interval([fmean(values) for values in to_own.values()], seed=seed),
        untried=len(sweeps) - len(kept),
        seeds=max((one.seeds for one in kept), default=0),
        predictions=tuple(predictions),
    )


def _worst_losses(prediction: Prediction, sweep: FreezeSweep) -> list[float]:
    """What each picture of a configuration loses at the depth that is named, or at the worst one for ``random``."""
    by_depth = sweep.by_depth
    depth = min(by_depth, key=by_depth.__getitem__) if prediction.depth is None else prediction.depth
    return [own[prediction.best_depth] - own[depth] for own in sweep.by_image.values()]


def _networks(
    predictor: str, sweeps: Sequence[FreezeSweep], cohorts: Mapping[str, CohortRow]
) -> tuple[Prediction, ...]:
    groups: dict[tuple[str, str, Variant], list[FreezeSweep]] = {}
    for sweep in sweeps:
        groups.setdefault((sweep.source, sweep.backbone, sweep.variant), []).append(sweep)
    found = []
    for group in groups.values():
        shared = sorted(set.intersection(*(set(one.depths) for one in group)))
        scores = _mean_scores(predictor, [cohorts[key] for key in dict.fromkeys(one.cohort for one in group)])
        named = _candidates(predictor, shared, scores)
        if named:
            by_depth = {tau: fmean(one.by_depth[tau] for one in group) for tau in shared}
            found.append(_predict(group[0], by_depth, named, over=True))
    return tuple(found)


def _mean_scores(predictor: str, cohorts: Sequence[CohortRow]) -> dict[str, tuple[float, ...]]:
    known = [cohort.scores[predictor] for cohort in cohorts if predictor in cohort.scores]
    return {predictor: tuple(fmean(layer) for layer in zip(*known, strict=True))} if known else {}
