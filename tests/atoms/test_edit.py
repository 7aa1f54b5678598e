"""Gains on atoms, and the ablation that is the gain 0."""

import math

import pytest
import torch
from torch import Tensor

import inrlens as il
import toys
from inrlens.dictionaries.activations import layer_rows
from inrlens.dictionaries.topk import SparseAutoencoder


@torch.no_grad()
def _edited(field: il.Field, sae: SparseAutoencoder, gains: dict[int, float], head: int = 0) -> Tensor:
    """The whole grid once more with every named atom's part multiplied by its gain."""
    codes = il.encode(field, sae)
    h = layer_rows(field, sae.layer)
    for atom, gain in gains.items():
        h = h + (gain - 1.0) * codes.map(atom).reshape(-1, 1) * sae.decoder[atom]
    out: Tensor = field.head(field.encoder.run(h, sae.layer + 1, None))
    return out[:, field.columns(head)].reshape(*toys.GRID, 3)


def _firing(field: il.Field, sae: SparseAutoencoder, count: int) -> list[int]:
    return il.atom_statistics(il.encode(field, sae)).top(count)


@pytest.mark.parametrize(
    ("backbone", "layer"),
    [(backbone, (place + more) % 4) for place, backbone in enumerate(il.backbone_names()) for more in (0, 2)],
)
def test_any_gains_equal_a_whole_forward_pass(backbone: str, layer: int) -> None:
    field = toys.field(backbone).double()
    sae = toys.sae(field, layer=layer)
    a, b, c = _firing(field, sae, 3)
    for gains in ({a: 0.0}, {a: 2.0, b: -1.5}, {a: 0.0, b: 1.0, c: 7.0}, {}):
        for head in (0, 1):
            found = il.edit(field, sae, gains, head=head)
            torch.testing.assert_close(found, _edited(field, sae, gains, head), rtol=1e-9, atol=1e-11)


def test_a_gain_of_one_and_no_gain_keep_the_picture_to_the_bit() -> None:
    field = toys.field()
    sae = toys.sae(field)
    assert torch.equal(il.edit(field, sae, dict.fromkeys(range(24), 1.0), head=1), field.render(1))
    assert torch.equal(il.edit(field, sae, {}), field.render(0))


def test_edits_of_the_last_layer_compose_by_adding_up() -> None:
    """Behind the last layer there is only the linear head, so changes add."""
    field = toys.field().double()
    sae = toys.sae(field, layer=3)
    a, b = _firing(field, sae, 2)
    whole = field.render()
    both = il.edit(field, sae, {a: 0.0, b: 3.0}) - whole
    apart = (il.edit(field, sae, {a: 0.0}) - whole) + (il.edit(field, sae, {b: 3.0}) - whole)
    torch.testing.assert_close(both, apart)
    doubled = il.edit(field, sae, {a: 2.0}) - whole
    torch.testing.assert_close(doubled, whole - il.edit(field, sae, {a: 0.0}))


def test_an_ablation_is_the_gain_zero_and_changes_nothing_off_its_support(cohort: il.Field) -> None:
    sae = toys.sae(cohort, layer=1)
    picture = toys.signals(3)[2]
    codes = il.encode(cohort, sae)
    found_effects = il.effects(cohort, sae, codes, head=2)
    drops = il.psnr_drops(found_effects, picture)
    for atom in range(24):
        found = il.ablate(cohort, sae, atom, head=2, signal=picture)
        assert torch.equal(found.map, codes.map(atom))
        assert torch.equal(found.before, cohort.render(2))
        assert torch.equal(found.after, il.edit(cohort, sae, {atom: 0.0}, head=2))
        assert torch.equal(found.delta, found.before - found.after)
        off = found.map == 0.0
        assert torch.equal(found.after[off], found.before[off])
        torch.testing.assert_close(found.delta, found_effects.of(atom), rtol=0, atol=1e-5)
        assert found.psnr_before == pytest.approx(il.psnr(cohort.render(2), picture.image()))
        assert found.psnr_drop == pytest.approx(float(drops[atom]), abs=1e-3)


def test_an_ablation_without_a_signal_has_no_psnr_and_may_lie_on_another_grid() -> None:
    field = toys.field()
    found = il.ablate(field, toys.sae(field), 3, grid=(5, 6))
    assert (found.psnr_before, found.psnr_after, found.psnr_drop) == (None, None, None)
    assert found.map.shape == (5, 6)
    assert found.before.shape == found.after.shape == found.delta.shape == (5, 6, 3)


def test_an_edit_leaves_field_and_dictionary_as_they_were() -> None:
    field = toys.field()
    sae = toys.sae(field)
    before = [value.clone() for thing in (field, sae) for value in thing.state_dict().values()]
    il.edit(field, sae, {1: 0.0, 2: 5.0})
    after = [value for thing in (field, sae) for value in thing.state_dict().values()]
    assert all(torch.equal(one, two) for one, two in zip(before, after, strict=True))


def test_requests_that_cannot_be_met() -> None:
    field = toys.field()
    sae = toys.sae(field)
    for act in (lambda: il.edit(field, sae, {24: 0.0}), lambda: il.ablate(field, sae, 24)):
        with pytest.raises(il.InputError, match="atom 24 does not exist: this dictionary has atoms 0 to 23"):
            act()
    for gain in (math.nan, math.inf):
        with pytest.raises(il.InputError, match=f"the gain of atom 2 must be a finite number, not {gain}"):
            il.edit(field, sae, {2: gain})
    for act in (lambda: il.edit(field, sae, {}, head=5), lambda: il.ablate(field, sae, 0, head=5)):
        with pytest.raises(il.InputError, match="head 5 does not exist"):
            act()
    for other in (toys.signal(0, (7, 9)), toys.signal(0, channels=1)):
        with pytest.raises(il.InputError, match=r"signal 'toy 0' of .* does not lie on the grid \(9, 7\)"):
            il.ablate(field, sae, 0, signal=other)
