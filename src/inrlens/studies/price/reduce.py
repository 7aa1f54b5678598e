"""A smaller study: what is cut, which cells are left of a plan, what they cost, and what changes in the file."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from inrlens.fitting.recipes import Task
from inrlens.studies.cells.cell import Cell
from inrlens.studies.cells.plan import StudyPlan
from inrlens.studies.config.model import DictionarySpec, StudySpec
from inrlens.studies.price.changes import Change
from inrlens.studies.price.operations import cell_operations

Size = tuple[int, int]
_TASKS: tuple[Task, ...] = ("cohort", "transfer", "single")
_OF_NO_COST = ("signals", "seed", "cohort", "network", "dictionary")
"""Settings that name what a cell works on; what of it decides the cost is looked up."""
_WHY_IMAGES = "fewer pictures cost power in proportion to the square root of their number"
_WHY_SEEDS = "seeds only average what differs from seed to seed on one picture, which is less than pictures differ"
_WHY_SIZE = "rows go with the square of the side; numbers are no longer those of the full resolution"
_WHY_SWEEP = "one size and sparsity instead of a sweep: the questions about sizes are dropped"
_WHY_STEPS = "fewer steps: fits end below what the recipe reaches"


@dataclass(frozen=True)
class Cut:
    """``images`` a target at most, the first ``seeds`` and ``cohort_seeds`` (None: all), sides times ``scale``, steps
    times ``steps``, and ``sweep``: one dictionary a layer instead of all sizes, sparsities and seeds."""

    images: int | None = None
    seeds: int | None = None
    cohort_seeds: int | None = None
    scale: float = 1.0
    steps: float = 1.0
    sweep: bool = False


@dataclass(frozen=True, eq=False)
class Cuttable:
    """A plan with what cutting it needs to know of it."""

    plan: StudyPlan

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """The plan's cells by key, in its order; a cell of several places under the first of them."""
        return self.plan.by_key()

    @cached_property
    def image_numbers(self) -> dict[tuple[str, str], dict[str, int]]:
        """By data set and split, the number of each picture in their order, among transfers and single fits."""
        found: dict[tuple[str, str], dict[str, int]] = {}
        for cell in self.plan.cells:
            if (where := _picture_of(cell)) is not None:
                numbers = found.setdefault(where[:2], {})
                numbers.setdefault(where[2], len(numbers))
        return found

    @cached_property
    def sizes(self) -> dict[str, Size]:
        """The commonest size of each data set's pictures that are images."""
        shapes = Counter(
            (picture.data, (picture.shape[0], picture.shape[1]))
            for cell in self.plan.cells
            for picture in cell.signals
            if len(picture.shape) == 2
        )
        found: dict[str, Size] = {}
        for (data, size), _ in sorted(shapes.items(), key=lambda item: (-item[1], item[0])):
            found.setdefault(data, size)
        return found

    def images(self, cut: Cut) -> dict[str, int]:
        """Pictures a target that a cut leaves: of transfers, of single fits where there are none; those that measure
        where there are any."""
        for kind, key in (("transfer", "target"), ("single", "data")):
            for split in ("test", "validation"):
                found = dict.fromkeys(
                    str(cell.place[key])
                    for cell in self.plan.cells
                    if cell.kind == kind and cell.place["split"] == split
                )
                if found:
                    return {data: _least(len(self.image_numbers[data, split]), cut.images) for data in found}
        return {}

    @cached_property
    def alike(self) -> dict[str, str]:
        """For every cell the first one that costs the same at every cut: of thousands of transfers few differ."""
        first: dict[tuple[Any, ...], str] = {}
        found: dict[str, str] = {}
        for key, cell in self.cells.items():
            numbers = {name: value for name, value in cell.settings.items() if name not in _OF_NO_COST}
            who = (
                cell.place.get("backbone"),
                json.dumps(numbers, sort_keys=True),
                tuple(found.get(need) for need in cell.needs),
                tuple((picture.data, picture.shape, picture.channels) for picture in cell.signals),
            )
            found[key] = first.setdefault(who, key)
        return found

    def operations(self, cut: Cut) -> dict[str, float]:
        """Operations of every cell of the plan, under its old key, at a cut's resolution and steps."""
        sizes = {data: scaled(size, cut.scale) for data, size in self.sizes.items()}
        fixed = _fixed_steps(self.plan.spec)
        # Which network a cell looks into is found in the cells as they were: neither resolution nor steps change it.
        counted = {
            key: cell_operations(_resized(self.cells[key], cut, sizes, fixed), self.cells)
            for key in dict.fromkeys(self.alike.values())
        }
        return {key: counted[like] for key, like in self.alike.items()}

    def kept(self, cut: Cut) -> dict[str, Cell]:
        """The plan's cells that a cut leaves, with all that they need."""
        spec = self.plan.spec
        groups = [swept(group) for group in spec.dictionaries] if cut.sweep else spec.dictionaries
        seeds, cohort_seeds = spec.seeds[: cut.seeds], spec.cohort_seeds[: cut.cohort_seeds]
        kept = {cell.key for cell in self.plan.cells if self._stays(cell, cut, seeds, cohort_seeds, groups)}
        for key, cell in reversed(self.cells.items()):
            if key in kept:
                kept.update(need for need in cell.needs if need in self.cells)
        return {key: cell for key, cell in self.cells.items() if key in kept}

    def _stays(
        self,
        cell: Cell,
        cut: Cut,
        seeds: Sequence[int],
        cohort_seeds: Sequence[int],
        groups: Sequence[DictionarySpec],
    ) -> bool:
        place = cell.place
        if cell.kind == "cohort":
            return place["seed"] in cohort_seeds
        if cell.kind in ("dictionary", "analysis"):
            return any(_belongs(place, group) for group in groups)
        if place["seed"] not in seeds:
            return False
        if place.get("cohort_seed") is not None and place["cohort_seed"] not in cohort_seeds:
            return False
        where = _picture_of(cell)
        return cut.images is None or where is None or self.image_numbers[where[:2]][where[2]] < cut.images

    def changes(self, cut: Cut) -> tuple[Change, ...]:
        """What a cut changes in the study's file."""
        spec = self.plan.spec
        found = [*self._image_changes(cut.images)]
        for name, count in (("seeds", cut.seeds), ("cohort_seeds", cut.cohort_seeds)):
            before = getattr(spec, name)
            if count is not None and count < len(before):
                found.append(Change(name, before, before[:count], _WHY_SEEDS))
        if cut.scale != 1.0:
            for data in spec.data:
                if data.name in self.sizes:
                    after = scaled(self.sizes[data.name], cut.scale)
                    found.append(Change(f"data.{data.name}.size", data.size, after, _WHY_SIZE))
        if cut.sweep:
            for number, group in enumerate(spec.dictionaries):
                for name in ("n_atoms", "k", "seeds"):
                    before, after = getattr(group, name), getattr(swept(group), name)
                    if before != after:
                        found.append(Change(f"dictionaries[{number}].{name}", before, after, _WHY_SWEEP))
        if cut.steps != 1.0:
            found += self._step_changes(cut.steps)
        return tuple(found)

    def _image_changes(self, images: int | None) -> list[Change]:
        if images is None:
            return []
        spec, found = self.plan.spec, []
        groups = [(f"transfers[{n}]", one.targets, one.split, one.images) for n, one in enumerate(spec.transfers)]
        groups += [(f"singles[{n}]", one.data, one.split, one.images) for n, one in enumerate(spec.singles)]
        for path, targets, split, before in groups:
            names = targets or tuple(one.name for one in spec.data)
            there = max((len(self.image_numbers.get((data, split), {})) for data in names), default=0)
            if images < _least(there, before):
                found.append(Change(f"{path}.images", before, images, _WHY_IMAGES))
        return found

    def _step_changes(self, factor: float) -> list[Change]:
        fixed, found = _fixed_steps(self.plan.spec), []
        for backbone in self.plan.spec.backbones:
            for task in _TASKS:
                steps = next((_steps(cell) for cell in self.plan.cells if _is(cell, backbone.name, task)), None)
                if steps is not None and (backbone.name, task) not in fixed:
                    after = _fewer(steps, factor)
                    found.append(Change(f"backbones.{backbone.name}.{task}.steps", steps, after, _WHY_STEPS))
        for number, group in enumerate(self.plan.spec.dictionaries):
            after = _fewer(group.steps, factor)
            found.append(Change(f"dictionaries[{number}].steps", group.steps, after, _WHY_STEPS))
        return found


def scaled(size: Size, scale: float) -> Size:
    """A picture's size at another scale, to whole pixels."""
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def swept(group: DictionarySpec) -> DictionarySpec:
    """A group of dictionaries without its sweep: the paper's 4,096 atoms and k = 32 where it has them, otherwise the
    middle of each list, and its first seed."""
    n = 4096 if 4096 in group.n_atoms else group.n_atoms[len(group.n_atoms) // 2]
    possible = [k for k in group.k if k <= n] or list(group.k)
    k = 32 if 32 in possible else possible[len(possible) // 2]
    return replace(group, n_atoms=(n,), k=(k,), seeds=group.seeds[:1])


def _resized(cell: Cell, cut: Cut, sizes: Mapping[str, Size], fixed: set[tuple[str, str]]) -> Cell:
    signals = cell.signals
    if cut.scale != 1.0:
        signals = tuple(
            replace(picture, shape=sizes[picture.data]) if len(picture.shape) == 2 else picture for picture in signals
        )
    settings = cell.settings
    recipe = settings.get("recipe")
    if cut.steps != 1.0 and recipe is not None and (cell.place.get("backbone"), cell.kind) not in fixed:
        settings = {**settings, "recipe": {**recipe, "steps": _fewer(recipe["steps"], cut.steps)}}
    return Cell(cell.kind, settings, cell.needs, signals, cell.place)


def _fixed_steps(spec: StudySpec) -> set[tuple[str, str]]:
    """Backbones and tasks whose steps are an axis of the study: cutting them would drop its question."""
    return {(one.name, task) for one in spec.backbones for task in _TASKS if "steps" in getattr(one, task).axes}


def _picture_of(cell: Cell) -> tuple[str, str, str] | None:
    if cell.kind not in ("transfer", "single"):
        return None
    place = cell.place
    return str(place["target" if cell.kind == "transfer" else "data"]), str(place["split"]), str(place["image"])


def _belongs(place: Mapping[str, Any], group: DictionarySpec) -> bool:
    return (
        place["network"] in group.networks
        and (not group.sources or place["source"] in group.sources)
        and (not group.backbones or place["backbone"] in group.backbones)
        and (not group.layers or place["layer"] in group.layers)
        and place["n_atoms"] in group.n_atoms
        and place["k"] in group.k
        and place["seed"] in group.seeds
    )


def _is(cell: Cell, backbone: str, task: str) -> bool:
    return cell.kind == task and cell.place.get("backbone") == backbone


def _steps(cell: Cell) -> int:
    return int(cell.settings["recipe"]["steps"])


def _fewer(steps: int, factor: float) -> int:
    return max(1, math.ceil(steps * factor))


def _least(there: int, images: int | None) -> int:
    return there if images is None else min(there, images)
