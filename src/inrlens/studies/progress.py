"""What a run tells while it runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inrlens.dictionaries.loop import SaeCallback, SaeRecord
from inrlens.fitting.history import Callback, Record
from inrlens.fitting.many import ManyCallback


@dataclass(frozen=True)
class Progress:
    """Where a run stands: the running stage's name, how much of it and of the whole is done (0 to 1), and a detail."""

    stage: str
    number: int
    stages: int
    stage_done: float
    whole_done: float
    detail: str


Listener = Callable[[Progress], None]


class Stages:
    """Turns the callbacks of fits and trainings into progress over a list of stages with known costs.

    A cost is in any unit, the same for all stages; it decides only how the whole's share is reckoned.
    """

    def __init__(self, costs: dict[str, float], listener: Listener | None) -> None:
        self._costs = costs
        self._listener = listener
        self._names = list(costs)
        self._total = sum(costs.values()) or 1.0
        self._before = 0.0
        self._number = 0

    def begin(self, stage: str) -> None:
        """Stages before ``stage`` count as done."""
        self._number = self._names.index(stage)
        self._before = sum(self._costs[name] for name in self._names[: self._number])
        self.tell(0.0, "")

    def tell(self, done: float, detail: str) -> None:
        """Reports how much of the running stage is done."""
        if self._listener is not None:
            stage = self._names[self._number]
            whole = (self._before + self._costs[stage] * done) / self._total
            self._listener(Progress(stage, self._number + 1, len(self._names), done, whole, detail))

    def fit_callback(self) -> Callback:
        """The callback of the stage's one fit."""
        return lambda record, steps: self.tell(record.step / steps, f"PSNR {record.psnr:.1f} dB")

    def many_callback(self, prefixes: Sequence[str]) -> ManyCallback:
        """The callback of the stage's many fits, equal parts of it; each is announced by its prefix."""
        done = [0.0] * len(prefixes)

        def tell(number: int, record: Record, steps: int) -> None:
            done[number] = record.step / steps
            self.tell(sum(done) / len(done), f"{prefixes[number]}PSNR {record.psnr:.1f} dB")

        return tell

    def sae_callback(self, prefixes: Sequence[str]) -> Callable[[int], SaeCallback]:
        """For each of the stage's trainings, by number, the callback that reports it as one of so many equal parts."""
        done = [0.0] * len(prefixes)

        def of(number: int) -> SaeCallback:
            def tell(record: SaeRecord, steps: int) -> None:
                done[number] = record.step / steps
                self.tell(sum(done) / len(done), f"{prefixes[number]}FVU {record.fvu:.4f}")

            return tell

        return of
