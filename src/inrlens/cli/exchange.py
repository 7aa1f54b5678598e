"""``inrlens import`` and ``inrlens export``: dictionaries from and for other libraries."""

from pathlib import Path
from typing import Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import pairs, show, show_json, shown_path
from inrlens.cli.parsing import check_free_file, check_not_input

IMPORT_EXAMPLES = ("inrlens import saes/layers.2 --layer 2 -o layer2.safetensors",)
EXPORT_EXAMPLES = ("inrlens export layer2.safetensors -o layer2/",)


def import_dictionary(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="What sparsify, SAELens or dictionary_learning saved.")
    ],
    layer: Annotated[int, typer.Option("--layer", metavar="N", min=0, help="The layer that it is for.")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="The .safetensors file to write.", rich_help_panel=opt.OUTPUT),
    ],
    rescale: Annotated[
        bool,
        typer.Option("--rescale", help="Accept atoms of uneven length, although which of them fire then changes."),
    ] = False,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Read a TopK dictionary of another library and write it as one of ours."""
    check_free_file(out, force, ".safetensors")
    check_not_input(out, folder)

    from inrlens.checkpoints import save
    from inrlens.dictionaries.exchange.read import read_dictionary

    sae = read_dictionary(folder, layer=layer, uneven_rows="rescale" if rescale else "refuse")
    save(sae, out, force=force)
    settings = sae.origin.settings
    if json:
        show_json({"file": out, "layer": layer, "n_atoms": sae.n_atoms, "k": sae.k, "width": sae.width, **settings})
        return
    folded = settings.get("folded") or ["nothing"]
    show(
        pairs(
            [
                ("source", str(settings["source"])),
                ("dictionary", f"{sae.n_atoms:,} atoms of width {sae.width}, k = {sae.k}, for layer {layer}"),
                ("folded", "; ".join(folded)),
                ("written to", shown_path(out)),
            ]
        )
    )


def export_dictionary(
    dictionary: opt.SaePath,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="The folder to write.", rich_help_panel=opt.OUTPUT)
    ],
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Write a dictionary as the folder that sparsify's SparseCoder loads: cfg.json and sae.safetensors."""
    from inrlens.checkpoints import load_sae
    from inrlens.dictionaries.exchange.sparsify import write_sparsify

    write_sparsify(load_sae(dictionary), out, force)
    if json:
        show_json({"folder": out})
    else:
        show(f"written to {shown_path(out)}")
