"""Which cell is next: what is done, what waits for what, and what can never be done."""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

from inrlens.studies.cells.cell import KINDS, Cell, CellKind
from inrlens.studies.store.stored import Ended

Standing = Literal["waiting", "blocked", "running", "done", "failed"]
_RANK: dict[CellKind, int] = {"cohort": 0, "single": 0, "transfer": 1, "dictionary": 2, "analysis": 3}


class Scheduler:
    """The cells of a plan, from which ``take`` gives one whose needs are all done.

    Cohorts and single fits come first, then transfers, dictionaries, analyses; within these the costliest first, so
    that no long cell is left over for the end, and then in the plan's order. ``tally`` counts, and ``cost_left`` sums
    the costs of what waits or runs, by kind.

    Args:
        cells: a plan's; one that stands at several places is one cell.
        ended: what has an outcome already; failed cells are left alone.
        costs: seconds, operations or the like by key; None makes every cell cost 1, and one left out costs nothing.
    """

    def __init__(
        self, cells: Iterable[Cell], ended: Mapping[str, Ended], costs: Mapping[str, float] | None = None
    ) -> None:
        self.cells: dict[str, Cell] = {}
        for cell in cells:
            self.cells.setdefault(cell.key, cell)
        self.tally: dict[CellKind, Counter[Standing]] = {kind: Counter() for kind in KINDS}
        self.cost_left: dict[CellKind, float] = dict.fromkeys(KINDS, 0.0)
        self.running: set[str] = set()
        self._costs = costs
        self._elsewhere = {key for key, state in ended.items() if state == "done" and key not in self.cells}
        self._standing: dict[str, Standing] = {}
        self._users: dict[str, list[str]] = {}
        self._order: dict[str, tuple[int, float, int]] = {}
        self._ready: list[tuple[tuple[int, float, int], str]] = []
        for number, (key, cell) in enumerate(self.cells.items()):
            for need in cell.needs:
                self._users.setdefault(need, []).append(key)
            self._order[key] = (_RANK[cell.kind], -self.cost(key), number)
            self._set(key, ended.get(key, "waiting"))
        for key in self.cells:
            if self._standing[key] == "failed":
                self._block_users(key)
            self._offer(key)

    @property
    def is_idle(self) -> bool:
        """Whether nothing can be taken now."""
        while self._ready and not self._is_ready(self._ready[0][1]):
            heapq.heappop(self._ready)
        return not self._ready

    def cost(self, key: str) -> float:
        """What a cell costs."""
        return 1.0 if self._costs is None else self._costs.get(key, 0.0)

    def count(self, standing: Standing) -> int:
        """How many of the plan's cells stand so."""
        return sum(kind[standing] for kind in self.tally.values())

    def take(self) -> Cell | None:
        """The next cell to run, which counts as running from now on; None where there is none now."""
        if self.is_idle:
            return None
        _, key = heapq.heappop(self._ready)
        self._set(key, "running")
        return self.cells[key]

    def end(self, key: str, state: Ended) -> None:
        """A running cell has its outcome."""
        self._set(key, state)
        if state == "failed":
            self._block_users(key)
            return
        for user in self._users.get(key, ()):
            self._offer(user)

    def wait_again(self, key: str) -> None:
        """A running cell came back without an outcome, or a done one has lost its artefact; its users wait for it."""
        self._set(key, "waiting")
        self._offer(key)

    def _set(self, key: str, standing: Standing) -> None:
        kind, before = self.cells[key].kind, self._standing.get(key)
        if before is not None:
            self.tally[kind][before] -= 1
        self.tally[kind][standing] += 1
        self.cost_left[kind] += self.cost(key) * (_is_left(standing) - _is_left(before))
        self._standing[key] = standing
        if standing == "running":
            self.running.add(key)
        else:
            self.running.discard(key)

    def _offer(self, key: str) -> None:
        if self._is_ready(key):
            heapq.heappush(self._ready, (self._order[key], key))

    def _is_ready(self, key: str) -> bool:
        return self._standing[key] == "waiting" and all(
            need in self._elsewhere or self._standing.get(need) == "done" for need in self.cells[key].needs
        )

    def _block_users(self, key: str) -> None:
        for user in self._users.get(key, ()):
            if self._standing[user] == "waiting":
                self._set(user, "blocked")
                self._block_users(user)


def _is_left(standing: Standing | None) -> bool:
    return standing in ("waiting", "running")
