"""``inrlens study plan``: what a study will compute, and what it will cost."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import columns, note, pairs, show, show_json, warn
from inrlens.cli.parsing import check_positive, parse_duration
from inrlens.cli.study import options as sopt

if TYPE_CHECKING:
    from rich.table import Table

    from inrlens.cli.study.opened import Opened
    from inrlens.studies.price.budget import Proposal
    from inrlens.studies.price.calibrate import Calibration
    from inrlens.studies.price.estimate import Estimate

EXAMPLES = (
    "inrlens study plan paper --gpu-tflops 60",
    "inrlens study plan study.toml --budget 2h",
)


def plan(
    study: sopt.StudyFile,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="TIME", help="Propose the cut that fits, such as 90min or 2h.")
    ] = None,
    gpu_tflops: Annotated[
        float | None,
        typer.Option("--gpu-tflops", metavar="T", help="Reckon also for a GPU of this stated speed, in TFLOP/s."),
    ] = None,
    calibration: Annotated[
        float, typer.Option("--calibration", metavar="SECONDS", help="How long to measure this machine; 0 does not.")
    ] = 20.0,
    workers: sopt.Workers = None,
    weights: sopt.LpipsWeights = None,
    store: sopt.StoreFolder = None,
    json: opt.Json = False,
) -> None:
    """List a study's cells and price them: operations, and time and memory on this machine, which is measured first."""
    seconds = None if budget is None else parse_duration(budget, "--budget")
    check_positive("--gpu-tflops", gpu_tflops)
    if calibration != 0.0:
        check_positive("--calibration", calibration)

    from inrlens.cli.study.opened import open_study
    from inrlens.studies.price.budget import propose_cut
    from inrlens.studies.price.calibrate import calibrate
    from inrlens.studies.price.estimate import estimate
    from inrlens.studies.price.operations import operations_of

    opened = open_study(study, store, weights, sketch=True)
    done = _done(opened)
    found: Calibration | None = None
    if calibration:
        note(f"measuring this machine for {calibration:g} s ...")
        found = calibrate(opened.plan, calibration, workers)
    priced = None if found is None else estimate(opened.plan, found, done=done, gpu_tflops=gpu_tflops)
    proposal = (
        None
        if seconds is None or found is None
        else propose_cut(opened.plan, found, seconds, spread=_spread(opened), done=done)
    )
    if json:
        total = sum(operations_of(opened.plan.by_key()).values())
        show_json(
            {
                "study": opened.plan.spec.name,
                "cells": opened.plan.counts(),
                "done": len(done),
                "operations": total,
                "data_missing": opened.missing,
                "estimate": priced,
                "calibration": found,
                "budget": proposal,
            }
        )
        return
    _show(opened, done, priced, proposal)
    if seconds is not None and found is None:
        warn("--budget needs a calibration: leave --calibration 0 out.")


def _done(opened: "Opened") -> set[str]:
    """Cells that the study's store has already."""
    from inrlens.studies.store.store import Store

    folder = opened.located.store
    if opened.sketched or not folder.is_dir():
        return set()
    with Store.open(folder) as found:
        states = found.states(opened.plan.by_key())
    return {key for key, state in states.items() if state == "done"}


def _spread(opened: "Opened") -> Any:
    """How paired differences spread: measured where the store knows enough, else assumed."""
    from inrlens.studies.price.power import ASSUMED, paired_spread
    from inrlens.studies.store.store import Store
    from inrlens.studies.tables.load_records import study_rows

    located = opened.located
    if not located.store.is_dir():
        return ASSUMED
    with Store.open(located.store) as store:
        if located.name not in store.studies():
            return ASSUMED
        return paired_spread(study_rows(store, located.name).transfers) or ASSUMED


def _show(opened: "Opened", done: set[str], priced: "Estimate | None", proposal: "Proposal | None") -> None:
    from inrlens.studies.price.format import duration, memory, operations

    spec = opened.plan.spec
    if opened.missing is not None:
        warn(f"reckoned without the pictures, by their number and size: {opened.missing}")
    show(f"{spec.name}: {spec.title}")
    show(_cells(opened, priced))
    show(_order(opened))
    if priced is None:
        return
    rows = [
        ("operations", operations(priced.operations).removesuffix(" operations")),
        ("time here", f"{duration(priced.seconds)} with {priced.workers} workers on {priced.machine}"),
        ("longest chain", f"{duration(priced.longest_chain_seconds)}: no number of workers goes below"),
        ("memory", f"{memory(priced.memory.worker_bytes)} a worker, {memory(priced.memory.total_bytes)} in all"),
    ]
    if done:
        rows.insert(0, ("done already", f"{len(done):,} cells, which cost nothing any more"))
    if priced.gpu is not None:
        rows.append(("on a GPU", priced.gpu.assumption))
    if priced.bounds is not None:
        rows.append(("bounds", priced.bounds))
    show(pairs(rows))
    if priced.memory.warning is not None:
        warn(priced.memory.warning)
    if proposal is not None:
        show(proposal.sentence)
        if proposal.fits and proposal.changes:
            show("The cut, entry by entry of the study's file:")
            show(
                pairs(
                    [
                        (
                            change.path,
                            f"{_value(change.before) or 'not given'} becomes {_value(change.after)}: {change.why}",
                        )
                        for change in proposal.changes
                    ]
                )
            )
            note(f"power rests on this: {proposal.spread.source}")


def _cells(opened: "Opened", priced: "Estimate | None") -> "Table":
    from inrlens.studies.cells.cell import KINDS
    from inrlens.studies.price.format import duration, operations

    priced_headings = () if priced is None else ("to do", "operations", "worker time")
    table = columns(None, "kind", "cells", *priced_headings)
    for kind in KINDS:
        if not (count := opened.plan.counts()[kind]):
            continue
        cost = None if priced is None else priced.by_kind[kind]
        rest = (
            ()
            if cost is None
            else (f"{cost.cells:,}", operations(cost.operations).removesuffix(" operations"), duration(cost.seconds))
        )
        table.add_row(kind, f"{count:,}", *rest)
    return table


def _order(opened: "Opened") -> str:
    """What depends on what, in a sentence."""
    counts = opened.plan.counts()
    parts = []
    needs = sum(bool(cell.needs) for cell in opened.plan.by_key().values() if cell.kind == "transfer")
    if needs:
        parts.append(f"{_many(needs, 'transfer')} for {_many(counts['cohort'], 'cohort')}")
    if counts["dictionary"]:
        parts.append(f"{_many(counts['dictionary'], 'dictionary', 'dictionaries')} for their networks")
    if counts["analysis"]:
        parts.append(f"{_many(counts['analysis'], 'analysis', 'analyses')} for their dictionaries")
    return f"What waits for what: {', '.join(parts)}." if parts else "No cell waits for another."


def _many(count: int, one: str, several: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def _value(value: Any) -> str:
    return "" if value is None else str(list(value) if isinstance(value, tuple) else value)
