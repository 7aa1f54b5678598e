"""``inrlens atlas``: the effect of every atom of a dictionary."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import columns, duration, note, pairs, show, show_json, shown_path
from inrlens.cli.parsing import check_free_file, check_not_input, parse_grid
from inrlens.errors import InputError

if TYPE_CHECKING:
    from inrlens.atoms.effects import Effects
    from inrlens.studies.run_reader import OpenRun

EXAMPLES = (
    "inrlens atlas runs/cohort layer2.safetensors",
    "inrlens atlas runs/cohort layer2.safetensors -o atlas2.safetensors",
    "inrlens atlas runs/cohort layer2.safetensors --page layer2.html --seeds 1",
)
_COLUMNS = (
    ("psnr_drop", "dB lost", "{:.3f}"),
    ("energy", "energy", "{:.2e}"),
    ("mean_magnitude", "magnitude", "{:.4f}"),
    ("active_fraction", "active", "{:.4f}"),
    ("support", "support", "{:.4f}"),
    ("in_radius", "locality", "{:.3f}"),
    ("pieces", "pieces", "{:.0f}"),
)


def atlas(
    network: opt.FieldPath,
    dictionary: opt.SaePath,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="The .safetensors file to write: codes, effects and footprints of all atoms.",
            rich_help_panel=opt.OUTPUT,
        ),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            "--page",
            metavar="HTML",
            help="Write one page with every atom, groups, controls and stability (of a file's network with --image).",
            rich_help_panel=opt.OUTPUT,
        ),
    ] = None,
    top: Annotated[int, typer.Option("--top", metavar="N", min=1, help="List the first so many atoms.")] = 10,
    by: Annotated[
        Literal["psnr_drop", "energy", "support", "in_radius", "pieces", "mean_magnitude", "active_fraction"] | None,
        typer.Option("--by", metavar="WHAT", help="Order the list; default: psnr_drop, or energy without a signal."),
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", metavar="N", min=0, help="For the page: train so many more, to match atoms with.")
    ] = 0,
    untrained: Annotated[
        bool, typer.Option("--untrained", help="For the page: train one on the untrained network as a control.")
    ] = False,
    image: opt.Image = None,
    head: opt.Head = 0,
    condition: opt.Condition = None,
    grid: opt.Grid = None,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Take every atom of a layer out in turn, exactly and at once: what each does to the picture, and where."""
    wanted = parse_grid(grid)
    if out is not None:
        check_free_file(out, force, ".safetensors")
        check_not_input(out, network, dictionary)
    if page is not None:
        check_free_file(page, force, ".html")
        check_not_input(page, network / "report.html")
        if network.is_dir() and (wanted is not None or head or image is not None):
            raise InputError(
                "--page shows head 0 of a run on its own signal and grid: leave --grid, --head and --image away."
            )
        if network.is_file() and image is None:
            raise InputError(
                f"--page compares with a picture, and {network} is a file that holds none: name it with --image."
            )
    if (seeds or untrained) and page is None:
        raise InputError("--seeds and --untrained train dictionaries for the page: name one with --page.")

    from inrlens.checkpoints import save
    from inrlens.cli.inputs import open_dictionary, open_network, target_signal
    from inrlens.cli.machine import prepare
    from inrlens.fields.field import initial_field
    from inrlens.studies.atlas import timed_effects
    from inrlens.studies.comparison_saes import recipe_of
    from inrlens.studies.given import given_run
    from inrlens.studies.run_reader import OpenRun

    where = prepare(device, threads)
    field, signals = open_network(network, condition, where)
    sae = open_dictionary(dictionary, field, where)
    signal = target_signal(field, signals, head, field.grid_or(wanted), image)
    if by == "psnr_drop" and signal is None:
        raise InputError("--by psnr_drop needs a picture to compare with: give a run folder, or --image.")
    if seeds or untrained:
        recipe_of(sae)
    if untrained:
        initial_field(field)
    found, seconds = timed_effects(field, sae, signal, head, wanted)
    order = by or ("psnr_drop" if signal is not None else "energy")
    rows = _rows(found, order, top)
    if page is not None:
        if network.is_dir() or signal is None:
            opened, shown = OpenRun(network), found
        else:
            # The page's network has that head alone.
            opened, shown = given_run(field, signal, head), replace(found, head=0)
        _write_page(page, opened, condition, shown, seconds, dictionary, seeds, untrained, where)
    if out is not None:
        save(found, out, force=force)
    if json:
        what = {"layer": sae.layer, "n_atoms": sae.n_atoms, "k": sae.k, "head": head, "grid": found.codes.grid}
        numbers = {"signal": signal.name if signal else None, "seconds": seconds, **_medians(found)}
        show_json({**what, **numbers, "by": order, "top": rows, "file": out, "page": page})
        return
    show(pairs(_summary(found, seconds)))
    table = columns(None, "atom", *(label for name, label, _ in _COLUMNS if name in rows[0]))
    for row in rows:
        table.add_row(str(row["atom"]), *(form.format(row[name]) for name, _, form in _COLUMNS if name in row))
    show(table)
    for path in (out, page):
        if path is not None:
            show(f"written to {shown_path(path)}")


def _rows(found: "Effects", by: str, top: int) -> list[dict[str, Any]]:
    names = [name for name, *_ in _COLUMNS if name != "psnr_drop" or found.signal is not None]
    values = {name: found.measure(name) for name in names}
    return [{"atom": atom, **{name: float(values[name][atom]) for name in names}} for atom in found.rank(by)[:top]] or [
        {"atom": "none fires"}
    ]


def _medians(found: "Effects") -> dict[str, Any]:
    from inrlens.atoms.statistics import spread

    alive = ~found.statistics.dead
    names = [name for name, *_ in _COLUMNS if name != "psnr_drop" or found.signal is not None]
    medians = {name: spread(found.measure(name)[alive.to(found.measure(name).device)]) for name in names}
    return {"alive": int(alive.sum()), "dead": int((~alive).sum()), "over_living_atoms": medians}


def _summary(found: "Effects", seconds: float) -> list[tuple[str, str]]:
    numbers = _medians(found)
    rows = [
        ("layer", f"{found.layer}, on {'x'.join(str(side) for side in found.codes.grid)} coordinates"),
        ("atoms", f"{numbers['alive']:,} fire somewhere, {numbers['dead']:,} nowhere (dead)"),
        ("effects", f"all of them, exact, in {duration(seconds)}"),
    ]
    if found.signal is not None:
        rows.append(("compared with", found.signal.name))
    for name, label, form in _COLUMNS:
        value = numbers["over_living_atoms"].get(name)
        if value is not None:
            low, median, high = (form.format(number) for number in (value.low, value.median, value.high))
            rows.append((label, f"{median} (quartiles {low} to {high}, living atoms)"))
    return rows


def _write_page(
    page: Path,
    run: "OpenRun",
    condition: str | None,
    found: "Effects",
    seconds: float,
    dictionary: Path,
    seeds: int,
    untrained: bool,
    device: str,
) -> None:
    from inrlens.cli.progress import Bar
    from inrlens.reports.page import write_page
    from inrlens.studies.atlas_run import run_with_atlas

    if seeds or untrained:
        count = seeds + untrained
        note(f"training {count} {'dictionary' if count == 1 else 'dictionaries'} to compare with, by the same recipe")
    with Bar("groups, controls, matches") as bar:
        opened = run_with_atlas(
            run,
            condition,
            dictionary,
            found,
            seconds,
            seeds=seeds,
            untrained=untrained,
            device=device,
            tell=bar.tell,
        )
    write_page(opened, page)
