"""``inrlens meta``: a start that fits a new image, volume or sound after a few steps."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import duration, pairs, show, show_json, shown_path, warn
from inrlens.cli.parsing import check_not_input, check_positive, parse_size, parse_window
from inrlens.cli.resume import begin_anew, check_file_start, end_interrupted, naming_state, only_one_file, state_file

EXAMPLES = (
    "inrlens meta photos/ --recipe small --size 64x80 -o start.safetensors",
    "inrlens meta photos/ --steps 5000 --size 64x80 -o start.safetensors",
)


def meta(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A folder of images, NIfTI files or sounds; or noise:NAME.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="The .safetensors file to write.", rich_help_panel=opt.OUTPUT),
    ],
    pattern: Annotated[str, typer.Option("--pattern", metavar="GLOB", help="Take files whose names match.")] = "*",
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Take the first so many, by name; of noise 10.")
    ] = None,
    backbone: opt.Backbone = "siren",
    recipe: Annotated[
        Literal["paper", "small"],
        typer.Option("--recipe", help="paper: Tancik et al.'s, 150,000 steps; small: ours, for thumbnails."),
    ] = "paper",
    steps: Annotated[int | None, typer.Option("--steps", metavar="N", min=1, help="Outer steps.")] = None,
    lr: Annotated[float | None, typer.Option("--lr", metavar="RATE", help="Adam's rate in the outer steps.")] = None,
    inner_steps: Annotated[
        int | None, typer.Option("--inner-steps", metavar="N", min=1, help="Steps of gradient descent on a signal.")
    ] = None,
    inner_lr: Annotated[float | None, typer.Option("--inner-lr", metavar="RATE", help="Their rate.")] = None,
    signals: Annotated[
        int | None, typer.Option("--signals", metavar="N", min=1, help="Signals in an outer step.")
    ] = None,
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
    """Learn a start by MAML from which a few steps fit any of the signals; fit on it with inrlens transfer.

    Volumes and sounds must share one grid, since only images are brought to a size.
    """
    wanted, span = parse_size(size), parse_window(window)
    check_positive("--lr", lr)
    check_positive("--inner-lr", inner_lr)
    may_replace = check_file_start(out, resume, force)
    check_not_input(out, folder)

    from inrlens.checkpoints import save
    from inrlens.cli.machine import prepare
    from inrlens.cli.progress import Bar
    from inrlens.cli.recipe import changed
    from inrlens.cli.sources import cohort_signals, masked
    from inrlens.fitting.adapt_recipe import adapt_recipe
    from inrlens.fitting.meta import fit_maml
    from inrlens.fitting.meta_recipes import named
    from inrlens.resume import Resume

    given: dict[str, int | float | None] = {
        "steps": steps,
        "learning_rate": lr,
        "inner_steps": inner_steps,
        "inner_learning_rate": inner_lr,
        "signals": signals,
    }
    chosen = changed(named(recipe, backbone), given)
    where = prepare(device, threads)
    found = cohort_signals(folder, pattern, wanted, grey, how, limit, seed, span)
    pictures = masked(found, mask)
    chosen = adapt_recipe(chosen, pictures[0])
    with naming_state(out), only_one_file(out), Bar(f"start from {len(pictures)}") as bar:
        begin_anew(out, resume)
        fitted = fit_maml(
            pictures,
            chosen,
            seed=seed,
            device=where,
            resume=Resume(state_file(out), save_every, keep=True),
            callback=lambda record, planned: bar.tell(record.step / planned, f"PSNR {record.psnr:.1f} dB"),
        )
    save(fitted.field, out, force=may_replace)
    if fitted.outcome != "interrupted":
        state_file(out).unlink(missing_ok=True)
    if json:
        show_json(
            {
                "file": str(out),
                "kind": "meta",
                "recipe": fitted.field.origin.recipe,
                "seed": seed,
                "psnr": fitted.psnr,
                "signals": [{"name": s.name, "psnr": psnr} for s, psnr in zip(pictures, fitted.psnrs, strict=True)],
                "skipped": list(found.skipped),
                "steps": fitted.steps,
                "seconds": fitted.seconds,
                "outcome": fitted.outcome,
            }
        )
    else:
        after = f"after {chosen.inner_steps} step{'s' if chosen.inner_steps > 1 else ''}"
        rows = [
            ("PSNR", f"{fitted.psnr:.2f} dB {after} on each, mean over {len(pictures)} signals"),
            ("outer steps", f"{fitted.steps:,} in {duration(fitted.seconds)}, {fitted.outcome}"),
            ("recipe", chosen.name),
            ("written to", shown_path(out)),
        ]
        show(pairs(rows))
    if fitted.outcome == "diverged":
        warn("the learning diverged: a lower --lr or --inner-lr may help.")
    if fitted.outcome == "interrupted":
        end_interrupted(out, "the start", fitted.steps)
