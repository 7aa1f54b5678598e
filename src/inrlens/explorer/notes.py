"""What a reader of a bundle must be told: what is missing in it, and the command that mends it."""

import shlex

from inrlens.explorer.bundle_input import BundleInput, BundleNetwork


def bundle_notes(gathered: BundleInput, signals: int | None) -> tuple[str, ...]:
    """A sentence for each network without a dictionary, and one for each whose heads are not all there."""
    notes = [_train(network) for network in gathered.networks if not network.dictionaries]
    for network in gathered.networks:
        left = 0 if signals is None else network.field.heads - signals
        if left > 0:
            more = "1 more signal" if left == 1 else f"{left} more signals"
            how = "signals=None" if network.place is None else "--signals all"
            notes.append(f"{network.name} is shown on {signals} of its {network.field.heads} signals; {more}: {how}.")
    return tuple(notes)


def _train(network: BundleNetwork) -> str:
    layer = network.field.depth // 2
    if network.place is None:
        return (
            f"{network.name} has no dictionary yet: train one with `inrlens.train_sae(network, layer={layer}, "
            "n_atoms=1024, k=32).sae` and give it as sae=."
        )
    run, record = network.place.run, network.place.record
    folder, file = shlex.quote(str(run.folder)), f"layer{layer}.safetensors"
    condition = f" --condition {shlex.quote(record.name)}" if len(run.record.conditions) > 1 else ""
    return (
        f"{network.name} has no dictionary yet: train one with `inrlens sae {folder}{condition} --layer {layer} "
        f"-o {file}`, then open `inrlens explore {folder} {file}`."
    )
