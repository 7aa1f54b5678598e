"""A layer's health against numpy on all of its activations, and on layers whose answer is known."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import inrlens as il
import toys
from inrlens.dictionaries.health import LayerHealth, _health, layer_health
from inrlens.ranks.stable_rank import Moments


def _moments(rows: torch.Tensor) -> Moments:
    exact = rows.double()
    return Moments(len(rows), exact.sum(0), exact.T @ exact)


DEAD = {"ffmlp": -1.0, "gauss": 100.0, "wire": 100.0, "wire_real": 100.0}
"""A bias from which a unit without weights gives 0; elsewhere 0 does."""


def _field(backbone: str = "ffmlp") -> il.Field:
    """A field whose layer 1 has three dead and two constant units."""
    field = toys.field(backbone)
    with torch.no_grad():
        layer = field.encoder.layer(1)
        for matrix in (parameter for parameter in layer.parameters() if parameter.ndim == 2):
            matrix[:5] = 0.0
        layer.bias[:3] = DEAD.get(backbone, 0.0)
        layer.bias[3:5] = torch.tensor([0.1, 0.07])
    return field


def _expected(layer: int, h: np.ndarray) -> LayerHealth:
    mean, deviation = h.mean(0), h.std(0)
    varies = deviation > 1e-6 * np.sqrt((h**2).mean(0))
    eigenvalues = np.linalg.svd(h - mean, compute_uv=False) ** 2
    share = eigenvalues[eigenvalues > 1e-14 * eigenvalues[0]] / eigenvalues.sum()
    return LayerHealth(
        layer=layer,
        units=h.shape[1],
        gamma=np.linalg.norm(mean) / np.linalg.norm(deviation),
        gamma_median=np.median(np.abs(mean[varies]) / deviation[varies]),
        dead_units=(~h.any(0)).mean(),
        constant_units=(np.ptp(h, axis=0) < 1e-6 * np.abs(h).max()).mean(),
        effective_dimension=eigenvalues.sum() ** 2 / (eigenvalues**2).sum(),
        effective_rank=np.exp(-(share * np.log(share)).sum()),
    )


@pytest.mark.parametrize("grid", [(10, 12), (90, 50)])
def test_every_layer_against_numpy_on_its_activations(backbone: str, grid: tuple[int, int]) -> None:
    field = _field(backbone)
    found = layer_health(field, grid)
    with torch.no_grad():
        rows = [h.double().numpy() for h in field.encoder.activations(il.coordinates(grid))]
    assert len(found) == field.depth
    for layer, (health, h) in enumerate(zip(found, rows, strict=True)):
        expected = _expected(layer, h)
        for name in LayerHealth.__dataclass_fields__:
            assert getattr(health, name) == pytest.approx(getattr(expected, name), rel=1e-6), name
    assert found[1].dead_units >= 3 / 16
    assert found[1].constant_units >= 5 / 16


def test_the_grid_is_the_fields_own_unless_another_is_given_and_a_broken_field_is_refused() -> None:
    field = toys.field()
    assert layer_health(field) == layer_health(field, toys.GRID)
    assert layer_health(field) != layer_health(field, (5, 5))
    field.grid = None
    with pytest.raises(il.InputError, match="never fitted on a grid"):
        layer_health(field)
    with torch.no_grad():
        field.encoder.layer(2).bias[1] = math.nan
    with pytest.raises(il.InputError, match="the activations of layer 2 hold values that are not finite: choose anoth"):
        layer_health(field, (5, 5))


@given(st.integers(0, 999), st.integers(1, 8), st.integers(1, 8), st.floats(-5.0, 5.0), st.floats(1e-3, 1e3))
def test_dimensions_lie_in_order_and_ignore_scale_mean_and_rotation(
    seed: int, d: int, rank: int, shift: float, scale: float
) -> None:
    draws = toys.generator(seed)
    rows = torch.randn(40, rank, generator=draws, dtype=torch.float64)
    rows = rows @ torch.randn(rank, d, generator=draws, dtype=torch.float64)
    health = _health(0, _moments(rows))
    assert 1.0 - 1e-9 <= health.effective_dimension <= health.effective_rank + 1e-9
    assert health.effective_rank <= min(d, rank) + 1e-6
    turn = torch.linalg.qr(torch.randn(d, d, generator=draws, dtype=torch.float64)).Q
    moved = _health(0, _moments((scale * rows) @ turn + shift * scale))
    assert moved.effective_dimension == pytest.approx(health.effective_dimension, rel=1e-6)
    assert moved.effective_rank == pytest.approx(health.effective_rank, rel=1e-6)
    assert _health(0, _moments(scale * rows)).gamma == pytest.approx(health.gamma, rel=1e-6)
    centred = _health(0, _moments(rows - rows.mean(0)))
    assert centred.gamma == pytest.approx(0.0, abs=1e-9)
    assert centred.gamma_median == pytest.approx(0.0, abs=1e-9)


def test_layers_whose_answer_is_known() -> None:
    corners = torch.tensor([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
    even = _health(0, _moments(corners + torch.tensor([3.0, 4.0, 0.0])))
    assert even.gamma == pytest.approx(5.0 / math.sqrt(3.0))
    assert (even.gamma_median, even.dead_units, even.constant_units) == (pytest.approx(3.0), 0.0, 0.0)
    assert (even.effective_dimension, even.effective_rank) == (pytest.approx(3.0), pytest.approx(3.0))
    # Variances 4, 1, 1: p = 2/3, 1/6, 1/6.
    long = _health(0, _moments(corners * torch.tensor([2.0, 1.0, 1.0])))
    assert long.effective_dimension == pytest.approx(36.0 / 18.0)
    assert long.effective_rank == pytest.approx(math.exp(2 / 3 * math.log(3 / 2) + 1 / 3 * math.log(6)))
    assert _health(0, _moments(corners[:, :1].repeat(1, 5))).effective_rank == pytest.approx(1.0)


@pytest.mark.parametrize("value", [0.1, 3.0, -1e-4])
def test_a_layer_that_never_varies(value: float) -> None:
    still = _health(2, _moments(torch.full((5000, 4), value)))
    assert (still.layer, still.units, still.dead_units, still.constant_units) == (2, 4, 0.0, 1.0)
    assert still.gamma == math.inf
    assert math.isnan(still.gamma_median)
    assert (still.effective_dimension, still.effective_rank) == (0.0, 0.0)


def test_a_dead_layer() -> None:
    dead = _health(0, _moments(torch.zeros(50, 4)))
    assert math.isnan(dead.gamma)
    assert math.isnan(dead.gamma_median)
    assert (dead.dead_units, dead.constant_units, dead.effective_dimension, dead.effective_rank) == (1.0, 1.0, 0.0, 0.0)
