"""Many atoms removed or kept, and pairs, against whole forward passes."""

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor

import inrlens as il
import toys
from inrlens.atoms.groups import doubling_counts
from inrlens.atoms.interactions import overlapping_pairs
from inrlens.dictionaries.activations import layer_rows
from inrlens.dictionaries.topk import SparseAutoencoder


@torch.no_grad()
def _without(field: il.Field, sae: SparseAutoencoder, codes: il.Codes, atoms: list[int], head: int) -> Tensor:
    h = layer_rows(field, sae.layer, codes.grid)
    for atom in atoms:
        h = h - codes.map(atom).reshape(-1, 1) * sae.decoder[atom]
    out: Tensor = field.head(field.encoder.run(h, sae.layer + 1, None))
    return out[:, field.columns(head)]


def _psnr(output: Tensor, signal: il.Signal) -> float:
    return il.psnr(output, signal.values.to(output))


@pytest.mark.parametrize(
    ("backbone", "layer"),
    [*zip(il.backbone_names(), itertools.cycle([0, 2, 3]), strict=False), ("wire", 0), ("wire", 3)],
)
def test_a_curve_is_one_forward_pass_a_count(backbone: str, layer: int) -> None:
    field = toys.field(backbone).double()
    sae = toys.sae(field, layer=layer)
    codes, target = il.encode(field, sae), toys.signal(1)
    order = il.effects(field, sae, codes, 1, signal=target).rank()[:9]
    removed = il.group_curve(field, sae, codes, order, target, head=1, name="psnr_drop")
    assert (removed.order, removed.mode, removed.counts) == ("psnr_drop", "remove", (0, 1, 2, 4, 8, 9))
    for count, found in zip(removed.counts, removed.psnr, strict=True):
        assert found == pytest.approx(_psnr(_without(field, sae, codes, order[:count], 1), target), abs=1e-8)
    kept = il.group_curve(field, sae, codes, order, target, head=1, mode="keep", counts=[3, 0, 9])
    assert kept.counts == (0, 3, 9)
    for count, found in zip(kept.counts, kept.psnr, strict=True):
        assert found == pytest.approx(_psnr(_without(field, sae, codes, order[count:], 1), target), abs=1e-8)
    assert kept.psnr[-1] == pytest.approx(removed.psnr[0], abs=1e-9)
    assert kept.psnr[0] == pytest.approx(removed.psnr[-1], abs=1e-9)


def test_the_area_is_the_mean_under_the_curve() -> None:
    field = toys.field()
    sae = toys.sae(field)
    codes, target = il.encode(field, sae), toys.signal()
    curve = il.group_curve(field, sae, codes, range(7), target, counts=[0, 1, 7])
    low, middle, high = curve.psnr
    expected = (1.0 * (low + middle) / 2 + 2.0 * (middle + high) / 2) / math.log2(8.0)
    assert curve.area == pytest.approx(expected)
    assert il.group_curve(field, sae, codes, [3], target, counts=[1]).area == pytest.approx(
        il.group_curve(field, sae, codes, [3], target).psnr[-1]
    )
    assert doubling_counts(1) == (0, 1)
    assert doubling_counts(8) == (0, 1, 2, 4, 8)
    assert doubling_counts(0) == (0,)


def test_a_random_order_is_of_the_living_and_of_its_seed() -> None:
    field = toys.field()
    codes = il.encode(field, toys.sae(field))
    alive = (~il.atom_statistics(codes).dead).nonzero()[:, 0].tolist()
    one = il.random_order(codes, 0)
    assert sorted(one) == alive
    assert one == il.random_order(codes, 0)
    assert one != il.random_order(codes, 1)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"order": [24]}, "atom 24 does not exist: this dictionary has atoms 0 to 23"),
        ({"order": [3, 3]}, "atom 3 stands twice in the order"),
        ({"counts": [3]}, r"counts must be within 0 to 2, the length of the order, not \[3\]"),
        ({"counts": []}, "counts must be within 0 to 2"),
        ({"mode": "drop"}, "mode 'drop' is not known; allowed are remove, keep"),
        ({"head": 2}, "head 2 does not exist"),
        ({"signal": toys.signal(0, (7, 9))}, r"signal 'toy 0' of \(7, 9\) with 3 channels does not lie on the grid"),
    ],
)
def test_groups_that_cannot_be(numbers: dict[str, Any], message: str) -> None:
    field = toys.field()
    sae = toys.sae(field)
    settings = {"order": [0, 1], "signal": toys.signal(), **numbers}
    curve = toys.unchecked(il.group_curve)
    with pytest.raises(il.InputError, match=message):
        curve(field, sae, il.encode(field, sae), settings.pop("order"), settings.pop("signal"), **settings)


# -- pairs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backbone", "layer"), [*zip(il.backbone_names(), itertools.cycle([1, 3]), strict=False), ("wire", 1)]
)
def test_a_pairs_joint_effect_is_its_own_forward_pass(backbone: str, layer: int) -> None:
    field = toys.field(backbone).double()
    sae = toys.sae(field, layer=layer)
    codes, target = il.encode(field, sae), toys.signal(1)
    atlas = il.effects(field, sae, codes, 1, signal=target)
    found = il.interactions(field, sae, atlas, candidates=12)
    assert len(found) == 12
    whole = _psnr(_without(field, sae, codes, [], 1), target)
    for one in found:
        both = (codes.map(one.first) > 0.0) & (codes.map(one.second) > 0.0)
        assert one.together == int(both.sum()) > 0
        joint = atlas.output - _without(field, sae, codes, [one.first, one.second], 1)
        total = (atlas.of(one.first) + atlas.of(one.second)).reshape(-1, 3)
        rows = both.reshape(-1)
        excess = (joint - total)[rows].square().sum() / total[rows].square().sum()
        assert one.excess == pytest.approx(float(excess), rel=1e-6, abs=1e-12)
        expected = [
            whole - _psnr(_without(field, sae, codes, atoms, 1), target)
            for atoms in ([one.first], [one.second], [one.first, one.second])
        ]
        assert [one.first_drop, one.second_drop, one.joint_drop] == pytest.approx(expected, abs=1e-8)
    values = [one.excess for one in found]
    assert values == sorted(values, reverse=True)
    # Only the head follows the last layer, and it is linear.
    assert values[0] < 1e-20 if layer == 3 else values[0] > 1e-6


def test_candidates_are_the_pairs_that_overlap_most() -> None:
    field = toys.field()
    sae = toys.sae(field)
    atlas = il.effects(field, sae, il.encode(field, sae))
    size = [atlas.of(atom).reshape(-1, 3).norm(dim=1) for atom in range(24)]
    weights = {(a, b): float((size[a] * size[b]).sum()) for a in range(24) for b in range(a + 1, 24)}
    wanted = sorted((pair for pair in weights if weights[pair] > 0.0), key=lambda pair: -weights[pair])
    assert overlapping_pairs(atlas, 5) == wanted[:5]
    assert len(overlapping_pairs(atlas, 10_000)) == len(wanted)


def test_pairs_that_cannot_be() -> None:
    field = toys.field()
    sae = toys.sae(field)
    atlas = il.effects(field, sae, il.encode(field, sae))
    for pairs, message in (([(0, 24)], "atom 24 does not exist"), ([(2, 2)], "atom 2 is paired with itself")):
        with pytest.raises(il.InputError, match=message):
            il.interactions(field, sae, atlas, pairs)
    with pytest.raises(il.InputError, match="the number of candidate pairs must be at least 1, not 0"):
        il.interactions(field, sae, atlas, candidates=0)
    with pytest.raises(il.InputError, match="these codes are not this dictionary's in this field"):
        il.interactions(field, toys.sae(field, seed=1), atlas)
    alone = il.interactions(field, sae, atlas, [(0, 1)])[0]
    assert alone.joint_drop is None


def test_a_masked_curve_counts_the_samples_used() -> None:
    """With nothing taken out, the PSNR is the network's own where the mask uses samples."""
    field = toys.field()
    sae = toys.sae(field, 1)
    codes, used = il.encode(field, sae), torch.rand(toys.GRID, generator=toys.generator(3)) < 0.4
    signal, rows = toys.signal().masked(used), used.reshape(-1)
    atoms = il.effects(field, sae, codes, signal=signal).rank()
    curve = il.group_curve(field, sae, codes, atoms, signal, counts=[0, 3])
    whole = field(field.grid_coordinates())[:, field.columns(0)]
    assert curve.psnr[0] == pytest.approx(il.psnr(whole[rows], signal.values[rows]), abs=1e-5)
    edited = il.edit(field, sae, dict.fromkeys(atoms[:3], 0.0)).reshape(-1, 3)
    assert curve.psnr[1] == pytest.approx(il.psnr(edited[rows], signal.values[rows]), abs=1e-4)


def test_a_masked_joint_drop_counts_the_samples_used() -> None:
    field = toys.field()
    sae = toys.sae(field, 1)
    used = torch.rand(toys.GRID, generator=toys.generator(3)) < 0.4
    signal, rows = toys.signal().masked(used), used.reshape(-1)
    (pair, *_) = il.interactions(field, sae, il.effects(field, sae, il.encode(field, sae), signal=signal))
    edited = il.edit(field, sae, {pair.first: 0.0, pair.second: 0.0}).reshape(-1, 3)
    whole = field(field.grid_coordinates())[:, field.columns(0)]
    expected = il.psnr(whole[rows], signal.values[rows]) - il.psnr(edited[rows], signal.values[rows])
    assert pair.joint_drop == pytest.approx(expected, abs=1e-4)


def test_a_random_order_leaves_out_atoms_that_only_fill_empty_places() -> None:
    indices = torch.tensor([[0, 5], [1, 5], [0, 3]], dtype=torch.int32)
    codes = il.Codes(indices, torch.tensor([[1.0, 0.0], [0.5, 0.0], [0.2, 0.1]]), 7, (1, 3))
    assert sorted(il.random_order(codes, 0)) == [0, 1, 3]
