"""Fitting a new signal on the layers of a cohort or a meta-learned start: frozen up to tau, the rest fresh or warm."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch

from inrlens.errors import InputError
from inrlens.fields.field import Field, Origin, make_head
from inrlens.fields.require_field import require_field
from inrlens.fitting.compute import Compute
from inrlens.fitting.fit import tell_one
from inrlens.fitting.fit_fields import Job, engine_of, fit_fields
from inrlens.fitting.history import Callback, Fit
from inrlens.fitting.loop import Tell
from inrlens.fitting.many import ManyCallback, fit_all
from inrlens.fitting.prefix import PrefixRows
from inrlens.fitting.recipes import Recipe
from inrlens.ranks.advice import freeze_advice
from inrlens.resume import Resume
from inrlens.seeding import generator
from inrlens.signals.signal import Signal

Rest = Literal["reinit", "warm"]
"""How what is not frozen starts: drawn afresh, or as the source has it."""
Freeze = int | Literal["auto"] | None

_COMPUTE = Compute()


def transfer(
    cohort: Field,
    signal: Signal,
    *,
    freeze: Freeze,
    rest: Rest | None = None,
    head: Rest | None = None,
    recipe: Recipe,
    seed: int = 0,
    compute: Compute = _COMPUTE,
    resume: Resume | None = None,
    callback: Callback | None = None,
) -> Fit:
    """Fits one new signal on a copy of a cohort's encoder, or of a meta-learned start; the source is not touched.

    Args:
        cohort: the field whose encoder is reused, and on whose device it is computed.
        signal: the new signal, of any grid, with the cohort's number of channels.
        freeze: tau; layers 0..tau keep the cohort's weights bit for bit and their output is computed once. ``"auto"``
            takes the layer of highest weight stable rank. None freezes nothing.
        rest: how the layers beyond tau start: ``"reinit"`` draws them afresh (the paper's protocol), ``"warm"`` takes
            the cohort's. Default: ``"reinit"`` where layers are frozen, ``"warm"`` with ``freeze=None`` (the STRAINER
            recipe). ``freeze=None, rest="reinit"`` reuses nothing at all: the same network from scratch.
        head: how the head starts: ``"reinit"`` draws it afresh (the paper's protocol and STRAINER's), ``"warm"`` takes
            the mean of the cohort's heads, whose output is its mean signal. Default: ``"warm"`` for a meta-learned
            start (``fit_maml``, ``fit_reptile``), which its one head is a part of, as long as the last layer is the
            start's; else ``"reinit"``.
        recipe: a recipe without a backbone, or with the cohort's own.
        seed: draws the head, the reinitialised layers and the batches.
        compute: tile, memory and precision.
        resume: where the running fit keeps its state; where the file exists, the fit continues from it.
        callback: called with every record of the history.

    Raises:
        InputError: where the cohort is no field of ours; for a layer that does not exist, another number of channels, a
            recipe that names another backbone than the cohort's, or a warm head on a last layer that is drawn afresh;
            where the state to resume is of another fit; where the memory does not hold a tile.
    """
    plan = _Plan.of(cohort, TransferJob(signal, freeze, _known("rest", rest), seed, _known("head", head)), recipe)
    field = plan.field(cohort)
    with compute.products():
        return fit_fields([field], [[signal]], plan.job(compute), tell_one(callback), resume)[0]


@dataclass(frozen=True)
class TransferJob:
    """One transfer among many; ``signal``, ``freeze``, ``rest``, ``seed`` and ``head`` are those of ``transfer``."""

    signal: Signal
    freeze: Freeze
    rest: Rest | None = None
    seed: int = 0
    head: Rest | None = None


def transfer_many(
    cohort: Field,
    cells: Sequence[TransferJob],
    *,
    recipe: Recipe,
    compute: Compute = _COMPUTE,
    callback: ManyCallback | None = None,
) -> list[Fit]:
    """A ``transfer`` for each cell, in order; the output of the same frozen layers on one grid is computed once.

    On a CPU every core takes whole fits, one after another, each equal bit for bit to ``transfer`` on one thread. On a
    GPU the networks of equal freeze depth, start, seed, grid and mask are stacked and take their steps together, equal
    to ``transfer`` up to rounding.

    Args:
        cohort: the field whose encoder is reused, and on whose device it is computed.
        cells: signal, freeze depth, start of the rest, and seed of each.
        recipe: as in ``transfer``, for all.
        compute: tile, memory and precision; all that is kept of frozen layers shares what the buffers of one fit leave
            of the memory, and every fit that runs has its own buffers.
        callback: called with the number of a cell and every record of its history.

    Raises:
        InputError: as ``transfer``; nothing is given back then.
    """
    if any(cell.freeze == "auto" for cell in cells):
        advised = freeze_depth(cohort, "auto")
        cells = [replace(cell, freeze=advised if cell.freeze == "auto" else cell.freeze) for cell in cells]
    plans = [_Plan.of(cohort, cell, recipe) for cell in cells]
    shared = _shared_prefixes(cohort, cells, plans, compute)

    def together(numbers: Sequence[int], tell: Tell | None) -> list[Fit]:
        plan, signals = plans[numbers[0]], [cells[number].signal for number in numbers]
        fields = [plan.field(cohort) for _ in signals]
        inputs = shared.get((plan.start, signals[0].shape, signals[0].mask_digest)) if plan.shares_rows else None
        return fit_fields(fields, [[signal] for signal in signals], plan.job(compute), tell, inputs=inputs)

    keys = [
        (plan.start, plan.rest, plan.head, plan.seed, cell.signal.shape, cell.signal.mask_digest)
        for plan, cell in zip(plans, cells, strict=True)
    ]
    with compute.products():
        return fit_all(keys, together, cohort.device, callback)


def _shared_prefixes(
    cohort: Field, cells: Sequence[TransferJob], plans: "Sequence[_Plan]", compute: Compute
) -> dict[tuple[int, tuple[int, ...], str], PrefixRows]:
    """What enters the first trained layer, for every depth, grid and mask among the cells; together within the
    memory."""
    shared: dict[tuple[int, tuple[int, ...], str], PrefixRows] = {}
    kept = 0
    for cell, plan in zip(cells, plans, strict=True):
        key = (plan.start, cell.signal.shape, cell.signal.mask_digest)
        if key in shared or not plan.shares_rows:
            continue
        # The engine of such a fit says what its buffers leave of the memory.
        x = cohort.grid_coordinates(cell.signal.shape)[cell.signal.used]
        room = engine_of([plan.field(cohort)], plan.job(compute), len(x)).budget
        shared[key] = PrefixRows(cohort.encoder, x, plan.start, room - kept)
        kept += shared[key].kept_bytes
    return shared


@dataclass(frozen=True)
class _Plan:
    """A transfer's settings, checked against its cohort and signal."""

    recipe: Recipe
    start: int
    rest: Rest
    head: Rest
    seed: int
    notes: dict[str, object]

    @classmethod
    def of(cls, cohort: Field, cell: TransferJob, recipe: Recipe) -> "_Plan":
        require_field(cohort, "a transfer")
        if recipe.backbone is not None and recipe.backbone != cohort.backbone:
            raise InputError(
                f"recipe {recipe.name!r} is for {recipe.backbone}, the cohort's network is {cohort.backbone}."
            )
        name, grid, channels = cell.signal.name, cell.signal.shape, cell.signal.channels
        if channels != cohort.channels:
            raise InputError(
                f"{name!r} has {channels} channels, the cohort {cohort.channels}: convert one of them first."
            )
        if len(grid) != cohort.backbone.coordinates:
            raise InputError(f"{name!r} lies on {len(grid)} axes, the cohort on {cohort.backbone.coordinates}.")
        tau = freeze_depth(cohort, cell.freeze)
        rest = _rest(cell.freeze, _known("rest", cell.rest))
        start = 0 if tau is None else tau + 1
        head = _head(cohort, start, rest, _known("head", cell.head))
        notes: dict[str, object] = {
            "freeze": tau,
            "rest": rest,
            "head": head,
            "source": cohort.kind,
            "cohort_signals": [name for name, _ in cohort.origin.signals],
        }
        return cls(replace(recipe, backbone=None), start, rest, head, cell.seed, notes)

    @property
    def shares_rows(self) -> bool:
        """Whether what enters the first trained layer is the cohort's: scratch draws an encoding of its own."""
        return self.start > 0 or self.rest == "warm"

    def field(self, source: Field) -> Field:
        """The network before its first step."""
        return start_of_transfer(source, self.start, self.rest, self.seed, self.head)

    def job(self, compute: Compute) -> Job:
        return Job(self.recipe, "transfer", self.seed, self.start, self.notes, compute)


def _known(name: str, start: str | None) -> Rest | None:
    allowed: dict[str | None, Rest | None] = {None: None, "reinit": "reinit", "warm": "warm"}
    if start not in allowed:
        raise InputError(f"{name}={start!r} is not known; allowed are 'reinit' and 'warm'.")
    return allowed[start]


def _rest(freeze: Freeze, rest: Rest | None) -> Rest:
    return "warm" if rest == "warm" or (rest is None and freeze is None) else "reinit"


def _head(source: Field, start: int, rest: Rest, head: Rest | None) -> Rest:
    keeps_last = rest == "warm" or start == source.depth
    if head == "warm" and not keeps_last:
        raise InputError(
            "head='warm' has no meaning on a last layer that is drawn afresh: give rest='warm', or freeze every layer."
        )
    return "warm" if head == "warm" or (head is None and source.kind == "meta" and keeps_last) else "reinit"


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
def start_of_transfer(cohort: Field, start: int, rest: Rest, seed: int, head: Rest = "reinit") -> Field:
    """The network before its first step: cohort layers below ``start``, the rest and the head fresh or warm.

    An encoding belongs to layer 0: it is the cohort's unless nothing at all is reused.
    """
    backbone = cohort.backbone
    encoder = backbone.encoder(generator(seed, "transfer", "encoder")).to(cohort.device, cohort.dtype)
    reused = range(cohort.depth) if rest == "warm" else range(start)
    for index in reused:
        encoder.layer(index).load_state_dict(cohort.encoder.layer(index).state_dict())
    if encoder.encoding is not None and cohort.encoder.encoding is not None and len(reused):
        encoder.encoding.load_state_dict(cohort.encoder.encoding.state_dict())
    weight, bias = backbone.head(cohort.channels, generator(seed, "transfer", "head"))
    if head == "warm":
        weight = cohort.head.weight.view(cohort.heads, cohort.channels, -1).mean(0)
        bias = cohort.head.bias.view(cohort.heads, cohort.channels).mean(0)
    origin = Origin(kind="transfer", seed=seed)
    field = Field(backbone, encoder, make_head(weight, bias), cohort.channels, origin=origin)
    return field.to(cohort.device, cohort.dtype)
