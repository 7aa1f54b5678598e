"""``inrlens edit``: atoms turned down, off or up."""

from pathlib import Path
from typing import Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import pairs, show, show_json, shown_path
from inrlens.cli.parsing import check_free_file, parse_gains, parse_size

EXAMPLES = (
    "inrlens edit runs/cohort layer2.safetensors --gain 17=0 -o without17.png",
    "inrlens edit runs/cohort layer2.safetensors --gain 17=0 --gain 3=2 -o b.png",
)


def edit(
    network: opt.FieldPath,
    dictionary: opt.SaePath,
    gain: Annotated[
        list[str],
        typer.Option("--gain", metavar="ATOM=GAIN", help="0 removes an atom, 1 keeps it, 2 doubles it; repeatable."),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="PNG", help="The picture to write.", rich_help_panel=opt.OUTPUT)
    ],
    head: opt.Head = 0,
    condition: opt.Condition = None,
    grid: opt.Grid = None,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Draw the picture with atoms turned down, off or up; everything else in the layer is kept."""
    wanted, gains = parse_size(grid, "--grid"), parse_gains(gain)
    check_free_file(out, force, ".png")

    from inrlens.atoms.edit import edit as with_gains
    from inrlens.cli.inputs import open_dictionary, open_network, target_signal
    from inrlens.cli.machine import prepare
    from inrlens.cli.pictures import check_picture
    from inrlens.fields.quality import signal_psnr
    from inrlens.signals.images import save_image

    where = prepare(device, threads)
    field, signals = open_network(network, condition, where)
    sae = open_dictionary(dictionary, field, where)
    shape = field.grid_or(wanted)
    check_picture(shape, field.channels)
    signal = target_signal(field, signals, head, shape, None)
    before = field.render(head, shape)
    after = with_gains(field, sae, gains, grid=shape, head=head)
    save_image(out, after)
    changed = int((after != before).any(-1).sum())
    quality = [None if signal is None else signal_psnr(image, signal) for image in (before, after)]
    if json:
        what = {"gains": gains, "layer": sae.layer, "head": head, "signal": signal.name if signal else None}
        numbers = {"changed": changed, "coordinates": before[..., 0].numel()}
        show_json({**what, **numbers, "psnr_before": quality[0], "psnr_after": quality[1], "picture": out})
        return
    rows = [
        ("gains", ", ".join(f"atom {atom} x {value:g}" for atom, value in gains.items())),
        ("changed", f"{changed:,} of {before[..., 0].numel():,} coordinates"),
    ]
    if signal is not None:
        rows.append(("PSNR", f"{quality[0]:.2f} dB before, {quality[1]:.2f} dB after, against {signal.name}"))
    show(pairs([*rows, ("written to", shown_path(out))]))
