"""How fit a layer is for a dictionary, before one is trained on it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.network import Network
from inrlens.ranks.stable_rank import Moments, layer_moments

_STILL = 1e-6
"""A unit whose standard deviation is at most this share of its root mean square does not vary: float32 cannot tell."""


@dataclass(frozen=True)
class LayerHealth:
    """One layer's activations over a grid, all coordinates visited.

    ``layer``: its number. ``units``: its width d. ``gamma``: the length of the mean over that of the standard
    deviations, ``||mu|| / ||sigma||`` with one entry of each a unit; where it is large, many atoms start dead
    (arXiv:2605.31518); inf where no unit varies, NaN where all are 0. ``gamma_median``: the median of ``|mu_j| /
    sigma_j`` over the units that vary, NaN where none does. ``dead_units``: share of units that are 0 at every
    coordinate. ``constant_units``: share that never vary, the dead ones included; a standard deviation below 1e-6 of
    the root mean square counts as none.

    Of the covariance C: ``effective_dimension`` is the participation ratio ``(tr C)^2 / tr(C^2)``, and
    ``effective_rank`` the exponential of the entropy of its eigenvalues divided by their sum (Roy and Vetterli 2007).
    Both lie between 1 and d, the first never above the second, and are 0 where no unit varies.
    """

    layer: int
    units: int
    gamma: float
    gamma_median: float
    dead_units: float
    constant_units: float
    effective_dimension: float
    effective_rank: float


def layer_health(field: Network, grid: tuple[int, ...] | None = None) -> tuple[LayerHealth, ...]:
    """Every layer's health, first to last, over a grid (default: the one the field was fitted on).

    Raises:
        InputError: where no grid is known, or an activation is not finite.
    """
    _, activations = layer_moments(field, grid)
    return tuple(_health(layer, moments) for layer, moments in enumerate(activations))


def _health(layer: int, moments: Moments) -> LayerHealth:
    if not bool(torch.isfinite(moments.gram).all()):
        raise InputError(f"the activations of layer {layer} hold values that are not finite: choose another field.")
    mean = moments.total / moments.rows
    square = moments.gram.diagonal() / moments.rows
    covariance = moments.centred_gram() / moments.rows
    varies = covariance.diagonal() > _STILL**2 * square
    # What rounding left in the rest is no variance.
    covariance = torch.where(varies[:, None] & varies, covariance, 0.0)
    deviation = covariance.diagonal().sqrt()
    return LayerHealth(
        layer=layer,
        units=mean.shape[0],
        gamma=float(mean.norm() / deviation.norm()),
        gamma_median=_median(mean[varies].abs() / deviation[varies]),
        dead_units=float((square == 0.0).double().mean()),
        constant_units=float((~varies).double().mean()),
        effective_dimension=_participation_ratio(covariance),
        effective_rank=_entropy_rank(covariance),
    )


def _median(values: Tensor) -> float:
    return float(torch.quantile(values, 0.5)) if values.numel() else math.nan


def _participation_ratio(covariance: Tensor) -> float:
    """``(tr C)^2 / tr(C^2)``; 0 for the zero matrix."""
    trace, squares = float(covariance.trace()), float(covariance.square().sum())
    return trace**2 / squares if squares > 0.0 else 0.0


def _entropy_rank(covariance: Tensor) -> float:
    """``exp(-sum p log p)``, p the eigenvalues over their sum; 0 for the zero matrix."""
    values = torch.linalg.eigvalsh(covariance).clamp_min(0.0)
    total = values.sum()
    return float(torch.special.entr(values / total).sum().exp()) if float(total) > 0.0 else 0.0
