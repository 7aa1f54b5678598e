"""What a worker does with a task: computes its cell, whatever its kind, and says how that ended."""

import traceback
from collections.abc import Callable
from dataclasses import replace

from inrlens.errors import InputError
from inrlens.fitting.compute import Compute
from inrlens.studies.cells.analysis import analysis_cell
from inrlens.studies.cells.cell import CellKind
from inrlens.studies.cells.dictionaries import dictionary_cell
from inrlens.studies.cells.fits import Interrupted, cohort_cell, single_cell, transfer_cell
from inrlens.studies.cells.log_capture import listening
from inrlens.studies.cells.task import Done, Failed, Finished, Lost, Task
from inrlens.workers import torch_on_one_thread

_WORK: dict[CellKind, Callable[[Task], Done]] = {
    "cohort": cohort_cell,
    "single": single_cell,
    "transfer": transfer_cell,
    "dictionary": dictionary_cell,
    "analysis": analysis_cell,
}


def execute(task: Task) -> Finished:
    """Computes a cell on one thread, in float32; never raises for what is wrong with the cell.

    Result and artefact depend on the task alone, whatever number of threads or precision of products the caller has
    set; both are as before afterwards. Ctrl-C passes through, except while a network or a dictionary is trained: there
    it, or SIGTERM, ends the training after the running step, and the cell is lost.
    """
    failure: Exception | None = None
    with listening() as said:
        try:
            with torch_on_one_thread(), Compute().products():
                done = _WORK[task.kind](task)
        except Exception as error:
            failure = error
    if failure is None:
        return replace(done, log=_text(said))
    if isinstance(failure, Interrupted):
        return Lost(task.key, str(failure))
    trace = "".join(traceback.format_exception(failure)).rstrip()
    return Failed(task.key, _sentence(failure), _text([*said, trace]))


def _sentence(error: Exception) -> str:
    """An error of ours as it stands; any other with its type before it, on one line."""
    if isinstance(error, InputError):
        return str(error)
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}" if message else f"{type(error).__name__}."


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
