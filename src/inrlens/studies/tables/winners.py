"""From a search's best variants to the recipes themselves, as files that other studies name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inrlens.errors import InputError
from inrlens.fitting.recipes import Recipe, Task
from inrlens.studies.cells.fits import recipe_of
from inrlens.studies.config.recipe_files import write_recipe_file
from inrlens.studies.config.variant import Variant
from inrlens.studies.store.stored import StoredCell
from inrlens.studies.tables.best import BestRecipe, Candidate


@dataclass(frozen=True)
class Winner:
    """A recipe that did best: ``name`` is the backbone's in the study, ``backbone`` the registered one."""

    name: str
    backbone: str
    task: Task
    variant: Variant
    recipe: Recipe
    psnr: float
    images: int
    seeds: int
    margin: float | None
    curve: tuple[Candidate, ...]

    @property
    def file(self) -> str:
        """What to call its file."""
        return f"{self.name}-{self.task}.toml"


def winners(best: Iterable[BestRecipe], cells: Iterable[StoredCell]) -> list[Winner]:
    """The recipes behind the best variants, taken from the settings of the cells that were run with them.

    A search over transfers that also varied the cohorts gives the best cohort recipe beside the transfer's.

    Raises:
        InputError: where a fit of the search has not ended well, or no cell of a best variant is there.
    """
    stored = list(cells)
    missing = sum(cell.place.get("split") == "validation" and cell.state != "done" for cell in stored)
    if missing:
        raise InputError(
            f"{missing} fits on validation pictures are not done, so the search is not fair yet: run the study to its "
            "end, and retry what failed."
        )
    by_key = {cell.key: cell for cell in stored}
    found = []
    for one in best:
        cell = next((cell for cell in stored if _is_of(cell, one)), None)
        if cell is None:
            raise InputError(
                f"no {one.task} cell of {one.backbone}'s best recipe is in the store: run the study again."
            )
        cohort = by_key.get(cell.settings.get("cohort", ""))
        backbone = (cohort or cell).settings["recipe"]["backbone"]["name"]
        found.append(_winner(one, one.task, backbone, cell.settings["recipe"]))
        if cohort is not None and any(name.startswith("cohort.") for name, _ in one.variant):
            found.append(_winner(one, "cohort", backbone, cohort.settings["recipe"]))
    return found


def write_winners(found: Iterable[Winner], folder: Path, study: str) -> list[Path]:
    """Writes each recipe into ``folder``, in place of an earlier one of its name, and gives the files.

    Raises:
        InputError: where they cannot be written.
    """
    paths = []
    for winner in found:
        path = Path(folder) / winner.file
        curve = [_entry(candidate) for candidate in winner.curve]
        write_recipe_file(path, winner.recipe, winner.task, winner.backbone, curve, study)
        paths.append(path)
    return paths


def _is_of(cell: StoredCell, best: BestRecipe) -> bool:
    place = cell.place
    return (
        cell.kind == best.task
        and cell.state == "done"
        and place["split"] == "validation"
        and place["backbone"] == best.backbone
        and tuple(place["variant"].items()) == best.variant
        and place.get("source", "") is not None
    )


def _winner(best: BestRecipe, task: Task, backbone: str, settings: Mapping[str, Any]) -> Winner:
    recipe = recipe_of(dict(settings), f"best {task} {best.backbone}")
    return Winner(
        best.backbone,
        backbone,
        task,
        best.variant,
        recipe,
        best.mean,
        best.images,
        best.seeds,
        best.margin,
        best.curve,
    )


def _entry(candidate: Candidate) -> dict[str, Any]:
    psnr = candidate.psnr
    return {
        **dict(candidate.variant),
        "psnr": psnr.mean,
        "over_images": psnr.over_images,
        "images": psnr.images,
        "seeds": psnr.seeds,
    }
