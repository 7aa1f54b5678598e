"""``inrlens study run`` and ``retry``: compute what a study's store lacks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import columns, duration, note, show, show_json, shown_path, warn
from inrlens.cli.study import options as sopt
from inrlens.errors import InputError

if TYPE_CHECKING:
    from inrlens.cli.study.opened import Opened
    from inrlens.studies.cells.cell import Cell
    from inrlens.studies.drive.executor import Executor
    from inrlens.studies.drive.progress import DriveSummary

RUN_EXAMPLES = (
    "inrlens study run bundled",
    "inrlens study run study.toml --dry",
    "inrlens study run paper-cut --data faces",
    "inrlens study run study.toml --cluster tcp://host:8786",
)
RETRY_EXAMPLES = ("inrlens study retry study.toml",)
_FAILED = 1
_SHOWN = 3


def run(
    study: sopt.StudyFile,
    dry: Annotated[
        bool, typer.Option("--dry", help="Compute nothing: say which cells are done and which would be run.")
    ] = False,
    data: sopt.Part = None,
    workers: sopt.Workers = None,
    cluster: sopt.Cluster = None,
    slurm: sopt.Slurm = None,
    device: sopt.Device = "cpu",
    weights: sopt.LpipsWeights = None,
    store: sopt.StoreFolder = None,
    json: opt.Json = False,
) -> None:
    """Run a study; the same command goes on with it after anything, and computes no cell twice.

    Ctrl-C once finishes what is running and stops, twice stops at once.
    """
    _checked(workers, cluster, slurm)
    from inrlens.cli.study.opened import open_study

    opened = open_study(study, store, weights, device)
    cells = opened.plan.part(data) if data else opened.plan.cells
    if dry:
        _dry(opened, cells, json)
        return
    _drive(opened, cells, workers, cluster, slurm, device, json, retry=False)


def retry(
    study: sopt.StudyFile,
    workers: sopt.Workers = None,
    cluster: sopt.Cluster = None,
    slurm: sopt.Slurm = None,
    device: sopt.Device = "cpu",
    weights: sopt.LpipsWeights = None,
    store: sopt.StoreFolder = None,
    json: opt.Json = False,
) -> None:
    """Run a study's failed cells again, and whatever else it lacks."""
    _checked(workers, cluster, slurm)
    from inrlens.cli.study.opened import open_study

    opened = open_study(study, store, weights, device)
    _drive(opened, opened.plan.cells, workers, cluster, slurm, device, json, retry=True)


def _checked(workers: int | None, cluster: str | None, slurm: str | None) -> None:
    if sum(option is not None for option in (workers, cluster, slurm)) > 1:
        raise InputError("--workers, --cluster and --slurm each say who computes: give one of them.")


def _dry(opened: "Opened", cells: "Sequence[Cell]", json: bool) -> None:
    from inrlens.studies.store.store import Store

    states: dict[str, Any] = {}
    if opened.located.store.is_dir():
        with Store.open(opened.located.store) as known:
            states = dict(known.states(opened.plan.by_key()))
    listed = [
        {"key": cell.key, "kind": cell.kind, "state": states.get(cell.key, "to run"), "place": cell.place}
        for cell in {cell.key: cell for cell in cells}.values()
    ]
    if json:
        show_json({"study": opened.plan.spec.name, "store": opened.located.store, "cells": listed})
        return
    table = columns(None, "kind", "cells", "done", "failed", "to run")
    for kind in opened.plan.counts():
        own = [cell["state"] for cell in listed if cell["kind"] == kind]
        if own:
            table.add_row(kind, f"{len(own):,}", *(f"{own.count(state):,}" for state in ("done", "failed", "to run")))
    show(table)


def _drive(
    opened: "Opened",
    cells: "Sequence[Cell]",
    workers: int | None,
    cluster: str | None,
    slurm: str | None,
    device: str,
    json: bool,
    *,
    retry: bool,
) -> None:
    from inrlens.cli.study.display import StudyBars
    from inrlens.cli.study.opened import known_diverged, warn_of_other_files, warn_without_lpips
    from inrlens.studies.drive.driver import drive
    from inrlens.studies.drive.stop import listen_for_ctrl_c
    from inrlens.studies.price.operations import operations_of
    from inrlens.studies.store.store import Store

    plan, folder = opened.plan, opened.located.store
    warn_without_lpips(plan)
    costs = operations_of(plan.by_key())
    with Store.open(folder, write=True) as store, listen_for_ctrl_c() as stop:
        warn_of_other_files(store, plan)
        executor = _executor(workers, cluster, slurm, device)
        with StudyBars(plan.spec.name, executor, stop) as bars:
            summary = drive(
                store, plan, executor, bars, stop=stop, lpips=plan.lpips, costs=costs, retry=retry, cells=cells
            )
        diverged = known_diverged(store, plan.spec.name)
        failures = [(cell.kind, cell.error) for cell in store.overview(plan.spec.name) if cell.state == "failed"]
        if json:
            show_json(
                {"study": plan.spec.name, "store": folder, **_told(summary), "digest": store.digest(plan.spec.name)}
            )
    if diverged:
        warn(f"{diverged:,} fits diverged, as too high a rate or too small a batch does; the report names them.")
    count = len({cell.key for cell in cells})
    _close(opened, count, summary, failures, json, stopped=stop())


def _executor(workers: int | None, cluster: str | None, slurm: str | None, device: str) -> "Executor":
    where: Any = "gpu" if device == "cuda" else "cpu"
    if cluster is not None:
        from inrlens.studies.drive.cluster import ClusterPool

        return ClusterPool(cluster, device=where)
    if slurm is not None:
        from inrlens.studies.drive.slurm import slurm_pool

        return slurm_pool(slurm, device=where)
    from inrlens.studies.drive.pool import LocalPool, workers_for

    # One worker a GPU; on processor cores one each.
    return LocalPool(workers or (1 if device == "cuda" else workers_for()))


def _told(summary: "DriveSummary") -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(summary)


def _close(
    opened: "Opened",
    total: int,
    summary: "DriveSummary",
    failures: Sequence[tuple[str, str | None]],
    json: bool,
    *,
    stopped: bool,
) -> None:
    name = opened.plan.spec.name
    for kind, error in failures[:_SHOWN]:
        warn(f"a {kind} failed: {error}")
    if len(failures) > _SHOWN:
        warn(f"{len(failures) - _SHOWN} more cells failed; 'inrlens study status' lists them.")
    if not json:
        done = total - summary.failed - summary.waiting - summary.blocked
        show(
            f"{name}: {done:,} of {total:,} cells done, {summary.done:,} of them now in "
            f"{duration(summary.seconds)}; {shown_path(opened.located.store)}"
        )
    if stopped and (summary.waiting or summary.blocked):
        note("stopped: the same command goes on.")
        raise typer.Exit(130)
    if failures:
        note("'inrlens study retry' runs the failed cells again.")
        raise typer.Exit(_FAILED)
