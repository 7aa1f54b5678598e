"""How long the rest of a run will take, from how long its cells have taken so far."""

import time
from collections.abc import Callable

from inrlens.studies.cells.cell import KINDS, CellKind
from inrlens.studies.drive.scheduler import Scheduler


class Pace:
    """Seconds a unit of cost, by kind, from the cells that were begun and ended in this run.

    Args:
        agenda: knows what the cells cost and which are left.
        alike: whether costs of different kinds may be compared, so that a kind of which no cell has ended yet is
            expected to take what its costs say.
        clock: seconds since any moment.
    """

    def __init__(self, agenda: Scheduler, alike: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._agenda, self._alike, self._clock = agenda, alike, clock
        self._begun: dict[str, float] = {}
        self._seconds: dict[CellKind, float] = dict.fromkeys(KINDS, 0.0)
        self._costs: dict[CellKind, float] = dict.fromkeys(KINDS, 0.0)

    def begin(self, key: str) -> None:
        """A cell is handed out."""
        self._begun[key] = self._clock()

    def end(self, key: str, counts: bool) -> None:
        """A cell came back; one that was lost or failed does not count."""
        seconds = self._clock() - self._begun.pop(key)
        if counts:
            kind = self._agenda.cells[key].kind
            self._seconds[kind] += seconds
            self._costs[kind] += self._agenda.cost(key)

    def seconds_left(self, slots: int) -> float | None:
        """Until the last cell has ended on ``slots`` workers; None where nothing is known of a kind that is left."""
        total = 0.0
        for kind, cost in self._agenda.cost_left.items():
            if any(self._agenda.tally[kind][standing] for standing in ("waiting", "running")):
                rate = self._rate(kind)
                if rate is None:
                    return None
                total += rate * cost
        now, longest = self._clock(), 0.0
        for key, begun in self._begun.items():
            needed = (self._rate(self._agenda.cells[key].kind) or 0.0) * self._agenda.cost(key)
            total -= min(needed, now - begun)
            longest = max(longest, needed - (now - begun))
        return max(total / max(1, slots), longest, 0.0)

    def _rate(self, kind: CellKind) -> float | None:
        if self._costs[kind] > 0.0:
            return self._seconds[kind] / self._costs[kind]
        total = sum(self._costs.values())
        return sum(self._seconds.values()) / total if self._alike and total > 0.0 else None
