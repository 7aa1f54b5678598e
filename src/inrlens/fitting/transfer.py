"""Fitting a new signal on a cohort's layers: frozen up to tau, the rest reinitialised or warm."""

from dataclasses import replace
from typing import Literal

import torch

from inrlens.errors import InputError
from inrlens.fields.field import Field, Origin, make_head
from inrlens.fitting.fit import fit_field
from inrlens.fitting.history import Callback, Fit
from inrlens.fitting.recipes import Recipe
from inrlens.ranks.advice import freeze_advice
from inrlens.seeding import generator
from inrlens.signals.signal import Signal

Rest = Literal["reinit", "warm"]


def transfer(
    cohort: Field,
    signal: Signal,
    *,
    freeze: int | Literal["auto"] | None,
    rest: Rest | None = None,
    recipe: Recipe,
    seed: int = 0,
    callback: Callback | None = None,
) -> Fit:
    """Fits one new signal with a fresh head on a copy of a cohort's encoder; the cohort itself is not touched.

    Args:
        cohort: the field whose encoder is reused.
        signal: the new signal, of any grid, with the cohort's number of channels.
        freeze: tau; layers 0..tau keep the cohort's weights bit for bit and their output is computed once. ``"auto"``
            takes the layer of highest weight stable rank. None freezes nothing.
        rest: how the layers beyond tau start: ``"reinit"`` draws them afresh (the paper's protocol), ``"warm"`` takes
            the cohort's. Default: ``"reinit"`` where layers are frozen, ``"warm"`` with ``freeze=None`` (the STRAINER
            recipe). ``freeze=None, rest="reinit"`` reuses nothing at all: the same network from scratch.
        recipe: a recipe without a backbone, or with the cohort's own.
        seed: draws the head, the reinitialised layers and the batches.
        callback: called with every record of the history.

    Raises:
        InputError: for a layer that does not exist, another number of channels, or a recipe that names another
            backbone than the cohort's.
    """
    if recipe.backbone is not None and recipe.backbone != cohort.backbone:
        raise InputError(f"recipe {recipe.name!r} is for {recipe.backbone}, the cohort's network is {cohort.backbone}.")
    if signal.channels != cohort.channels:
        raise InputError(
            f"{signal.name!r} has {signal.channels} channels, the cohort {cohort.channels}: convert one of them first."
        )
    if len(signal.shape) != cohort.backbone.coordinates:
        raise InputError(
            f"{signal.name!r} lies on {len(signal.shape)} axes, the cohort on {cohort.backbone.coordinates}."
        )
    tau = freeze_depth(cohort, freeze)
    rest = rest or ("warm" if tau is None else "reinit")
    if rest not in ("reinit", "warm"):
        raise InputError(f"rest={rest!r} is not known; allowed are 'reinit' and 'warm'.")
    start = 0 if tau is None else tau + 1
    field = start_of_transfer(cohort, start, rest, seed)
    notes: dict[str, object] = {
        "freeze": tau,
        "rest": rest,
        "cohort_signals": [name for name, _ in cohort.origin.signals],
    }
    return fit_field(field, [signal], replace(recipe, backbone=None), start, "transfer", seed, callback, notes)


def freeze_depth(cohort: Field, freeze: int | Literal["auto"] | None) -> int | None:
    """tau for a ``freeze`` argument: a layer, the advised one for ``"auto"``, or None.

    Raises:
        InputError: where it names no layer.
    """
    if freeze is None:
        return None
    if freeze == "auto":
        return freeze_advice(cohort).tau
    if isinstance(freeze, bool) or not isinstance(freeze, int):
        raise InputError(f"freeze must be a layer's number, 'auto' or None, not {freeze!r}.")
    cohort.encoder.check_layer(freeze)
    return freeze


@torch.no_grad()
def start_of_transfer(cohort: Field, start: int, rest: Rest, seed: int) -> Field:
    """The network before its first step: cohort layers below ``start``, the rest fresh or warm, a fresh head.

    A projection belongs to layer 0: it is the cohort's unless nothing at all is reused.
    """
    backbone = cohort.backbone
    encoder = backbone.encoder(generator(seed, "transfer", "encoder")).to(cohort.device, cohort.dtype)
    reused = range(cohort.depth) if rest == "warm" else range(start)
    for index in reused:
        encoder.layer(index).load_state_dict(cohort.encoder.layer(index).state_dict())
    if encoder.projection is not None and cohort.encoder.projection is not None and len(reused):
        encoder.projection.load_state_dict(cohort.encoder.projection.state_dict())
    head = make_head(*backbone.head(cohort.channels, generator(seed, "transfer", "head")))
    field = Field(backbone, encoder, head, cohort.channels, origin=Origin(kind="transfer", seed=seed))
    return field.to(cohort.device, cohort.dtype)
