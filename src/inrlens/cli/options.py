"""Options that several verbs share, so that one name means one thing everywhere."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from inrlens.signals.sizing import Fitting as FittingName

DeviceName = Literal["auto", "cpu", "cuda"]
"""``auto`` is cuda where torch sees one, else cpu."""
RecipeName = Literal["paper", "fast", "small"]

_NETWORK, _PICTURES, _MACHINE, OUTPUT = "Network and recipe", "Pictures", "Machine and chance", "Output"

OutFolder = Annotated[
    Path, typer.Option("--out", "-o", metavar="FOLDER", help="The run folder to write.", rich_help_panel=OUTPUT)
]
Force = Annotated[bool, typer.Option("--force", help="Replace the output if it exists.", rich_help_panel=OUTPUT)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.", rich_help_panel=OUTPUT)]

Seed = Annotated[
    int, typer.Option("--seed", metavar="N", min=0, help="Decides every random draw.", rich_help_panel=_MACHINE)
]
Device = Annotated[
    DeviceName,
    typer.Option("--device", help="Where to compute; auto takes a GPU if there is one.", rich_help_panel=_MACHINE),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        min=1,
        help="Processor threads; default: torch's choice.",
        rich_help_panel=_MACHINE,
    ),
]

Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on with this fit where it was interrupted or killed, bit for bit.",
        rich_help_panel=_MACHINE,
    ),
]
SaveEvery = Annotated[
    float,
    typer.Option(
        "--save-every",
        metavar="SECONDS",
        min=0.0,
        help="Keep the running fit's state every so often, beside the run folder.",
        rich_help_panel=_MACHINE,
    ),
]

Backbone = Annotated[
    str,
    typer.Option(
        "--backbone",
        metavar="NAME",
        help="The network: siren, ffmlp, gauss, finer, wire, wire_real, posenc, hashgrid or relu.",
        rich_help_panel=_NETWORK,
    ),
]
Recipe = Annotated[
    RecipeName,
    typer.Option(
        "--recipe",
        help="paper: Table 2 of arXiv:2605.08298, every sample every step; fast: ours, far fewer passes; small: ours, "
        "for thumbnails.",
        rich_help_panel=_NETWORK,
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        "--steps", metavar="N", min=1, help="Optimiser steps; default: the recipe's.", rich_help_panel=_NETWORK
    ),
]
LearningRate = Annotated[
    float | None,
    typer.Option("--lr", metavar="RATE", help="Adam's learning rate; default: the recipe's.", rich_help_panel=_NETWORK),
]
Batch = Annotated[
    int | None,
    typer.Option(
        "--batch", metavar="N", min=1, help="Samples a step; default: the recipe's.", rich_help_panel=_NETWORK
    ),
]
Condition = Annotated[
    str | None,
    typer.Option(
        "--condition", metavar="NAME", help="Which network of a run that holds several.", rich_help_panel=_NETWORK
    ),
]
Grid = Annotated[
    str | None,
    typer.Option(
        "--grid",
        metavar="SIDExSIDE",
        help="The grid to visit, a number an axis; default: the one it was fitted on.",
        rich_help_panel=_NETWORK,
    ),
]
Head = Annotated[
    int, typer.Option("--head", metavar="N", min=0, help="Which signal of a cohort to draw.", rich_help_panel=_NETWORK)
]

Size = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="HEIGHTxWIDTH",
        help="Bring pictures to this size, in pixels, such as 64x80.",
        rich_help_panel=_PICTURES,
    ),
]
Grey = Annotated[bool, typer.Option("--grey", help="One channel instead of three.", rich_help_panel=_PICTURES)]
How = Annotated[
    FittingName,
    typer.Option(
        "--how",
        help="resize: scale each side; cover: scale and cut the rest off; crop: cut the middle out.",
        rich_help_panel=_PICTURES,
    ),
]

Window = Annotated[
    str | None,
    typer.Option(
        "--window",
        metavar="LOW,HIGH",
        help="The values of a NIfTI that become 0 and 1, such as -1000,400 of a CT; what lies beyond is clipped.",
        rich_help_panel=_PICTURES,
    ),
]

Frames = Annotated[
    str | None,
    typer.Option(
        "--frames",
        metavar="all|N",
        help="Of several frames or pages: all, as a volume, or the number of one, from 0; default: the first.",
        rich_help_panel=_PICTURES,
    ),
]

Mask = Annotated[
    Path | None,
    typer.Option(
        "--mask",
        metavar="FILE",
        help="An image or NIfTI of the signal's size: samples that are 0 in it are left out of the fit.",
        rich_help_panel=_PICTURES,
    ),
]

Image = Annotated[
    Path | None,
    typer.Option("--image", metavar="FILE", help="Compare with this file; default: the run's own signal."),
]

FieldPath = Annotated[Path, typer.Argument(metavar="FIELD", help="A run folder, or a field's .safetensors file.")]
SaePath = Annotated[Path, typer.Argument(metavar="SAE", help="A dictionary's .safetensors file.")]


def examples(*lines: str) -> str:
    """The end of a help page: one example a line."""
    title = "Example:" if len(lines) == 1 else "Examples:"
    return "\n\n".join([title, *lines])
