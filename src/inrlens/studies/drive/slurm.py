"""Workers that are Slurm jobs: Dask's scheduler runs beside the driver, every job is one worker of one thread."""

import importlib
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import warnings
from dataclasses import dataclass
from typing import Any

from inrlens.errors import InputError
from inrlens.studies.drive.cluster import GPU, ClusterPool, Device, import_dask
from inrlens.studies.drive.executor import Work

_SHORT = {"-p": "partition", "-A": "account", "-t": "time"}
_JOBS, _MOST_JOBS = 4, 10_000
_MEMORY = "4G"
_ASK_EVERY = 10.0
"""Seconds between two looks at how many jobs there are."""
_OURS = ("jobs", "partition", "account", "time", "mem", "cpus-per-task")
_REFUSED = {
    "array": "each job is one worker, so ask for several with --jobs=N",
    "wait": "jobs are asked for all at once",
    "wrap": "a job runs a worker",
    "test-only": "jobs are tried out before they are asked for",
    "mem-per-cpu": "a worker has its job's memory, so give it as --mem=8G",
    "mem-per-gpu": "a worker has its job's memory, so give it as --mem=8G",
}


@dataclass(frozen=True)
class SlurmJobs:
    """How many jobs, what each asks Slurm for, and whether a worker has a GPU; ``directives`` are passed on as they
    stand."""

    jobs: int = _JOBS
    partition: str | None = None
    account: str | None = None
    time: str | None = None
    memory: str = _MEMORY
    cpus: int = 1
    directives: tuple[str, ...] = ()
    gpu: bool = False


def parse_slurm(options: str) -> SlurmJobs:
    """The jobs that a line of sbatch's options asks for, such as ``--partition=gpu --time=04:00:00 --gres=gpu:1``;
    ``--jobs=N`` is ours: how many of them, 4 by default.

    Raises:
        InputError: where it is no such line.
    """
    found: dict[str, str] = {}
    directives: list[str] = []
    gpus = 0
    for name, value in _pairs(options):
        if name in _REFUSED:
            raise InputError(f"--slurm: --{name} cannot be used: {_REFUSED[name]}.")
        if name in _OURS and not value:
            raise InputError(f"--slurm: --{name} needs a value: write --{name}=VALUE.")
        if name in _OURS:
            found[name] = value
        else:
            # sbatch takes words apart at spaces, but for quoted ones.
            directives.append(f"--{name}={shlex.quote(value)}" if value else f"--{name}")
            gpus = max(gpus, _gpus(name, value))
    if gpus > 1:
        raise InputError(f"--slurm: {gpus} GPUs a job, whose one worker uses one: ask for one, and --jobs=N.")
    return SlurmJobs(
        jobs=_count("jobs", found.get("jobs", str(_JOBS)), _MOST_JOBS),
        partition=found.get("partition"),
        account=found.get("account"),
        time=found.get("time"),
        memory=_bytes(found.get("mem", _MEMORY)),
        cpus=_count("cpus-per-task", found.get("cpus-per-task", "1"), 1024),
        directives=tuple(directives),
        gpu=gpus == 1,
    )


def slurm_pool(options: str, *, device: Device = "cpu", work: Work | None = None) -> ClusterPool:
    """Starts a scheduler here and workers as Slurm jobs, which come as Slurm starts them and go with the pool.

    Jobs that ask for a GPU have a worker of one cell at a time on it.

    Raises:
        InputError: where the options are no sbatch options, Dask or sbatch is not there, or ``device`` is "gpu" and the
            options ask for none.
    """
    jobs = parse_slurm(options)
    if device == "gpu" and not jobs.gpu:
        raise InputError(f"--slurm {options!r} asks for no GPU: add --gres=gpu:1, or compute on the processor.")
    import_dask()
    if shutil.which("sbatch") is None:
        raise InputError("--slurm needs Slurm's program sbatch, which is not here: run it on a login node.")
    cluster = slurm_cluster(jobs)
    try:
        _try_out(cluster.job_script(), options)
        return SlurmPool(cluster, jobs.jobs, work, device)
    except BaseException:
        _end(cluster)
        raise


class SlurmPool(ClusterPool):
    """A ``ClusterPool`` whose jobs are asked for anew when some have ended, as those do whose time is up."""

    def __init__(self, cluster: Any, jobs: int, work: Work | None, device: Device) -> None:
        self._cluster, self._jobs, self._asked = cluster, jobs, float("-inf")
        super().__init__(cluster.scheduler_address, work, device=device, closing=lambda: _end(cluster))

    @property
    def slots(self) -> int:
        """How many workers there are that take cells; every ten seconds Slurm is asked for those that lack."""
        if time.monotonic() > self._asked + _ASK_EVERY:
            self._asked = time.monotonic()
            _forget_refused(self._cluster)
            with warnings.catch_warnings():
                # Dask speaks of its dashboard's port and the like.
                warnings.simplefilter("ignore")
                self._cluster.scale(jobs=self._jobs)
        return super().slots


def _forget_refused(cluster: Any) -> None:
    # Dask counts a job that sbatch did not take as there, and cannot close a cluster which has one.
    failed = importlib.import_module("distributed").Status.failed
    for name, job in list(cluster.workers.items()):
        if job.job_id is None:
            job.status = failed
            del cluster.workers[name]


def _end(cluster: Any) -> None:
    _forget_refused(cluster)
    cluster.close()


def _try_out(script: str, options: str) -> None:
    """Asks sbatch whether it would take the job: what it refuses would otherwise be asked for again and again.

    Raises:
        InputError: with what sbatch says.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".sh", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        tried = subprocess.run(["sbatch", "--test-only", file.name], capture_output=True, text=True, check=False)
    if tried.returncode:
        said = " ".join((tried.stderr or tried.stdout).split()).rstrip(".")
        raise InputError(f"Slurm refuses jobs with --slurm {options!r}: {said or 'it does not say why'}.")


def slurm_cluster(jobs: SlurmJobs) -> Any:
    """The ``dask_jobqueue.SLURMCluster`` whose workers are such jobs; none of them is started yet.

    Raises:
        InputError: where dask-jobqueue is not installed.
    """
    heard = signal.getsignal(signal.SIGINT)
    try:
        jobqueue = importlib.import_module("dask_jobqueue")
    except ModuleNotFoundError as error:
        raise InputError('--slurm needs dask-jobqueue: pip install "inrlens[cluster]".') from error
    finally:
        if threading.current_thread() is threading.main_thread():
            # Importing it takes Ctrl-C away from the driver: its handler ends the process at once.
            signal.signal(signal.SIGINT, heard)
    resources = ["--resources", f"{GPU}=1"] if jobs.gpu else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return jobqueue.SLURMCluster(
            queue=jobs.partition,
            account=jobs.account,
            walltime=jobs.time,
            memory=jobs.memory,
            job_cpu=jobs.cpus,
            cores=1,
            processes=1,
            job_name="inrlens",
            job_extra_directives=list(jobs.directives),
            worker_extra_args=resources,
            dashboard_address=None,
            scheduler_options={"dashboard": False},
            # Slurm's own limit counts where none is given, not that of dask-jobqueue.
            job_directives_skip=[] if jobs.time else ["#SBATCH -t "],
        )


def _pairs(options: str) -> list[tuple[str, str]]:
    """Names, written out, and values of the options; the value of one without is empty."""
    try:
        words = shlex.split(options)
    except ValueError as error:
        raise InputError(f"--slurm {options!r} is no line of options: {str(error).lower()}.") from error
    pairs: list[tuple[str, str]] = []
    while words:
        word = words.pop(0)
        if word in _SHORT and words:
            pairs.append((_SHORT[word], words.pop(0)))
        elif match := re.fullmatch(r"--([a-z][a-z-]*)(?:=(.*))?", word):
            value = match[2]
            if value is None and words and not words[0].startswith("-"):
                value = words.pop(0)
            pairs.append((match[1], value or ""))
        else:
            raise InputError(
                f"--slurm {options!r}: {word!r} is no sbatch option in full: write --name=value, such as "
                "--partition=gpu --time=04:00:00 --gres=gpu:1 --jobs=8."
            )
    return pairs


def _gpus(name: str, value: str) -> int:
    """How many GPUs ``--gres=gpu``, ``--gres=gpu:a100:1,disk:20``, ``--gpus=1`` and the like ask for."""
    if name != "gres" and not name.startswith("gpus"):
        return 0
    parts = [part.split(":") for part in value.split(",") if name != "gres" or part.split(":")[0] == "gpu"]
    return sum(int(part[-1]) if part[-1].isdecimal() else 1 for part in parts)


def _count(name: str, text: str, most: int) -> int:
    if not re.fullmatch(r"\d{1,6}", text) or not 1 <= int(text) <= most:
        raise InputError(f"--slurm: --{name} must be a whole number from 1 to {most:,}, not {text!r}.")
    return int(text)


def _bytes(text: str) -> str:
    match = re.fullmatch(r"(\d{1,9})([KMGT]?)B?", text, re.IGNORECASE)
    if match is None or int(match[1]) == 0:
        raise InputError(f"--slurm: --mem must be a number with K, M, G or T, such as 8G, not {text!r}.")
    # Slurm counts in MiB where no unit is given.
    return f"{match[1]}{(match[2] or 'M').upper()}iB"
