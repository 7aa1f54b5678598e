"""The cut of a study that fits a time, and what it costs in statistical power."""

import math
from collections.abc import Iterator, Mapping, Set as AbstractSet
from dataclasses import dataclass, replace

from inrlens.errors import InputError
from inrlens.studies.cells.cell import Cell
from inrlens.studies.cells.plan import StudyPlan
from inrlens.studies.config.model import StudySpec
from inrlens.studies.price.benchmarks import class_of
from inrlens.studies.price.calibrate import Calibration
from inrlens.studies.price.changes import Change, apply_changes
from inrlens.studies.price.format import duration
from inrlens.studies.price.power import ASSUMED, PairedSpread, Power, power_of
from inrlens.studies.price.reduce import Cut, Cuttable, scaled
from inrlens.studies.price.schedule import schedule

FEWEST_IMAGES = 8
"""Below this a paired comparison is hardly one: everything else is cut first."""
_SCALES = (1.0, 0.75, 0.5, 0.375, 0.25)
_SMALLEST_SIDE = 32
_STEPS = (1.0, 0.5, 0.25)


@dataclass(frozen=True)
class Proposal:
    """A cut that fits, or, with ``fits`` False, the smallest study there is to propose.

    ``seconds_before`` and ``seconds`` are the study's time on the calibration's workers without and with the cut;
    ``before`` and ``after`` what it can tell; ``spread`` what that rests on; ``sentence`` says it in words.
    """

    changes: tuple[Change, ...]
    fits: bool
    seconds_before: float
    seconds: float
    before: Power
    after: Power
    spread: PairedSpread
    sentence: str


def apply_cut(spec: StudySpec, proposal: Proposal) -> StudySpec:
    """The study with the proposal's changes made."""
    return apply_changes(spec, proposal.changes)


def propose_cut(
    plan: StudyPlan,
    calibration: Calibration,
    budget_seconds: float,
    *,
    spread: PairedSpread = ASSUMED,
    done: AbstractSet[str] = frozenset(),
) -> Proposal:
    """The smallest cut that brings a study under a time on the calibration's workers.

    Images and seeds are cut first, to the pair that leaves the smallest detectable difference, with two seeds as long
    as that does (so that their spread is still seen) and no fewer than ``FEWEST_IMAGES`` images; then the resolution,
    a step at a time with images and seeds as full as the time allows; then the dictionaries' sweep, then steps, each
    again from the full resolution; fewer images than that come last. ``done`` cells cost nothing as long as resolution
    and steps, and with them their keys, stay.

    Raises:
        InputError: where the time is not positive.
    """
    if not budget_seconds > 0.0:
        raise InputError(f"a budget needs a positive number of seconds, not {budget_seconds:g}.")
    search = _Search(Cuttable(plan), calibration, spread, done)
    whole = Cut()
    before = search.seconds(whole)
    cut: Cut | None = whole
    if before > budget_seconds:
        cut = search.first_fit(budget_seconds)
    chosen = search.smallest() if cut is None else cut
    seconds = search.seconds(chosen)
    power = search.power(whole), search.power(chosen)
    sentence = _sentence(cut, chosen, before, seconds, budget_seconds, *power)
    return Proposal(search.study.changes(chosen), cut is not None, before, seconds, *power, spread, sentence)


class _Search:
    """Times of cuts of one plan, each level of resolution and steps counted once."""

    def __init__(self, study: Cuttable, calibration: Calibration, spread: PairedSpread, done: AbstractSet[str]) -> None:
        self.study, self._calibration, self._spread, self._done = study, calibration, spread, done
        spec = study.plan.spec
        self._seeds, self._cohort_seeds = len(spec.seeds), len(spec.cohort_seeds)
        self._most_images = max((len(own) for own in study.image_numbers.values()), default=0)
        self._levels: dict[tuple[float, float], Mapping[str, float]] = {}
        self._known: dict[Cut, float] = {}
        self._left: dict[Cut, Mapping[str, Cell]] = {}
        cells = study.cells
        self._rates = {key: calibration.rate(class_of(cells[key], cells)) for key in set(study.alike.values())}

    def seconds(self, cut: Cut) -> float:
        """Time of what a cut leaves."""
        if cut not in self._known:
            costs = self._costs(cut)
            kept = self._kept(cut)
            self._known[cut] = schedule(kept.items(), costs, self._calibration.workers).seconds
        return self._known[cut]

    def power(self, cut: Cut) -> Power:
        """What a cut leaves to tell."""
        return power_of(
            self._spread,
            self.study.images(cut),
            cut.seeds or self._seeds,
            cut.cohort_seeds or self._cohort_seeds,
        )

    def first_fit(self, budget: float) -> Cut | None:
        """The first level at which some number of images and seeds fits."""
        if not self._fits(self.smallest(), budget):
            return None
        for fewest in (FEWEST_IMAGES, 1):
            for level in self._cuts_beside_images():
                for fewest_seeds in dict.fromkeys((min(2, self._seeds), 1)):
                    found = self._most_telling(level, fewest, fewest_seeds, budget)
                    if found is not None:
                        return found
        return None

    def smallest(self) -> Cut:
        """The last cut of all."""
        *_, level = self._cuts_beside_images()
        return replace(level, images=1 if self._most_images else None, seeds=1, cohort_seeds=1)

    def _cuts_beside_images(self) -> Iterator[Cut]:
        smallest = min((min(size) for size in self.study.sizes.values()), default=0)
        scales = [
            scale for scale in _SCALES if scale == 1.0 or scaled((smallest, smallest), scale)[0] >= _SMALLEST_SIDE
        ]
        has_sweep = bool(self.study.changes(Cut(sweep=True)))
        for steps in _STEPS:
            for sweep in dict.fromkeys((steps != 1.0 and has_sweep, has_sweep)):
                for scale in scales:
                    yield Cut(scale=scale, steps=steps, sweep=sweep)

    def _most_telling(self, level: Cut, fewest: int, fewest_seeds: int, budget: float) -> Cut | None:
        """Of all numbers of images and seeds that fit, those with the smallest detectable difference; at equal ones
        the most seeds."""
        best: tuple[float, int, int] | None = None
        found = None
        for seeds in range(self._seeds, fewest_seeds - 1, -1):
            for cohort_seeds in range(self._cohort_seeds, 0, -1):
                cut = self._most_images_at(replace(level, seeds=seeds, cohort_seeds=cohort_seeds), fewest, budget)
                if cut is None:
                    continue
                rank = (self.power(cut).detectable_db, -seeds, -cohort_seeds)
                if best is None or rank < best:
                    best, found = rank, cut
        return found

    def _most_images_at(self, level: Cut, fewest: int, budget: float) -> Cut | None:
        if self._fits(level, budget):
            return level
        low, high = min(fewest, self._most_images), self._most_images
        if low == 0 or not self._fits(replace(level, images=low), budget):
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._fits(replace(level, images=middle), budget) else (low, middle)
        return replace(level, images=low)

    def _fits(self, cut: Cut, budget: float) -> bool:
        if cut in self._known:
            return self._known[cut] <= budget
        costs = self._costs(cut)
        work = math.fsum(costs.get(key, 0.0) for key in self._kept(cut))
        # No schedule ends before its work is done: most cuts need no simulation.
        return work / self._calibration.workers <= budget and self.seconds(cut) <= budget

    def _kept(self, cut: Cut) -> Mapping[str, Cell]:
        """Which cells stay is the same at every resolution and number of steps."""
        cut = replace(cut, scale=1.0, steps=1.0)
        if cut not in self._left:
            self._left[cut] = self.study.kept(cut)
        return self._left[cut]

    def _costs(self, cut: Cut) -> Mapping[str, float]:
        level = (cut.scale, cut.steps)
        if level not in self._levels:
            counted = self.study.operations(cut)
            if level == (1.0, 1.0):
                counted = {key: count for key, count in counted.items() if key not in self._done}
            self._levels[level] = {key: count / self._rates[self.study.alike[key]] for key, count in counted.items()}
        return self._levels[level]


def _sentence(
    cut: Cut | None, chosen: Cut, before: float, seconds: float, budget: float, full: Power, left: Power
) -> str:
    if cut == Cut():
        return f"the study takes {duration(before)}, within {duration(budget)}: nothing need be cut."
    if cut is None:
        least = ["one picture a target with one seed"] if chosen.images else ["one seed"]
        least += [f"{chosen.scale:g} of the resolution"] if chosen.scale != 1.0 else []
        least += [f"{chosen.steps:g} of the steps"] if chosen.steps != 1.0 else []
        return (
            f"nothing fits {duration(budget)}: even {', '.join(least)} takes {duration(seconds)}; give more time or "
            "workers, or ask fewer questions."
        )
    said = f"the cut brings {duration(before)} to {duration(seconds)}"
    if not left.images:
        return f"{said}."
    return (
        f"{said}; the smallest difference that a paired comparison by image tells from 0 (power 0.8, 5 % two-sided) "
        f"goes from {_db(full.detectable_db)} to {_db(left.detectable_db)}."
    )


def _db(value: float) -> str:
    return f"{value:.2f} dB" if math.isfinite(value) else "none (one image)"
