"""Cells on a real Dask cluster: a scheduler and worker processes of this machine, some of them killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import remote_cells
from inrlens.errors import InputError
from inrlens.studies.cells.task import Done, Failed, Finished, Lost, Picture, Task
from inrlens.studies.drive import cluster as cluster_file
from inrlens.studies.drive.cluster import ClusterPool
from inrlens.studies.drive.executor import Executor
from remote_cells import toy

pytest.importorskip("distributed", reason="Dask is not installed (extra cluster)")

pytestmark = [
    pytest.mark.slow,
    # distributed leaves the sockets and tasks of a connection that died under it to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
]
HOST = "127.0.0.1"
SUPPORT = str(Path(remote_cells.__file__).parent)
DEATHS = 1
"""Deaths of workers that the scheduler here allows a cell."""


class Cluster:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(
                [str(Path(remote_cells.__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
            ),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(DEATHS),
            "PYTHONWARNINGS": "ignore",
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        with socket.socket() as free:
            free.bind((HOST, 0))
            port = free.getsockname()[1]
        self.address = f"tcp://{HOST}:{port}"
        self.scheduler = self.start("scheduler", "--host", HOST, "--port", str(port))
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """A program of Dask's, with its log in the folder."""
        command = [sys.executable, "-m", f"distributed.cli.dask_{program}", *arguments, "--no-dashboard"]
        log = self.folder / f"{program}-{len(self.processes)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(command, env=self.environment, stdout=file, stderr=file, cwd=self.folder)
        self.processes.append(process)
        return process

    def alive(self) -> int:
        """How many workers live."""
        return sum(worker.poll() is None for worker in self.workers)

    def top_up(self, count: int, *arguments: str) -> None:
        """Starts workers until there are ``count``."""
        for _ in range(count - self.alive()):
            self.workers.append(self.start("worker", self.address, "--no-nanny", "--nthreads", "2", *arguments))

    def end(self) -> None:
        """Ends all of it."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of three workers with two threads each; workers that a test kills the next one replaces."""
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        found.top_up(3)
        yield found
    finally:
        found.end()


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits for something that has to come."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def tasks(count: int, **settings: object) -> list[Task]:
    """Cells of 1.5 MB each."""
    picture = Picture("p", (300, 400), 3, bytes(300 * 400 * 3 * 4))
    return [Task(f"{index:064x}", "transfer", settings, (os.urandom(1000),), (picture,)) for index in range(count)]


def drive(
    pool: ClusterPool, waiting: list[Task], glance: Callable[[], None] = lambda: None, seconds: float = 60.0
) -> list[Finished]:
    """What becomes of tasks, as a driver hands them out; never more outside than there are slots."""
    waiting, finished, outside = list(waiting), [], 0
    give_up = time.monotonic() + seconds
    while waiting or outside:
        while waiting and outside < pool.slots:
            pool.submit(waiting.pop(0))
            outside += 1
        found = pool.wait(0.1)
        outside -= len(found)
        finished += found
        glance()
        assert time.monotonic() < give_up
    return finished


def by_key(outcomes: list[Finished]) -> dict[str, Finished]:
    """Outcomes without what differs from run to run; each key once."""
    assert len({outcome.key for outcome in outcomes}) == len(outcomes)
    return {out.key: out if isinstance(out, Lost) else replace(out, log="") for out in outcomes}


def test_results_are_those_of_this_process(cluster: Cluster, tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(os.urandom(100_000))
    cells = [*tasks(8, seconds=0.05), replace(tasks(1)[0], key="9" * 64, settings={"fails": True})]
    cells = [replace(cell, lpips=str(weights)) for cell in cells]
    pool = ClusterPool(cluster.address, toy)
    assert isinstance(pool, Executor)
    until(lambda: pool.slots == 3)
    outcomes = drive(pool, [replace(cell, state=str(tmp_path / "state")) for cell in cells])
    pool.close(now=False)
    assert by_key(outcomes) == by_key([toy(cell) for cell in cells])
    workers = {outcome.log for outcome in outcomes if isinstance(outcome, Done)}
    assert len(workers) == 3
    assert str(os.getpid()) not in workers


def test_a_worker_runs_one_cell_at_a_time_and_new_workers_get_some(cluster: Cluster, tmp_path: Path) -> None:
    cluster.top_up(2)
    pool = ClusterPool(cluster.address, toy)
    until(lambda: pool.slots >= 2)
    before = pool.slots
    cells = tasks(10, seconds=0.3, notes=str(tmp_path))
    cluster.top_up(before + 1)
    until(lambda: pool.slots == before + 1)
    outcomes = drive(pool, cells)
    pool.close(now=False)
    assert len({outcome.log for outcome in outcomes if isinstance(outcome, Done)}) == before + 1
    # With as many cells outside as workers, a second one on a worker would have kept another without: 10 on 4 in turn.
    counts = [sum(outcome.log == worker for outcome in outcomes) for worker in {outcome.log for outcome in outcomes}]
    assert max(counts) <= 4


def test_a_killed_workers_cell_is_run_again(cluster: Cluster, tmp_path: Path) -> None:
    cluster.top_up(3)
    pool = ClusterPool(cluster.address, toy)
    until(lambda: pool.slots >= 3)
    cells = tasks(9, seconds=0.4, notes=str(tmp_path))
    killed: list[int] = []

    def kill_one() -> None:
        notes = sorted(tmp_path.iterdir())
        if not killed and len(notes) >= 4:
            newest = max(notes, key=lambda note: note.stat().st_mtime_ns)
            killed.append(int(newest.name.split("-")[1]))
            os.kill(killed[0], signal.SIGKILL)

    outcomes = drive(pool, cells, kill_one)
    pool.close(now=False)
    assert killed
    assert by_key(outcomes) == by_key([toy(cell) for cell in cells])
    # A cell that ran twice was given back once.
    assert len(list(tmp_path.iterdir())) > len(cells)


def test_a_cell_that_kills_workers_is_lost_and_the_others_are_not(cluster: Cluster) -> None:
    cluster.top_up(2 + DEATHS + 1)
    pool = ClusterPool(cluster.address, toy)
    until(lambda: pool.slots >= 2 + DEATHS + 1)
    poison, raising, *rest = tasks(6)
    poison, raising = replace(poison, settings={"poison": True}), replace(raising, settings={"raises": True})
    outcomes = by_key(drive(pool, [poison, raising, *rest]))
    pool.close(now=False)
    lost, failed = outcomes[poison.key], outcomes[raising.key]
    assert isinstance(lost, Lost)
    assert lost.reason.startswith(f"{DEATHS + 1} workers died under it, the last at tcp://{HOST}:")
    assert isinstance(failed, Failed)
    assert failed.error == "RuntimeError: this cell cannot be computed"
    assert {cell.key: outcomes[cell.key] for cell in rest} == by_key([toy(cell) for cell in rest])


def test_a_gpu_is_asked_for_and_gets_its_own_cells(cluster: Cluster) -> None:
    cluster.top_up(1)
    plain = ClusterPool(cluster.address, toy)
    until(lambda: plain.slots >= 1)
    with pytest.raises(InputError, match=r"says that it has a GPU: start one worker for each with dask worker tcp"):
        ClusterPool(cluster.address, toy, device="gpu")
    cluster.top_up(cluster.alive() + 1, "--resources", "GPU=1")
    until(lambda: plain.slots == cluster.alive())
    pool = ClusterPool(cluster.address, toy, device="gpu")
    assert pool.slots == 1
    outcomes = drive(pool, tasks(3))
    assert {outcome.log for outcome in outcomes if isinstance(outcome, Done)} == {str(cluster.workers[-1].pid)}
    pool.close(now=True)
    plain.close(now=True)


def test_another_inrlens_on_the_workers_is_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.top_up(1)
    monkeypatch.setattr(cluster_file, "versions", lambda: "InrLens 0.0")
    pool = ClusterPool(cluster.address, toy)
    until(lambda: pool.slots >= 1)
    with pytest.raises(
        InputError, match=r"cells cannot run at tcp://.*: a worker has InrLens .* runs with InrLens 0\.0"
    ):
        drive(pool, tasks(2))
    with pytest.raises(InputError, match="cells cannot run at"):
        pool.submit(tasks(1)[0])
    pool.close(now=True)


def test_close_now_does_not_wait_and_close_does(cluster: Cluster, tmp_path: Path) -> None:
    cluster.top_up(1)
    pool = ClusterPool(cluster.address, toy)
    until(lambda: pool.slots >= 1)
    pool.submit(tasks(1, seconds=1.0, notes=str(tmp_path))[0])
    until(lambda: len(list(tmp_path.iterdir())) == 1)
    started = time.monotonic()
    pool.close(now=False)
    assert time.monotonic() - started > 0.5
    pool = ClusterPool(cluster.address, toy)
    until(lambda: pool.slots >= 1)
    pool.submit(tasks(2, seconds=20.0, notes=str(tmp_path))[1])
    until(lambda: len(list(tmp_path.iterdir())) == 2)
    started = time.monotonic()
    pool.close(now=True)
    assert time.monotonic() - started < 10.0


def test_a_scheduler_that_goes_away_loses_what_is_outside(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    gone = Cluster(tmp_path)
    try:
        gone.top_up(1)
        pool = ClusterPool(gone.address, toy)
        until(lambda: pool.slots == 1)
        cell = tasks(1, seconds=30.0)[0]
        pool.submit(cell)
        assert pool.wait(0.1) == []
        gone.scheduler.send_signal(signal.SIGKILL)
        assert pool.wait(20.0) == [Lost(cell.key, f"the connection to the cluster at {gone.address} was lost")]
        assert pool.slots == 0
        for call in (lambda: pool.submit(cell), lambda: pool.wait(0.1)):
            with pytest.raises(InputError, match=rf"^the cluster at {gone.address} cannot be reached: the connection"):
                call()
        pool.close(now=False)
    finally:
        gone.end()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tcp://127.0.0.1:1", r"^the cluster at tcp://127\.0\.0\.1:1 cannot be reached: .*[^.]\.$"),
        ("tcp://nowhere.invalid:8786", r"^the cluster at tcp://nowhere\.invalid:8786 cannot be reached: .*[^.]\.$"),
        ("tcp://127.0.0.1", r"^'tcp://127\.0\.0\.1' is no address of a Dask scheduler: write tcp://HOST:PORT\.$"),
        ("ftp://127.0.0.1:1", r"^'ftp://127\.0\.0\.1:1' is no address of a Dask scheduler: write tcp://HOST:PORT\.$"),
        ("here", r"^'here' is no address of a Dask scheduler: write tcp://HOST:PORT\.$"),
    ],
)
def test_an_address_without_a_cluster_is_refused(address: str, words: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=words):
        ClusterPool(address, toy, patience=1.0)
    assert capfd.readouterr() == ("", "")


def test_a_mute_server_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server((HOST, 0)) as mute:
        port = mute.getsockname()[1]
        started = time.monotonic()
        with pytest.raises(InputError, match=rf"^the cluster at tcp://{HOST}:{port} cannot be reached: "):
            ClusterPool(f"tcp://{HOST}:{port}", toy, patience=1.0)
        assert time.monotonic() - started < 10.0
    assert capfd.readouterr() == ("", "")


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r'pip install "inrlens\[cluster\]"'):
        ClusterPool("tcp://127.0.0.1:1", toy)
