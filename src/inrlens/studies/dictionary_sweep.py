"""A dictionary of every size and sparsity for every layer, each measured beside its controls.

arXiv:2605.08298 App. A.1 sweeps n and k in this way and shows PSNR, R2, the share of atoms that are alive, and spatial
L0 in its Figures 6 and 7; here all of them are also measured between the pixels.
"""

import datetime
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from inrlens.checkpoints import save
from inrlens.dictionaries.activations import SharedRows
from inrlens.dictionaries.health import layer_health
from inrlens.dictionaries.loop import SaeRecord
from inrlens.errors import InputError
from inrlens.fields.field import Field, initial_field
from inrlens.interrupt import first_interrupt_asks
from inrlens.signals.signal import Signal
from inrlens.studies.record import this_machine, version
from inrlens.studies.sweep_cell import measured_cell
from inrlens.studies.sweep_folder import check_folder, clear_folder, dictionary_file
from inrlens.studies.sweep_plan import TRAININGS, CellKey, SweepPlan, cell_cost
from inrlens.studies.sweep_record import (
    SWEEP_FILE,
    SweepCell,
    SweepRecord,
    difference,
    expected,
    read_sweep,
    swept_field,
    write_sweep,
)
from inrlens.workers import cores, on_cores


@dataclass(frozen=True)
class SweepProgress:
    """Where a sweep stands: cells that are done, of how many, an earlier run's among them; the share of this run's work
    that is done (0 to 1); a detail of what is running.

    ``cell`` is the one that was finished just now, None between two. ``seconds_left`` is known once a training of this
    run is done.
    """

    finished: int
    cells: int
    done: float
    detail: str
    cell: SweepCell | None
    seconds_left: float | None


SweepListener = Callable[[SweepProgress], None]
"""Called from whatever thread has something to tell, one at a time."""


def run_sweep(
    field: Field,
    plan: SweepPlan,
    folder: Path,
    listener: SweepListener | None = None,
    *,
    signals: Sequence[Signal] | None = None,
    resume: bool = False,
    force: bool = False,
) -> SweepRecord:
    """Runs the plan into ``folder`` and returns its record; on a CPU every core takes whole cells.

    ``sweep.json`` is written anew after every cell, so that whatever ends the run costs no more than the cells that
    are running. With ``resume``, the same plan for the same network leaves out the cells that the folder holds already.
    Ctrl-C once ends the running trainings, which are not recorded, and the record says ``interrupted``. A cell's
    numbers depend on the plan and the network alone, not on the other cells or the number of threads.

    Args:
        field: the network.
        plan: what is trained and measured; its grid is the field's own where it names none.
        folder: where the sweep grows; it is made where it does not exist.
        listener: told how far it is.
        signals: those that the field was fitted to, one a head; used where the plan's grid is the field's own.
        resume: go on with the sweep in the folder.
        force: replace the sweep in the folder, where it is not to be gone on with.

    Raises:
        InputError: where a layer or the grid does not exist, an activation is not finite, or the network before its fit
            cannot be drawn again though the plan needs it; where the folder is taken, damaged, or holds the sweep of
            another plan or network.
    """
    check_folder(folder, resume, force)
    initial = initial_field(field) if plan.untrained else None
    signals = signals if plan.grid in (None, field.grid) else None
    record = _empty(field, initial, plan, signals)
    going_on = resume and (folder / SWEEP_FILE).is_file()
    if going_on:
        record = _continued(folder, record)
    clear_folder(folder, keep=going_on)
    run = _Run(record, folder, field, initial, signals, listener)
    with first_interrupt_asks() as interrupt:

        def ask_the_others() -> None:
            interrupt.asked = True

        def work(key: CellKey) -> None:
            if not interrupt.asked:
                run.cell(key)

        run.begin()
        count = cores() if field.device.type == "cpu" else 1
        if count > 1:
            on_cores(work, run.left, count, ask_the_others)
        else:
            for key in run.left:
                work(key)
    return run.end()


def _empty(field: Field, initial: Field | None, plan: SweepPlan, signals: Sequence[Signal] | None) -> SweepRecord:
    for layer in plan.layers:
        field.encoder.check_layer(layer)
    grid = field.grid_or(plan.grid)
    return SweepRecord(
        inrlens_version=version(),
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        outcome="interrupted",
        machines=(this_machine(str(field.device)),),
        plan=replace(plan, grid=grid),
        field=swept_field(field, grid, signals),
        health=layer_health(field, grid),
        health_untrained=None if initial is None else layer_health(initial, grid),
        cells=(),
    )


def _continued(folder: Path, here: SweepRecord) -> SweepRecord:
    """The recorded sweep, if it is one of this plan and network."""
    there = read_sweep(folder)
    unlike = difference(there, here.plan, here.field)
    if unlike:
        raise InputError(f"{folder} holds another sweep, {unlike}: give the same numbers, or another folder.")
    if there.plan.keep:
        # A dictionary that is gone is trained again.
        kept = tuple(
            cell for cell in there.cells if cell.kind != "trained" or dictionary_file(folder, cell.key).is_file()
        )
        there = replace(there, cells=kept)
    return replace(there, outcome="interrupted", machines=tuple(dict.fromkeys((*there.machines, *here.machines))))


class _Run:
    """What has been measured so far, and how far the running cells are; every core may use it."""

    def __init__(
        self,
        record: SweepRecord,
        folder: Path,
        field: Field,
        initial: Field | None,
        signals: Sequence[Signal] | None,
        listener: SweepListener | None,
    ) -> None:
        self._record, self._folder, self._listener = record, folder, listener
        self._field, self._initial, self._signals = field, initial, signals
        self._lock = Lock()
        self._rows = SharedRows(record.field.grid)
        self._places = {key: place for place, key in enumerate(expected(record.plan, record.health))}
        done = {cell.key for cell in record.cells}
        self.left = [key for key in self._places if key not in done]
        rows = math.prod(record.field.grid)
        self._costs = {key: cell_cost(record.plan, key, rows, record.field.width) for key in self.left}
        self._shares = dict.fromkeys(self.left, 0.0)
        self._trained_one = False
        self._before, self._started = record.seconds, time.perf_counter()

    def begin(self) -> None:
        """Claims the folder with the record as it is."""
        self._write(self._record)
        self._tell("")

    def cell(self, key: CellKey) -> None:
        """Makes, measures and records one cell, unless Ctrl-C ends its training."""
        untrained = key.kind == "untrained network"
        network = self._initial if untrained else self._field
        assert network is not None
        found = measured_cell(
            network,
            self._record.plan,
            key,
            self._record.field.grid,
            self._rows(network, key.layer),
            None if untrained else self._signals,
            lambda record, steps: self._running(key, record, steps),
        )
        if found is None:
            return
        sae, cell = found
        if self._record.plan.keep and key.kind == "trained":
            save(sae, dictionary_file(self._folder, key), force=True)
        with self._lock:
            cells = sorted((*self._record.cells, cell), key=lambda one: self._places[one.key])
            self._write(replace(self._record, cells=tuple(cells)))
            self._shares[key] = 1.0
            self._trained_one = self._trained_one or key.kind in TRAININGS
            self._tell("", cell)

    def end(self) -> SweepRecord:
        """Writes and returns the last record, which says whether anything is missing."""
        whole = len(self._record.cells) == len(self._places)
        self._write(replace(self._record, outcome="finished" if whole else "interrupted"))
        return self._record

    def _write(self, record: SweepRecord) -> None:
        self._record = replace(record, seconds=self._before + time.perf_counter() - self._started)
        write_sweep(self._folder, self._record)

    def _running(self, key: CellKey, record: SaeRecord, steps: int) -> None:
        with self._lock:
            # The cell is not done before it is measured.
            self._shares[key] = 0.999 * record.step / steps
            self._tell(f"layer {key.layer}, n = {key.n_atoms}, k = {key.k}: FVU {record.fvu:.4f}")

    def _tell(self, detail: str, cell: SweepCell | None = None) -> None:
        if self._listener is None:
            return
        total = math.fsum(self._costs.values())
        done = math.fsum(cost * self._shares[key] for key, cost in self._costs.items()) / total if total else 1.0
        left = (time.perf_counter() - self._started) * (1.0 - done) / done if self._trained_one else None
        self._listener(SweepProgress(len(self._record.cells), len(self._places), done, detail, cell, left))
