"""What a reader of a bundle must be told: what is missing in it, and the command that mends it."""

import shlex

from inrlens.explorer.gather import Gathered, GatheredNetwork


def bundle_notes(gathered: Gathered, signals: int | None) -> tuple[str, ...]:
    """A sentence for each network without a dictionary, and one for each whose heads are not all there."""
    notes = [_train(network) for network in gathered.networks if not network.dictionaries]
    for network in gathered.networks:
        left = 0 if signals is None else network.field.heads - signals
        if left > 0:
            more = "1 more signal" if left == 1 else f"{left} more signals"
            notes.append(
                f"{network.name} is shown on {signals} of its {network.field.heads} signals; {more}: --signals all."
            )
    return tuple(notes)


def _train(network: GatheredNetwork) -> str:
    run, layer = network.run, network.field.depth // 2
    folder, file = shlex.quote(str(run.folder)), f"layer{layer}.safetensors"
    condition = f" --condition {shlex.quote(network.record.name)}" if len(run.record.conditions) > 1 else ""
    return (
        f"{network.name} has no dictionary yet: train one with `inrlens sae {folder}{condition} --layer {layer} "
        f"-o {file}`, then open `inrlens explore {folder} {file}`."
    )
