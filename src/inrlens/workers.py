"""Threads that each keep to one core, for work that is independent.

Torch's own threads split every single product between the cores and wait for each other after it. Rows of a coordinate
network never need each other, so a core can take a share of the rows through the whole network instead.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeVar

import torch

Job = TypeVar("Job")
Result = TypeVar("Result")
_LISTEN = 0.5
"""Seconds after which a waiting thread looks whether Ctrl-C was pressed."""


def on_cores(
    work: Callable[[Job], Result], jobs: Iterable[Job], count: int, at_failure: Callable[[], None] | None = None
) -> list[Result]:
    """``[work(job) for job in jobs]``, on ``count`` threads with one torch thread each.

    Raises what the first failing job raised: jobs that have not begun are dropped then, ``at_failure`` is called so
    that it may ask those that run to end soon, and they are waited for. The same holds for Ctrl-C.
    """
    jobs = list(jobs)
    if count == 1 and torch.get_num_threads() == 1:
        return [work(job) for job in jobs]
    futures: list[Future[Result]] = [_pool(count).submit(work, job) for job in jobs]
    try:
        # Python hears a signal between two waits: one that comes just before a wait without end would be lost.
        while (ended := wait(futures, _LISTEN, FIRST_EXCEPTION)).not_done and not any(
            future.exception() for future in ended.done
        ):
            pass
        for future in futures:
            if future.done():
                future.result()
    except BaseException:
        for future in futures:
            future.cancel()
        if at_failure is not None:
            at_failure()
        wait(futures)
        raise
    finally:
        # A worker that has just begun has also set what threads made from now on take for their number.
        torch.set_num_threads(torch.get_num_threads())
    return [future.result() for future in futures]


@contextmanager
def torch_on_one_thread() -> Iterator[None]:
    """Within the block, the calling thread's own torch operations use one core.

    Torch's threads wait actively for a while after each operation, on cores that ``on_cores`` needs.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def cores() -> int:
    """How many cores the calling thread may use: its number of torch threads."""
    return torch.get_num_threads()


@lru_cache(maxsize=4)
def _pool(count: int) -> ThreadPoolExecutor:
    torch.get_num_threads()  # settles the calling thread's number before another thread sets its own
    return ThreadPoolExecutor(count, "inrlens", initializer=_keep_to_one_core)


def _keep_to_one_core() -> None:
    # Torch fills in a new thread's number at its first question, and would then undo a number set before it.
    torch.get_num_threads()
    torch.set_num_threads(1)
