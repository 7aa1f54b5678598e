"""Training one sparse autoencoder on one layer of a field."""

import hashlib
import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from inrlens.dictionaries.centre import geometric_median
from inrlens.dictionaries.step import reconstruction_gradients, remove_parallel_part, renormalise
from inrlens.dictionaries.topk import SaeOrigin, SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.field import EVALUATION_TILE, Field
from inrlens.interrupt import first_interrupt_asks
from inrlens.rows import Batches, tiles
from inrlens.seeding import generator

_log = logging.getLogger(__name__)

Centre = Literal["mean", "geometric_median"]
AUXILIARY_COEFFICIENT = 1.0 / 32.0


@dataclass(frozen=True)
class SaeRecipe:
    """The numbers of a training; defaults are those of arXiv:2605.08298 Sec. 4.2, with its open points filled in."""

    n_atoms: int = 4096
    """Dictionary size n."""
    k: int = 32
    """Codes kept in a row."""
    steps: int = 10_000
    """Adam steps."""
    learning_rate: float = 1e-4
    """Adam's learning rate (beta 0.9, 0.999, eps 1e-8)."""
    batch: int = 4096
    """Rows a step, drawn from the grid without replacement, round after round. The paper does not say."""
    centre: Centre = "mean"
    """Where b_pre starts: the activations' mean, or their geometric median. The paper does not say."""
    auxiliary_k: int = 0
    """Dead atoms that model the residual (AuxK of Gao et al. 2024, coefficient 1/32); 0 is off, as in the paper."""
    record_every: int = 50
    """Steps between two rows of the history."""

    def __post_init__(self) -> None:
        for key in ("n_atoms", "k", "steps", "batch", "record_every"):
            if getattr(self, key) < 1:
                raise InputError(f"{key} must be at least 1, not {getattr(self, key)}.")
        if self.k > self.n_atoms:
            raise InputError(f"k must be between 1 and the number of atoms, {self.n_atoms}, not {self.k}.")
        if not 0 <= self.auxiliary_k <= self.n_atoms:
            raise InputError(f"auxiliary_k must be between 0 and {self.n_atoms}, not {self.auxiliary_k}.")
        if not 0.0 < self.learning_rate <= 1e30:
            raise InputError(f"learning_rate must be positive and at most 1e30, not {self.learning_rate}.")
        if self.centre not in get_args(Centre):
            raise InputError(f"centre={self.centre!r} is not known; allowed are {', '.join(get_args(Centre))}.")


@dataclass(frozen=True)
class SaeRecord:
    """One row of a history: after ``step`` updates, the FVU of that step's rows, and seconds since the start."""

    step: int
    fvu: float
    seconds: float


@dataclass(frozen=True)
class SaeFit:
    """A trained dictionary and how it went; ``outcome`` is finished, interrupted or diverged."""

    sae: SparseAutoencoder
    history: tuple[SaeRecord, ...]
    seconds: float
    steps: int
    outcome: Literal["finished", "interrupted", "diverged"]


SaeCallback = Callable[[SaeRecord, int], None]
"""Called with every new record and the number of steps planned."""


def train_sae(
    field: Field,
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
    callback: SaeCallback | None = None,
) -> SaeFit:
    """Trains a TopK dictionary on a layer's activations over a grid; see ``SaeRecipe`` for each number.

    A cohort's activations depend on the coordinate alone, so one dictionary serves all its signals. Ctrl-C once ends
    the training after the running step and keeps what was reached.

    Raises:
        InputError: for a layer out of range, k above n, numbers that are not positive, or no grid.
    """
    recipe = SaeRecipe(n_atoms, k, steps, learning_rate, batch, centre, auxiliary_k)
    rows = layer_rows(field, layer, grid)
    origin = SaeOrigin(
        layer=layer,
        seed=seed,
        grid=field.grid_or(grid),
        field_digest=encoder_digest(field, layer),
        settings={**asdict(recipe), "sampling": "without replacement from the grid, round after round"},
    )
    return _train(rows, recipe, origin, callback)


@torch.no_grad()
def layer_rows(
    field: Field, layer: int, grid: tuple[int, ...] | None = None, x: Float[Tensor, "n m"] | None = None
) -> Float[Tensor, "n d"]:
    """A layer's activations ``(N, d)`` over a grid, or at coordinates ``x``."""
    field.encoder.check_layer(layer)
    x = field.grid_coordinates(grid) if x is None else x
    out = x.new_empty(x.shape[0], field.encoder.layer(layer).weight.shape[0])
    for part in tiles(x.shape[0], EVALUATION_TILE):
        out[part] = field.encoder.run(x[part], 0, layer + 1)
    return out


def encoder_digest(field: Field, layer: int) -> str:
    """SHA-256 of the projection and of layers 0..``layer``: all that the activations of a layer depend on."""
    digest = hashlib.sha256()
    if field.encoder.projection is not None:
        digest.update(field.encoder.projection.frequencies.cpu().numpy().tobytes())
    for index in range(layer + 1):
        for value in field.encoder.layer(index).state_dict().values():
            digest.update(value.cpu().numpy().tobytes())
    return digest.hexdigest()


def _train(rows: Tensor, recipe: SaeRecipe, origin: SaeOrigin, callback: SaeCallback | None) -> SaeFit:
    centre = rows.mean(0) if recipe.centre == "mean" else geometric_median(rows)
    directions = torch.randn(recipe.n_atoms, rows.shape[1], generator=generator(origin.seed, "sae", origin.layer))
    sae = SparseAutoencoder(directions.to(rows), centre, recipe.k, origin)
    variance = float((rows - rows.mean(0)).square().sum(1).mean())
    optimizer = torch.optim.Adam(sae.parameters(), lr=recipe.learning_rate, foreach=True)
    steps = Batches(rows.shape[0], recipe.batch, generator(origin.seed, "sae", origin.layer, "batches"))
    silent = torch.zeros(recipe.n_atoms, dtype=torch.long, device=rows.device)
    history: list[SaeRecord] = []
    finite = [parameter.detach().clone() for parameter in sae.parameters()]
    outcome: Literal["finished", "interrupted", "diverged"] = "finished"
    started = time.perf_counter()
    done = 0
    with first_interrupt_asks() as interrupt:
        while done < recipe.steps:
            h = rows[next(steps)]
            loss = reconstruction_gradients(sae, h)
            if recipe.auxiliary_k:
                silent = torch.where(loss.fired, 0, silent + loss.rows)
                _add_auxiliary_gradient(sae, h, silent >= rows.shape[0], recipe.auxiliary_k)
            if not math.isfinite(loss.squared_error):
                _log.warning("the loss was not finite at step %d; the last finite dictionary was kept", done)
                outcome = "diverged"
                break
            if done % recipe.record_every == 0:
                record = SaeRecord(done, _fvu(loss.squared_error, loss.rows, variance), time.perf_counter() - started)
                history.append(record)
                _copy(sae, finite)
                if callback is not None:
                    callback(record, recipe.steps)
            remove_parallel_part(sae)
            optimizer.step()
            renormalise(sae)
            done += 1
            if interrupt.asked:
                outcome = "interrupted"
                break
    sae.requires_grad_(False)
    for parameter in sae.parameters():
        parameter.grad = None
    squared = _squared_error(sae, rows)
    if outcome == "diverged" or not math.isfinite(squared):
        if outcome != "diverged":
            _log.warning("the loss was not finite after step %d; the last finite dictionary was kept", done)
        outcome = "diverged"
        done = history[-1].step if history else 0
        for parameter, kept in zip(sae.parameters(), finite, strict=True):
            parameter.copy_(kept)
        squared = _squared_error(sae, rows)
    last = SaeRecord(done, _fvu(squared, rows.shape[0], variance), time.perf_counter() - started)
    history = [row for row in history if row.step < done] + [last]
    if callback is not None:
        callback(last, recipe.steps)
    return SaeFit(sae, tuple(history), last.seconds, done, outcome)


def _squared_error(sae: SparseAutoencoder, rows: Tensor) -> float:
    return sum(
        float((sae(rows[part]) - rows[part]).double().square().sum()) for part in tiles(len(rows), EVALUATION_TILE)
    )


def _fvu(squared: float, rows: int, variance: float) -> float:
    if variance > 0.0:
        return squared / rows / variance
    return 0.0 if squared == 0.0 else math.inf


@torch.no_grad()
def _copy(sae: SparseAutoencoder, into: list[Tensor]) -> None:
    for kept, parameter in zip(into, sae.parameters(), strict=True):
        kept.copy_(parameter)


def _add_auxiliary_gradient(sae: SparseAutoencoder, h: Tensor, dead: Tensor, auxiliary_k: int) -> None:
    """Adds the gradient of ``1/32 mean ||e - e_hat||^2`` (Gao et al. 2024, App. A.2).

    e is the residual of the reconstruction, detached; e_hat is built by the dead atoms' own largest codes, without
    b_pre, which the reconstruction already holds.
    """
    which = dead.nonzero()[:, 0]
    if which.numel() == 0:
        return
    with torch.no_grad():
        residual = h - sae(h)
    u = F.linear(h - sae.pre_bias, sae.encoder[which], sae.encoder_bias[which])
    values, indices = torch.topk(u.relu(), min(auxiliary_k, which.numel()), dim=1, sorted=False)
    modelled = F.embedding_bag(indices, sae.decoder[which], per_sample_weights=values, mode="sum")
    loss = AUXILIARY_COEFFICIENT * (modelled - residual).square().sum(1).mean()
    loss.backward()
