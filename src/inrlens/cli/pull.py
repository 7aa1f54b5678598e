"""``inrlens pull``: what somebody has shared."""

from pathlib import Path
from typing import Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import show, show_json, shown_path

EXAMPLES = (
    "inrlens pull me/faces -o runs/faces",
    "inrlens pull me/faces --file field.safetensors -o faces.safetensors",
)


def pull(
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="A repository on the hub, or a folder like one.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help="The folder to write, or with --file the .safetensors file.",
            rich_help_panel=opt.OUTPUT,
        ),
    ],
    file: Annotated[
        str | None, typer.Option("--file", metavar="NAME", help="This file of the repository alone.")
    ] = None,
    revision: Annotated[
        str | None, typer.Option("--revision", metavar="NAME", help="A branch, tag or commit; default: main.")
    ] = None,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Fetch networks and dictionaries from the Hugging Face hub; nothing of a repository is ever run."""
    from inrlens.hub import pull as hub

    names = hub.pull(repo, out, file, revision=revision, force=force)
    if json:
        show_json({"path": out, "files": names})
    else:
        show(*names, f"written to {shown_path(out)}")
