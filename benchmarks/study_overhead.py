"""What a study's machinery costs beside the cells' own computing, and how quickly a large store answers.

    python benchmarks/study_overhead.py                 cells of 10 s on two workers: overhead in per cent
    python benchmarks/study_overhead.py --cluster       the same on workers of a Dask cluster of this machine
    python benchmarks/study_overhead.py --scaling       cells a minute of two workers over one
    python benchmarks/study_overhead.py --store 10000   seconds of `inrlens study status` and `report`

A cell here multiplies matrices on one thread, is handed 1.5 MB and gives back 1.4 MB, and measures its own seconds.
The driver, the pool, the pipes and the store with its flushes to the disk are the real ones. Overhead is what workers
times wall time exceed the cells' own seconds by, in per cent of these; the start of the processes is told apart.
"""

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from inrlens.signals.bundled import bundled_photos
from inrlens.studies.cells.build_plan import plan_study
from inrlens.studies.cells.cell import Cell, SignalRef
from inrlens.studies.cells.plan import StudyPlan
from inrlens.studies.cells.task import Done, Task
from inrlens.studies.config.model import BackboneSpec, DataSpec, StudySpec
from inrlens.studies.config.read import ReadStudy, parse_study
from inrlens.studies.drive.cluster import ClusterPool, import_dask
from inrlens.studies.drive.driver import drive
from inrlens.studies.drive.executor import Executor
from inrlens.studies.drive.pool import LocalPool
from inrlens.studies.store.store import Store
from timing import about

SIDE = 256
TOML = """
format = 1
name = "large"
title = "A large study"
seeds = [{seeds}]
[data.photos]
kind = "bundled"
size = [24, 30]
cohort = 10
test = 6
[backbones.siren]
[backbones.ffmlp]
[[transfers]]
freeze = ["scratch", "none", 0, 1, 2, 3, 4]
rest = ["reinit", "warm"]
"""


def compute(task: Task) -> Done:
    """A cell of a fixed number of products; its seconds are its own."""
    torch.set_num_threads(1)
    began = time.perf_counter()
    x = torch.eye(SIDE)
    a = torch.full((SIDE, SIDE), 1.0 / SIDE)
    for _ in range(int(task.settings["products"])):
        x = a @ x
    seconds = time.perf_counter() - began
    content = hashlib.sha256(task.key.encode()).digest() * (1_400_000 // 32)
    return Done(task.key, {"psnr": float(x[0, 0])}, {"seconds": seconds}, content)


def products_for(seconds: float) -> int:
    """How many products take a core about so long."""
    torch.set_num_threads(1)
    a = torch.full((SIDE, SIDE), 1.0 / SIDE)
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < 0.5:
        a = (a @ a).clamp(max=1.0)
        count += 1
    return max(1, round(count * seconds / (time.perf_counter() - began)))


def plan_of(cells: int, products: int, tag: str) -> StudyPlan:
    """A study of so many equal cells, each with a picture of 1.5 MB."""
    photo = bundled_photos("heldout", size=(300, 417))[0]
    ref = SignalRef("photos", photo.name, photo.digest, photo.shape, photo.channels)
    made = tuple(
        Cell("single", {"kind": "single", "number": number, "products": products, "tag": tag}, (), (ref,), {})
        for number in range(cells)
    )
    spec = StudySpec(tag, tag, (DataSpec("photos", "bundled", None),), (BackboneSpec("siren", "siren"),))
    return StudyPlan(spec, "", made, {photo.digest: photo}, ())


Pools = Callable[[int], Executor]
"""Makes a pool of so many workers."""


class Kept:
    """A pool that outlives the study that warms it up."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        self.submit, self.wait = pool.submit, pool.wait

    @property
    def slots(self) -> int:
        return self._pool.slots

    def close(self, *, now: bool) -> None:
        pass


def local(workers: int) -> Executor:
    """The pool of ``inrlens study run``."""
    return LocalPool(workers, compute)


def on_dask(workers: int) -> Executor:
    """The pool of ``inrlens study run --cluster``; its scheduler runs here, each worker is a process of its own."""
    distributed, _ = import_dask()
    cluster = distributed.LocalCluster(workers, threads_per_worker=1, memory_limit=None, dashboard_address=None)
    return ClusterPool(cluster.scheduler_address, compute, closing=cluster.close)


def timed(folder: Path, pools: Pools, workers: int, plan: StudyPlan) -> tuple[float, float, float]:
    """Seconds that the workers take to start, from the first hand-out to the last result, and in the cells together."""
    with Store.open(folder / plan.spec.name, write=True) as store:
        began = time.perf_counter()
        pool = pools(workers)
        try:
            while pool.slots < workers:
                pool.wait(0.05)
            # The first cell of each worker waits for torch to load.
            drive(store, plan_of(workers, 1, f"{plan.spec.name} start"), Kept(pool))
            ready = time.perf_counter()
            drive(store, plan, Kept(pool))
            ended = time.perf_counter()
        finally:
            pool.close(now=True)
        own = sum(cell.timing["seconds"] for cell in store.stored(plan.spec.name) if cell.timing is not None)
    return ready - began, ended - ready, own


def overhead(folder: Path, pools: Pools, workers: int, cells: int, seconds: float) -> None:
    """Prints what the machinery costs."""
    plan = plan_of(cells, products_for(seconds), "overhead")
    start, wall, own = timed(folder, pools, workers, plan)
    cost = wall * workers / own - 1.0
    print(f"{cells} cells of {own / cells:.2f} s on {workers} workers: {wall:.2f} s, overhead {cost:.2%}")
    print(f"start of the workers, not counted: {start:.2f} s")


def scaling(folder: Path, cells: int, seconds: float) -> None:
    """Prints the throughput of one worker and of two."""
    products = products_for(seconds)
    rates = {}
    for workers in (1, 2):
        _, wall, _ = timed(folder, local, workers, plan_of(cells, products, f"scaling {workers}"))
        rates[workers] = 60.0 * cells / wall
        print(f"{workers} workers: {rates[workers]:.1f} cells a minute")
    print(f"two over one: {rates[2] / rates[1]:.3f}")


def large_store(folder: Path, cells: int) -> None:
    """Times ``status`` and ``report`` on a store of made-up results."""
    source = TOML.format(seeds=", ".join(str(seed) for seed in range(-(-cells // 144))))
    read = ReadStudy(parse_study(source, "large.toml", folder), source, folder)
    plan = plan_study(read.spec, read.source, read.base)
    (folder / "large.toml").write_text(source, encoding="utf-8")
    draws = random.Random(0)
    with Store.open(folder / "inrlens-store", write=True) as store:
        store.record_plan(plan)
        for cell in plan.by_key().values():
            store.put(cell, _made_up(cell, draws))
    print(f"{len(plan.by_key()):,} cells, all done")
    for verb in (("status",), ("report", "-o", str(folder / "page.html"))):
        command = [sys.executable, "-c", "import sys; from inrlens.cli.main import main; sys.exit(main(sys.argv[1:]))"]
        began = time.perf_counter()
        subprocess.run(
            [*command, "study", verb[0], str(folder / "large.toml"), *verb[1:]], check=True, stdout=subprocess.DEVNULL
        )
        print(f"inrlens study {verb[0]}: {time.perf_counter() - began:.2f} s from start to end")


def _made_up(cell: Cell, draws: random.Random) -> Done:
    history = {"step": list(range(0, 500, 10)), "psnr": [20.0 + step / 50.0 + draws.random() for step in range(50)]}
    scores = {"sr(W)": [1.8, 50.0, 20.0, 20.0, 20.0], "sr(H) post": [15.0, 30.0, 50.0, 40.0, 16.0]}
    psnr = 30.0 - (cell.place["freeze"] or 0) + draws.random() if cell.kind == "transfer" else 35.0
    result = {"psnr": psnr, "ssim": 0.9, "lpips": None, "steps": 500, "outcome": "finished", "history": history}
    if cell.kind == "cohort":
        result |= {"psnrs": [35.0] * 10, "scores": scores, "scores_initial": scores}
    timing = {"seconds": 10.0, "history_seconds": [step / 50.0 for step in range(50)]}
    return Done(cell.key, result, timing)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="of a cell")
    parser.add_argument("--cells", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument("--cluster", action="store_true", help="on a Dask cluster of this machine (extra cluster)")
    doing.add_argument("--scaling", action="store_true", help="two workers against one")
    doing.add_argument("--store", type=int, metavar="CELLS", help="time status and report on so many cells")
    arguments = parser.parse_args()
    workers = 2 if arguments.scaling else arguments.workers
    if not arguments.store and arguments.cells % workers:
        parser.error(f"--cells must be a multiple of {workers}, or a worker without one would count as overhead")
    print(about())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.store:
            large_store(folder, arguments.store)
        elif arguments.scaling:
            scaling(folder, arguments.cells, arguments.seconds)
        else:
            overhead(folder, on_dask if arguments.cluster else local, workers, arguments.cells, arguments.seconds)


if __name__ == "__main__":
    main()
