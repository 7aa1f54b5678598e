"""The local pool: real processes, killed at any instant."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

import study_toys as toys
from inrlens.errors import InputError
from inrlens.studies.cells.task import Done, Failed, Lost
from inrlens.studies.drive.driver import drive
from inrlens.studies.drive.executor import Executor
from inrlens.studies.drive.pool import LocalPool, workers_for
from inrlens.studies.store.store import Store

KILLS = 50
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(Path(toys.__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]),
}
"""Of processes that import the toys."""


def children(process: int) -> list[int]:
    """The workers that a process has started and that live."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if int(after_name[1]) == process and after_name[0] != "Z" and b"spawn_main" in command:
            found.append(int(entry.name))
    return found


def lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(processes: list[int], seconds: float = 20.0) -> bool:
    """Whether all of them end in that time."""
    until = time.monotonic() + seconds
    while any(map(lives, processes)):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_tasks_run_in_processes_with_one_thread_that_are_deaf_to_ctrl_c() -> None:
    pool = LocalPool(2, toys.environment)
    assert isinstance(pool, Executor)
    assert pool.slots == 2
    assert pool.wait(0.0) == []
    pool.submit(toys.task(1))
    pool.submit(toys.task(2))
    with pytest.raises(ValueError, match="all 2 workers are busy"):
        pool.submit(toys.task(3))
    found = toys.outcomes(pool, 2)
    workers = children(os.getpid())
    pool.close(now=False)
    assert {outcome.key for outcome in found} == {toys.task(1).key, toys.task(2).key}
    results = [outcome.result for outcome in found if isinstance(outcome, Done)]
    assert {result["process"] for result in results} == set(workers)
    for result in results:
        assert (result["OMP_NUM_THREADS"], result["MKL_NUM_THREADS"], result["deaf"]) == ("1", "1", True)
        assert result["torch"] is False, "torch would have been loaded before its threads were settled"
    assert not any(map(lives, workers))


@pytest.mark.slow
def test_torch_has_one_thread() -> None:
    pool = LocalPool(1, toys.torch_threads)
    pool.submit(toys.task())
    found = toys.outcomes(pool, 1)
    pool.close(now=False)
    assert found == [Done(toys.task().key, {"threads": 1})]


def test_what_raises_fails_and_what_dies_is_lost_alone(tmp_path: Path) -> None:
    pool = LocalPool(2, toys.work)
    dying = toys.task(1, dies=str(tmp_path / "once"))
    pool.submit(dying)
    pool.submit(toys.task(2, raises=True))
    found = {outcome.key: outcome for outcome in toys.outcomes(pool, 2)}
    lost, failed = found[dying.key], found[toys.task(2, raises=True).key]
    assert isinstance(lost, Lost)
    assert lost.reason == "its worker was killed by signal 9 (SIGKILL)"
    assert isinstance(failed, Failed)
    assert failed.error == "ArithmeticError: no number"
    assert "Traceback" in failed.log
    pool.submit(dying)
    assert [type(outcome) for outcome in toys.outcomes(pool, 1)] == [Done]
    pool.close(now=False)


def test_a_worker_killed_while_it_idles_or_writes_is_replaced() -> None:
    pool = LocalPool(1, toys.work)
    large = toys.task(1, size=2_000_000)  # 64 MB, which no pipe takes at once
    pool.submit(large)
    until = time.monotonic() + 60.0
    while not pool._slots[0].connection.poll(0.01) and time.monotonic() < until:
        pass
    (writing,) = children(os.getpid())
    os.kill(writing, signal.SIGKILL)
    (lost,) = toys.outcomes(pool, 1)
    assert isinstance(lost, Lost)
    pool.submit(toys.task(2))
    assert isinstance(toys.outcomes(pool, 1)[0], Done)
    (idle,) = children(os.getpid())
    os.kill(idle, signal.SIGKILL)
    assert gone([idle])
    # The system tells its parent only when the last of its threads has ended.
    while pool._slots[0]._process.is_alive() and time.monotonic() < until:
        time.sleep(0.01)
    pool.submit(large)
    (done,) = toys.outcomes(pool, 1)
    assert isinstance(done, Done)
    assert done.artefact is not None
    assert len(done.artefact) == 64_000_000
    pool.close(now=False)


def test_closing_waits_or_kills() -> None:
    pool = LocalPool(2, toys.work)
    pool.submit(toys.task(1, sleep=600.0))
    pool.submit(toys.task(2))
    (done,) = toys.outcomes(pool, 1)
    assert done.key == toys.task(2).key
    workers = children(os.getpid())
    pool.close(now=True)
    assert len(workers) == 2
    assert not any(map(lives, workers))
    patient = LocalPool(1, toys.work)
    patient.submit(toys.task(3, sleep=0.2, size=1_000_000))
    patient.close(now=False)
    assert children(os.getpid()) == []


def test_work_that_cannot_be_loaded_fails_the_cell() -> None:
    pool = LocalPool(1, type("Nowhere", (), {"__module__": "no_such_module", "__qualname__": "work"}))
    pool.submit(toys.task())
    (failed,) = toys.outcomes(pool, 1)
    pool.close(now=False)
    assert isinstance(failed, Failed)
    assert "could not load" in failed.error
    assert "no_such_module" in failed.log


def test_a_pool_has_workers() -> None:
    assert workers_for(3) == 3
    assert workers_for() == len(os.sched_getaffinity(0))
    with pytest.raises(InputError, match="at least 1 core, not 0"):
        workers_for(0)
    with pytest.raises(InputError, match="at least 1 worker, not 0"):
        LocalPool(0)


@pytest.mark.slow
def test_a_dying_cell_is_given_up_and_the_others_are_done(tmp_path: Path) -> None:
    cells = (
        toys.cell("cohort", 1, dies=str(tmp_path / "always"), always=True),
        toys.cell("cohort", 2, dies=str(tmp_path / "once")),
        *(toys.cell("cohort", number) for number in range(3, 8)),
    )
    with Store.open(tmp_path / "store", write=True) as store:
        summary = drive(store, toys.plan_of(cells), LocalPool(2, toys.work))
        states = [cell.state for cell in store.stored("toy")]
        attempts = Counter(attempt.key for attempt in store.attempts())
    assert (summary.done, summary.failed) == (6, 1)
    assert states == ["failed", *["done"] * 6]
    assert [attempts[cell.key] for cell in cells] == [4, 2, 1, 1, 1, 1, 1]


def begin(store: Path) -> "subprocess.Popen[bytes]":
    """A driver of the toy plan in a process of its own."""
    code = "import study_toys, sys; study_toys.main(sys.argv[1])"
    return subprocess.Popen([sys.executable, "-c", code, str(store)], stderr=subprocess.PIPE, env=ENVIRONMENT)


@pytest.mark.slow
def test_ctrl_c_in_the_terminal_leaves_the_workers_to_the_driver(tmp_path: Path) -> None:
    """The first lets what runs end; workers hear it too, as the whole group of a terminal does."""
    code = (
        "import sys, study_toys as toys\n"
        "from inrlens.studies.drive.driver import drive\n"
        "from inrlens.studies.drive.pool import LocalPool\n"
        "from inrlens.studies.drive.stop import listen_for_ctrl_c\n"
        "from inrlens.studies.store.store import Store\n"
        "with Store.open(sys.argv[1], write=True) as store, listen_for_ctrl_c() as stop:\n"
        "    print(drive(store, toys.plan(sleep=0.5), LocalPool(2, toys.work), stop=stop))\n"
    )
    driver = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**ENVIRONMENT, toys.LOG: str(tmp_path / "log")},
        start_new_session=True,
    )
    until = time.monotonic() + 60.0
    while not (tmp_path / "log").exists() and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(driver.pid, signal.SIGINT)
    out, err = driver.communicate(timeout=60)
    assert (driver.returncode, err) == (0, "")
    assert "done=2, failed=0, skipped=0, waiting=36" in out
    with Store.open(tmp_path) as store:
        assert Counter(attempt.outcome for attempt in store.attempts()) == {"done": 2}


SCRIPT = (
    "import study_toys as toys\n"
    "from inrlens.studies.drive.driver import drive\n"
    "from inrlens.studies.drive.pool import LocalPool\n"
    "from inrlens.studies.store.store import Store\n"
    "print('the script runs')\n"
    "with Store.open('store', write=True) as store:\n"
    "    summary = drive(store, toys.plan_of([toys.cell('cohort', 1)]), LocalPool(1, toys.work))\n"
    "print(summary.done, 'done,', summary.failed, 'failed')\n"
)
"""Drives a store at its top level, with no ``if __name__ == "__main__":`` around it."""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["file", "pipe", "module"])
def test_workers_do_not_run_the_script_again(tmp_path: Path, how: str) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    arguments = {"file": ["script.py"], "pipe": ["-"], "module": ["-m", "script"]}[how]
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        input=SCRIPT if how == "pipe" else "",
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "the script runs\n1 done, 0 failed\n"


@pytest.mark.slow
def test_work_that_the_script_defines_is_found_behind_its_guard(tmp_path: Path) -> None:
    guarded = (
        "import study_toys as toys\n"
        "from inrlens.studies.drive.pool import LocalPool\n"
        "def work(task):\n"
        "    return toys.work(task)\n"
        "if __name__ == '__main__':\n"
        "    pool = LocalPool(1, work)\n"
        "    pool.submit(toys.task())\n"
        "    print(type(toys.outcomes(pool, 1)[0]).__name__)\n"
    )
    (tmp_path / "script.py").write_text(guarded)
    ended = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, env=ENVIRONMENT, timeout=60
    )
    assert (ended.stdout, ended.stderr) == ("Done\n", "")


def begun(store: Path) -> int:
    """How many cells have begun in a store so far."""
    try:
        return (store / "log").read_bytes().count(b"\n")
    except OSError:
        return 0


def wait_for_an_instant(driver: "subprocess.Popen[bytes]", store: Path, draws: random.Random) -> None:
    """Until some cells more have begun and a moment longer, or, one time in five, a moment of its beginning."""
    if draws.random() < 0.2:
        time.sleep(draws.uniform(0.0, 0.4))
        return
    enough = begun(store) + draws.randint(1, 9)
    while begun(store) < enough and driver.poll() is None:
        time.sleep(0.002)
    time.sleep(draws.uniform(0.0, 0.02))


def killed_until_done(folder: Path, seed: int, kills: int) -> tuple[int, list[str]]:
    """Drives stores, kill -9 after kill -9, until so many drivers were killed and the last store is complete.

    Gives the number of kills, and the digests of the stores.
    """
    draws = random.Random(seed)
    killed, digests = 0, []
    while killed < kills:
        store = folder / f"store {len(digests)}"
        while True:
            driver = begin(store)
            for victim in draws.choice(["driver", "worker and driver"]).split(" and "):
                wait_for_an_instant(driver, store, draws)
                workers = children(driver.pid)
                if victim == "worker" and workers:
                    with suppress(ProcessLookupError):
                        os.kill(draws.choice(workers), signal.SIGKILL)
            if driver.poll() is None:
                workers = children(driver.pid)
                driver.kill()
                killed += driver.wait() == -signal.SIGKILL
                assert gone(workers), "a worker has outlived its driver"
            err = driver.communicate()[1]
            if driver.returncode == 0:
                break
            assert driver.returncode == -signal.SIGKILL, err.decode()
        check_counts(store)
        with Store.open(store) as reader:
            digests.append(reader.digest())
    return killed, digests


def check_counts(folder: Path) -> None:
    """No cell began more often than it was handed out, none was handed out again once it had its outcome."""
    with Store.open(folder) as store:
        attempts: dict[str, list[str]] = {}
        for attempt in store.attempts():
            attempts.setdefault(attempt.key, []).append(attempt.outcome)
        cells = list(store.stored("toy"))
    started = Counter((folder / "log").read_text().split())
    for cell in cells:
        *before, last = attempts.get(cell.key, ["waiting"])
        assert last == cell.state
        assert set(before) <= {"lost", "interrupted"}
        assert started[cell.key] <= len(before) + 1
    assert not list((folder / "states").iterdir())


@pytest.mark.slow
def test_fifty_kills_at_random_instants_change_nothing(tmp_path: Path) -> None:
    whole = begin(tmp_path / "whole")
    err = whole.communicate()[1]
    assert whole.returncode == 0, err.decode()
    check_counts(tmp_path / "whole")
    with Store.open(tmp_path / "whole") as store:
        digest = store.digest()
    # Two at a time, since a driver mostly waits.
    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(killed_until_done, tmp_path / str(seed), seed, KILLS // 2) for seed in (1, 2)]
        found = [job.result() for job in jobs]
    assert sum(kills for kills, _ in found) >= KILLS
    assert {other for _, digests in found for other in digests} == {digest}
    assert all(digests for _, digests in found)
