"""How long cells take on several workers when each waits for what it needs."""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from inrlens.studies.cells.cell import Cell


@dataclass(frozen=True)
class Schedule:
    """``seconds`` until the last cell ends; ``work_seconds`` the sum over cells; ``longest_chain_seconds`` the longest
    chain of cells that wait for each other, below which no number of workers brings it."""

    seconds: float
    work_seconds: float
    longest_chain_seconds: float


def schedule(cells: Iterable[tuple[str, Cell]], seconds: Mapping[str, float], workers: int) -> Schedule:
    """List scheduling (Graham 1966): a worker that is free takes the first cell, in the order given, all of whose needs
    are done. ``seconds`` by key; a cell that is missing there takes none, and so does a need that is not a cell.

    Each cell must come after those that it needs.
    """
    order = [(key, cell) for key, cell in cells]
    place = {key: number for number, (key, _) in enumerate(order)}
    cost = [seconds.get(key, 0.0) for key, _ in order]
    needs = [[place[need] for need in cell.needs if need in place] for _, cell in order]
    waits = [len(own) for own in needs]
    followers: list[list[int]] = [[] for _ in order]
    chain: list[float] = []
    for number, own in enumerate(needs):
        chain.append(cost[number] + max((chain[need] for need in own), default=0.0))
        for need in own:
            followers[need].append(number)
    return Schedule(_simulated(cost, waits, followers, workers), math.fsum(cost), max(chain, default=0.0))


def _simulated(cost: Sequence[float], waits: list[int], followers: Sequence[Sequence[int]], workers: int) -> float:
    ready = [number for number, count in enumerate(waits) if count == 0]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < workers:
            number = heapq.heappop(ready)
            heapq.heappush(running, (now + cost[number], number))
        now, ended = heapq.heappop(running)
        for number in followers[ended]:
            waits[number] -= 1
            if waits[number] == 0:
                heapq.heappush(ready, number)
    return now
