"""The same cells on the workers of a Dask cluster, which may be anywhere and come and go."""

import asyncio
import importlib
import logging
import pickle
import time
import uuid
import warnings
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal, get_args

from inrlens.errors import InputError
from inrlens.studies.cells.task import Finished, Lost, Task
from inrlens.studies.drive.cluster_worker import (
    CELL,
    OtherVersion,
    file_name,
    keep_file,
    one_cell_at_a_time,
    run_cell,
    versions,
)
from inrlens.studies.drive.executor import Work

Device = Literal["cpu", "gpu"]
GPU = "GPU"
"""The Dask resource that a worker with a GPU is started with, ``--resources GPU=1``; the name is Dask's convention."""
SLOTS_AGE = 1.0
"""Seconds for which a count of the workers is believed."""
ANSWER = 30.0
"""Seconds for which a scheduler or a worker may take to answer."""


class ClusterPool:
    """An ``Executor`` on Dask workers, each of which runs one cell at a time on one thread.

    A killed worker's cell is run again by Dask itself, and is ``Lost`` once it has taken several workers with it. The
    workers share no disk with the driver: a task's ``state`` is dropped, and the file of its ``lpips`` is sent to every
    worker once.
    """

    shares_disk = False

    def __init__(
        self,
        address: str,
        work: Work | None = None,
        *,
        device: Device = "cpu",
        patience: float = 10.0,
        closing: Callable[[], object] | None = None,
    ) -> None:
        """Connects to the scheduler at ``address``, such as ``tcp://host:8786``, which has ``patience`` seconds to
        answer. Workers run ``work``, ``execute`` of cells by default. With ``device`` "gpu" cells go to workers that
        have the Dask resource ``GPU``. ``closing`` is called after the pool has been closed.

        Raises:
            InputError: Dask is not installed; the address is none, or cannot be reached; there are workers, but they
                cannot import InrLens, or none of them has a GPU where one is asked for.
        """
        if device not in get_args(Device):
            raise InputError(f"a cluster's cells run on {' or '.join(get_args(Device))}, not on {device!r}.")
        self.address = address
        self._distributed, self._dask = import_dask()
        self._work = None if work is None else pickle.dumps(work)
        self._resources = {CELL: 1, GPU: 1} if device == "gpu" else {CELL: 1}
        self._closing = closing
        self._files: dict[str, str] = {}
        self._outside: dict[str, tuple[str, Any]] = {}
        self._ended: SimpleQueue[str] = SimpleQueue()
        self._refusal: InputError | None = None
        self._slots, self._counted = 0, float("-inf")
        self._client = self._connect(patience)
        try:
            self._send(one_cell_at_a_time)
            if device == "gpu":
                self._require_gpu()
        except BaseException:
            self._client.close(ANSWER)
            raise

    @property
    def slots(self) -> int:
        """How many workers there are that take cells, counted anew every second; 0 while none has come yet."""
        if time.monotonic() > self._counted + SLOTS_AGE:
            workers = self._workers()
            if workers is not None:
                self._slots = sum(
                    worker["status"] == "running" and all(worker["resources"].get(name, 0) for name in self._resources)
                    for worker in workers
                )
            self._counted = time.monotonic()
        return self._slots if self._connected() else 0

    def submit(self, task: Task) -> None:
        """Hands a task to the scheduler, which gives it to a free worker.

        Raises:
            InputError: the scheduler is gone, or workers cannot run this study's cells.
        """
        self._look_for_scheduler()
        if self._refusal:
            raise self._refusal
        lpips = None if task.lpips is None else self._sent_file(task.lpips)
        cell = pickle.dumps(replace(task, state=None, lpips=lpips))
        token = f"{task.kind}-{uuid.uuid4().hex}"
        # The scheduler keeps the bytes of what is outside, so that it can hand them to another worker at once; Dask
        # would warn of that for pictures of more than 10 MB.
        with self._dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
            future = self._client.submit(
                run_cell, self._work, cell, versions(), key=token, pure=False, resources=self._resources
            )
        self._outside[token] = (task.key, future)
        future.add_done_callback(lambda _: self._ended.put(token))

    def wait(self, timeout: float) -> list[Finished]:
        """What has ended since the last call, as soon as anything has, or nothing after ``timeout`` seconds.

        Raises:
            InputError: with nothing left to give back, the scheduler is gone, or workers cannot run these cells.
        """
        tokens: list[str] = []
        with suppress(Empty):
            tokens.append(self._ended.get(timeout=timeout))
            while True:
                tokens.append(self._ended.get_nowait())
        self._look_for_scheduler()
        if self._refusal and not self._connected():
            tokens = list(self._outside)
        found = [self._collected(token) for token in tokens if token in self._outside]
        finished = [outcome for outcome in found if outcome is not None]
        if not finished and self._refusal:
            raise self._refusal
        return finished

    def close(self, *, now: bool) -> None:
        """Leaves the cluster: after what its workers run for us, or ``now``; then a worker ends the cell that it is in,
        which Dask cannot interrupt, and nobody takes the result."""
        try:
            if self._connected():
                with suppress(OSError, TimeoutError, CancelledError):
                    self._leave(now)
        finally:
            self._outside.clear()
            self._client.close(ANSWER)
            if self._closing is not None:
                self._closing()

    def _connect(self, patience: float) -> Any:
        try:
            # Asked on a thread, because the caller's own may be in an event loop already, as a notebook's is.
            with ThreadPoolExecutor(1) as thread:
                kind = thread.submit(asyncio.run, self._kind(patience)).result()
            if kind != "Scheduler":
                raise InputError(f"a {kind.lower()} of Dask listens at {self.address}, not a scheduler.")
            # Libraries of other versions are no fault of the user's; those that matter are looked at with each cell.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self._distributed.Client(self.address, timeout=patience, set_as_default=False, name="inrlens")
        except InputError:
            raise
        except TimeoutError as error:
            raise InputError(_unreachable(self.address, f"no answer within {patience:g} s")) from error
        except (OSError, ImportError) as error:
            raise InputError(_unreachable(self.address, str(error))) from error
        except (MemoryError, OverflowError, EOFError) as error:
            # The first bytes of a Dask message are lengths; another program's greeting makes them huge.
            raise InputError(_unreachable(self.address, "what listens there is no Dask scheduler")) from error
        except (ValueError, TypeError) as error:
            raise InputError(f"{self.address!r} is no address of a Dask scheduler: write tcp://HOST:PORT.") from error

    async def _kind(self, patience: float) -> str:
        # Dask's client waits for ever where something listens and says nothing.
        async with self._distributed.rpc(self.address, timeout=patience) as program:
            identity = await asyncio.wait_for(program.identity(), patience)
        return str(identity["type"])

    def _connected(self) -> bool:
        return bool(self._client.status == "running")

    def _look_for_scheduler(self) -> None:
        # A scheduler that comes back at the same address knows nothing of what is outside, nor of its workers' places.
        if self._refusal is None and not self._connected():
            self._refusal = InputError(_unreachable(self.address, "the connection to its scheduler was lost"))

    def _workers(self) -> list[dict[str, Any]] | None:
        if not self._connected():
            return None
        try:
            identity = self._client.sync(self._client.scheduler.identity, n_workers=-1, callback_timeout=ANSWER)
        except (OSError, TimeoutError):
            return None
        return list(identity["workers"].values())

    def _send(self, setup: Callable[..., object]) -> None:
        # Dask calls it on every worker that there is, and on every one that comes later.
        try:
            self._client.register_worker_callbacks(setup)
        except ImportError as error:
            raise InputError(_cannot_run(self.address, str(error))) from error
        except (OSError, TimeoutError) as error:
            raise InputError(_unreachable(self.address, str(error))) from error

    def _require_gpu(self) -> None:
        workers = self._workers() or []
        if workers and not any(worker["resources"].get(GPU, 0) for worker in workers):
            raise InputError(
                f"none of the {len(workers)} workers at {self.address} says that it has a GPU: start one worker for "
                f"each with dask worker {self.address} --nthreads 1 --resources {GPU}=1."
            )

    def _sent_file(self, path: str) -> str:
        if path not in self._files:
            content = Path(path).read_bytes()
            self._send(_KeepFile(content))
            self._files[path] = file_name(content)
        return self._files[path]

    def _collected(self, token: str) -> Finished | None:
        key, future = self._outside[token]
        outcome: Finished | None
        try:
            outcome = future.result(timeout=ANSWER)
        except TimeoutError:
            # Its worker died after the cell had ended and before its result was fetched: Dask runs it again.
            self._ended.put(token)
            return None
        except self._distributed.KilledWorker as error:
            last = getattr(error.last_worker, "address", error.last_worker)
            outcome = Lost(key, f"{error.allowed_failures + 1} workers died under it, the last at {last}")
        except CancelledError:
            outcome = Lost(key, f"the connection to the cluster at {self.address} was lost")
        except OtherVersion as error:
            self._refusal, outcome = InputError(f"cells cannot run at {self.address}: {error}."), None
        except Exception as error:
            self._refusal, outcome = InputError(_cannot_run(self.address, f"{type(error).__name__}: {error}")), None
        del self._outside[token]
        return outcome

    def _leave(self, now: bool) -> None:
        futures = {token: future for token, (_, future) in self._outside.items()}
        running = {} if now else self._client.processing()
        begun = [futures.pop(token) for tokens in running.values() for token in tokens if token in futures]
        with self._client.as_current():
            self._distributed.wait(begun)
        self._client.cancel(list(futures.values()))


class _KeepFile:
    """``keep_file`` for one content, as Dask wants it: a callable with the one argument ``dask_worker``."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __call__(self, dask_worker: Any) -> None:
        keep_file(self.content, dask_worker)


def import_dask() -> tuple[Any, Any]:
    """The modules ``distributed`` and ``dask``, with their logging turned off.

    Raises:
        InputError: they are not installed.
    """
    try:
        distributed, dask = importlib.import_module("distributed"), importlib.import_module("dask")
    except ModuleNotFoundError as error:
        raise InputError(f'a cluster needs Dask, which lacks {error.name}: pip install "inrlens[cluster]".') from error
    for name, logger in list(logging.root.manager.loggerDict.items()):
        # What a driver has to know of the cluster it is told by return value or exception.
        if name.split(".")[0] in ("distributed", "tornado") and isinstance(logger, logging.Logger):
            logger.setLevel(logging.CRITICAL)
    return distributed, dask


def _unreachable(address: str, reason: str) -> str:
    return f"the cluster at {address} cannot be reached: {' '.join(reason.split()).rstrip('.') or 'no answer'}."


def _cannot_run(address: str, reason: str) -> str:
    return (
        f"cells cannot run at {address} ({' '.join(reason.split()).rstrip('.')}): its scheduler and its workers need "
        "the same InrLens as here."
    )
