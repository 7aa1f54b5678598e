"""Fitting a new signal on a cohort's layers: frozen up to tau, the rest reinitialised or warm."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch

from inrlens.errors import InputError
from inrlens.fields.field import Field, Origin, make_head
from inrlens.fitting.compute import Compute
from inrlens.fitting.fit import tell_one
from inrlens.fitting.fit_fields import Task, engine_of, fit_fields
from inrlens.fitting.history import Callback, Fit
from inrlens.fitting.many import ManyCallback, on_every_core
from inrlens.fitting.prefix import PrefixRows
from inrlens.fitting.recipes import Recipe
from inrlens.fitting.resume import Resume
from inrlens.ranks.advice import freeze_advice
from inrlens.seeding import generator
from inrlens.signals.signal import Signal

Rest = Literal["reinit", "warm"]
Freeze = int | Literal["auto"] | None

_COMPUTE = Compute()


def transfer(
    cohort: Field,
    signal: Signal,
    *,
    freeze: Freeze,
    rest: Rest | None = None,
    recipe: Recipe,
    seed: int = 0,
    compute: Compute = _COMPUTE,
    resume: Resume | None = None,
    callback: Callback | None = None,
) -> Fit:
    """Fits one new signal with a fresh head on a copy of a cohort's encoder; the cohort itself is not touched.

    Args:
        cohort: the field whose encoder is reused, and on whose device it is computed.
        signal: the new signal, of any grid, with the cohort's number of channels.
        freeze: tau; layers 0..tau keep the cohort's weights bit for bit and their output is computed once. ``"auto"``
            takes the layer of highest weight stable rank. None freezes nothing.
        rest: how the layers beyond tau start: ``"reinit"`` draws them afresh (the paper's protocol), ``"warm"`` takes
            the cohort's. Default: ``"reinit"`` where layers are frozen, ``"warm"`` with ``freeze=None`` (the STRAINER
            recipe). ``freeze=None, rest="reinit"`` reuses nothing at all: the same network from scratch.
        recipe: a recipe without a backbone, or with the cohort's own.
        seed: draws the head, the reinitialised layers and the batches.
        compute: tile, memory and precision.
        resume: where the running fit keeps its state; where the file exists, the fit continues from it.
        callback: called with every record of the history.

    Raises:
        InputError: for a layer that does not exist, another number of channels, or a recipe that names another
            backbone than the cohort's; where the state to resume is of another fit; where the memory does not hold a
            tile.
    """
    plan = _Plan.of(cohort, [signal], freeze, rest, recipe)
    field = start_of_transfer(cohort, plan.start, plan.rest, seed)
    return fit_fields([field], [[signal]], plan.task(seed, compute), tell_one(callback), resume)[0]


def transfer_many(
    cohort: Field,
    signals: Sequence[Signal],
    *,
    freeze: Freeze,
    rest: Rest | None = None,
    recipe: Recipe,
    seeds: Sequence[int] = (0,),
    compute: Compute = _COMPUTE,
    callback: ManyCallback | None = None,
) -> list[Fit]:
    """``transfer`` of each signal with each seed, seed by seed; the frozen layers' output is computed once a grid.

    Arguments as in ``transfer``. On a CPU every core takes whole fits, one after another, each equal bit for bit to
    ``transfer`` on one thread. On a GPU the networks of one seed and grid are stacked and take their steps together,
    equal to ``transfer`` up to rounding. ``callback`` is called with the number of a fit in the list and every record
    of its history; the memory of ``compute`` is for each fit that runs at the same time.

    Raises:
        InputError: as ``transfer``; nothing is given back then.
    """
    plan = _Plan.of(cohort, signals, freeze, rest, recipe)
    shared: dict[tuple[int, ...], PrefixRows] = {}
    if plan.start > 0 and signals:
        # The engine of a fit says what its buffers leave of the memory for rows that are kept.
        task = plan.task(0, compute)
        room = engine_of([start_of_transfer(cohort, plan.start, plan.rest, 0)], task).budget
        for grid in dict.fromkeys(signal.shape for signal in signals):
            shared[grid] = PrefixRows(cohort.encoder, cohort.grid_coordinates(grid), plan.start, room)
    return on_every_core(
        [(seed, signal) for seed in seeds for signal in signals],
        lambda seed, some, tell: fit_fields(
            [start_of_transfer(cohort, plan.start, plan.rest, seed) for _ in some],
            [[signal] for signal in some],
            plan.task(seed, compute),
            tell,
            inputs=shared.get(some[0].shape),
        ),
        cohort.device,
        callback,
    )


@dataclass(frozen=True)
class _Plan:
    """A transfer's settings, checked against its cohort and signals."""

    recipe: Recipe
    start: int
    rest: Rest
    notes: dict[str, object]

    @classmethod
    def of(cls, cohort: Field, signals: Sequence[Signal], freeze: Freeze, rest: str | None, recipe: Recipe) -> "_Plan":
        if recipe.backbone is not None and recipe.backbone != cohort.backbone:
            raise InputError(
                f"recipe {recipe.name!r} is for {recipe.backbone}, the cohort's network is {cohort.backbone}."
            )
        for signal in signals:
            if signal.channels != cohort.channels:
                raise InputError(
                    f"{signal.name!r} has {signal.channels} channels, the cohort {cohort.channels}: convert one of "
                    f"them first."
                )
            if len(signal.shape) != cohort.backbone.coordinates:
                raise InputError(
                    f"{signal.name!r} lies on {len(signal.shape)} axes, the cohort on {cohort.backbone.coordinates}."
                )
        tau = freeze_depth(cohort, freeze)
        rest = rest or ("warm" if tau is None else "reinit")
        if rest not in ("reinit", "warm"):
            raise InputError(f"rest={rest!r} is not known; allowed are 'reinit' and 'warm'.")
        notes: dict[str, object] = {
            "freeze": tau,
            "rest": rest,
            "cohort_signals": [name for name, _ in cohort.origin.signals],
        }
        start = 0 if tau is None else tau + 1
        return cls(replace(recipe, backbone=None), start, "warm" if rest == "warm" else "reinit", notes)

    def task(self, seed: int, compute: Compute) -> Task:
        return Task(self.recipe, "transfer", seed, self.start, self.notes, compute)


def freeze_depth(cohort: Field, freeze: Freeze) -> int | None:
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
