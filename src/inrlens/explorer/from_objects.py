"""A network with its dictionaries and signals, given from Python, as an explorer shows it."""

from collections.abc import Sequence
from pathlib import Path

from inrlens.dictionaries.evaluate import check_fits
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.explorer.bundle_input import BundleDictionary, BundleInput, BundleNetwork, Facts, check_axes_shown, named
from inrlens.explorer.export import Explorer, ensure_free_target, export
from inrlens.fields.field import Field
from inrlens.fields.network import Network, check_axes
from inrlens.fields.wrap import Wrapped
from inrlens.ranks.advice import freeze_advice
from inrlens.ranks.stable_rank import activation_stable_ranks, weight_stable_ranks
from inrlens.signals.signal import Signal
from inrlens.studies.record import Ranks

Dictionaries = SparseAutoencoder | Sequence[SparseAutoencoder]
Signals = Signal | Sequence[Signal]


def write_explorer(
    network: Network,
    path: str | Path,
    *,
    signal: Signals,
    sae: Dictionaries = (),
    signals: int | None = 3,
    force: bool = False,
) -> Explorer:
    """Writes the explorer of a network, a field of ours or ``wrap``'s, as files that need no Python.

    Args:
        network: the network; it is shown on the grid of its signal.
        path: one file where it ends in .html, which works from disk; else a folder for any static host.
        signal: what it was fitted to; of a network of several heads one each, in their order.
        sae: one or more dictionaries of its layers.
        signals: how many heads, the first ones, are shown; None is all of them.
        force: replaces an explorer that is there, and nothing else.

    Raises:
        InputError: where signals or dictionaries do not fit the network, signals have more than three axes, or ``path``
            is taken, cannot be written, or too small for it all.
    """
    ensure_free_target(Path(path), force)
    return export(given(network, sae, signal), Path(path), signals, lambda done, what: None, force=force)


def given(network: Network, sae: Dictionaries, signal: Signals) -> BundleInput:
    """The network with its dictionaries and one signal a head.

    Raises:
        InputError: where they do not fit together, or signals have more than three axes.
    """
    signals = _checked(network, (signal,) if isinstance(signal, Signal) else tuple(signal))
    dictionaries = (sae,) if isinstance(sae, SparseAutoencoder) else tuple(sae)
    for one in dictionaries:
        check_fits(network, one)
    facts = _facts(network, signals[0].shape)
    name = facts.backbone if isinstance(network, Wrapped) else f"{facts.kind}_{facts.backbone}"
    found = named([BundleDictionary("", one, None) for one in dictionaries])
    return BundleInput(name, (), (), (BundleNetwork(name, network, facts, signals, found, None),))


def _checked(network: Network, signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
    if len(signals) != network.heads:
        given = "1 signal was" if len(signals) == 1 else f"{len(signals)} signals were"
        heads = "1 head" if network.heads == 1 else f"{network.heads} heads"
        raise InputError(f"the network has {heads} and {given} given: give one a head, in their order.")
    grid = signals[0].shape
    check_axes(network.coordinates, grid)
    for one in signals:
        if one.shape != grid or one.channels != network.channels:
            raise InputError(
                f"signal {one.name!r} of {one.shape} with {one.channels} channels does not lie on the grid {grid} with "
                f"{network.channels}: give the one that this network was fitted to."
            )
    check_axes_shown(signals[0])
    return signals


def _facts(network: Network, grid: tuple[int, ...]) -> Facts:
    tau: int | None = None
    try:
        found = freeze_advice(network, grid)
        tau, advice = found.tau, found.sentence
        ranks = Ranks(found.weight_stable_rank, found.activation_stable_rank)
    except InputError as error:
        # A wrapped network without one matrix in any layer: there is no advice, and all else can be shown.
        advice = str(error)
        ranks = Ranks(weight_stable_ranks(network), activation_stable_ranks(network, grid))
    if isinstance(network, Field):
        return Facts(network.kind, network.backbone.name, network.origin.seed, ranks, tau, advice)
    made_of = network.module if isinstance(network, Wrapped) else network
    return Facts(network.kind, type(made_of).__name__, None, ranks, tau, advice)
