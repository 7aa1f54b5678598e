"""Small signals, fields and dictionaries that many tests share, and a door past the type checker."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

import inrlens as il
from inrlens.dictionaries.activations import layer_rows
from inrlens.dictionaries.step import renormalise
from inrlens.dictionaries.topk import SaeOrigin, SparseAutoencoder
from inrlens.fields.encoding import FourierProjection

SMALL: dict[str, dict[str, Any]] = {
    "siren": {"width": 16, "depth": 4, "omega_0": 20.0},
    "ffmlp": {"width": 16, "depth": 4, "frequencies": 6, "sigma": 1.5},
    "gauss": {"width": 16, "depth": 4, "scale": 3.0},
    "finer": {"width": 16, "depth": 4, "omega_0": 5.0, "first_bias": 1.0},
    "wire": {"width": 16, "depth": 4, "omega_0": 4.0, "scale": 2.0},
    "wire_real": {"width": 16, "depth": 4, "omega_0": 4.0, "scale": 2.0},
    "posenc": {"width": 16, "depth": 4, "frequencies": 3},
    "relu": {"width": 16, "depth": 4},
    # Tables of its own bound would leave an untrained network's activations nearly constant.
    "hashgrid": {
        "width": 16,
        "depth": 4,
        "levels": 4,
        "log2_table": 5,
        "coarsest": 2,
        "finest": 9,
        "table_bound": 1.0,
    },
}
"""Tiny settings of every registered backbone; a test fails where one is missing."""

GRID = (9, 7)


def generator(seed: int = 0) -> torch.Generator:
    """A seeded generator."""
    return torch.Generator().manual_seed(seed)


def signal(seed: int = 0, grid: tuple[int, ...] = GRID, channels: int = 3) -> il.Signal:
    """A smooth random signal, different for every seed."""
    x = il.coordinates(grid, torch.float64)
    draws = generator(1000 + seed)
    waves = torch.randn(4, x.shape[1], generator=draws, dtype=torch.float64) * 2.0
    mix = torch.randn(4, channels, generator=draws, dtype=torch.float64)
    values = torch.sigmoid((x @ waves.T).sin() @ mix)
    return il.Signal(f"toy {seed}", values.float(), grid)


def signals(count: int, grid: tuple[int, ...] = GRID, channels: int = 3) -> list[il.Signal]:
    """Several of them."""
    return [signal(seed, grid, channels) for seed in range(count)]


def field(
    backbone: str = "siren",
    heads: int = 2,
    channels: int = 3,
    seed: int = 0,
    grid: tuple[int, ...] = GRID,
    **settings: Any,
) -> il.Field:
    """An untrained small field that knows its grid; its values lie around 0.5, where clamping hides no change."""
    made = drawn(backbone, heads, channels, seed, grid, **settings)
    with torch.no_grad():
        made.head.bias += 0.5
    return made


def drawn(
    backbone: str = "siren",
    heads: int = 2,
    channels: int = 3,
    seed: int = 0,
    grid: tuple[int, ...] = GRID,
    **settings: Any,
) -> il.Field:
    """A small field as its seed draws it, where a fit with that seed starts."""
    numbers = {**SMALL[backbone], **settings}
    return il.Field.new(backbone, heads=heads, channels=channels, seed=seed, grid=grid, **numbers)


def by_autograd(field: il.Field) -> il.Field:
    """The field itself, whose layers no longer state their derivative, so that autograd fits it."""
    for index in range(field.depth):
        layer = field.encoder.layer(index)
        layer.nonlinearity = replace(layer.nonlinearity, pull_back=None)
    return field


def page_runs(backbone: str) -> bool:
    """Whether the explorer's page can run a backbone's layers: behind Fourier features, or none.

    A trained encoding is looked up rather than multiplied, and the page answers edits of such a field with a sentence.
    """
    encoding = field(backbone).encoder.encoding
    return encoding is None or isinstance(encoding, FourierProjection)


def recipe(backbone: str | None = "siren", **numbers: Any) -> il.Recipe:
    """A short recipe for a small network; ``None`` gives one for transfers."""
    network = None if backbone is None else il.make_backbone(backbone, **SMALL[backbone])
    base = il.Recipe("toy", network, steps=12, learning_rate=1e-3, record_every=4)
    return replace(base, **numbers)


@torch.no_grad()
def sae(
    field: il.Field, layer: int = 1, n_atoms: int = 24, k: int = 4, seed: int = 0, dtype: torch.dtype | None = None
) -> SparseAutoencoder:
    """An untrained dictionary with unequal encoder and decoder.

    Atom 0 fires on some 40 % of the toy grid and each later one on less, the last nowhere: rows hold all k codes,
    fewer, or none.
    """
    draws = generator(seed)
    rows = layer_rows(field, layer, GRID)
    width, dtype = rows.shape[1], dtype or field.dtype
    centre = rows.mean(0) + 0.05 * torch.randn(width, generator=draws).to(rows)
    directions = torch.randn(n_atoms, width, generator=draws).to(rows)
    made = SparseAutoencoder(directions, centre, k, SaeOrigin(layer, seed, field.grid))
    made.encoder += 0.1 * torch.randn(n_atoms, width, generator=draws).to(rows)
    scores = (rows - centre) @ made.encoder.T
    shares = torch.linspace(0.6, 1.0, n_atoms).tolist()
    for atom, share in enumerate(shares):
        # Rows that are equal (posenc's at -1 and 1) may lie at the quantile itself: rounding must not decide for them.
        made.encoder_bias[atom] = -torch.quantile(scores[:, atom], share) - 1e-4
    made.encoder_bias[-1] -= 1.0
    made = made.to(dtype)
    renormalise(made)
    return made.requires_grad_(False)


def is_checked(function: Callable[..., Any]) -> bool:
    """Whether the type checker stands before a function, or before a dataclass's ``__init__``."""
    return hasattr(function, "__wrapped__")


def unchecked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function without the type checker that tests put around it: what a user without one meets."""
    return inspect.unwrap(function)
