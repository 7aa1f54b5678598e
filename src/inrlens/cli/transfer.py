"""``inrlens transfer``: a new image, volume or sound on the layers of a cohort or a meta-learned start."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import warn
from inrlens.cli.parsing import parse_freeze, parse_size, parse_window
from inrlens.cli.resume import check_start

EXAMPLES = (
    "inrlens transfer runs/cohort new.jpg -o runs/new",
    "inrlens transfer runs/cohort new.jpg --freeze none -o runs/strainer",
    "inrlens transfer runs/volumes scan.nii.gz -o runs/scan",
    "inrlens transfer runs/cohort new.jpg --freeze 1 --rest warm -o runs/warm",
    "inrlens transfer start.safetensors new.jpg --freeze none -o runs/new",
)


def transfer(
    network: Annotated[Path, typer.Argument(metavar="COHORT", help="A cohort's run folder, or a .safetensors file.")],
    image: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="An image, which is brought to the cohort's size, a NIfTI or a sound file."
        ),
    ],
    out: opt.OutFolder,
    freeze: Annotated[
        str,
        typer.Option(
            "--freeze", metavar="TAU", help="Freeze layers 0 to TAU: a number, auto (what the ranks advise) or none."
        ),
    ] = "auto",
    rest: Annotated[
        Literal["reinit", "warm"] | None,
        typer.Option("--rest", help="How the other layers start; default: reinit, but warm where none is frozen."),
    ] = None,
    head: Annotated[
        Literal["reinit", "warm"] | None,
        typer.Option(
            "--head",
            help="How the head starts: warm is the mean of the cohort's; default: reinit, but warm from inrlens meta.",
        ),
    ] = None,
    recipe: opt.Recipe = "paper",
    steps: opt.Steps = None,
    lr: opt.LearningRate = None,
    batch: opt.Batch = None,
    condition: opt.Condition = None,
    size: opt.Size = None,
    how: opt.How = "resize",
    window: opt.Window = None,
    frames: opt.Frames = None,
    mask: opt.Mask = None,
    seed: opt.Seed = 0,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    resume: opt.Resume = False,
    save_every: opt.SaveEvery = 60.0,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Fit a new image, volume or sound on a cohort's layers or a meta-learned start's, frozen up to layer TAU."""
    wanted, tau, span = parse_size(size), parse_freeze(freeze), parse_window(window)
    replace = check_start(out, resume, force)

    from inrlens.cli.fit_runs import RunFolder, fit_into_folder
    from inrlens.cli.inputs import open_network, signal_like
    from inrlens.cli.machine import prepare
    from inrlens.cli.recipe import chosen_recipe, tell_cost
    from inrlens.cli.sources import masked
    from inrlens.fitting.transfer import freeze_depth, transfer as fit_on

    where = prepare(device, threads)
    field, _ = open_network(network, condition, where)
    if field.origin.kind == "meta" and tau is not None:
        warn(f"{network} is a meta-learned start, which is meant to be taken whole: give --freeze none.")
    elif field.origin.kind not in ("cohort", "meta"):
        warn(f"{network} is no cohort's network; the rule for where to freeze was found on cohorts.")
    depth = freeze_depth(field, tau)
    chosen = chosen_recipe(recipe, "transfer", field.backbone.name, steps, lr, batch)
    signal = masked([signal_like(image, field, wanted, how, window=span, frames=frames)], mask)[0]
    expected = tell_cost(chosen, field.backbone, [signal], where, 0 if depth is None else depth + 1)
    fit_into_folder(
        RunFolder(out, replace, resume, save_every),
        json,
        f"transfer to {signal.name}",
        [signal],
        lambda callback, state: fit_on(
            field, signal, freeze=depth, rest=rest, head=head, recipe=chosen, seed=seed, resume=state, callback=callback
        ),
        expected=expected,
    )
