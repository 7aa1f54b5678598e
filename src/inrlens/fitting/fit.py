"""Fits of one signal, of a cohort, and of many signals at once."""

from collections.abc import Sequence

import torch

from inrlens.errors import InputError
from inrlens.fields.backbone import Backbone
from inrlens.fields.field import Field, check_grid
from inrlens.fitting.compute import Compute
from inrlens.fitting.fit_fields import Job, fit_fields
from inrlens.fitting.history import Callback, Fit
from inrlens.fitting.loop import Tell
from inrlens.fitting.many import ManyCallback, fit_all
from inrlens.fitting.recipes import Recipe
from inrlens.resume import Resume
from inrlens.signals.signal import Signal

_COMPUTE = Compute()


def fit(
    signal: Signal,
    recipe: Recipe,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    compute: Compute = _COMPUTE,
    resume: Resume | None = None,
    callback: Callback | None = None,
) -> Fit:
    """Fits one field to one signal.

    The same seed, torch threads (of the calling thread) and device give the same bits. Ctrl-C once ends the fit after
    the running step and keeps what was reached.

    Args:
        signal: what is fitted.
        recipe: how; it names the backbone.
        seed: draws the initial weights and the batches.
        device: where it is computed.
        compute: tile, memory and precision.
        resume: where the running fit keeps its state; where the file exists, the fit continues from it.
        callback: called with every record of the history.

    Raises:
        InputError: where the recipe names no backbone, or one of another number of coordinates than the grid's; where
            the state to resume is of another fit; where the memory does not hold a tile.
    """
    return _fit_new("single", [signal], recipe, seed, device, compute, resume, callback)


def fit_cohort(
    signals: Sequence[Signal],
    recipe: Recipe,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    compute: Compute = _COMPUTE,
    resume: Resume | None = None,
    callback: Callback | None = None,
) -> Fit:
    """Fits one shared encoder with a head for each signal (STRAINER: Vyas et al. 2024; arXiv:2605.08298 eq. 2).

    Arguments as in ``fit``.

    Raises:
        InputError: for fewer than 2 signals, signals of different grids, channels or masks, and as in ``fit``.
    """
    if len(signals) < 2:
        raise InputError(f"a cohort needs at least 2 signals, not {len(signals)}.")
    return _fit_new("cohort", signals, recipe, seed, device, compute, resume, callback)


def fit_many(
    signals: Sequence[Signal],
    recipe: Recipe,
    *,
    seeds: Sequence[int] = (0,),
    device: torch.device | str = "cpu",
    compute: Compute = _COMPUTE,
    callback: ManyCallback | None = None,
) -> list[Fit]:
    """Fits a field to each signal with each seed: ``fit`` for all, seed by seed in the order given.

    On a CPU every core takes whole fits, one after another, each equal bit for bit to ``fit`` on one thread. On a GPU
    the networks of one seed, grid and mask are stacked and take their steps together, equal to ``fit`` up to rounding.

    Args:
        signals: what is fitted; grids may differ.
        recipe: how, for all.
        seeds: each draws initial weights and batches.
        device: where it is computed.
        compute: tile, memory and precision; the memory is for each fit that runs at the same time.
        callback: called with the number of a fit in the list and every record of its history.

    Raises:
        InputError: as ``fit``; nothing is given back then.
    """
    check_signals(signals)
    pairs = [(seed, signal) for seed in seeds for signal in signals]
    if recipe.backbone is not None:
        for signal in signals:
            check_grid(recipe.backbone, signal.shape)

    def together(numbers: Sequence[int], tell: Tell | None) -> list[Fit]:
        seed, some = pairs[numbers[0]][0], [pairs[number][1] for number in numbers]
        fields = [_new_field(recipe, [signal], seed, device) for signal in some]
        return fit_fields(fields, [[signal] for signal in some], Job(recipe, "single", seed, compute=compute), tell)

    keys = [(seed, signal.shape, signal.channels, signal.mask_digest) for seed, signal in pairs]
    with compute.products():
        return fit_all(keys, together, device, callback)


def _fit_new(
    kind: str,
    signals: Sequence[Signal],
    recipe: Recipe,
    seed: int,
    device: torch.device | str,
    compute: Compute,
    resume: Resume | None,
    callback: Callback | None,
) -> Fit:
    field = _new_field(recipe, signals, seed, device)
    with compute.products():
        return fit_fields([field], [signals], Job(recipe, kind, seed, compute=compute), tell_one(callback), resume)[0]


def check_signals(signals: Sequence[Signal]) -> None:
    """Raises InputError where one of them is something else, such as an array or a path."""
    for one in signals:
        if not isinstance(one, Signal):
            raise InputError(
                f"a fit takes signals, and a {type(one).__name__} was given: make a signal of values with "
                "il.signal_from_array, of a file with il.load_signal."
            )


def _new_field(recipe: Recipe, signals: Sequence[Signal], seed: int, device: torch.device | str) -> Field:
    check_signals(signals)
    backbone: Backbone | None = recipe.backbone
    if backbone is None:
        raise InputError(f"recipe {recipe.name!r} names no backbone, which a fit from scratch needs.")
    first = signals[0]
    new = Field.new(backbone, heads=len(signals), channels=first.channels, seed=seed, grid=first.shape)
    return new.to(device)


def tell_one(callback: Callback | None) -> Tell | None:
    """The callback of a single fit as that of a stack of one."""
    if callback is None:
        return None
    return lambda _, record, steps: callback(record, steps)
