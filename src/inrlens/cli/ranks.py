"""``inrlens ranks``: which layer transfers."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import columns, show, show_json
from inrlens.cli.parsing import parse_grid
from inrlens.errors import InputError

if TYPE_CHECKING:
    from inrlens.fields.network import Network

EXAMPLES = (
    "inrlens ranks runs/cohort",
    "inrlens ranks runs/demo --condition cohort_siren --json",
    "inrlens ranks runs/cohort --score effective-rank",
)
_ADVISED = "stable-rank"
_HEADINGS = {"post": "activations", "post_centred": "centred", "pre": "pre-activations"}


def ranks(
    network: opt.FieldPath,
    condition: opt.Condition = None,
    grid: opt.Grid = None,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    score: Annotated[
        str,
        typer.Option(
            "--score",
            metavar="NAME",
            help="stable-rank, by which depths are advised, effective-rank or participation-ratio.",
        ),
    ] = _ADVISED,
    json: opt.Json = False,
) -> None:
    """Show the stable rank of every layer's weights and activations, and how deep to freeze."""
    wanted = parse_grid(grid)

    from inrlens.cli.inputs import open_network
    from inrlens.cli.machine import prepare
    from inrlens.ranks.advice import freeze_advice

    _check_known(score)
    field, _ = open_network(network, condition, prepare(device, threads))
    if score != _ADVISED:
        _show_score(field, wanted, score, json)
        return
    advice = freeze_advice(field, wanted)
    if json:
        show_json(advice)
        return
    variants = [name for name in _HEADINGS if name in advice.activation_stable_rank]
    table = columns(None, "layer", "weights", *(_HEADINGS[name] for name in variants), "")
    for layer, weight in enumerate(advice.weight_stable_rank):
        chosen = layer == advice.tau
        numbers = [f"{advice.activation_stable_rank[name][layer]:.2f}" for name in variants]
        table.add_row(
            str(layer), f"{weight:.2f}", *numbers, "<- tau*" if chosen else "", style="bold green" if chosen else None
        )
    show("stable rank", table, advice.sentence)


def _check_known(score: str) -> None:
    from inrlens.ranks.scores import SCORES

    if score not in SCORES:
        raise InputError(f"score {score!r} is not known; allowed are {', '.join(SCORES)}.")


def _show_score(field: "Network", grid: tuple[int, ...] | None, name: str, json: bool) -> None:
    """A table of one score, the highest layer of W's marked: nothing is advised by it."""
    from inrlens.ranks.scores import SCORES, layer_scores

    score, found = SCORES[name], layer_scores(field, grid)
    values = {which: found[which] for which in score.names}
    if json:
        show_json({"score": name, "layers": values})
        return
    weights = values[score.weights]
    top = max(range(len(weights)), key=lambda layer: (not math.isnan(weights[layer]), weights[layer]))
    table = columns(None, "layer", "weights", *_HEADINGS.values(), "")
    for layer in range(field.depth):
        numbers = [f"{layers[layer]:.{score.digits}f}" for layers in values.values()]
        highest = layer == top and not math.isnan(weights[layer])
        table.add_row(str(layer), *numbers, "<- highest" if highest else "", style="bold" if highest else None)
    show(name.replace("-", " "), table)
