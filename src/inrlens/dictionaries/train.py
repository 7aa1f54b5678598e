"""Training sparse autoencoders on a layer of a field: one, or many over the same activations."""

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from inrlens.dictionaries.activations import encoder_digest, layer_rows
from inrlens.dictionaries.centre import geometric_median
from inrlens.dictionaries.loop import Outcome, SaeCallback, SaeRecord, train
from inrlens.dictionaries.recipe import Centre, SaeRecipe
from inrlens.dictionaries.topk import SaeOrigin, SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.network import Network
from inrlens.interrupt import first_interrupt_asks
from inrlens.resume import Keeper, Resume
from inrlens.seeding import generator
from inrlens.workers import cores, on_cores, torch_on_one_thread


@dataclass(frozen=True)
class SaeFit:
    """A trained dictionary, ``sae``, and how it went.

    ``history``: every ``record_every`` steps and at the end, the number of updates, the FVU and the seconds since the
    start. ``seconds``: how long all took. ``steps``: updates made. ``outcome`` is finished, interrupted, or diverged:
    the loss was not finite (the dictionary is the last recorded finite one), or the FVU over the whole grid ended more
    than 6 dB above the best that was recorded.
    """

    sae: SparseAutoencoder
    history: tuple[SaeRecord, ...]
    seconds: float
    steps: int
    outcome: Outcome


ManySaeCallback = Callable[[int, SaeRecord, int], None]
"""Called with the number of a training in its list, its new record, and the number of steps planned; on a CPU from the
thread that trains."""


def train_sae(
    field: Network,
    layer: int,
    *,
    n_atoms: int = 4096,
    k: int = 32,
    steps: int = 10_000,
    learning_rate: float = 1e-4,
    batch: int = 4096,
    centre: Centre = "mean",
    auxiliary_k: int = 0,
    grid: tuple[int, ...] | None = None,
    seed: int = 0,
    rows: Tensor | None = None,
    resume: Resume | None = None,
    callback: SaeCallback | None = None,
) -> SaeFit:
    """Trains a TopK dictionary on a layer's activations over a grid; see ``SaeRecipe`` for each number.

    ``rows`` ``(N, d)`` are those activations over the grid, where the caller has them already: what
    ``field.run_to(field.grid_coordinates(grid), layer)`` gives without gradients. A cohort's activations depend on
    the coordinate alone, so one dictionary serves all its signals. The same seed, torch threads (of the calling thread)
    and device give the same bits. Ctrl-C once ends the training after the running step and keeps what was reached; with
    ``resume``, the same call then goes on bit for bit.

    Raises:
        InputError: for a layer out of range, k above n, numbers that are not positive, or no grid; where the state to
            resume is of another training.
    """
    recipe = SaeRecipe(n_atoms, k, steps, learning_rate, batch, centre, auxiliary_k)
    shape = (math.prod(field.grid_or(grid)), field.units(layer))
    if rows is not None and tuple(rows.shape) != shape:
        raise InputError(f"rows of shape {tuple(rows.shape)} are not those of layer {layer} on this grid, {shape}.")
    rows = layer_rows(field, layer, grid) if rows is None else rows
    return _train(rows, recipe, _origin(field, layer, grid, recipe, seed), resume, callback)


def train_sae_many(
    field: Network,
    layer: int,
    recipes: Sequence[SaeRecipe],
    *,
    seeds: Sequence[int] = (0,),
    grid: tuple[int, ...] | None = None,
    callback: ManySaeCallback | None = None,
) -> list[SaeFit]:
    """Trains a dictionary with each recipe and each seed on one layer, whose activations are computed once for all.

    On a CPU every core takes whole trainings, one after another, seed by seed in the order given, each equal bit for
    bit to ``train_sae`` on one thread. The first Ctrl-C ends those that run after their step, and those that have not
    begun after one.

    Raises:
        InputError: as ``train_sae``; nothing is given back then.
    """
    rows = layer_rows(field, layer, grid)
    pairs = [(seed, recipe) for seed in seeds for recipe in recipes]

    def run(number: int) -> SaeFit:
        seed, recipe = pairs[number]
        tell: SaeCallback | None = None
        if callback is not None:
            tell = lambda record, steps: callback(number, record, steps)  # noqa: E731
        return _train(rows, recipe, _origin(field, layer, grid, recipe, seed), None, tell)

    with first_interrupt_asks() as interrupt:

        def ask_the_others() -> None:
            interrupt.asked = True

        if rows.device.type == "cpu":
            return on_cores(run, range(len(pairs)), cores(), ask_the_others)
        return [run(number) for number in range(len(pairs))]


def _origin(field: Network, layer: int, grid: tuple[int, ...] | None, recipe: SaeRecipe, seed: int) -> SaeOrigin:
    return SaeOrigin(
        layer=layer,
        seed=seed,
        grid=field.grid_or(grid),
        field_digest=encoder_digest(field, layer),
        settings={**asdict(recipe), "sampling": "without replacement from the grid, round after round"},
    )


def _train(
    rows: Tensor, recipe: SaeRecipe, origin: SaeOrigin, resume: Resume | None, callback: SaeCallback | None
) -> SaeFit:
    on_cpu = rows.device.type == "cpu"
    threads = cores() if on_cpu else 1
    keeper = None
    if resume is not None:
        identity = {
            "recipe": asdict(recipe),
            "layer": origin.layer,
            "seed": origin.seed,
            "grid": list(origin.grid or ()),
            "network": [origin.field_digest],
        }
        keeper = Keeper(resume, "training", identity, threads)
    sae = _initial(rows, recipe, origin)
    draws = generator(origin.seed, "sae", origin.layer, "batches")
    with torch_on_one_thread() if on_cpu and threads > 1 else nullcontext():
        history, outcome = train(sae, rows, recipe, draws, threads, callback, keeper)
    sae.requires_grad_(False)
    for parameter in sae.parameters():
        parameter.grad = None
    if keeper is not None and outcome != "interrupted":
        keeper.end()
    return SaeFit(sae, tuple(history), history[-1].seconds, history[-1].step, outcome)


def _initial(rows: Tensor, recipe: SaeRecipe, origin: SaeOrigin) -> SparseAutoencoder:
    centre = rows.mean(0) if recipe.centre == "mean" else geometric_median(rows)
    directions = torch.randn(recipe.n_atoms, rows.shape[1], generator=generator(origin.seed, "sae", origin.layer))
    return SparseAutoencoder(directions.to(rows), centre, recipe.k, origin)
