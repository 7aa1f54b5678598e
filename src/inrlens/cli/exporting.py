"""``inrlens export``: fields and dictionaries for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import show, show_json, shown_path
from inrlens.cli.parsing import check_free_file, check_not_input, check_there
from inrlens.errors import InputError

EXAMPLES = (
    "inrlens export runs/cohort --head 3 -o field.onnx",
    "inrlens export layer2.safetensors -o layer2/",
)
_ONNX = ".onnx"


def export_file(
    thing: Annotated[
        Path, typer.Argument(metavar="FILE", help="A field's or a dictionary's .safetensors file, or a run folder.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help="What to write: of a field an .onnx file, of a dictionary a folder.",
            rich_help_panel=opt.OUTPUT,
        ),
    ],
    head: Annotated[
        int | None,
        typer.Option("--head", metavar="N", min=0, help="One signal of a cohort alone; default: all side by side."),
    ] = None,
    condition: opt.Condition = None,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Write a field as an ONNX model, or a dictionary as the folder that sparsify's SparseCoder loads."""
    check_there(thing)
    wanted = out.suffix.lower() == _ONNX
    if wanted:
        check_free_file(out, force)
        check_not_input(out, thing)

    from inrlens.checkpoints import load
    from inrlens.cli.inputs import open_network
    from inrlens.dictionaries.topk import SparseAutoencoder

    found = None if thing.is_dir() else load(thing)
    if isinstance(found, SparseAutoencoder):
        if wanted or head is not None or condition is not None:
            option = f"-o {out}" if wanted else "--head" if head is not None else "--condition"
            raise InputError(
                f"{thing} holds a dictionary, which is written as sparsify's folder: {option} is for fields."
            )
        from inrlens.dictionaries.exchange.sparsify import write_sparsify

        write_sparsify(found, out, force)
        if json:
            show_json({"folder": out})
        else:
            show(f"written to {shown_path(out)}")
        return
    field, _ = open_network(thing, condition, "cpu")
    if not wanted:
        raise InputError(
            f"{thing} holds a field, which is written as an ONNX model: give -o a name that ends in {_ONNX}."
        )

    from inrlens.fields.exports.onnx_file import to_onnx

    to_onnx(field, out, head, force=force)
    outputs = field.channels * (field.heads if head is None else 1)
    if json:
        facts = {"coordinates": field.coordinates, "outputs": outputs, "bytes": out.stat().st_size}
        show_json({"file": out, "backbone": field.backbone.name, "head": head, **facts})
    else:
        show(
            f"{field.backbone.name}: {field.coordinates} coordinates to {outputs} values; written to {shown_path(out)}"
        )
