"""``inrlens import``: other people's networks and dictionaries as files of ours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import pairs, show, show_json, shown_path
from inrlens.cli.parsing import check_free_file, check_not_input, parse_numbers, parse_size, parse_spans
from inrlens.errors import InputError

EXAMPLES = (
    "inrlens import w.pt --axes xy --coordinates -1,1 --output 0,1 -o w.safetensors",
    "inrlens import saes/layers.2 --layer 2 -o layer2.safetensors",
)
_NETWORK, _DICTIONARY = "A network: what its file does not say", "A dictionary"


def import_file(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="A network's state dict (.pth, .pt, .safetensors, ...), or the folder of a dictionary that sparsify, "
            "SAELens or dictionary_learning saved.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="The .safetensors file to write.", rich_help_panel=opt.OUTPUT),
    ],
    layout: Annotated[
        str | None,
        typer.Option(
            "--layout",
            metavar="NAME",
            help="Whose network it is, such as siren, siren_pytorch, alpine_ffn, strainer, finer_finer, wire_wire or "
            "coin; default: told from the names of its tensors.",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    omega_0: Annotated[
        str | None,
        typer.Option(
            "--omega-0",
            metavar="NUMBERS",
            help="The factor inside its sines: 30, or 30,1 (the first layer's, the others'), or one a layer.",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(
            "--scale", metavar="NUMBERS", help="The factor inside its bells, likewise.", rich_help_panel=_NETWORK
        ),
    ] = None,
    axes: Annotated[
        str | None,
        typer.Option(
            "--axes",
            metavar="LETTERS",
            help="Its coordinates in its own order: xy (x, along a row of pixels, first), yx, x, zyx.",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    coordinates: Annotated[
        str | None,
        typer.Option(
            "--coordinates",
            metavar="LOW,HIGH",
            help="Their range from the first sample to the last: one for all axes, or one each, as 0,1:0,0.75.",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            metavar="LOW,HIGH",
            help="The range of its values that means black to white; -o names the file.",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(
            "--grid",
            metavar="HEIGHTxWIDTH",
            help="The grid that is meant where a verb is given none.",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    layer: Annotated[
        int | None,
        typer.Option(
            "--layer",
            metavar="N",
            min=0,
            help="The layer that it is for; it must be said.",
            rich_help_panel=_DICTIONARY,
        ),
    ] = None,
    rescale: Annotated[
        bool,
        typer.Option(
            "--rescale",
            help="Accept atoms of uneven length, although which of them fire then changes.",
            rich_help_panel=_DICTIONARY,
        ),
    ] = False,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Read somebody else's network or TopK dictionary, folded into our conventions, and write it as a file of ours."""
    check_free_file(out, force, ".safetensors")
    check_not_input(out, source)
    network = {
        "--layout": layout,
        "--omega-0": omega_0,
        "--scale": scale,
        "--axes": axes,
        "--coordinates": coordinates,
        "--output": output,
        "--grid": grid,
    }
    if source.is_dir():
        _refuse(source, "a folder, so a dictionary is read from it", network)
        _import_dictionary(source, out, layer, rescale, force, json)
        return
    _refuse(source, "no folder, so a network is read from it", {"--layer": layer, "--rescale": rescale or None})
    numbers = {name: parse_numbers(network[name], name) for name in ("--omega-0", "--scale")}
    ranges = {name: parse_spans(network[name], name) for name in ("--coordinates", "--output")}
    size = parse_size(grid, "--grid")

    from inrlens.checkpoints import save
    from inrlens.fields.checkpoint import pack_field
    from inrlens.fields.importers.read import read_network

    spans, span = ranges["--coordinates"], ranges["--output"]
    if span is not None and len(span) != 1:
        raise InputError(f"--output {output!r} must be one range LOW,HIGH.")
    field = read_network(
        source,
        layout,
        omega_0=numbers["--omega-0"],
        scale=numbers["--scale"],
        axes=axes,
        coordinates=spans[0] if spans is not None and len(spans) == 1 else spans,
        output=None if span is None else span[0],
        grid=size,
    )
    save(field, out, force=force)
    about = field.origin.notes["imported"]
    architecture = pack_field(field, "").description["architecture"]
    if json:
        told = {"file": out, **{name: about[name] for name in ("layout", "source", "given", "sha256")}}
        shape = {"heads": field.heads, "channels": field.channels, "grid": field.grid}
        show_json({**told, "backbone": architecture["backbone"], "settings": architecture["settings"], **shape})
        return
    settings = ", ".join(f"{name} {value}" for name, value in architecture["settings"].items())
    many = "1 signal" if field.heads == 1 else f"{field.heads} signals"
    show(
        pairs(
            [
                ("source", f"{about['source']} (layout {about['layout']})"),
                ("network", f"{architecture['backbone']}: {settings}"),
                ("heads", f"{many} of {field.channels} channels"),
                ("written to", shown_path(out)),
            ]
        )
    )


def _import_dictionary(folder: Path, out: Path, layer: int | None, rescale: bool, force: bool, json: bool) -> None:
    if layer is None:
        raise InputError(f"{folder} does not say which layer its dictionary is for: give --layer.")

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


def _refuse(source: Path, what: str, given: Mapping[str, object]) -> None:
    for option, value in given.items():
        if value is not None:
            raise InputError(f"{source} is {what}: leave {option} out.")
