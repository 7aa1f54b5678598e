"""``inrlens demo``: the whole finding on a few photographs, ending in a report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import duration, note, show, show_json, shown_path
from inrlens.cli.parsing import check_positive, parse_size
from inrlens.cli.run_output import new_run
from inrlens.errors import InputError
from inrlens.files import ensure_free

if TYPE_CHECKING:
    from inrlens.signals.signal import Signal
    from inrlens.studies.record import RunRecord

EXAMPLES = (
    "inrlens demo",
    "inrlens demo --photos holiday/ --size 96x128 --steps 2 -o runs/holiday",
)
_COHORT = 10


def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="The run folder to write.", rich_help_panel=opt.OUTPUT)
    ] = Path("runs/demo"),
    photos: Annotated[
        Path | None,
        typer.Option(
            "--photos", metavar="FOLDER", help="Your own photos: the first 10 are the cohort, the next held out."
        ),
    ] = None,
    size: Annotated[
        str, typer.Option("--size", metavar="HEIGHTxWIDTH", help="Bring every photo to this size, in pixels.")
    ] = "64x80",
    steps: Annotated[
        float, typer.Option("--steps", metavar="SHARE", help="Multiply every number of steps; 2 is twice as many.")
    ] = 1.0,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="The paper's recipes, 4,096 atoms, 3 seeds: hours, not minutes.")
    ] = False,
    heldout: Annotated[
        int, typer.Option("--heldout", metavar="N", min=1, max=6, help="Photos kept from the cohort.")
    ] = 3,
    seed: opt.Seed = 0,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Fit SIREN and FFMLP networks to photos, measure which layers transfer and what each atom does, write a report."""
    wanted = parse_size(size)
    check_positive("--steps", steps)
    ensure_free(out, force)

    from inrlens.cli.machine import prepare
    from inrlens.cli.progress import StageBars
    from inrlens.reports.page import write_report
    from inrlens.studies.plan import demo_plan
    from inrlens.studies.walkthrough import run_walkthrough

    cohort, held = _photographs(photos, wanted, heldout)
    plan = demo_plan(seed, prepare(device, threads), thorough, steps)
    with new_run(out, force) as folder, StageBars() as bars:
        record = run_walkthrough(plan, cohort, held, folder, bars)
    note("writing the report")
    page = write_report(out)
    interrupted = record.outcome == "interrupted"
    if json:
        show_json({"report": page, "run": record})
    else:
        if not interrupted:
            note(f"{len(cohort)} photos in the cohort, {len(held)} held out, {duration(record.seconds)} of computing")
        show(shown_path(page))
    if interrupted:
        note(f"interrupted: kept {_kept(record)}; the report above shows them.")
        raise typer.Exit(130)


def _photographs(
    folder: Path | None, size: tuple[int, int] | None, heldout: int
) -> "tuple[list[Signal], list[Signal]]":
    """The cohort and the held-out photographs."""
    from inrlens.signals.bundled import bundled_photos
    from inrlens.signals.folders import load_folder

    if folder is None:
        return bundled_photos("cohort", size), bundled_photos("heldout", size)[:heldout]
    signals = load_folder(folder, size=size, how="cover", limit=_COHORT + heldout)
    if len(signals) < 3:
        raise InputError(
            f"--photos {folder} holds {len(signals)} readable images, the demo needs at least 3: 2 for the cohort and "
            f"1 held out (it takes up to {_COHORT} and {heldout})."
        )
    members = min(_COHORT, len(signals) - 1)
    return signals[:members], signals[members:]


def _kept(record: "RunRecord") -> str:
    dictionaries = sum(len(condition.layers) for condition in record.conditions)
    return f"{len(record.conditions)} networks, {len(record.transfers)} transfers and {dictionaries} dictionaries"
