"""``inrlens fit``: one network for one image, volume or sound."""

from pathlib import Path
from typing import Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.parsing import parse_size, parse_window
from inrlens.cli.resume import check_start

EXAMPLES = (
    "inrlens fit photo.jpg --size 64x80 -o runs/photo",
    "inrlens fit photo.jpg --backbone ffmlp --recipe fast -o runs/photo",
    "inrlens fit scan.nii.gz --recipe fast -o runs/scan",
)


def fit(
    image: Annotated[Path, typer.Argument(metavar="FILE", help="An image, a NIfTI or a sound file.")],
    out: opt.OutFolder,
    backbone: opt.Backbone = "siren",
    recipe: opt.Recipe = "paper",
    steps: opt.Steps = None,
    lr: opt.LearningRate = None,
    batch: opt.Batch = None,
    size: opt.Size = None,
    how: opt.How = "resize",
    grey: opt.Grey = False,
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
    """Fit one network to one image, volume or sound; write a run folder: network, history, reconstruction, numbers."""
    wanted, span = parse_size(size), parse_window(window)
    replace = check_start(out, resume, force)

    from inrlens.cli.fit_runs import RunFolder, fit_into_folder
    from inrlens.cli.machine import prepare
    from inrlens.cli.recipe import chosen_recipe, tell_cost
    from inrlens.cli.sources import masked, one_signal
    from inrlens.fitting.adapt_recipe import adapt_recipe
    from inrlens.fitting.fit import fit as fit_one

    chosen = chosen_recipe(recipe, "single", backbone, steps, lr, batch)
    where = prepare(device, threads)
    signal = masked([one_signal(image, wanted, grey, how, span, frames)], mask)[0]
    chosen = adapt_recipe(chosen, signal)
    assert chosen.backbone is not None, "a recipe for one signal names its backbone"
    expected = tell_cost(chosen, chosen.backbone, [signal], where)
    fit_into_folder(
        RunFolder(out, replace, resume, save_every),
        json,
        f"fitting {signal.name}",
        [signal],
        lambda callback, state: fit_one(signal, chosen, seed=seed, device=where, resume=state, callback=callback),
        expected=expected,
    )
