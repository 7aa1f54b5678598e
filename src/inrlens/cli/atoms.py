"""``inrlens atoms``: what a dictionary's atoms do over the grid."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import columns, pairs, show, show_json, shown_path
from inrlens.cli.parsing import check_free_file, parse_grid

if TYPE_CHECKING:
    from inrlens.atoms.codes import Codes
    from inrlens.atoms.statistics import AtomStatistics, Spread
    from inrlens.fields.field import Field

EXAMPLES = (
    "inrlens atoms runs/cohort layer2.safetensors",
    "inrlens atoms runs/cohort layer2.safetensors --top 24 --maps maps.png",
)
_FIELDS = ("mean_magnitude", "active_fraction", "firing_rate", "ipr")


def atoms(
    network: opt.FieldPath,
    dictionary: opt.SaePath,
    top: Annotated[int, typer.Option("--top", metavar="N", min=1, help="List the first so many atoms.")] = 16,
    by: Annotated[
        Literal["mean_magnitude", "active_fraction", "firing_rate"],
        typer.Option("--by", metavar="WHAT", help="Order by mean_magnitude, active_fraction or firing_rate."),
    ] = "mean_magnitude",
    maps: Annotated[
        Path | None,
        typer.Option(
            "--maps",
            metavar="PNG",
            help="Draw the listed atoms' maps, and their mean, into this file.",
            rich_help_panel=opt.OUTPUT,
        ),
    ] = None,
    condition: opt.Condition = None,
    grid: opt.Grid = None,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    force: opt.Force = False,
    json: opt.Json = False,
) -> None:
    """List a dictionary's strongest atoms: how strongly, how often and how locally each fires.

    Maps of a volume are drawn as three slices through their largest value, those of a sound over time, above the
    spectrogram of the network's first signal.
    """
    wanted = parse_grid(grid)
    if maps is not None:
        check_free_file(maps, force, ".png")

    from inrlens.atoms.codes import encode
    from inrlens.atoms.statistics import atom_statistics, spread
    from inrlens.cli.inputs import open_dictionary, open_network
    from inrlens.cli.machine import prepare

    where = prepare(device, threads)
    field, _ = open_network(network, condition, where)
    sae = open_dictionary(dictionary, field, where)
    codes = encode(field, sae, wanted)
    statistics = atom_statistics(codes)
    alive = ~statistics.dead
    medians = {name: spread(getattr(statistics, name)[alive]) for name in _FIELDS}
    first = statistics.top(top, by)
    if maps is not None:
        _draw(maps, codes, first, field)
    rows = [{"atom": atom, **{name: float(getattr(statistics, name)[atom]) for name in _FIELDS}} for atom in first]
    if json:
        counts = {"n_atoms": sae.n_atoms, "k": sae.k, "layer": sae.layer, "grid": codes.grid}
        living = {"alive": int(alive.sum()), "dead": int(statistics.dead.sum())}
        show_json({**counts, **living, "over_living_atoms": medians, "by": by, "top": rows, "maps": maps})
        return
    show(pairs(_summary(statistics, medians, sae.layer, codes.grid)))
    table = columns(None, "atom", "mean magnitude", "active fraction", "firing rate", "IPR")
    for row in rows:
        table.add_row(f"{row['atom']:.0f}", *(f"{row[name]:.4f}" for name in _FIELDS))
    show(table)
    if maps is not None:
        show(f"maps written to {shown_path(maps)}")


def _summary(
    statistics: "AtomStatistics", medians: "dict[str, Spread | None]", layer: int, grid: tuple[int, ...]
) -> list[tuple[str, str]]:
    dead, count = int(statistics.dead.sum()), len(statistics.dead)
    rows = [
        ("layer", f"{layer}, on {'x'.join(str(side) for side in grid)} coordinates"),
        ("atoms", f"{count:,}: {count - dead:,} fire somewhere, {dead:,} nowhere (dead)"),
    ]
    for name, value in medians.items():
        if value is not None:
            label = "IPR" if name == "ipr" else name.replace("_", " ")
            rows.append((label, f"{value.median:.4f} (quartiles {value.low:.4f} to {value.high:.4f}, living atoms)"))
    return rows


def _draw(path: Path, codes: "Codes", atoms: list[int], field: "Field") -> None:
    from inrlens.atoms.statistics import mean_map
    from inrlens.errors import InputError
    from inrlens.reports.pictures import heat_map
    from inrlens.reports.sheet import Tile, sheet
    from inrlens.reports.views import peak, slice_lines
    from inrlens.signals.images import save_png

    if not atoms:
        raise InputError(f"{path} would be empty: every atom of this dictionary is dead on the grid.")
    named = [(f"atom {atom}", codes.map(atom)) for atom in atoms]
    named.append((f"mean of {len(atoms)}", mean_map(codes, atoms)))
    sound = field.render(0, codes.grid) if len(codes.grid) == 1 else None
    tiles = [
        Tile(heat_map(one, "", cut=cut, sound=sound, longest=None), (name, *slice_lines(cut)))
        for name, one, cut in ((name, one, peak(one)) for name, one in named)
    ]
    save_png(sheet(tiles, per_row=min(6, len(tiles))), path)
