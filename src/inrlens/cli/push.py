"""``inrlens push``: to the hub, with a model card."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import columns, pairs, show, show_json, shown_path

if TYPE_CHECKING:
    from rich.table import Table

EXAMPLES = (
    "inrlens push runs/cohort me/faces --folder faces",
    "inrlens push runs/cohort me/faces --license cc-by-4.0",
    "inrlens push layer1.safetensors layer2.safetensors me/atoms --public",
)


def push(
    things: Annotated[
        list[Path], typer.Argument(metavar="RUN|FILE", help="A run folder, or .safetensors files of ours.")
    ],
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repository on the hub.")],
    public: Annotated[
        bool, typer.Option("--public", help="A new repository can be read by all; default: by its owner alone.")
    ] = False,
    signals: Annotated[
        bool, typer.Option("--signals", help="Upload a run's signals and pictures, or an atlas's signal, too.")
    ] = False,
    license: Annotated[
        str | None, typer.Option("--license", metavar="ID", help="The licence that the card names; default: none.")
    ] = None,
    revision: Annotated[
        str | None, typer.Option("--revision", metavar="BRANCH", help="The branch to commit to; default: main.")
    ] = None,
    message: Annotated[str | None, typer.Option("--message", "-m", metavar="TEXT", help="Of the commit.")] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder",
            metavar="FOLDER",
            help="Upload nothing: write what would be uploaded into this folder.",
            rich_help_panel=opt.OUTPUT,
        ),
    ] = None,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Upload networks and dictionaries with a model card to the Hugging Face hub, in one commit.

    The token is that of `hf auth login` or HF_TOKEN.
    """
    from inrlens.hub.folder import save_pretrained
    from inrlens.hub.names import check_repo_id
    from inrlens.hub.push import push_to_hub

    check_repo_id(repo)
    if folder is not None:
        names = save_pretrained(things, folder, repo_id=repo, license=license, signals=signals, force=force)
        if json:
            show_json({"folder": folder, "files": {name: (folder / name).stat().st_size for name in names}})
        else:
            show(_listed({name: (folder / name).stat().st_size for name in names}), f"written to {shown_path(folder)}")
        return
    done = push_to_hub(
        things,
        repo,
        private=not public,
        license=license,
        signals=signals,
        revision=revision,
        message=message,
        force=force,
    )
    if json:
        show_json(done)
        return
    seen = "its owner alone" if done.private else "everybody"
    show(_listed(done.files), pairs([("page", done.url), ("commit", done.commit), ("seen by", seen)]))


def _listed(files: dict[str, int]) -> "Table":
    table = columns(None, "file", "bytes")
    for name, size in files.items():
        table.add_row(name, f"{size:,}")
    return table
