"""``inrlens cohort``: one encoder for a folder of images, volumes or sounds, or for noise."""

from pathlib import Path
from typing import Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.parsing import parse_size, parse_window
from inrlens.cli.resume import check_start
from inrlens.errors import InputError

EXAMPLES = (
    "inrlens cohort photos/ --size 64x80 --limit 10 -o runs/cohort",
    'inrlens cohort scans/ --pattern "*.png" --grey --recipe fast -o runs/scans',
    'inrlens cohort scans/ --pattern "*.nii.gz" --recipe fast -o runs/volumes',
    "inrlens cohort noise:uniform --size 64x80 --limit 10 -o runs/noise",
)


def cohort(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A folder of images, NIfTI files or sounds; or noise:NAME.")
    ],
    out: opt.OutFolder,
    pattern: Annotated[str, typer.Option("--pattern", metavar="GLOB", help="Take files whose names match.")] = "*",
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=2, help="Take the first so many, by name; of noise 10.")
    ] = None,
    backbone: opt.Backbone = "siren",
    recipe: opt.Recipe = "paper",
    steps: opt.Steps = None,
    lr: opt.LearningRate = None,
    batch: opt.Batch = None,
    size: opt.Size = None,
    how: opt.How = "resize",
    grey: opt.Grey = False,
    window: opt.Window = None,
    mask: opt.Mask = None,
    seed: opt.Seed = 0,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    resume: opt.Resume = False,
    save_every: opt.SaveEvery = 60.0,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Fit one shared encoder, with a head for each signal, to a folder; files that cannot be read are left out.

    Volumes and sounds must share one grid, since only images are brought to a size.

    noise:uniform, noise:gaussian, noise:dead-leaves and noise:spectrum are drawn and need no folder.
    """
    wanted, span = parse_size(size), parse_window(window)
    replace = check_start(out, resume, force)

    from inrlens.cli.fit_runs import RunFolder, fit_into_folder
    from inrlens.cli.machine import prepare
    from inrlens.cli.recipe import chosen_recipe, tell_cost
    from inrlens.cli.sources import cohort_signals, masked
    from inrlens.fitting.adapt_recipe import adapt_recipe
    from inrlens.fitting.fit import fit_cohort

    chosen = chosen_recipe(recipe, "cohort", backbone, steps, lr, batch)
    where = prepare(device, threads)
    found = cohort_signals(folder, pattern, wanted, grey, how, limit, seed, span)
    signals = masked(found, mask)
    if len(signals) < 2:
        raise InputError(f"{folder} holds 1 readable file that matches {pattern!r}: a cohort needs at least 2.")
    chosen = adapt_recipe(chosen, signals[0])
    assert chosen.backbone is not None, "a recipe for a cohort names its backbone"
    expected = tell_cost(chosen, chosen.backbone, signals, where)
    fit_into_folder(
        RunFolder(out, replace, resume, save_every),
        json,
        f"cohort of {len(signals)}",
        signals,
        lambda callback, state: fit_cohort(signals, chosen, seed=seed, device=where, resume=state, callback=callback),
        found.skipped,
        expected,
    )
