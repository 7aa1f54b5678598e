"""Exact effects against one whole forward pass an atom, for every atom."""

import pytest
import torch
from torch import Tensor

import inrlens as il
import toys
from inrlens.dictionaries.activations import layer_rows
from inrlens.dictionaries.topk import SparseAutoencoder


@torch.no_grad()
def _ablated(field: il.Field, sae: SparseAutoencoder, codes: il.Codes, atom: int, head: int) -> Tensor:
    """``f^{-a}``: the whole grid once more with ``z_a w_a`` taken out of the layer."""
    h = layer_rows(field, sae.layer, codes.grid)
    z = codes.map(atom).reshape(-1, 1)
    out: Tensor = field.head(field.encoder.run(h - z * sae.decoder[atom], sae.layer + 1, None))
    return out[:, field.columns(head)]


def _whole(field: il.Field, grid: tuple[int, ...], head: int) -> Tensor:
    return field(field.grid_coordinates(grid)).detach()[:, field.columns(head)]


@pytest.mark.parametrize(
    ("backbone", "layer", "head"),
    [
        (backbone, layer, (place + layer) % 2)
        for place, backbone in enumerate(il.backbone_names())
        for layer in range(4)
    ],
)
def test_every_atoms_effect_equals_its_own_forward_pass(backbone: str, layer: int, head: int) -> None:
    field = toys.field(backbone).double()
    sae = toys.sae(field, layer=layer)
    codes = il.encode(field, sae)
    found = il.effects(field, sae, codes, head)
    assert found.delta.shape == (63, 4, 3)
    assert found.head == head
    whole = _whole(field, toys.GRID, head)
    torch.testing.assert_close(found.output, whole, rtol=1e-10, atol=1e-12)
    checked = 0
    for atom in range(sae.n_atoms):
        expected = (whole - _ablated(field, sae, codes, atom, head)).reshape(9, 7, 3)
        effect = found.of(atom)
        scale = float(expected.abs().max())
        assert float((effect - expected).abs().max()) <= 1e-5 * max(scale, 1e-9)
        off = codes.map(atom) == 0.0
        assert not effect[off].any()
        checked += int(scale > 0.0)
    assert checked >= 10
    assert not found.delta[codes.values == 0.0].any()
    assert bool((codes.values == 0.0).any())


def test_effects_in_float32_and_over_several_tiles() -> None:
    field = toys.field()
    sae = toys.sae(field, layer=1)
    grid = (70, 65)
    codes = il.encode(field, sae, grid)
    found = il.effects(field, sae, codes)
    whole = _whole(field, grid, 0)
    for atom in range(sae.n_atoms):
        expected = (whole - _ablated(field, sae, codes, atom, 0)).reshape(*grid, 3)
        # Outputs near 1 are known to 1e-7 in float32: so are their differences.
        assert float((found.of(atom) - expected).abs().max()) <= 1e-5 * float(expected.abs().max()) + 2e-6


def test_effects_keep_the_dictionarys_own_error() -> None:
    """Were the layer replaced by its reconstruction, a dead atom's removal would change the picture."""
    field = toys.field().double()
    sae = toys.sae(field)
    with torch.no_grad():
        sae.encoder_bias.fill_(-1e3)
        sae.encoder_bias[5] = 1.0
    codes = il.encode(field, sae)
    found = il.effects(field, sae, codes)
    assert not found.of(7).any()
    assert found.of(5).abs().max() > 0
    torch.testing.assert_close(found.output, _whole(field, toys.GRID, 0))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_psnr_drops_equal_brute_force(cohort: il.Field, dtype: torch.dtype) -> None:
    field = il.Field.new(cohort.backbone, heads=3, channels=3, grid=toys.GRID)
    field.load_state_dict(cohort.state_dict())
    with torch.no_grad():
        # About 0.5, and further apart than numbers within [0, 1] can be: some are clamped.
        gain = 0.6 / field.render(1).std(correction=0)
        field.head.weight *= gain
        field.head.bias += 0.5 - field.render(1).mean()
    field = field.to(dtype)
    assert bool(((field.render(1) < 0.0) | (field.render(1) > 1.0)).any())
    assert bool(((field.render(1) > 0.0) & (field.render(1) < 1.0)).any())
    sae = toys.sae(field, layer=2)
    picture = toys.signals(3)[1]
    codes = il.encode(field, sae)
    drops = il.psnr_drops(il.effects(field, sae, codes, head=1), picture)
    intact = il.psnr(field.render(1), picture.image().to(dtype))
    expected = [
        intact - il.psnr(_ablated(field, sae, codes, atom, 1), picture.values.to(dtype)) for atom in range(sae.n_atoms)
    ]
    assert drops.dtype == torch.float64
    assert drops.tolist() == pytest.approx(expected, abs=1e-8 if dtype == torch.float64 else 1e-4)
    dead = il.atom_statistics(codes).dead
    assert not drops[dead].any()
    assert drops.abs().max() > 0.01


def test_things_that_do_not_fit_together() -> None:
    field = toys.field()
    sae = toys.sae(field)
    codes = il.encode(field, sae)
    with pytest.raises(il.InputError, match="the codes speak of 24 atoms, the dictionary has 30"):
        il.effects(field, toys.sae(field, n_atoms=30), codes)
    with pytest.raises(il.InputError, match="head 2 does not exist: this field has heads 0 to 1"):
        il.effects(field, sae, codes, head=2)
    with pytest.raises(il.InputError, match="the dictionary is for layers of 16 units, layer 1 here has 5"):
        il.effects(il.Field.new("siren", width=5, depth=2), sae, codes)
    with pytest.raises(il.InputError, match="these codes are not this dictionary's in this field"):
        il.effects(field, toys.sae(field, seed=1), codes)
    for indices, values in ((codes.indices + 1000, codes.values), (codes.indices, codes.values * float("nan"))):
        with pytest.raises(il.InputError, match="codes must be 0 or more, of atoms 0 to 23"):
            il.effects(field, sae, il.Codes(indices, values, 24, toys.GRID))
    with pytest.raises(il.InputError, match=r"do not fill the grid \(7, 8\): both must have 56 rows"):
        il.Codes(codes.indices, codes.values, 24, (7, 8))
    found = il.effects(field, sae, codes)
    with pytest.raises(il.InputError, match="atom 24 does not exist"):
        found.of(24)
    for other in (toys.signal(0, (7, 9)), toys.signal(0, channels=1)):
        with pytest.raises(il.InputError, match=r"signal 'toy 0' of .* does not lie on the grid \(9, 7\)"):
            il.psnr_drops(found, other)


@pytest.mark.parametrize("head", [0, 1])
def test_a_wrapped_network_s_effects_are_those_on_the_head_that_is_asked_for(head: int) -> None:
    field = toys.field("siren", heads=2)
    wrapped = il.wrap(il.to_sequential(field), ["1", "3", "5", "7"], channels=3, grid=field.grid)
    sae = toys.sae(field, 2)
    ours, theirs = (il.effects(one, sae, il.encode(one, sae), head) for one in (field, wrapped))
    torch.testing.assert_close(theirs.delta, ours.delta, rtol=0.0, atol=1e-5)
    torch.testing.assert_close(theirs.output, ours.output, rtol=0.0, atol=1e-5)
