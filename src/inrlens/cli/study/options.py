"""Options that the verbs of a study share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from inrlens.cli.options import OUTPUT

_WORKERS = "Who computes"

StudyFile = Annotated[
    str, typer.Argument(metavar="STUDY", help="A study's .toml file, or the name of one that comes with InrLens.")
]
StoreFolder = Annotated[
    Path | None,
    typer.Option(
        "--store",
        metavar="FOLDER",
        help="Where results are kept; default: inrlens-store beside the file.",
        rich_help_panel=OUTPUT,
    ),
]
LpipsWeights = Annotated[
    Path | None,
    typer.Option(
        "--lpips-weights", metavar="PATH", help="LPIPS's weights; default: what 'inrlens weights lpips' fetched."
    ),
]
Part = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        metavar="NAME",
        help="Only what lies on this data set of the study's; give it again for transfers among several.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        help="Processes, one thread each; default: all cores.",
        rich_help_panel=_WORKERS,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="ADDRESS", help="A Dask scheduler, such as tcp://host:8786.", rich_help_panel=_WORKERS
    ),
]
Slurm = Annotated[
    str | None,
    typer.Option(
        "--slurm",
        metavar="OPTIONS",
        help="Start workers as Slurm jobs with these sbatch options.",
        rich_help_panel=_WORKERS,
    ),
]
Device = Annotated[
    Literal["cpu", "cuda"],
    typer.Option("--device", help="What the workers compute on; results differ by rounding.", rich_help_panel=_WORKERS),
]
