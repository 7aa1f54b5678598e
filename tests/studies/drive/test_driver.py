"""The driver: in order, each once, whatever fails, dies or is stopped."""

import os
import random
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

import inrlens as il
import study_toys as toys
from inrlens.errors import InputError
from inrlens.studies.cells.cell import Cell, SignalRef
from inrlens.studies.cells.task import Done, Failed, Task
from inrlens.studies.drive.driver import drive
from inrlens.studies.drive.eta import Pace
from inrlens.studies.drive.executor import Executor
from inrlens.studies.drive.progress import DriveProgress, DriveSummary
from inrlens.studies.drive.scheduler import Scheduler
from inrlens.studies.drive.stop import StopRequest, listen_for_ctrl_c
from inrlens.studies.drive.tasks import make_task
from inrlens.studies.store.artefacts import artefact_path
from inrlens.studies.store.store import Store

PLAN = toys.plan(transfers=8, sleep=0.0)


def driven(folder: Path, executor: Any = None, plan: Any = PLAN, **options: Any) -> tuple[DriveSummary, Any]:
    """Drives a plan inline; gives the summary and the executor."""
    executor = executor or toys.Inline()
    with Store.open(folder, write=True) as store:
        return drive(store, plan, executor, **options), executor


def outcome(summary: DriveSummary) -> tuple[int, int, int, int, int]:
    return summary.done, summary.failed, summary.skipped, summary.waiting, summary.blocked


def test_everything_runs_once_after_what_it_needs(tmp_path: Path) -> None:
    summary, executor = driven(tmp_path)
    assert isinstance(executor, Executor)
    assert outcome(summary) == (19, 2, 0, 0, 1)
    keys = [task.key for task in executor.begun]
    assert len(keys) == len(set(keys)) == 21
    for task in executor.begun:
        needs = next(cell.needs for cell in PLAN.cells if cell.key == task.key)
        assert all(keys.index(need) < keys.index(task.key) for need in needs)
        assert len(task.inputs) == len(needs)
    kinds = [task.kind for task in executor.begun]
    assert kinds == sorted(kinds, key=["cohort", "transfer", "dictionary", "analysis"].index)
    assert (executor.most, executor.closed) == (2, False)
    assert not list((tmp_path / "states").iterdir())


def test_a_part_of_a_plan_is_run_alone_and_the_rest_later(tmp_path: Path) -> None:
    cohort = next(cell for cell in PLAN.cells if cell.kind == "cohort")
    part = [cell for cell in PLAN.cells if cell == cohort or (cell.kind == "transfer" and cell.needs == (cohort.key,))]
    summary, executor = driven(tmp_path, cells=part)
    assert {task.key for task in executor.begun} == {cell.key for cell in part}
    assert summary.done + summary.failed == len(part)
    with Store.open(tmp_path) as store:
        assert len(list(store.stored("toy"))) == len(PLAN.cells)
    rest, executor = driven(tmp_path)
    assert {task.key for task in executor.begun}.isdisjoint(cell.key for cell in part)
    assert outcome(rest)[:2] == (19 - summary.done, 2 - summary.failed)


def test_done_and_failed_cells_are_left_alone_until_a_retry(tmp_path: Path) -> None:
    driven(tmp_path)
    again, executor = driven(tmp_path)
    assert outcome(again) == (0, 2, 19, 0, 1)
    assert executor.begun == []
    summary, executor = driven(tmp_path, retry=True)
    assert outcome(summary) == (0, 2, 19, 0, 1)
    assert {(task.kind, task.settings["number"]) for task in executor.begun} == {("transfer", 5), ("dictionary", 3)}
    with Store.open(tmp_path) as store:
        states = {(cell.kind, cell.place["number"]): cell for cell in store.stored("toy")}
    failed = states["transfer", 5]
    assert (failed.state, failed.error) == ("failed", "the toy was told to fail.")
    assert failed.log.startswith("in process")
    assert states["analysis", 3].state == "waiting"


def test_what_another_study_has_done_is_skipped(tmp_path: Path) -> None:
    driven(tmp_path)
    other = toys.plan_of((*PLAN.cells, toys.cell("cohort", 99)), "other")
    summary, executor = driven(tmp_path, plan=other)
    assert outcome(summary) == (1, 2, 19, 0, 1)
    assert [task.settings["number"] for task in executor.begun] == [99]


def test_a_cell_at_two_places_runs_once(tmp_path: Path) -> None:
    cohort = toys.cell("cohort")
    summary, executor = driven(tmp_path, plan=toys.plan_of((cohort, replace(cohort, place={"number": 7}))))
    assert outcome(summary) == (1, 0, 0, 0, 0)
    assert len(executor.begun) == 1


def test_a_lost_cell_is_handed_out_again_three_times(tmp_path: Path) -> None:
    often, always = PLAN.cells[0].key, PLAN.cells[1].key
    summary, executor = driven(tmp_path, toys.Inline(lose=[often] * 3 + [always] * 4))
    keys = [task.key for task in executor.begun]
    assert (keys.count(often), keys.count(always)) == (4, 4)
    assert outcome(summary) == (18, 3, 0, 0, 1)
    with Store.open(tmp_path) as store:
        cells = {cell.key: cell for cell in store.stored("toy")}
        attempts = [attempt.outcome for attempt in store.attempts() if attempt.key == often]
    assert cells[often].state == "done"
    assert cells[always].error == "given up after 4 attempts: its worker was told to die."
    assert attempts == ["lost", "lost", "lost", "done"]


@pytest.mark.parametrize("damage", ["removed", "changed"])
def test_a_cell_whose_artefact_is_gone_runs_again(tmp_path: Path, damage: str) -> None:
    """Also where only reading it for another cell shows that it is damaged."""
    first = replace(PLAN, cells=tuple(cell for cell in PLAN.cells if cell.kind == "cohort"))
    driven(tmp_path / "a", plan=first)
    with Store.open(tmp_path / "a") as store:
        cell = next(store.stored("toy"))
    assert cell.artefact is not None
    path = artefact_path(tmp_path / "a", cell.artefact)
    whole = path.read_bytes()
    path.unlink() if damage == "removed" else path.write_bytes(bytes(len(whole)))
    summary, _ = driven(tmp_path / "a")
    assert outcome(summary)[1:] == ((2, 1, 0, 1) if damage == "removed" else (2, 2, 0, 1))
    driven(tmp_path / "b")
    with Store.open(tmp_path / "a") as store, Store.open(tmp_path / "b") as other:
        assert store.digest("toy") == other.digest("toy")
    assert path.read_bytes() == whole


def test_a_stop_lets_what_runs_end_and_hands_nothing_out(tmp_path: Path) -> None:
    executor = toys.Inline(slots=3)
    summary, _ = driven(tmp_path, executor, stop=lambda: len(executor.begun) >= 5)
    assert summary.waiting + summary.done == 22
    assert summary.done == len(executor.begun) < 8
    assert executor.closed is False
    rest, _ = driven(tmp_path)
    assert rest.skipped == summary.done
    driven(tmp_path / "whole")
    with Store.open(tmp_path) as store, Store.open(tmp_path / "whole") as other:
        assert store.digest() == other.digest()


def test_a_stop_now_drops_what_runs(tmp_path: Path) -> None:
    request = StopRequest()
    executor = toys.Inline()

    def listen(progress: DriveProgress) -> None:
        if progress.done == 3:
            request.now = True

    summary, _ = driven(tmp_path, executor, listener=listen, stop=request)
    assert executor.closed is True
    assert outcome(summary) == (3, 0, 0, 19, 0)
    with Store.open(tmp_path) as store:
        assert {cell.state for cell in store.stored("toy")} == {"done", "waiting"}
        assert [attempt.outcome for attempt in store.attempts()].count("interrupted") == len(executor.begun) - 3


def test_an_error_of_the_driver_closes_the_executor(tmp_path: Path) -> None:
    executor = toys.Inline()

    def listen(progress: DriveProgress) -> None:
        raise KeyError("a display that breaks")

    with pytest.raises(KeyError):
        driven(tmp_path, executor, listener=listen)
    assert executor.closed is True
    executor = toys.Inline()
    with Store.open(tmp_path, write=True) as store:
        store._connection.execute("DROP TABLE places")
        with pytest.raises(InputError, match="could not be used"):
            drive(store, PLAN, executor)
    assert executor.closed is True


def test_the_listener_sees_every_outcome_and_the_sums(tmp_path: Path) -> None:
    seen: list[DriveProgress] = []
    driven(tmp_path, listener=seen.append)
    finished = [progress.finished for progress in seen if progress.finished is not None]
    assert len(finished) == 21
    assert all(cell.key == found.key for cell, found in finished)
    for progress in seen:
        kinds = progress.by_kind.values()
        assert progress.total == sum(kind.total for kind in kinds) == 22
        assert progress.done == sum(kind.done for kind in kinds)
        assert progress.running == sum(kind.running for kind in kinds) <= 2
    assert (seen[0].done, seen[0].seconds_left) == (0, None)
    last = seen[-1]
    assert (last.done, last.failed, last.running, last.blocked, last.seconds_left) == (19, 2, 0, 1, 0.0)
    driven(tmp_path, listener=(again := []).append)
    assert (again[0].done, again[0].failed) == (19, 2)


def test_the_costliest_of_a_kind_go_first(tmp_path: Path) -> None:
    costs = {cell.key: float(cell.settings["number"]) for cell in PLAN.cells}
    _, executor = driven(tmp_path, toys.Inline(slots=1), costs=costs)
    numbers = [task.settings["number"] for task in executor.begun if task.kind == "transfer"]
    assert numbers == sorted(numbers, reverse=True)


def test_the_time_left_follows_from_costs_and_measured_seconds() -> None:
    now = [0.0]
    cells = [*(toys.cell("transfer", number) for number in range(4)), toys.cell("dictionary")]
    costs = dict(zip((cell.key for cell in cells), (4.0, 3.0, 2.0, 1.0, 10.0), strict=True))
    for alike, given_costs, expected in ((True, costs, (3 + 2 + 1 + 10) * 2.0), (False, None, None)):
        agenda = Scheduler(cells, {}, given_costs)
        pace = Pace(agenda, alike, lambda: now[0])
        assert pace.seconds_left(1) is None
        first = agenda.take()
        assert first is not None
        pace.begin(first.key)
        now[0] += 8.0
        pace.end(first.key, counts=True)
        agenda.end(first.key, "done")
        assert pace.seconds_left(1) == expected
    agenda = Scheduler(cells[:4], {}, costs)
    pace = Pace(agenda, True, lambda: now[0])
    for cell in (agenda.take(), agenda.take()):
        assert cell is not None
        pace.begin(cell.key)
    now[0] += 4.0
    pace.end(cells[0].key, counts=True)
    agenda.end(cells[0].key, "done")
    # 1 second a unit: the running one has 3 - 4 < 0 left, the others 2 and 1, on two workers.
    assert pace.seconds_left(2) == pytest.approx(1.5)
    assert pace.seconds_left(100) == 0.0 or pace.seconds_left(100) == pytest.approx(0.03)


@given(st.integers(1, 14), st.integers(0, 2**32))
def test_an_agenda_gives_each_cell_once_and_never_too_early(count: int, seed: int) -> None:
    """Against a walk over the graph, for random graphs, failures, losses and orders."""
    draws = random.Random(seed)
    cells: list[Cell] = []
    for number in range(count):
        needs = draws.sample(cells, draws.randint(0, min(3, number)))
        cells.append(toys.cell(draws.choice(["cohort", "transfer", "dictionary"]), number, needs))
    fails = {cell.key for cell in cells if draws.random() < 0.2}
    reachable: set[str] = set()
    for cell in cells:
        if all(need in reachable - fails for need in cell.needs):
            reachable.add(cell.key)
    agenda = Scheduler(draws.sample(cells, count), {})
    ended: list[str] = []
    running: list[Cell] = []
    while not agenda.is_idle or running:
        if not agenda.is_idle and (not running or draws.random() < 0.5):
            cell_now = agenda.take()
            assert cell_now is not None
            assert all(need in ended and need not in fails for need in cell_now.needs)
            running.append(cell_now)
            continue
        back = running.pop(draws.randrange(len(running)))
        if draws.random() < 0.25:
            agenda.wait_again(back.key)
            continue
        ended.append(back.key)
        agenda.end(back.key, "failed" if back.key in fails else "done")
    assert len(ended) == len(set(ended))
    assert set(ended) == reachable
    assert agenda.count("blocked") == count - len(reachable)
    assert agenda.count("waiting") == agenda.count("running") == 0
    assert sum(agenda.cost_left.values()) == 0.0


def test_a_task_holds_the_artefacts_and_the_pictures(tmp_path: Path) -> None:
    signal_ = il.Signal("face", torch.linspace(0.0, 1.0, 48).reshape(16, 3), (4, 4))
    ref = SignalRef("faces", "face", signal_.digest, (4, 4), 3)
    cohort = toys.cell("cohort")
    moved = replace(toys.cell("transfer", 1, [cohort]), signals=(ref,))
    plan = toys.plan_of((cohort, moved), signals={signal_.digest: signal_}, lpips="alex.safetensors")
    with Store.open(tmp_path, write=True) as store:
        store.record_plan(plan)
        store.put(cohort, Done(cohort.key, {}, artefact=b"weights"))
        task = make_task(store, plan, moved)
        assert make_task(store, plan, moved, lpips="other").lpips == "other"
    picture = task.pictures[0]
    values = torch.frombuffer(bytearray(picture.values), dtype=torch.float32).reshape(16, 3)
    assert torch.equal(values, signal_.values)
    assert (picture.name, picture.shape, picture.channels) == ("face", (4, 4), 3)
    assert (task.inputs, task.settings, task.lpips) == ((b"weights",), moved.settings, "alex.safetensors")
    assert task.state == str(tmp_path / "states" / moved.key)


def test_a_cells_state_goes_with_its_outcome(tmp_path: Path) -> None:
    def keeps(task: Task) -> Done | Failed:
        assert task.state is not None
        Path(task.state).write_bytes(b"half way")
        Path(task.state).with_name(f".{task.key}.x.part").write_bytes(b"ha")
        return toys.work(task)

    (tmp_path / "states").mkdir()
    (tmp_path / "states" / "of another cell").touch()
    driven(tmp_path, toys.Inline(work=keeps))
    assert [path.name for path in (tmp_path / "states").iterdir()] == ["of another cell"]


def test_ctrl_c_asks_once_for_soon_and_twice_for_now() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with listen_for_ctrl_c() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGINT)
        assert (stop.soon, stop.now) == (True, False)
        os.kill(os.getpid(), signal.SIGINT)
        assert (stop.soon, stop.now) == (True, True)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    with listen_for_ctrl_c() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert (stop.soon, stop.now) == (True, True)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_on_another_thread_nothing_is_ever_asked() -> None:
    found: list[bool] = []

    def listen() -> None:
        with listen_for_ctrl_c() as stop:
            found.append(stop())

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert found == [False]
