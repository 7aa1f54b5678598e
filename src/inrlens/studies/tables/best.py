"""The recipe that a search on the validation split found best."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from inrlens.errors import InputError
from inrlens.studies.tables.keys import FitRow, picture, run, setting, source
from inrlens.studies.tables.paired import PairedComparison, paired
from inrlens.studies.tables.phrases import variant_words
from inrlens.studies.tables.records import StudyRows, Variant
from inrlens.studies.tables.spread import Spread, spread

SearchedTask = Literal["single", "transfer"]


@dataclass(frozen=True)
class Candidate:
    """One variant of the search and the PSNR in dB that it came to."""

    variant: Variant
    psnr: Spread


@dataclass(frozen=True)
class BestRecipe:
    """The best variant of one backbone's recipe on the validation split.

    ``mean`` is in dB over pictures, ``over_images`` and ``over_seeds`` its spread. ``runner_up`` is the next best
    variant and ``lead`` the paired comparison with it, whose difference is ``margin``; all None where nothing was
    varied. ``curve`` holds every candidate in the study's order: what a reader judges the choice by.
    """

    backbone: str
    task: SearchedTask
    variant: Variant
    mean: float
    over_images: float | None
    over_seeds: float | None
    images: int
    seeds: int
    runner_up: Variant | None
    margin: float | None
    lead: PairedComparison | None
    curve: tuple[Candidate, ...]


def best_recipes(rows: StudyRows, *, seed: int = 0) -> list[BestRecipe]:
    """The best variant of every backbone's single and transfer recipes, by mean PSNR on the validation split.

    A transfer's variant is judged by the mean over all settings that reuse a cohort and that the split was run with;
    it names the cohort's axes too. A variant with a PSNR that is not finite comes last; of equals the first by name
    is taken.

    Raises:
        InputError: where nothing was fitted on a validation split, where a variant lacks fits that another has, so
            that the search is unequal, or where no variant has a finite PSNR.
    """
    searches: dict[tuple[str, SearchedTask], dict[Variant, list[FitRow]]] = {}
    for row in rows.singles:
        if row.split == "validation":
            searches.setdefault((row.backbone, "single"), {}).setdefault(row.variant, []).append(row)
    for one in rows.transfers:
        if one.split == "validation" and one.source is not None:
            searches.setdefault((one.backbone, "transfer"), {}).setdefault(one.variant, []).append(one)
    if not searches:
        raise InputError(
            "the study has no finished fit on a validation split, so no recipe can be chosen: give its data sets "
            'validation pictures and its singles or transfers split = "validation", and run it.'
        )
    return [_best(backbone, task, found, seed) for (backbone, task), found in searches.items()]


def _best(backbone: str, task: SearchedTask, found: Mapping[Variant, list[FitRow]], seed: int) -> BestRecipe:
    _ensure_equal(backbone, task, found)
    curve = tuple(Candidate(variant, spread(rows)) for variant, rows in found.items())
    order = sorted(curve, key=_rank)
    first = order[0]
    if first.psnr.mean is None:
        raise InputError(
            f"no variant of {backbone}'s {task} recipe has a finite PSNR on the validation split: "
            "give its axes other values."
        )
    second = order[1] if len(order) > 1 else None
    lead = paired(found[first.variant], found[second.variant], seed=seed) if second is not None else None
    return BestRecipe(
        backbone=backbone,
        task=task,
        variant=first.variant,
        mean=first.psnr.mean,
        over_images=first.psnr.over_images,
        over_seeds=first.psnr.over_seeds,
        images=first.psnr.images,
        seeds=first.psnr.seeds,
        runner_up=second.variant if second is not None else None,
        margin=lead.difference if lead is not None else None,
        lead=lead,
        curve=curve,
    )


def _rank(candidate: Candidate) -> tuple[bool, float, str]:
    psnr = candidate.psnr
    broken = psnr.mean is None or psnr.infinite + psnr.not_a_number > 0
    return broken, -(psnr.mean or 0.0), variant_words(candidate.variant)


def _ensure_equal(backbone: str, task: SearchedTask, found: Mapping[Variant, Iterable[FitRow]]) -> None:
    fits: dict[Variant, set[Hashable]] = {
        variant: {(picture(row), source(row), run(row), setting(row)) for row in rows}
        for variant, rows in found.items()
    }
    asked = set().union(*fits.values())
    for variant, own in fits.items():
        if own != asked:
            raise InputError(
                f"the search for {backbone}'s {task} recipe is unequal: {variant_words(variant)} has {len(own)} of "
                f"{len(asked)} validation fits; run the study to its end and retry what failed."
            )
