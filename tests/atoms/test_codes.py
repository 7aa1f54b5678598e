"""Codes and their statistics against dense numpy."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import inrlens as il
import toys
from inrlens.atoms.codes import check_codes
from inrlens.atoms.statistics import ACTIVE_THRESHOLD, spread
from inrlens.dictionaries.activations import layer_rows


def _dense(codes: il.Codes) -> np.ndarray:
    z = torch.zeros(len(codes.values), codes.n_atoms, dtype=torch.float64)
    z.scatter_(1, codes.indices.long(), codes.values.double())
    return z.numpy()


@pytest.mark.parametrize("layer", [0, 3])
@pytest.mark.parametrize("grid", [None, (70, 65)])
def test_codes_equal_the_dense_formula(backbone: str, layer: int, grid: tuple[int, int] | None) -> None:
    field = toys.field(backbone).double()
    sae = toys.sae(field, layer=layer)
    codes = il.encode(field, sae, grid)
    assert (codes.grid, codes.n_atoms) == (grid or toys.GRID, 24)
    assert (codes.indices.dtype, codes.values.dtype) == (torch.int32, torch.float64)
    h = layer_rows(field, layer, grid)
    u = ((h - sae.pre_bias) @ sae.encoder.T + sae.encoder_bias).relu().numpy()
    cut = np.sort(u, axis=1)[:, -sae.k][:, None]
    expected = np.where((u >= cut) & (u > 0.0), u, 0.0)
    np.testing.assert_allclose(_dense(codes), expected, rtol=1e-9, atol=1e-12)
    for atom in (0, 11, 23):
        np.testing.assert_allclose(
            codes.map(atom).numpy(), expected[:, atom].reshape(codes.grid), rtol=1e-9, atol=1e-12
        )


def _random_codes(seed: int, height: int, width: int, n: int, share: float) -> il.Codes:
    """Random codes with zeros, values about the active threshold, and dead atoms."""
    draws = np.random.default_rng(seed)
    k = max(1, round(share * n))
    living = draws.permutation(n)[: max(k, n // 2)]
    indices = np.stack([draws.permutation(living)[:k] for _ in range(height * width)]).astype(np.int32)
    values = draws.choice([0.0, 0.005, ACTIVE_THRESHOLD, 0.02, 1.0, 7.5], indices.shape)
    return il.Codes(torch.from_numpy(indices), torch.from_numpy(values), n, (height, width))


@given(st.integers(0, 9999), st.integers(1, 6), st.integers(1, 6), st.integers(2, 12), st.floats(0.0, 1.0))
def test_statistics_equal_numpy(seed: int, height: int, width: int, n: int, share: float) -> None:
    codes = _random_codes(seed, height, width, n, share)
    z, found = _dense(codes), il.atom_statistics(codes)
    np.testing.assert_allclose(found.active_fraction, (z > ACTIVE_THRESHOLD).mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.firing_rate, (z > 0).mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.mean_magnitude, z.mean(0), rtol=1e-9)
    assert found.dead.tolist() == (~(z > 0).any(0)).tolist()
    with np.errstate(invalid="ignore"):
        ipr = (z**4).sum(0) / (z**2).sum(0) ** 2
    np.testing.assert_allclose(found.ipr, ipr, rtol=1e-9)
    assert torch.isnan(found.ipr).tolist() == found.dead.tolist()

    for by in ("mean_magnitude", "active_fraction", "firing_rate"):
        values = getattr(found, by).tolist()
        alive = [atom for atom in range(codes.n_atoms) if not found.dead[atom]]
        assert found.top(16, by) == sorted(alive, key=lambda atom: (-values[atom], atom))[:16]
    atoms = list(range(0, codes.n_atoms, 2))
    np.testing.assert_allclose(il.mean_map(codes, atoms).numpy(), z[:, atoms].mean(1).reshape(codes.grid), atol=1e-6)


def test_ipr_is_one_on_a_single_coordinate_and_one_nth_where_an_atom_is_everywhere() -> None:
    indices = torch.tensor([[0, 1], [0, 2], [0, 2], [0, 2]], dtype=torch.int32)
    values = torch.tensor([[3.0, 0.7], [3.0, 0.0], [3.0, 0.0], [3.0, 0.0]])
    found = il.atom_statistics(il.Codes(indices, values, 4, (2, 2)))
    assert found.ipr[:2].tolist() == pytest.approx([0.25, 1.0])
    assert found.dead.tolist() == [False, False, True, True]
    assert found.top(9) == [0, 1]


def test_quartiles_over_finite_values() -> None:
    found = spread(torch.tensor([float("nan"), 1.0, 2.0, 3.0, 4.0, float("inf"), 5.0]))
    assert found is not None
    assert (found.low, found.median, found.high) == (2.0, 3.0, 4.0)
    assert spread(torch.tensor([float("nan")])) is None


def test_requests_that_cannot_be_met() -> None:
    field = toys.field()
    codes = il.encode(field, toys.sae(field))
    for atom in (-1, 24):
        with pytest.raises(il.InputError, match=f"atom {atom} does not exist: this dictionary has atoms 0 to 23"):
            codes.map(atom)
        with pytest.raises(il.InputError, match=f"atom {atom} does not exist"):
            il.mean_map(codes, [0, atom])
    with pytest.raises(il.InputError, match="a mean map needs at least 1 atom"):
        il.mean_map(codes, [])
    statistics = il.atom_statistics(codes)
    with pytest.raises(il.InputError, match="the number of top atoms must be at least 1, not 0"):
        statistics.top(0)
    with pytest.raises(il.InputError, match="atoms cannot be ranked by 'ipr'; allowed are mean_magnitude, active_frac"):
        toys.unchecked(il.AtomStatistics.top)(statistics, 3, "ipr")
    field.grid = None
    with pytest.raises(il.InputError, match="never fitted on a grid"):
        il.encode(field, toys.sae(toys.field()))


def test_codes_that_are_nearly_a_dictionary_s_are_refused() -> None:
    field = toys.field()
    sae = toys.sae(field)
    codes = il.encode(field, sae)
    check_codes(field, sae, codes)
    other = replace(codes, values=codes.values * 1.1)
    assert float(codes.values.max()) > 0.1
    with pytest.raises(il.InputError, match=r"these codes are not this dictionary's in this field: make them anew"):
        check_codes(field, sae, other)
