"""What runs in a process of the local pool: tasks one after another, on one thread, until its driver ends."""

import importlib
import os
import pickle
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from operator import attrgetter
from queue import SimpleQueue

from inrlens.studies.cells.task import Failed, Finished, Task
from inrlens.studies.drive.executor import Work

END = b""
"""Sent in a task's place: nothing will come any more."""
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def serve(connection: Connection, module: str, name: str) -> None:
    """Answers each task that comes with its outcome; ``module`` and ``name`` say what is run.

    Ctrl-C is the driver's alone. When the driver dies, so does this process, in the middle of whatever it does.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    tasks: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(connection, tasks), daemon=True).start()
    try:
        work: Work | None = attrgetter(name)(importlib.import_module(module))
        fault = ""
    except Exception:
        work, fault = None, traceback.format_exc()
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    while content := tasks.get():
        try:
            connection.send_bytes(_outcome(work, fault, pickle.loads(content)))
        except OSError:
            os._exit(1)


def _listen(connection: Connection, tasks: "SimpleQueue[bytes]") -> None:
    """Takes tasks in as they come, so that the driver need not wait until torch is loaded, and notices its death."""
    try:
        while True:
            tasks.put(connection.recv_bytes())
    except (EOFError, OSError):
        os._exit(1)


def _outcome(work: Work | None, fault: str, task: Task) -> bytes:
    """What ``work`` makes of a task, pickled; whatever it raises makes the cell a failed one."""
    outcome: Finished
    if work is None:
        outcome = Failed(task.key, "the worker could not load what it should run.", fault)
        return pickle.dumps(outcome)
    try:
        outcome = work(task)
        return pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return pickle.dumps(Failed(task.key, f"{type(error).__name__}: {error}", traceback.format_exc()))
