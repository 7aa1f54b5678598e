"""What stands in for a cell's work in the processes of a cluster, which import this module by its name."""

import hashlib
import os
import signal
import time
from pathlib import Path

from inrlens.studies.cells.task import Done, Failed, Finished, Task
from inrlens.studies.drive import cluster as cluster_file


def toy(task: Task) -> Finished:
    """A cell whose result is a hash of what it was handed; it notes its worker, may fail or kill it."""
    settings = task.settings
    if "notes" in settings:
        note = Path(settings["notes"]) / f"{task.key}-{os.getpid()}"
        note.write_text(f"{os.getpid()}", encoding="utf-8")
    time.sleep(settings.get("seconds", 0.0))
    if settings.get("poison"):
        os.kill(os.getpid(), signal.SIGKILL)
    if settings.get("raises"):
        raise RuntimeError("this cell cannot be computed")
    if settings.get("fails"):
        return Failed(task.key, "no convergence", "the log")
    digest = hashlib.sha256(b"".join(task.inputs) + b"".join(picture.values for picture in task.pictures)).hexdigest()
    weights = None if task.lpips is None else hashlib.sha256(Path(task.lpips).read_bytes()).hexdigest()
    result = {"digest": digest, "state": task.state, "weights": weights}
    return Done(task.key, result, {"seconds": 0.0}, digest.encode() * 10, f"{os.getpid()}")


def older(task: Task) -> Finished:
    """Stands for a worker whose InrLens is another one."""
    raise cluster_file.OtherVersion("a worker has InrLens 0.0, where the study runs with InrLens 1.0")


def double(task: Task) -> Done:
    """Twice the cell's number, and the job that it ran in."""
    return Done(task.key, {"double": 2 * task.settings["number"], "job": os.environ.get("STAND_IN_JOB")})
