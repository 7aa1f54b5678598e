"""``inrlens ablate``: one atom taken out of the picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import pairs, show, show_json, shown_path
from inrlens.cli.parsing import check_free_file, parse_grid

if TYPE_CHECKING:
    from inrlens.atoms.edit import Ablation

EXAMPLES = (
    "inrlens ablate runs/cohort layer2.safetensors --atom 17 -o atom17.png",
    "inrlens ablate runs/cohort layer2.safetensors --atom 17 --head 3 --json",
)


def ablate(
    network: opt.FieldPath,
    dictionary: opt.SaePath,
    atom: Annotated[int, typer.Option("--atom", metavar="N", min=0, help="The atom, counted from 0.")],
    image: opt.Image = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="PNG",
            help="Draw map, before, after and effect into this file.",
            rich_help_panel=opt.OUTPUT,
        ),
    ] = None,
    head: opt.Head = 0,
    condition: opt.Condition = None,
    grid: opt.Grid = None,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Take one atom out of a layer, keep everything else, and measure what the picture loses.

    A volume is drawn as three slices through the map's largest value, a sound as what happens over time above a
    spectrogram.
    """
    wanted = parse_grid(grid)
    if out is not None:
        check_free_file(out, force, ".png")

    from inrlens.atoms.edit import ablate as take_out
    from inrlens.cli.inputs import open_dictionary, open_network, target_signal
    from inrlens.cli.machine import prepare

    where = prepare(device, threads)
    field, signals = open_network(network, condition, where)
    sae = open_dictionary(dictionary, field, where)
    signal = target_signal(field, signals, head, field.grid_or(wanted), image)
    one = take_out(field, sae, atom, grid=wanted, head=head, signal=signal)
    support, coordinates = int((one.map > 0.0).sum()), one.map.numel()
    largest = float(one.delta.abs().max())
    if out is not None:
        _draw(out, one)
    if json:
        psnrs = {"psnr_before": one.psnr_before, "psnr_after": one.psnr_after, "psnr_drop": one.psnr_drop}
        what = {"atom": atom, "layer": sae.layer, "head": head, "signal": signal.name if signal else None}
        show_json(
            {**what, **psnrs, "support": support, "coordinates": coordinates, "largest_effect": largest, "picture": out}
        )
        return
    rows = [
        ("atom", f"{atom} of layer {sae.layer}"),
        ("support", f"{support:,} of {coordinates:,} coordinates ({support / coordinates:.1%})"),
        ("largest effect", f"{largest:.4f}"),
    ]
    if signal is None or one.psnr_drop is None:
        rows.append(("PSNR", "unknown: give a run folder or --image to compare with"))
    else:
        change = f"{one.psnr_before:.2f} dB before, {one.psnr_after:.2f} dB after, a drop of {one.psnr_drop:.4f} dB"
        rows += [("PSNR", change), ("compared with", signal.name)]
    if out is not None:
        rows.append(("written to", shown_path(out)))
    show(pairs(rows))


def _draw(path: Path, one: "Ablation") -> None:
    from inrlens.reports.pictures import heat_map, picture, signed_picture
    from inrlens.reports.sheet import Tile, sheet
    from inrlens.reports.views import peak, slice_lines
    from inrlens.signals.images import save_png

    before, after = (
        name if value is None else f"{name} {value:.2f} dB"
        for name, value in (("before", one.psnr_before), ("after", one.psnr_after))
    )
    cut, sound = peak(one.map), one.before if one.map.ndim == 1 else None
    tiles = [
        Tile(heat_map(one.map, "", cut=cut, sound=sound, longest=None), (f"map of atom {one.atom}", *slice_lines(cut))),
        Tile(picture(one.before, "", cut, None), (before,)),
        Tile(picture(one.after, "", cut, None), (after,)),
        Tile(signed_picture(one.delta, "", cut, None), ("effect (grey: none)" if sound is None else "effect",)),
    ]
    save_png(sheet(tiles, per_row=len(tiles)), path)
