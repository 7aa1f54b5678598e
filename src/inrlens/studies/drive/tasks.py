"""From a cell to the task that a worker is handed."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from inrlens.studies.cells.cell import Cell
from inrlens.studies.cells.plan import StudyPlan
from inrlens.studies.cells.task import Picture, Task
from inrlens.studies.store.store import Store

STATES = "states"
_KEPT = 16
"""Artefacts that stay in memory: the cohorts and dictionaries that the running cells share."""


def make_task(
    store: Store,
    plan: StudyPlan,
    cell: Cell,
    *,
    artefact: Callable[[str], bytes] | None = None,
    lpips: str | None = None,
) -> Task:
    """The task of a cell whose needs are done: artefacts, pictures as float32, and where its state is kept.

    ``artefact`` gives the artefact of a key in the store's place; ``lpips`` is the weights' file in the plan's place.

    Raises:
        InputError: where an artefact is missing or damaged.
    """
    inputs = tuple((artefact or store.artefact)(need) for need in cell.needs)
    pictures = []
    for ref in cell.signals:
        signal = plan.signals[ref.digest]
        values = signal.values.detach().cpu().numpy().astype("<f4").tobytes()
        pictures.append(Picture(signal.name, tuple(signal.shape), signal.channels, values))
    state = str(state_path(store.folder, cell.key).absolute())
    return Task(cell.key, cell.kind, cell.settings, inputs, tuple(pictures), state, lpips or plan.lpips)


def kept_artefacts(store: Store) -> Callable[[str], bytes]:
    """``store.artefact`` that reads what was asked for lately only once."""
    return lru_cache(maxsize=_KEPT)(store.artefact)


def state_path(folder: Path, key: str) -> Path:
    """Where a cell of the store ``folder`` keeps its state while it runs."""
    return folder / STATES / key


def remove_state(folder: Path, key: str) -> None:
    """Removes a cell's state, and what a killed worker had not finished writing of it."""
    for path in (folder / STATES).glob(f"*{key}*"):
        path.unlink(missing_ok=True)
