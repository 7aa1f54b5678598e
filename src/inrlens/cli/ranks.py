"""``inrlens ranks``: which layer transfers."""

from inrlens.cli import options as opt
from inrlens.cli.output import columns, show, show_json
from inrlens.cli.parsing import parse_grid

EXAMPLES = (
    "inrlens ranks runs/cohort",
    "inrlens ranks runs/demo --condition cohort_siren --json",
)
_HEADINGS = {"post": "activations", "post_centred": "centred", "pre": "pre-activations"}


def ranks(
    network: opt.FieldPath,
    condition: opt.Condition = None,
    grid: opt.Grid = None,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    json: opt.Json = False,
) -> None:
    """Show the stable rank of every layer's weights and activations, and how deep to freeze."""
    wanted = parse_grid(grid)

    from inrlens.cli.inputs import open_network
    from inrlens.cli.machine import prepare
    from inrlens.ranks.advice import freeze_advice

    field, _ = open_network(network, condition, prepare(device, threads))
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
