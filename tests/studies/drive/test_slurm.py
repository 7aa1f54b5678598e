"""Slurm's options, the jobs that they make, and cells that run in such jobs; sbatch here is a stand-in."""

import os
import signal
import stat
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

import remote_cells
from inrlens.errors import InputError
from inrlens.studies.cells.task import Done, Finished, Task
from inrlens.studies.drive import slurm
from inrlens.studies.drive.slurm import SlurmJobs, parse_slurm, slurm_cluster, slurm_pool
from remote_cells import double

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
]
needs_jobqueue = pytest.mark.skipif(find_spec("dask_jobqueue") is None, reason="dask-jobqueue is not installed")


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits for something that has to come."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_options() -> None:
    assert parse_slurm("") == SlurmJobs(jobs=4, memory="4GiB")
    line = "-p gpu --time=04:00:00 --gres gpu:1 --mem=8G --account=lab --jobs=8 --exclusive --cpus-per-task=2"
    assert parse_slurm(line) == SlurmJobs(
        8, "gpu", "lab", "04:00:00", "8GiB", 2, ("--gres=gpu:1", "--exclusive"), gpu=True
    )
    assert parse_slurm("--mem=512").memory == "512MiB"
    assert parse_slurm("--gpus=1").gpu
    assert parse_slurm("--gres=gpu:1,disk:20").gpu
    assert not parse_slurm("--gres=disk:20").gpu
    assert not parse_slurm("--constraint=a100").gpu
    assert parse_slurm("--constraint='big&new' --comment='two words'").directives == (
        "--constraint='big&new'",
        "--comment='two words'",
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--jobs=0", "--jobs must be a whole number from 1 to 10,000, not '0'"),
        ("--jobs=many", "--jobs must be a whole number"),
        ("--mem=plenty", "--mem must be a number with K, M, G or T, such as 8G, not 'plenty'"),
        ("gpu", "'gpu' is no sbatch option in full"),
        ("-J name", "'-J' is no sbatch option in full"),
        ("--comment='open", "is no line of options"),
        ("--gres=gpu:4", "4 GPUs a job, whose one worker uses one"),
        ("--gres=gpu:a100:2,disk:1", "2 GPUs a job, whose one worker uses one"),
        ("--partition", "--partition needs a value"),
        ("--time= --jobs=2", "--time needs a value"),
        ("--array=1-4", "--array cannot be used: each job is one worker, so ask for several with --jobs=N"),
        ("--mem-per-cpu=2G", "--mem-per-cpu cannot be used: a worker has its job's memory"),
    ],
)
def test_options_at_fault(options: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        parse_slurm(options)


@needs_jobqueue
def test_without_sbatch_and_without_a_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="asks for no GPU: add --gres=gpu:1"):
        slurm_pool("--jobs=1", device="gpu")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="needs Slurm's program sbatch, which is not here"):
        slurm_pool("--jobs=1")


@needs_jobqueue
def test_the_script_of_a_job() -> None:
    jobs = parse_slurm("--partition=gpu --time=04:00:00 --gres=gpu:1 --mem=8G --account=lab")
    cluster = slurm_cluster(jobs)
    try:
        script = cluster.job_script()
    finally:
        cluster.close()
    for line in (
        "#SBATCH -p gpu",
        "#SBATCH -A lab",
        "#SBATCH -t 04:00:00",
        "#SBATCH --gres=gpu:1",
        "#SBATCH --cpus-per-task=1",
        "--nthreads 1",
        "--resources GPU=1",
    ):
        assert line in script


@needs_jobqueue
def test_ctrl_c_stays_with_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing dask-jobqueue sets a handler that ends the process."""
    for name in [name for name in sys.modules if name.split(".")[0] == "dask_jobqueue"]:
        monkeypatch.delitem(sys.modules, name)
    before = signal.getsignal(signal.SIGINT)
    slurm_cluster(SlurmJobs()).close()
    assert "dask_jobqueue" in sys.modules
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def sbatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH with an sbatch that runs a script at once, in the background, and a scancel that ends it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    programs = {
        "sbatch": 'if [ "$1" = --test-only ]; then\n'
        f'  if [ -e {tmp_path}/refuse ]; then echo "no such partition" >&2; exit 1; fi\n'
        "  exit 0\n"
        "fi\n"
        f"if [ -e {tmp_path}/fail ]; then rm {tmp_path}/fail; exit 1; fi\n"
        f'cp "$1" {tmp_path}/job.sh\n'
        f"STAND_IN_JOB=1 setsid bash {tmp_path}/job.sh > {tmp_path}/job.log 2>&1 &\n"
        f'echo $! > {tmp_path}/pid\necho "Submitted batch job 1"\n',
        "scancel": f"kill -- -$(cat {tmp_path}/pid)\n",
    }
    for name, text in programs.items():
        program = folder / name
        program.write_text(f"#!/bin/bash\n{text}", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(remote_cells.__file__).parent))
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    return tmp_path


@pytest.mark.slow
@needs_jobqueue
def test_cells_run_in_jobs(sbatch: Path) -> None:
    pool = slurm_pool("--jobs=1 --mem=1G", work=double)
    found: list[Finished] = []
    try:
        for number in range(3):
            for _ in range(600):
                if pool.slots:
                    break
                found += pool.wait(0.1)
            assert pool.slots == 1, (sbatch / "job.log").read_text(encoding="utf-8")
            pool.submit(Task(str(number), "transfer", {"number": number}))
            while len(found) <= number:
                found += pool.wait(1.0)
    finally:
        pool.close(now=True)
    assert [one.result for one in found if isinstance(one, Done)] == [
        {"double": 2 * number, "job": "1"} for number in range(3)
    ]


@pytest.mark.slow
@needs_jobqueue
def test_jobs_that_slurm_refuses(sbatch: Path) -> None:
    (sbatch / "refuse").touch()
    with pytest.raises(InputError, match="Slurm refuses jobs with --slurm '--partition=x': no such partition"):
        slurm_pool("--partition=x")


@needs_jobqueue
def test_slurms_own_limit_counts_where_no_time_is_given() -> None:
    cluster = slurm_cluster(parse_slurm("--jobs=1"))
    try:
        assert "#SBATCH -t" not in cluster.job_script()
    finally:
        cluster.close()


@pytest.mark.slow
@needs_jobqueue
def test_ended_jobs_and_jobs_that_slurm_did_not_take_are_asked_for_anew(
    sbatch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dask = pytest.importorskip("dask")
    monkeypatch.setattr(slurm, "_ASK_EVERY", 0.5)
    (sbatch / "fail").touch()
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "0.2s"}):
        pool = slurm_pool("--jobs=1 --mem=1G", work=double)
        try:
            until(lambda: pool.slots == 1)
            assert not (sbatch / "fail").exists()
            first = int((sbatch / "pid").read_text(encoding="utf-8"))
            os.killpg(first, signal.SIGKILL)
            until(lambda: pool.slots == 0)
            until(lambda: pool.slots == 1)
            assert int((sbatch / "pid").read_text(encoding="utf-8")) != first
        finally:
            pool.close(now=True)


@pytest.mark.slow
@needs_jobqueue
def test_a_pool_closes_whose_jobs_slurm_did_not_take(sbatch: Path) -> None:
    (sbatch / "fail").touch()
    pool = slurm_pool("--jobs=1 --mem=1G", work=double)
    assert pool.slots == 0
    until(lambda: not (sbatch / "fail").exists())
    pool.wait(0.5)
    pool.close(now=True)
    assert not (sbatch / "pid").exists()
