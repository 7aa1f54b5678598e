"""From a dictionary to the record of all its atoms: one at a time, in groups, beside controls, and over seeds."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from inrlens.atoms.codes import encode
from inrlens.atoms.effects import Effects, effects
from inrlens.atoms.groups import GroupCurve, group_curve, random_order
from inrlens.atoms.interactions import interactions
from inrlens.atoms.match import match
from inrlens.atoms.statistics import spread
from inrlens.dictionaries.activations import encoder_digest, layer_rows
from inrlens.dictionaries.controls import neurons, principal_components
from inrlens.dictionaries.evaluate import evaluate_sae
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.fields.network import Network
from inrlens.signals.signal import Signal
from inrlens.studies.comparison_saes import UNTRAINED, Companion, random_companion
from inrlens.studies.record import AtlasRecord, DictionaryRow, RankedAtom, StabilityRow

WORST = 10
_INTERACTIONS = 10
_PERCENTS = torch.linspace(0.0, 1.0, 21, dtype=torch.float64)


def timed_effects(
    field: Network,
    sae: SparseAutoencoder,
    signal: Signal | None,
    head: int = 0,
    grid: tuple[int, ...] | None = None,
) -> tuple[Effects, float]:
    """The effects of all atoms, and the seconds that they took, codes included."""
    started = time.perf_counter()
    atlas = effects(field, sae, encode(field, sae, grid), head, signal=signal)
    return atlas, time.perf_counter() - started


def atlas_record(
    field: Network,
    sae: SparseAutoencoder,
    signals: Sequence[Signal],
    atlas: Effects,
    seconds: float,
    companions: Sequence[Companion] = (),
    *,
    seed: int = 0,
    tell: Callable[[float, str], None] = lambda done, what: None,
) -> AtlasRecord:
    """The record of all atoms.

    Args:
        field: the network.
        sae: a dictionary of one of its layers.
        signals: those that it was fitted to, one a head.
        atlas: the effects of all atoms on the head and signal that it is told by.
        seconds: what the atlas took.
        companions: dictionaries that it is compared with.
        seed: of the random order and the random dictionary.
        tell: told the share that is done (0 to 1) and what is being done.
    """
    activations = layer_rows(field, sae.layer, atlas.codes.grid)
    where: dict[str, Any] = {"grid": atlas.codes.grid, "field_digest": encoder_digest(field, sae.layer)}
    controls = [
        random_companion(field, sae, atlas.codes.grid, seed),
        Companion("principal components", field, principal_components(activations, sae.layer, k=sae.k, **where)),
        Companion("neurons", field, neurons(activations, sae.layer, k=sae.k, **where)),
    ]
    untrained = [one for one in companions if one.name == UNTRAINED]
    others = [one for one in companions if one.name != UNTRAINED]
    rated, matched = [*controls, *untrained], [*others, controls[0], *untrained]
    parts = 2 + len(rated) + len(matched)
    tell(0.0, "atoms in groups")
    groups = group_curves(field, sae, atlas, seed)
    tell(1 / parts, "pairs of atoms")
    pairs = tuple(interactions(field, sae, atlas)[:_INTERACTIONS])
    rows = [dictionary_row("trained", field, sae, signals, atlas)]
    for one in rated:
        tell((1 + len(rows)) / parts, one.name)
        rows.append(_control_row(one, signals, atlas))
    stability: list[StabilityRow] = []
    for one in matched:
        tell((1 + len(rows) + len(stability)) / parts, f"matching with {one.name}")
        stability.append(stability_row(field, sae, one, atlas.codes.grid))
    footprint, alive = atlas.footprint, ~atlas.statistics.dead
    return AtlasRecord(
        seconds=seconds,
        worst=_worst(atlas),
        support=spread(footprint.support[alive]),
        locality=spread(footprint.in_radius[alive]),
        pieces=spread(footprint.pieces[alive].double()),
        groups=groups,
        interactions=pairs,
        rows=tuple(rows),
        stability=tuple(stability),
    )


def group_curves(field: Network, sae: SparseAutoencoder, atlas: Effects, seed: int) -> tuple[GroupCurve, ...]:
    """Removing and keeping atoms by effect, by magnitude and at random; none where the atlas knows no signal."""
    if atlas.signal is None:
        return ()
    orders = {
        "psnr_drop": atlas.rank("psnr_drop"),
        "mean_magnitude": atlas.rank("mean_magnitude"),
        "random": random_order(atlas.codes, seed),
    }
    return tuple(
        group_curve(field, sae, atlas.codes, order, atlas.signal, mode=mode, head=atlas.head, name=name)
        for mode in ("remove", "keep")
        for name, order in orders.items()
    )


def dictionary_row(
    name: str, field: Network, sae: SparseAutoencoder, signals: Sequence[Signal] | None, atlas: Effects
) -> DictionaryRow:
    """One dictionary's row of the table of controls."""
    statistics, footprint = atlas.statistics, atlas.footprint
    alive = ~statistics.dead
    drops = atlas.psnr_drop[alive.cpu()] if atlas.signal is not None else None
    curve = None
    if atlas.signal is not None and bool(alive.any()):
        curve = group_curve(field, sae, atlas.codes, atlas.rank(), atlas.signal, head=atlas.head)
    return DictionaryRow(
        name=name,
        n_atoms=sae.n_atoms,
        k=sae.k,
        quality=evaluate_sae(field, sae, signals),
        between=evaluate_sae(field, sae, where="between"),
        active_fraction=spread(statistics.active_fraction[alive]),
        locality=spread(footprint.in_radius[alive]),
        pieces=spread(footprint.pieces[alive].double()),
        psnr_drop=None if drops is None else spread(drops),
        worst_drop=float(drops.max()) if drops is not None and drops.numel() else None,
        removal_area=None if curve is None else curve.area,
    )


def _control_row(one: Companion, signals: Sequence[Signal], atlas: Effects) -> DictionaryRow:
    own = one.name != UNTRAINED
    codes = encode(one.field, one.sae, atlas.codes.grid)
    found = effects(one.field, one.sae, codes, atlas.head, signal=atlas.signal if own else None)
    return dictionary_row(one.name, one.field, one.sae, signals if own else None, found)


def stability_row(field: Network, sae: SparseAutoencoder, other: Companion, grid: tuple[int, ...]) -> StabilityRow:
    """How well the atoms of ``sae``, a dictionary of ``field``, are found again in another one, on one grid."""
    found = match(sae, other.sae, encode(field, sae, grid), encode(other.field, other.sae, grid))
    if (sae.layer, sae.origin.field_digest) != (other.sae.layer, other.sae.origin.field_digest):
        # Directions of two networks' layers, or of two layers, have nothing to do with each other.
        found = replace(found, cosine=None, subspaces=None)
    return StabilityRow(
        other=other.name,
        summary=found.summary(),
        cosine=None if found.cosine is None else _percentiles(found.cosine.free_a.value),
        cosine_one_to_one=None if found.cosine is None else _percentiles(found.cosine.paired_a.value),
        map_correlation=_percentiles(found.maps.free_a.value),
        map_correlation_one_to_one=_percentiles(found.maps.paired_a.value),
    )


def _percentiles(values: Tensor) -> tuple[float, ...]:
    """The 0th, 5th, ..., 100th percentile of the finite values; empty where there are none."""
    finite = values[torch.isfinite(values)]
    return tuple(torch.quantile(finite, _PERCENTS).tolist()) if finite.numel() else ()


def _worst(atlas: Effects) -> tuple[RankedAtom, ...]:
    if atlas.signal is None:
        return ()
    places = {atom: place for place, atom in enumerate(atlas.rank("mean_magnitude"), start=1)}
    locality = atlas.footprint.in_radius
    return tuple(
        RankedAtom(
            atom=atom,
            psnr_drop=float(atlas.psnr_drop[atom]),
            magnitude_rank=places[atom],
            active_fraction=float(atlas.statistics.active_fraction[atom]),
            mean_magnitude=float(atlas.statistics.mean_magnitude[atom]),
            locality=float(locality[atom]) if bool(torch.isfinite(locality[atom])) else None,
            pieces=int(atlas.footprint.pieces[atom]),
        )
        for atom in atlas.rank("psnr_drop")[:WORST]
    )
