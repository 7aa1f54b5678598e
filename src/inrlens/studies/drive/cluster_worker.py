"""What a cluster's worker process does for a study: one cell at a time, on one thread, with no shared disk."""

import hashlib
import importlib
import pickle
import time
from dataclasses import replace
from pathlib import Path
from traceback import format_exc
from typing import Any

import inrlens
from inrlens.studies.cells.cell import CODE
from inrlens.studies.cells.task import Failed, Finished, Task
from inrlens.studies.drive.executor import Work

CELL = "inrlens-cell"
"""The Dask resource of which each worker has one and each cell takes one."""
FILE_PATIENCE = 120.0
"""Seconds that a cell waits for a file which the worker was promised."""


class OtherVersion(Exception):
    """The worker would compute something else than the driver asks for."""


def versions() -> str:
    """What has to be equal where a cell is planned and where it runs."""
    return f"InrLens {inrlens.__version__}, cells {', '.join(f'{kind} {number}' for kind, number in CODE.items())}"


async def one_cell_at_a_time(dask_worker: Any) -> None:
    """Gives a worker its one place for a cell, however many threads it has."""
    if CELL not in dask_worker.state.total_resources:
        await dask_worker.set_resources(**{CELL: 1})


def file_name(content: bytes) -> str:
    """What a file of this content is called in a worker's folder."""
    return f"inrlens-{hashlib.sha256(content).hexdigest()[:32]}"


def keep_file(content: bytes, dask_worker: Any) -> None:
    """Writes a file which many cells read into the worker's own folder, once."""
    path = Path(dask_worker.local_directory) / file_name(content)
    if not path.exists():
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(content)
        unfinished.replace(path)


def run_cell(work: bytes | None, task: bytes, expected: str) -> Finished:
    """Runs a cell on the worker that this is called on, with ``execute`` where ``work`` is None. Both are pickles, so
    that the scheduler needs nothing of what they name. ``task.lpips`` is the name of a kept file.

    Raises:
        OtherVersion: this worker's ``versions()`` are not as ``expected``.
    """
    if versions() != expected:
        raise OtherVersion(f"a worker has {versions()}, where the study runs with {expected}")
    cell: Task = pickle.loads(task)
    try:
        if cell.lpips is not None:
            cell = replace(cell, lpips=str(_kept(cell.lpips)))
        run: Work = _execute() if work is None else pickle.loads(work)
        return run(cell)
    except Exception as error:
        return Failed(cell.key, f"{type(error).__name__}: {error}", format_exc())


def _execute() -> Work:
    # Torch is loaded on workers only, neither by the driver nor by the scheduler.
    work: Work = importlib.import_module("inrlens.studies.cells.execute").execute
    return work


def _kept(name: str) -> Path:
    # A worker that has just come may be given a cell before it has been given its files.
    path = Path(importlib.import_module("distributed").get_worker().local_directory) / name
    give_up = time.monotonic() + FILE_PATIENCE
    while not path.exists():
        if time.monotonic() > give_up:
            raise FileNotFoundError(f"{path} has not been sent to this worker")
        time.sleep(0.05)
    return path
