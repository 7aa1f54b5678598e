"""What a study will cost before it starts."""

import math
from collections.abc import Mapping, Set as AbstractSet
from dataclasses import dataclass

from inrlens.errors import InputError
from inrlens.studies.cells.cell import KINDS, CellKind
from inrlens.studies.cells.plan import StudyPlan
from inrlens.studies.price.benchmarks import class_of
from inrlens.studies.price.calibrate import Calibration
from inrlens.studies.price.format import duration
from inrlens.studies.price.memory import MemoryNeed, memory_need
from inrlens.studies.price.operations import Cells, operations_of
from inrlens.studies.price.schedule import schedule

GPU_UTILISATION = 0.25
"""Share of a GPU's stated speed that small networks are taken to reach: an assumption, not a measurement."""


@dataclass(frozen=True)
class KindCost:
    """All cells of one kind that are not done: their number, floating-point operations, and worker seconds."""

    cells: int
    operations: float
    seconds: float


@dataclass(frozen=True)
class GpuEstimate:
    """Seconds on one GPU of a stated speed, all cells one after another; ``assumption`` says what it rests on."""

    tflops: float
    utilisation: float
    seconds: float
    assumption: str


@dataclass(frozen=True)
class Estimate:
    """What is left of a study.

    ``by_kind`` has every kind of cell. ``seconds`` is the time on all workers, each cell waiting for what it needs;
    ``work_seconds`` the sum over workers; ``longest_chain_seconds`` what no number of workers can go below. ``bounds``
    says where these are upper bounds, or is None. ``done`` counts the cells that need not be computed.
    """

    by_kind: Mapping[CellKind, KindCost]
    operations: float
    seconds: float
    work_seconds: float
    longest_chain_seconds: float
    workers: int
    machine: str
    done: int
    memory: MemoryNeed
    gpu: GpuEstimate | None
    bounds: str | None


def estimate(
    plan: StudyPlan,
    calibration: Calibration,
    *,
    done: AbstractSet[str] = frozenset(),
    gpu_tflops: float | None = None,
    gpu_utilisation: float = GPU_UTILISATION,
) -> Estimate:
    """Operations, time and memory of the cells of a plan that are not ``done``.

    Raises:
        InputError: where a GPU's speed is not positive, or its utilisation not within (0, 1].
    """
    cells = plan.by_key()
    left = {key: cell for key, cell in cells.items() if key not in done}
    counted = {key: count for key, count in operations_of(cells).items() if key in left}
    seconds = cell_seconds(cells, counted, calibration)
    by_kind: dict[CellKind, KindCost] = {}
    for kind in KINDS:
        own = [key for key, cell in left.items() if cell.kind == kind]
        by_kind[kind] = KindCost(
            len(own), math.fsum(counted[key] for key in own), math.fsum(seconds[key] for key in own)
        )
    total, time = math.fsum(counted.values()), schedule(left.items(), seconds, calibration.workers)
    return Estimate(
        by_kind=by_kind,
        operations=total,
        seconds=time.seconds,
        work_seconds=time.work_seconds,
        longest_chain_seconds=time.longest_chain_seconds,
        workers=calibration.workers,
        machine=calibration.machine,
        done=len(cells) - len(left),
        memory=memory_need(cells, calibration.workers, keys=left.keys()),
        gpu=None if gpu_tflops is None else _on_gpu(total, gpu_tflops, gpu_utilisation),
        bounds=_bounds(left),
    )


def cell_seconds(cells: Cells, operations: Mapping[str, float], calibration: Calibration) -> dict[str, float]:
    """Seconds of a worker for each cell whose operations are given."""
    return {key: count / calibration.rate(class_of(cells[key], cells)) for key, count in operations.items()}


def _on_gpu(operations: float, tflops: float, utilisation: float) -> GpuEstimate:
    if not tflops > 0.0:
        raise InputError(f"a GPU's speed must be a positive number of TFLOP/s, not {tflops:g}.")
    if not 0.0 < utilisation <= 1.0:
        raise InputError(f"a GPU's utilisation must lie within (0, 1], not {utilisation:g}.")
    seconds = operations / (tflops * 1e12 * utilisation)
    assumption = (
        f"{duration(seconds)} on one GPU, if it reaches {utilisation:.0%} of a stated {tflops:g} TFLOP/s in these "
        "small networks: an assumption, not a measurement."
    )
    return GpuEstimate(tflops, utilisation, seconds, assumption)


def _bounds(cells: Cells) -> str | None:
    ending = sum(cell.settings.get("recipe", {}).get("stop_psnr") is not None for cell in cells.values())
    if not ending:
        return None
    return f"{ending} of {len(cells)} cells may stop early at their stop_psnr: all of their steps are counted."
