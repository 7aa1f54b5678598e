"""``inrlens sae``: a dictionary for one layer."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import columns, show, show_json, shown_path, warn
from inrlens.cli.parsing import check_not_input, check_positive, parse_grid
from inrlens.cli.resume import begin_anew, check_file_start, end_interrupted, naming_state, only_one_file, state_file

if TYPE_CHECKING:
    from rich.table import Table

    from inrlens.dictionaries.evaluate import SaeQuality

EXAMPLES = (
    "inrlens sae runs/cohort --layer 2 -o layer2.safetensors",
    "inrlens sae runs/cohort --layer 0 -n 1024 -k 16 -o layer0.safetensors",
)


def sae(
    network: opt.FieldPath,
    layer: Annotated[int, typer.Option("--layer", metavar="N", min=0, help="The layer, counted from 0.")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="The .safetensors file to write.", rich_help_panel=opt.OUTPUT),
    ],
    atoms: Annotated[int, typer.Option("--atoms", "-n", metavar="N", min=1, help="Atoms in the dictionary.")] = 4096,
    k: Annotated[int, typer.Option("-k", metavar="N", min=1, help="Atoms that may fire at a coordinate.")] = 32,
    steps: Annotated[int, typer.Option("--steps", metavar="N", min=1, help="Adam steps.")] = 10_000,
    lr: Annotated[float, typer.Option("--lr", metavar="RATE", help="Adam's learning rate.")] = 1e-4,
    batch: Annotated[int, typer.Option("--batch", metavar="N", min=1, help="Coordinates a step.")] = 4096,
    centre: Annotated[
        Literal["mean", "geometric_median"],
        typer.Option("--centre", metavar="WHAT", help="Centre activations on their mean or geometric_median."),
    ] = "mean",
    auxiliary_k: Annotated[
        int, typer.Option("--auxiliary-k", metavar="N", min=0, help="Dead atoms that model the residual; 0 is off.")
    ] = 0,
    condition: opt.Condition = None,
    grid: opt.Grid = None,
    seed: opt.Seed = 0,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    resume: opt.Resume = False,
    save_every: opt.SaveEvery = 60.0,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Train a dictionary (a TopK sparse autoencoder) on one layer of a network, save it, and measure it."""
    wanted = parse_grid(grid)
    check_positive("--lr", lr)
    replace = check_file_start(out, resume, force)
    check_not_input(out, network)

    from inrlens.checkpoints import save
    from inrlens.cli.inputs import open_network
    from inrlens.cli.machine import prepare
    from inrlens.cli.progress import Bar
    from inrlens.dictionaries.evaluate import evaluate_sae
    from inrlens.dictionaries.train import train_sae
    from inrlens.resume import Resume

    field, signals = open_network(network, condition, prepare(device, threads))
    field.encoder.check_layer(layer)
    with naming_state(out), only_one_file(out), Bar(f"dictionary of layer {layer}") as bar:
        begin_anew(out, resume)
        trained = train_sae(
            field,
            layer,
            n_atoms=atoms,
            k=k,
            steps=steps,
            learning_rate=lr,
            batch=batch,
            centre=centre,
            auxiliary_k=auxiliary_k,
            grid=wanted,
            seed=seed,
            resume=Resume(state_file(out), save_every, keep=True),
            callback=lambda record, planned: bar.tell(record.step / planned, f"FVU {record.fvu:.4f}"),
        )
    save(trained.sae, out, force=replace)
    if trained.outcome != "interrupted":
        state_file(out).unlink(missing_ok=True)
    on_grid = wanted is None or wanted == field.grid
    quality = evaluate_sae(field, trained.sae, signals if on_grid else None, grid=wanted)
    between = evaluate_sae(field, trained.sae, grid=wanted, where="between")
    if json:
        numbers = {"layer": layer, "n_atoms": atoms, "k": k, "steps": trained.steps, "seconds": trained.seconds}
        show_json({"file": str(out), **numbers, "outcome": trained.outcome, "quality": quality, "between": between})
    else:
        show(f"layer {layer}: {atoms:,} atoms, k = {k}, {trained.steps:,} steps", _table(quality, between))
        show(f"written to {shown_path(out)}")
    if trained.outcome == "diverged":
        warn("the training diverged: a lower --lr may help.")
    if trained.outcome == "interrupted":
        end_interrupted(out, "the dictionary", trained.steps)


def _table(quality: "SaeQuality", between: "SaeQuality") -> "Table":
    table = columns(None, "", "on the grid", "between its samples")
    rows = (
        ("coordinates", "rows", "{:,}"),
        ("R2", "r2", "{:.4f}"),
        ("FVU", "fvu", "{:.4f}"),
        ("NMSE, uncentred", "nmse", "{:.4f}"),
        ("alive atoms", "alive", "{:.1%}"),
        ("dead atoms", "dead", "{:.1%}"),
        ("spatial L0", "spatial_l0", "{:.4f}"),
        ("PSNR to the intact output, dB", "fidelity_psnr", "{:.2f}"),
        ("PSNR to the signals, dB", "psnr", "{:.2f}"),
        ("same with the layer intact, dB", "psnr_intact", "{:.2f}"),
    )
    for label, name, form in rows:
        values = [getattr(measured, name) for measured in (quality, between)]
        if any(value is not None for value in values):
            table.add_row(label, *("" if value is None else form.format(value) for value in values))
    return table
