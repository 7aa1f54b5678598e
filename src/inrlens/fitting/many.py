"""Many independent fits: a core each on a CPU, stacked on a GPU."""

from collections.abc import Callable, Hashable, Sequence

import torch

from inrlens.fitting.history import Fit, Record
from inrlens.fitting.loop import Tell
from inrlens.interrupt import first_interrupt_asks
from inrlens.workers import cores, on_cores

ManyCallback = Callable[[int, Record, int], None]
"""Called with the number of a fit in its list, its new record, and the number of steps planned; on a CPU from the
thread that fits."""


def fit_all(
    keys: Sequence[Hashable],
    together: Callable[[Sequence[int], Tell | None], list[Fit]],
    device: torch.device | str,
    callback: ManyCallback | None,
) -> list[Fit]:
    """A fit for each key, in order; ``together`` does those whose numbers it is given.

    On a CPU every core takes one after another; on a GPU those of equal keys are done together. The first Ctrl-C ends
    those that run after their step, and those that have not begun after one.
    """
    on_cpu = torch.device(device).type == "cpu"
    groups = [[number] for number in range(len(keys))] if on_cpu else grouped(keys)
    fits: dict[int, Fit] = {}

    def run(group: list[int]) -> None:
        def tell(place: int, record: Record, steps: int) -> None:
            assert callback is not None
            callback(group[place], record, steps)

        found = together(group, None if callback is None else tell)
        fits.update(zip(group, found, strict=True))

    with first_interrupt_asks() as interrupt:

        def ask_the_others() -> None:
            interrupt.asked = True

        if on_cpu:
            on_cores(run, groups, cores(), ask_the_others)
        else:
            for group in groups:
                run(group)
    return [fits[number] for number in range(len(keys))]


def grouped(keys: Sequence[Hashable]) -> list[list[int]]:
    """The places of equal keys, in order of first appearance."""
    found: dict[Hashable, list[int]] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, []).append(place)
    return list(found.values())
