"""``inrlens edit``: atoms turned down, off or up."""

from pathlib import Path
from typing import Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import pairs, show, show_json, shown_path
from inrlens.cli.parsing import check_free_file, parse_gains, parse_grid
from inrlens.cli.values import ENDINGS, check_writable, write_values

EXAMPLES = (
    "inrlens edit runs/cohort layer2.safetensors --gain 17=0 -o without17.png",
    "inrlens edit runs/cohort layer2.safetensors --gain 17=0 --gain 3=2 -o b.png",
    "inrlens edit runs/scans layer2.safetensors --gain 17=0 -o without17.nii.gz",
)


def edit(
    network: opt.FieldPath,
    dictionary: opt.SaePath,
    gain: Annotated[
        list[str],
        typer.Option("--gain", metavar="ATOM=GAIN", help="0 removes an atom, 1 keeps it, 2 doubles it; repeatable."),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="A .png to write; a volume also goes into .nii or .nii.gz, a sound into .wav.",
            rich_help_panel=opt.OUTPUT,
        ),
    ],
    head: opt.Head = 0,
    condition: opt.Condition = None,
    grid: opt.Grid = None,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """Write the picture, volume or sound with atoms turned down, off or up; everything else in the layer is kept."""
    wanted, gains = parse_grid(grid), parse_gains(gain)
    check_free_file(out, force, *ENDINGS)

    from inrlens.atoms.edit import edit as with_gains
    from inrlens.cli.inputs import open_dictionary, open_network, target_signal
    from inrlens.cli.machine import prepare
    from inrlens.fields.quality import signal_psnr

    where = prepare(device, threads)
    field, signals = open_network(network, condition, where)
    sae = open_dictionary(dictionary, field, where)
    shape = field.grid_or(wanted)
    signal = target_signal(field, signals, head, shape, None)
    check_writable(out, shape, signal)
    before = field.render(head, shape)
    after = with_gains(field, sae, gains, grid=shape, head=head)
    write_values(out, after, signal)
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
