"""The untrained dictionaries against numpy's decompositions and against brute force over their codes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import inrlens as il
import toys
from inrlens.dictionaries.activations import encoder_digest, layer_rows
from inrlens.dictionaries.controls import CONTROLS, neurons, principal_components, random_dictionary
from inrlens.dictionaries.topk import SparseAutoencoder


def _random(rows: torch.Tensor, layer: int, *, k: int, **more: Any) -> SparseAutoencoder:
    return random_dictionary(rows, layer, n_atoms=40, k=k, seed=1, **more)


MAKERS: dict[str, Callable[..., SparseAutoencoder]] = {
    "random": _random,
    "principal components": principal_components,
    "neurons": neurons,
}


def _rows(seed: int = 0, n: int = 60, d: int = 6, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Rows of unequal variances about a mean that is not 0, with no two units alike."""
    draws = toys.generator(seed)
    scales = torch.logspace(0.0, -2.0, d, dtype=torch.float64)
    mix = torch.randn(d, d, generator=draws, dtype=torch.float64)
    return (torch.randn(n, d, generator=draws, dtype=torch.float64) * scales @ mix + 3.0).to(dtype)


def _fvu(sae: SparseAutoencoder, rows: torch.Tensor) -> float:
    return float((sae(rows) - rows).square().sum() / (rows - rows.mean(0)).square().sum())


def test_every_control_has_a_maker_here() -> None:
    assert set(MAKERS) == set(CONTROLS)


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_control_is_a_dictionary_whose_encoder_is_along_its_decoder(control: str, dtype: torch.dtype) -> None:
    rows = _rows(dtype=dtype)
    sae = MAKERS[control](rows, 3, k=4, grid=(6, 10), field_digest="abc")
    assert (sae.k, sae.width, sae.layer, sae.decoder.dtype) == (4, 6, 3, dtype)
    torch.testing.assert_close(sae.decoder.norm(dim=1), torch.ones(sae.n_atoms, dtype=dtype))
    gain = sae.origin.settings["gain"] if control == "random" else 1.0
    torch.testing.assert_close(sae.encoder, gain * sae.decoder)
    assert not sae.encoder_bias.any()
    torch.testing.assert_close(sae.pre_bias.detach(), rows.mean(0))
    assert not any(parameter.requires_grad for parameter in sae.parameters())
    origin = sae.origin
    assert (origin.layer, origin.grid, origin.field_digest) == (3, (6, 10), "abc")
    assert (origin.settings["control"], origin.settings["k"]) == (control, 4)


@pytest.mark.parametrize("control", CONTROLS)
def test_whatever_takes_a_trained_dictionary_takes_a_control(control: str, backbone: str, tmp_path: Path) -> None:
    field = toys.field(backbone)
    rows, digest = layer_rows(field, 2), encoder_digest(field, 2)
    sae = MAKERS[control](rows, 2, k=4, grid=toys.GRID, field_digest=digest)
    quality = il.evaluate_sae(field, sae)
    assert quality.fvu == pytest.approx(_fvu(sae, rows), rel=1e-4)
    codes = il.encode(field, sae)
    delta = il.effects(field, sae, codes).of(1)
    torch.testing.assert_close(delta, il.ablate(field, sae, 1).delta, rtol=0, atol=1e-5)
    paired = il.atom_statistics(codes).dead.logical_not().sum()
    assert 0 < int(paired) <= sae.n_atoms
    il.save(sae, tmp_path / "control.safetensors")
    again = il.load(tmp_path / "control.safetensors")
    assert isinstance(again, SparseAutoencoder)
    assert again.origin == sae.origin
    assert torch.equal(again.decoder, sae.decoder)


def test_random_atoms_depend_on_seed_and_layer_and_have_no_direction() -> None:
    rows = _rows(d=3)

    def draw(seed: int, layer: int) -> torch.Tensor:
        return random_dictionary(rows, layer, n_atoms=20_000, k=2, seed=seed).decoder

    first = draw(0, 1)
    assert torch.equal(first, draw(0, 1))
    assert not torch.equal(first, draw(1, 1))
    assert not torch.equal(first, draw(0, 2))
    # Uniform on the sphere: every coordinate of a point is uniform between -1 and 1.
    for column in first.T:
        # Within six standard deviations of a quantile of 20,000.
        quartiles = torch.quantile(column, torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64))
        assert quartiles.tolist() == pytest.approx([-0.5, 0.0, 0.5], abs=0.04)


def test_components_are_those_of_numpy_with_both_signs_by_falling_variance() -> None:
    rows = _rows()
    sae = principal_components(rows, 0, k=3)
    centred = rows.numpy() - rows.numpy().mean(0)
    directions = np.linalg.svd(centred, full_matrices=False)[2]
    found = sae.decoder.numpy()
    assert found.shape == (12, 6)
    assert np.array_equal(found[1::2], -found[0::2])
    np.testing.assert_allclose(np.abs((found[0::2] * directions).sum(1)), np.ones(6), rtol=1e-9)
    assert all(atom[np.abs(atom).argmax()] > 0.0 for atom in found[0::2])
    assert sae.origin.settings["components"] == 6


@given(st.integers(0, 999), st.integers(1, 12), st.sampled_from(["principal components", "neurons"]))
def test_topk_keeps_the_projections_of_largest_size(seed: int, k: int, control: str) -> None:
    rows = _rows(seed)
    sae = MAKERS[control](rows, 0, k=k)
    directions = sae.decoder[0::2]
    projections = (rows - rows.mean(0)) @ directions.T
    kept = torch.zeros_like(projections).scatter_(1, projections.abs().topk(min(k, 6), dim=1).indices, 1.0)
    expected = (projections * kept) @ directions + rows.mean(0)
    torch.testing.assert_close(sae(rows), expected)
    values, _ = sae.encode(rows)
    assert int((values > 0.0).sum(1).max()) == min(k, 6)
    if k >= 6:
        torch.testing.assert_close(sae(rows), rows)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_choosing_components_at_every_coordinate_is_no_worse_than_keeping_the_first(k: int) -> None:
    rows = _rows()
    variances = np.linalg.eigvalsh(np.cov(rows.numpy(), rowvar=False))[::-1]
    assert 0.0 < _fvu(principal_components(rows, 0, k=k), rows) <= variances[k:].sum() / variances.sum() + 1e-12


@pytest.mark.parametrize("backbone_layer", [0, 3])
@pytest.mark.parametrize("control", ["principal components", "neurons"])
def test_a_layer_is_rebuilt_exactly_from_as_many_codes_as_it_has_units(
    backbone: str, backbone_layer: int, control: str
) -> None:
    rows = layer_rows(toys.field(backbone), backbone_layer, (70, 65))
    sae = MAKERS[control](rows, backbone_layer, k=16)
    torch.testing.assert_close(sae(rows), rows, rtol=1e-5, atol=1e-5)
    fewer = MAKERS[control](rows, backbone_layer, k=2)
    assert _fvu(fewer, rows) > 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_directions_without_variance_have_no_component(dtype: torch.dtype) -> None:
    draws = toys.generator()
    flat = torch.randn(50, 3, generator=draws, dtype=torch.float64) @ torch.randn(3, 7, generator=draws).double()
    rows = torch.cat([flat, torch.full((50, 1), 0.1), torch.zeros(50, 1)], dim=1)
    sae = principal_components(rows, 0, k=5)
    assert (sae.n_atoms, sae.k) == (6, 5)
    torch.testing.assert_close(sae(rows), rows)
    rows = rows.to(dtype)
    units = neurons(rows, 0, k=18)
    assert units.n_atoms == 18
    values, atoms = units.encode(rows)
    fired = torch.bincount(atoms[values > 1e-12], minlength=18)
    assert bool((fired[:14] > 0).all())
    assert not fired[14:].any()


@pytest.mark.parametrize(("control", "n"), [("principal components", 12), ("neurons", 12)])
def test_a_sweep_over_k_goes_beyond_the_atoms_of_a_narrow_layer(control: str, n: int) -> None:
    rows = _rows()
    for k in (4, 11, 12, 13, 128):
        sae = MAKERS[control](rows, 0, k=k)
        assert (sae.n_atoms, sae.k, sae.origin.settings["k"]) == (n, min(k, n), k)


@pytest.mark.parametrize("control", CONTROLS)
def test_numbers_that_make_no_dictionary(control: str) -> None:
    rows = _rows()
    for k in (0, -1):
        with pytest.raises(il.InputError, match=f"k must be between 1 and the number of atoms, (12|40), not {k}"):
            MAKERS[control](rows, 0, k=k)
    for value in (float("nan"), float("inf")):
        broken = rows.clone()
        broken[7, 2] = value
        with pytest.raises(
            il.InputError, match="the activations of layer 4 hold values that are not finite: choose an"
        ):
            MAKERS[control](broken, 4, k=2)


def test_requests_that_one_control_alone_refuses() -> None:
    rows = _rows()
    with pytest.raises(il.InputError, match="k must be between 1 and the number of atoms, 40, not 41"):
        _random(rows, 0, k=41)
    with pytest.raises(il.InputError, match="n_atoms must be at least 1, not 0"):
        random_dictionary(rows, 0, n_atoms=0, k=1, seed=0)
    with pytest.raises(il.InputError, match="seed must be 0 or more, not -1"):
        random_dictionary(rows, 0, n_atoms=3, k=1, seed=-1)
    for value in (0.0, 0.1, 1e6):
        with pytest.raises(
            il.InputError, match="layer 2 are the same in all 60 rows, so they have no principal compone"
        ):
            principal_components(torch.full((60, 6), value, dtype=torch.float64), 2, k=1)


def test_no_other_gain_serves_random_atoms_better() -> None:
    rows = _rows(dtype=torch.float64)
    sae = _random(rows, 1, k=12)
    best = _fvu(sae, rows)
    assert sae.origin.settings["gain"] < 0.9
    for factor in (0.97, 1.03):
        sae.encoder *= factor
        assert _fvu(sae, rows) > best
        sae.encoder /= factor
    plain = SparseAutoencoder(sae.decoder, rows.mean(0), 12, sae.origin).requires_grad_(False)
    assert _fvu(plain, rows) > best
