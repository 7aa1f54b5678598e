"""Many independent fits: a core each on a CPU, stacked on a GPU."""

from collections.abc import Callable, Sequence

import torch

from inrlens.fitting.history import Fit, Record
from inrlens.fitting.loop import Tell
from inrlens.fitting.workers import on_cores
from inrlens.interrupt import first_interrupt_asks
from inrlens.signals.signal import Signal

ManyCallback = Callable[[int, Record, int], None]
"""Called with the number of a fit in its list, its new record, and the number of steps planned."""

Together = Callable[[int, Sequence[Signal], Tell | None], list[Fit]]
"""Fits some signals of one grid with one seed, together."""


def on_every_core(
    pairs: Sequence[tuple[int, Signal]],
    together: Together,
    device: torch.device | str,
    callback: ManyCallback | None,
) -> list[Fit]:
    """A fit for each (seed, signal), in order.

    The first Ctrl-C ends those that run after their step; those that have not begun end after one.
    """
    groups = stacks(pairs) if torch.device(device).type != "cpu" else [[index] for index in range(len(pairs))]
    fits: dict[int, Fit] = {}

    def run(group: list[int]) -> None:
        tell = None
        if callback is not None:
            tell = lambda place, record, steps: callback(group[place], record, steps)  # noqa: E731
        found = together(pairs[group[0]][0], [pairs[index][1] for index in group], tell)
        fits.update(zip(group, found, strict=True))

    with first_interrupt_asks():
        if torch.device(device).type == "cpu":
            on_cores(run, groups, torch.get_num_threads())
        else:
            for group in groups:
                run(group)
    return [fits[index] for index in range(len(pairs))]


def stacks(pairs: Sequence[tuple[int, Signal]]) -> list[list[int]]:
    """The places of the pairs that share seed, grid and channels, in order of first appearance."""
    found: dict[tuple[int, tuple[int, ...], int], list[int]] = {}
    for index, (seed, signal) in enumerate(pairs):
        found.setdefault((seed, signal.shape, signal.channels), []).append(index)
    return list(found.values())
