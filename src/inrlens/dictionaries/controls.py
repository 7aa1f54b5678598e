"""Dictionaries that nobody trained, to hold a trained one against: random atoms, principal components, the neurons.

Each is a ``SparseAutoencoder`` whose encoder is along its decoder, with biases of 0 about the mean of its rows; so what
is measured on a trained dictionary is measured on a control by the same code. (The fourth control, a dictionary trained
on the untrained network, is a training like any other.)
"""

import math
from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.dictionaries.encoding import ENCODING_TILE, RowEncoder
from inrlens.dictionaries.topk import SaeOrigin, SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.network import EVALUATION_TILE
from inrlens.rows import over_tiles, tiles
from inrlens.seeding import generator

Control = Literal["random", "principal components", "neurons"]
CONTROLS: tuple[Control, ...] = get_args(Control)
"""What ``origin.settings["control"]`` of a control says."""


@torch.no_grad()
def random_dictionary(
    rows: Float[Tensor, "n d"],
    layer: int,
    *,
    n_atoms: int,
    k: int,
    seed: int,
    grid: tuple[int, ...] | None = None,
    field_digest: str = "",
) -> SparseAutoencoder:
    """Atoms of random direction, uniform on the sphere; the encoder is the decoder times one gain.

    Random atoms overlap, so that the k largest projections together overshoot a row several times over. The gain is the
    one number that makes their reconstruction of all rows the best by least squares: without it the control would be
    worse than the mean, and beaten by anything.

    Args:
        rows: a layer's activations ``(N, d)``, whose mean is b_pre.
        layer: which layer that is.
        n_atoms: number of atoms n.
        k: codes kept in a row.
        seed: of the directions.
        grid: what the rows run over.
        field_digest: the encoder that they come from (``activations.encoder_digest``).

    Raises:
        InputError: where n is below 1, k is not between 1 and n, or an activation is not finite.
    """
    if n_atoms < 1:
        raise InputError(f"n_atoms must be at least 1, not {n_atoms}.")
    mean = _mean(rows, layer)
    directions = torch.randn(n_atoms, rows.shape[1], generator=generator(seed, "control", "random", layer))
    settings: dict[str, Any] = {"control": "random", "n_atoms": n_atoms, "k": k}
    made = _control(directions.to(rows), mean, k, SaeOrigin(layer, seed, grid, field_digest, settings))
    gain = _best_gain(made, rows)
    made.encoder.mul_(gain)
    settings["gain"] = gain
    return made


@torch.no_grad()
def principal_components(
    rows: Float[Tensor, "n d"],
    layer: int,
    *,
    k: int,
    grid: tuple[int, ...] | None = None,
    field_digest: str = "",
) -> SparseAutoencoder:
    """The principal components of a layer, largest variance first, each with both signs.

    Codes are 0 or more, so component j is two atoms, 2j and its opposite 2j + 1, of which at most one fires. TopK then
    keeps the k projections of a row that are largest in size. Directions without variance have no atoms: n is twice the
    number r <= d of those with it, to rounding in float64. A k above n is n, so that one sweep over k serves
    dictionaries of any size (``settings["k"]`` is what was asked for); from k = r on, every row is rebuilt exactly.

    Args:
        rows: a layer's activations ``(N, d)``.
        layer: which layer that is.
        k: codes kept in a row, at least 1.
        grid: what the rows run over.
        field_digest: the encoder that they come from (``activations.encoder_digest``).

    Raises:
        InputError: where k is below 1, an activation is not finite, or all rows are the same.
    """
    mean = _mean(rows, layer)
    covariance = mean.new_zeros(mean.shape[0], mean.shape[0])
    scale = 0.0
    for part in tiles(rows.shape[0], EVALUATION_TILE):
        tile = rows[part].double()
        scale = max(scale, float(tile.abs().max()))
        centred = tile - mean
        covariance.addmm_(centred.T, centred, alpha=1.0 / rows.shape[0])
    variances, directions = torch.linalg.eigh(covariance)
    # What rounding leaves: of the decomposition, and of subtracting the mean.
    epsilon = torch.finfo(torch.float64).eps
    least = mean.shape[0] * epsilon * max(float(variances[-1]), epsilon * scale**2)
    components = directions[:, variances > least].flip(1).T
    count = components.shape[0]
    if count == 0:
        raise InputError(
            f"the activations of layer {layer} are the same in all {rows.shape[0]} rows, so they have no principal "
            "components: choose another layer."
        )
    # An eigenvector's sign is arbitrary: its largest entry is made positive.
    largest = components.gather(1, components.abs().argmax(1, keepdim=True))
    settings = {"control": "principal components", "components": count, "k": k}
    origin = SaeOrigin(layer, 0, grid, field_digest, settings)
    return _control(_both_signs(components * largest.sign()).to(rows), mean, min(k, 2 * count), origin)


@torch.no_grad()
def neurons(
    rows: Float[Tensor, "n d"],
    layer: int,
    *,
    k: int,
    grid: tuple[int, ...] | None = None,
    field_digest: str = "",
) -> SparseAutoencoder:
    """The layer's own units: above (atom 2j) and below (2j + 1) the mean of unit j; n = 2d.

    TopK keeps the k units that are farthest from their means. A unit that never varies is two dead atoms. A k above n
    is n, so that one sweep over k serves layers of any width (``settings["k"]`` is what was asked for); from k = d on,
    every row is rebuilt exactly.

    Args:
        rows: a layer's activations ``(N, d)``.
        layer: which layer that is.
        k: codes kept in a row, at least 1.
        grid: what the rows run over.
        field_digest: the encoder that they come from (``activations.encoder_digest``).

    Raises:
        InputError: where k is below 1, or an activation is not finite.
    """
    mean = _mean(rows, layer)
    units = rows.shape[1]
    settings = {"control": "neurons", "units": units, "k": k}
    origin = SaeOrigin(layer, 0, grid, field_digest, settings)
    return _control(_both_signs(torch.eye(units).to(rows)), mean, min(k, 2 * units), origin)


def _mean(rows: Tensor, layer: int) -> Tensor:
    """The rows' mean ``(d,)`` in float64."""
    total = rows.new_zeros(rows.shape[1], dtype=torch.float64)
    for part in tiles(rows.shape[0], EVALUATION_TILE):
        total += rows[part].double().sum(0)
    if not bool(torch.isfinite(total).all()):
        raise InputError(f"the activations of layer {layer} hold values that are not finite: choose another field.")
    return total / rows.shape[0]


def _best_gain(sae: SparseAutoencoder, rows: Tensor) -> float:
    """The factor on all codes that brings the reconstruction closest to the rows."""

    def worker() -> Callable[[slice], tuple[float, float]]:
        encoder = RowEncoder(sae)

        def tile(part: slice) -> tuple[float, float]:
            rebuilt = (sae.decode(*encoder(rows[part])) - sae.pre_bias).double()
            return float((rebuilt * (rows[part] - sae.pre_bias)).sum()), float(rebuilt.square().sum())

        return tile

    found = over_tiles(rows.shape[0], ENCODING_TILE, worker, rows.device)
    along, size = (math.fsum(column) for column in zip(*found, strict=True))
    return along / size if size > 0.0 and along > 0.0 else 1.0


def _both_signs(directions: Tensor) -> Tensor:
    """``(2r, d)``: each of r directions, then its opposite."""
    return torch.stack([directions, -directions], dim=1).flatten(0, 1)


def _control(directions: Tensor, mean: Tensor, k: int, origin: SaeOrigin) -> SparseAutoencoder:
    return SparseAutoencoder(directions, mean.to(directions), k, origin).requires_grad_(False)
