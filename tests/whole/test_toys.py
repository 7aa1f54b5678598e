"""The tests' own helpers must know every backbone, and be what the tests take them for."""

import pytest

import inrlens as il
import toys


def test_every_backbone_has_small_settings() -> None:
    assert set(toys.SMALL) == set(il.backbone_names())


@pytest.mark.parametrize("layer", range(4))
def test_the_toy_dictionary_has_full_partial_and_empty_rows_and_a_dead_atom(backbone: str, layer: int) -> None:
    field = toys.field(backbone)
    codes = il.encode(field, toys.sae(field, layer))
    firing = (codes.values > 0).sum(1)
    assert (firing == 4).any()
    assert (firing < 4).any()
    dead = il.atom_statistics(codes).dead
    assert bool(dead[-1])
    assert int((~dead).sum()) >= 15
