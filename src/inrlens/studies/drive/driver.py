"""The driver: it alone writes the store, hands cells out in order, and records each outcome as it arrives."""

import time
from collections.abc import Callable, Mapping, Sequence

from inrlens.errors import InputError
from inrlens.studies.cells.cell import Cell
from inrlens.studies.cells.plan import StudyPlan
from inrlens.studies.cells.task import Done, Failed, Finished, Lost
from inrlens.studies.drive.eta import Pace
from inrlens.studies.drive.executor import Executor
from inrlens.studies.drive.progress import DriveListener, DriveProgress, DriveSummary, KindProgress
from inrlens.studies.drive.scheduler import Scheduler
from inrlens.studies.drive.stop import StopRequest
from inrlens.studies.drive.tasks import STATES, kept_artefacts, make_task, remove_state
from inrlens.studies.store.store import Store

_LOOK = 0.2
"""Seconds between two looks at what was asked of the driver."""
_LOSSES = 3
"""How often a cell is handed out again after its worker died."""


def drive(
    store: Store,
    plan: StudyPlan,
    executor: Executor,
    listener: DriveListener | None = None,
    *,
    stop: Callable[[], bool] | StopRequest | None = None,
    lpips: str | None = None,
    costs: Mapping[str, float] | None = None,
    retry: bool = False,
    cells: Sequence[Cell] | None = None,
) -> DriveSummary:
    """Runs every cell of a study that has no outcome yet, and closes the executor.

    Cells that any study has done are skipped. A cell that fails is recorded with its error and stops no other; cells
    that need it are blocked. A cell whose worker died is handed out again up to three times, then it has failed.

    Args:
        store: open to write.
        plan: recorded first, in place of an earlier plan of the study's name.
        executor: never has more tasks outside than it has slots.
        listener: is told at every outcome and several times a second in between.
        stop: asked several times a second; when it says so nothing is handed out any more, and what is running is
            finished, or dropped where a ``StopRequest`` says ``now``.
        lpips: the file of LPIPS's weights in the plan's place.
        costs: by key, in any unit: the costliest cells of a kind go first, and the time left is weighted by them.
        retry: runs failed cells again.
        cells: run these of the plan's alone, which hold what they need, and count them alone; None runs all.

    Raises:
        InputError: where the store cannot be written or the executor has no workers any more.
    """
    try:
        store.record_plan(plan)
        if retry:
            store.forget_failures(plan.spec.name)
        (store.folder / STATES).mkdir(exist_ok=True)
        run = _Run(store, plan, executor, listener, lpips, costs, plan.cells if cells is None else cells)
        summary = run.to_its_end(stop or StopRequest())
    except BaseException:
        executor.close(now=True)
        raise
    executor.close(now=bool(run.agenda.running))
    store.release_running()
    return summary


class _Run:
    """One call of ``drive``."""

    def __init__(
        self,
        store: Store,
        plan: StudyPlan,
        executor: Executor,
        listener: DriveListener | None,
        lpips: str | None,
        costs: Mapping[str, float] | None,
        cells: Sequence[Cell],
    ) -> None:
        self._store, self._plan, self._executor, self._listener = store, plan, executor, listener
        self._lpips = lpips
        self._artefact = kept_artefacts(store)
        self._losses: dict[str, int] = {}
        keys = {key for cell in cells for key in (cell.key, *cell.needs)}
        self.agenda = Scheduler(cells, store.states(keys), costs)
        self._pace = Pace(self.agenda, alike=costs is not None)
        self._skipped = self.agenda.count("done")
        self._done = 0

    def to_its_end(self, stop: Callable[[], bool]) -> DriveSummary:
        began = time.monotonic()
        while True:
            stopping = stop()
            if isinstance(stop, StopRequest) and stop.now:
                break
            if not stopping:
                self._hand_out()
            self._tell(None)
            if not self.agenda.running and (stopping or self.agenda.is_idle):
                break
            for finished in self._executor.wait(_LOOK):
                self._take_in(finished)
        count = self.agenda.count
        return DriveSummary(
            done=self._done,
            failed=count("failed"),
            skipped=self._skipped,
            waiting=count("waiting") + count("running"),
            blocked=count("blocked"),
            seconds=time.monotonic() - began,
        )

    def _hand_out(self) -> None:
        while len(self.agenda.running) < self._executor.slots and (cell := self.agenda.take()) is not None:
            try:
                task = make_task(self._store, self._plan, cell, artefact=self._artefact, lpips=self._lpips)
            except InputError:
                if not self._undo_needs(cell):
                    raise
                continue
            self._store.set_running([cell.key])
            self._pace.begin(cell.key)
            self._executor.submit(task)

    def _undo_needs(self, cell: Cell) -> bool:
        """Where an artefact went missing or was found damaged, its cell is done anew first; whether that was so."""
        states = self._store.states(cell.needs)
        gone = [need for need in cell.needs if need in self.agenda.cells and states.get(need) != "done"]
        for need in gone:
            self.agenda.wait_again(need)
        self.agenda.wait_again(cell.key)
        return bool(gone)

    def _take_in(self, finished: Finished) -> None:
        cell = self.agenda.cells[finished.key]
        self._pace.end(cell.key, counts=isinstance(finished, Done))
        if isinstance(finished, Lost):
            self._losses[cell.key] = self._losses.get(cell.key, 0) + 1
            if self._losses[cell.key] <= _LOSSES:
                self._store.set_lost([cell.key])
                self.agenda.wait_again(cell.key)
                return
            finished = Failed(cell.key, f"given up after {_LOSSES + 1} attempts: {finished.reason}.")
        self._store.put(cell, finished)
        remove_state(self._store.folder, cell.key)
        self._done += isinstance(finished, Done)
        self.agenda.end(cell.key, "done" if isinstance(finished, Done) else "failed")
        self._tell((cell, finished))

    def _tell(self, finished: tuple[Cell, Done | Failed] | None) -> None:
        if self._listener is None:
            return
        tally, count = self.agenda.tally, self.agenda.count
        self._listener(
            DriveProgress(
                done=count("done"),
                failed=count("failed"),
                running=count("running"),
                blocked=count("blocked"),
                total=len(self.agenda.cells),
                by_kind={
                    kind: KindProgress(found["done"], found["failed"], found["running"], found.total())
                    for kind, found in tally.items()
                },
                seconds_left=self._pace.seconds_left(self._executor.slots),
                finished=finished,
            )
        )
