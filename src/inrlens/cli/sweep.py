"""``inrlens sweep``: dictionaries of every size and sparsity, layer by layer."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import columns, duration, note, show, show_json, shown_path, warn
from inrlens.cli.parsing import check_positive, parse_grid
from inrlens.cli.resume import is_running, only_one
from inrlens.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from inrlens.cli.progress import Bar
    from inrlens.studies.dictionary_sweep import SweepProgress
    from inrlens.studies.sweep_plan import SweepPlan
    from inrlens.studies.sweep_record import SweepRecord

EXAMPLES = (
    "inrlens sweep runs/cohort -o runs/sweep",
    "inrlens sweep runs/cohort -o runs/sweep --layers 2 -n 1024 --steps 2000",
    "inrlens sweep runs/cohort -o runs/sweep --resume",
)
_MOST_SEEDS = 1000


def sweep(
    network: opt.FieldPath,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FOLDER", help="The folder that the sweep grows in.", rich_help_panel=opt.OUTPUT
        ),
    ],
    layers: Annotated[
        str | None, typer.Option("--layers", metavar="LIST", help="Layers, such as 0,2,4; default: all.")
    ] = None,
    atoms: Annotated[
        str, typer.Option("--atoms", "-n", metavar="LIST", help="Sizes n of dictionaries.")
    ] = "1024,2048,4096,8192",
    k: Annotated[
        str, typer.Option("-k", metavar="LIST", help="How many atoms may fire at a coordinate.")
    ] = "4,16,32,64,128",
    seeds: Annotated[
        int, typer.Option("--seeds", metavar="N", min=1, max=_MOST_SEEDS, help="Seeds a cell, from --seed on.")
    ] = 1,
    steps: Annotated[int, typer.Option("--steps", metavar="N", min=1, help="Adam steps a training.")] = 10_000,
    lr: Annotated[float, typer.Option("--lr", metavar="RATE", help="Adam's learning rate.")] = 1e-4,
    batch: Annotated[int, typer.Option("--batch", metavar="N", min=1, help="Coordinates a step.")] = 4096,
    no_controls: Annotated[
        bool, typer.Option("--no-controls", help="Leave out random atoms, principal components and neurons.")
    ] = False,
    untrained: Annotated[
        bool, typer.Option("--untrained", help="Train every cell on the untrained network as well, as a control.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the trained dictionaries.", rich_help_panel=opt.OUTPUT)
    ] = False,
    condition: opt.Condition = None,
    grid: opt.Grid = None,
    seed: opt.Seed = 0,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the sweep in the folder: what it holds is not run again.",
            rich_help_panel=opt.OUTPUT,
        ),
    ] = False,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Train dictionaries of many sizes and sparsities on every layer, beside controls, and write a page of curves."""
    wanted = parse_grid(grid)
    check_positive("--lr", lr)
    chosen = None if layers is None else parse_list(layers, "--layers")
    sizes, sparsities = parse_list(atoms, "-n"), parse_list(k, "-k")

    from inrlens.cli.inputs import open_network
    from inrlens.cli.machine import prepare
    from inrlens.cli.progress import Bar
    from inrlens.reports.sweep_page import write_sweep_page
    from inrlens.studies.dictionary_sweep import run_sweep
    from inrlens.studies.sweep_folder import check_folder
    from inrlens.studies.sweep_plan import SweepPlan

    check_folder(out, resume, force)
    if is_running(out):
        raise InputError(f"another sweep into {out} is running: wait for it, or give another path.")
    if resume and not (out.is_dir() and any(out.iterdir())):
        note(f"nothing to resume: {shown_path(out)} holds no sweep; it begins with its first cell.")
    field, signals = open_network(network, condition, prepare(device, threads))
    plan = SweepPlan(
        layers=tuple(range(field.depth)) if chosen is None else chosen,
        n_atoms=sizes,
        k=sparsities,
        seeds=tuple(range(seed, seed + seeds)),
        steps=steps,
        batch=batch,
        learning_rate=lr,
        controls=not no_controls,
        untrained=untrained,
        keep=keep,
        grid=wanted,
    )
    for layer in plan.layers:
        field.encoder.check_layer(layer)
    with _held(out), Bar("sweep") as bar:
        # What is going to be done is said by the teller, once the sweep has not been refused.
        teller = _Teller(bar, lambda: _announce(plan, field.device.type))
        record = run_sweep(field, plan, out, teller, signals=signals, resume=resume, force=force)
    page = write_sweep_page(out)
    if json:
        show_json({"report": page, "sweep": record})
    else:
        if tables := _tables(record):
            show("PSNR to the intact output in dB, and atoms alive:", *tables)
        show(shown_path(page))
    ends = [cell.outcome for cell in record.cells if cell.steps]
    if "diverged" in ends:
        warn(f"{ends.count('diverged')} of {len(ends)} trainings diverged: a lower --lr may help.")
    if record.outcome == "interrupted":
        note(f"interrupted: {shown_path(out)} holds {len(record.cells)} cells; the same command with --resume goes on.")
        raise typer.Exit(130)


def parse_list(text: str, option: str) -> tuple[int, ...]:
    """Whole numbers with commas between them.

    Raises:
        InputError: for anything else.
    """
    if not re.fullmatch(r"\s*\d{1,7}\s*(,\s*\d{1,7}\s*)*", text):
        raise InputError(f"{option} {text!r} is no list: write whole numbers with commas, such as 16,32,64.")
    return tuple(int(number) for number in text.split(","))


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """Holds the folder against another sweep; one that was made for it and stayed empty is removed."""
    made = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        with only_one(out):
            yield
    finally:
        if made:
            with suppress(OSError):
                out.rmdir()


def _announce(plan: "SweepPlan", device: str) -> None:
    from inrlens.studies.sweep_plan import TRAININGS, cell_keys, left_out
    from inrlens.workers import cores

    keys = cell_keys(plan)
    trainings = sum(key.kind in TRAININGS for key in keys)
    controls = f" and {len(keys) - trainings} controls" if len(keys) > trainings else ""
    many = f"{trainings} trainings" if trainings > 1 else "1 training"
    how = f"a core each, {cores()} at a time" if device == "cpu" else "one after another"
    note(f"{many} of {plan.steps:,} steps{controls}, {how}")
    missing = left_out(plan)
    if missing:
        said = ", ".join(f"n = {n} with k = {k}" for n, k in missing)
        note(f"left out, since k is above n: {said}")


class _Teller:
    """Announces the sweep, moves the bar, and writes a line for every finished training and once how long the rest will
    take."""

    def __init__(self, bar: "Bar", announce: Callable[[], None]) -> None:
        self._bar = bar
        self._announce = announce
        self._begun = False
        self._estimated = False

    def __call__(self, progress: "SweepProgress") -> None:
        self._bar.tell(progress.done, progress.detail)
        if not self._begun:
            self._announce()
        if not self._begun and progress.finished:
            note(f"{progress.finished} of {progress.cells} cells are there already")
        self._begun = True
        cell = progress.cell
        if cell is None or not cell.steps:
            return
        place = f"{progress.finished:>{len(str(progress.cells))}}/{progress.cells}"
        name = f"layer {cell.layer}, n = {cell.n_atoms}, k = {cell.k}, seed {cell.seed}"
        name += "" if cell.kind == "trained" else f", {cell.kind}"
        quality = cell.quality
        measured = f"R2 {quality.r2:.4f}, {quality.fidelity_psnr:.1f} dB, {quality.alive:.0%} alive"
        note(f"{place}  {name}: {measured}, {duration(cell.seconds)}")
        if not self._estimated and progress.seconds_left:
            self._estimated = True
            note(f"about {duration(progress.seconds_left)} left, reckoned from the first training")


def _tables(record: "SweepRecord") -> "list[Table]":
    """A table a layer: fidelity and living atoms of every size and sparsity, means over seeds."""
    from inrlens.reports.dictionary_grid import ALIVE, FIDELITY, DictionaryGrid

    found, tables = DictionaryGrid(record), []
    for layer in filter(found.trained, found.layers):
        table = columns(f"layer {layer}", "n", *(f"k = {k}" for k in found.ks))
        for n in found.ns:
            cells = [[found.mean(measure, "trained", layer, n, k) for measure in (FIDELITY, ALIVE)] for k in found.ks]
            texts = ["" if db is None or alive is None else f"{db:.2f}  {alive:>4.0%}" for db, alive in cells]
            table.add_row(f"{n:,}", *texts)
        tables.append(table)
    return tables
