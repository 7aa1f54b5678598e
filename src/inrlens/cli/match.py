"""``inrlens match``: whether a dictionary's atoms are found again in others."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import columns, note, show, show_json
from inrlens.cli.parsing import parse_grid

if TYPE_CHECKING:
    from rich.table import Table

    from inrlens.studies.record import StabilityRow

EXAMPLES = (
    "inrlens match runs/cohort seed0.safetensors seed1.safetensors",
    "inrlens match runs/cohort a.safetensors b.safetensors --other runs/other",
)


def match(
    network: opt.FieldPath,
    dictionary: opt.SaePath,
    others: Annotated[list[Path], typer.Argument(metavar="SAE", help="The dictionaries that it is compared with.")],
    other: Annotated[
        Path | None,
        typer.Option("--other", metavar="FIELD", help="The network of the other dictionaries; default: the same."),
    ] = None,
    condition: opt.Condition = None,
    other_condition: Annotated[
        str | None, typer.Option("--other-condition", metavar="NAME", help="Which network of --other.")
    ] = None,
    grid: opt.Grid = None,
    seed: opt.Seed = 0,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    json: opt.Json = False,
) -> None:
    """Match a dictionary's atoms with those of others, by direction and by map, beside a random dictionary's."""
    wanted = parse_grid(grid)

    from inrlens.cli.inputs import open_dictionary, open_network
    from inrlens.cli.machine import prepare
    from inrlens.cli.progress import Bar
    from inrlens.studies.atlas import stability_row
    from inrlens.studies.comparison_saes import Companion, random_companion

    where = prepare(device, threads)
    field, _ = open_network(network, condition, where)
    second = field if other is None else open_network(other, other_condition, where)[0]
    sae = open_dictionary(dictionary, field, where)
    shape = field.grid_or(wanted)
    compared = [Companion(path.name, second, open_dictionary(path, second, where)) for path in others]
    compared.append(random_companion(field, sae, shape, seed))
    rows = []
    with Bar("matching") as bar:
        for number, one in enumerate(compared):
            bar.tell(number / len(compared), one.name)
            rows.append(stability_row(field, sae, one, shape))
        bar.tell(1.0, "")
    if json:
        show_json({"layer": sae.layer, "n_atoms": sae.n_atoms, "k": sae.k, "grid": shape, "matches": rows})
        return
    show(_table(f"{dictionary.name}: {rows[0].summary.alive_a:,} living atoms", rows))
    if any(row.cosine is None for row in rows):
        note("no cosine where two dictionaries are not of one layer of one network: their directions have no relation.")


def _table(title: str, rows: "list[StabilityRow]") -> "Table":
    table = columns(title, "", *(row.other for row in rows))
    summaries = [row.summary for row in rows]
    lines = (
        ("cosine: PW-MCC, one to one", [s.cosine and s.cosine.pw_mcc for s in summaries], "{:.3f}"),
        ("  above 0.7, one to one", [s.cosine and s.cosine.paired_above for s in summaries], "{:.1%}"),
        ("  above 0.7, best partner", [s.cosine and s.cosine.free_above_a for s in summaries], "{:.1%}"),
        ("  share a partner", [s.cosine and s.cosine.collisions_a for s in summaries], "{:.1%}"),
        ("maps: mean correlation, one to one", [s.maps.pw_mcc for s in summaries], "{:.3f}"),
        ("  above 0.7, one to one", [s.maps.paired_above for s in summaries], "{:.1%}"),
        ("  above 0.7, best partner", [s.maps.free_above_a for s in summaries], "{:.1%}"),
        ("  share a partner", [s.maps.collisions_a for s in summaries], "{:.1%}"),
        ("subspace overlap", [s.subspace_overlap for s in summaries], "{:.3f}"),
        ("  of random subspaces", [s.subspace_chance for s in summaries], "{:.3f}"),
    )
    for label, values, form in lines:
        table.add_row(label, *("" if value is None else form.format(value) for value in values))
    return table
