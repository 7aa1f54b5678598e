"""Transfers: what is frozen, what starts afresh, what stays untouched."""

import copy
import itertools
import math

import pytest
import torch

import inrlens as il
import toys
from inrlens.fitting import fit_fields
from inrlens.fitting.prefix import PrefixRows
from inrlens.fitting.transfer import freeze_depth, start_of_transfer

SEED = 7
"""Also the cohort's own: the draws must differ all the same."""


def _cohort(backbone: str, dtype: torch.dtype = torch.float32) -> il.Field:
    """A field that has moved away from its start, in its own number type."""
    field = toys.field(backbone, heads=3, seed=SEED).to(dtype)
    with torch.no_grad():
        for parameter in field.parameters():
            parameter += 0.01 * torch.randn(parameter.shape, generator=toys.generator(), dtype=dtype)
    return field


def _layer_same(one: il.Field, two: il.Field, index: int) -> bool:
    first, second = one.encoder.layer(index), two.encoder.layer(index)
    return torch.equal(first.weight, second.weight) and torch.equal(first.bias, second.bias)


def _unrelated(one: torch.Tensor, two: torch.Tensor) -> None:
    """No entry in common, but for one by chance, and no correlation."""
    first, second = one.detach().double().flatten(), two.detach().double().flatten()
    assert int((first == second).sum()) <= 1
    if first.numel() >= 100:
        correlation = torch.corrcoef(torch.stack([first, second]))[0, 1]
        # Six standard deviations; a complex layer's matrix holds each of its numbers twice.
        assert abs(float(correlation)) < 6.0 / math.sqrt(first.numel() / 2)


def _encoding(field: il.Field) -> torch.Tensor:
    """All that its features depend on: frequencies, or tables."""
    assert field.encoder.encoding is not None
    (values,) = field.encoder.encoding.state_dict().values()
    return values


KINDS = [("reinit", torch.float32), ("warm", torch.float64), ("warm", torch.float32), ("reinit", torch.float64)]


@pytest.mark.parametrize(
    ("backbone", "tau", "rest", "dtype"),
    [
        (backbone, tau, *KINDS[(place + tau) % 4])
        for (place, backbone), tau in itertools.product(enumerate(il.backbone_names()), range(4))
    ],
)
def test_frozen_layers_are_the_cohorts_to_the_bit_and_the_others_move(
    backbone: str, tau: int, rest: str, dtype: torch.dtype
) -> None:
    cohort = _cohort(backbone, dtype)
    recipe = toys.recipe(None, steps=3)
    moved = il.transfer(cohort, toys.signal(9), freeze=tau, rest=rest, recipe=recipe, seed=SEED).field
    assert moved.dtype == dtype
    for index in range(4):
        assert _layer_same(moved, cohort, index) == (index <= tau)
    if cohort.encoder.encoding is not None:
        assert torch.equal(_encoding(moved), _encoding(cohort))
    assert moved.origin.notes["freeze"] == tau
    assert moved.origin.notes["rest"] == rest
    assert moved.origin.kind == "transfer"


def test_reinit_shares_nothing_beyond_tau_even_with_the_cohorts_own_seed(backbone: str) -> None:
    cohort = _cohort(backbone)
    drawn = il.initial_field(cohort)
    for tau in range(4):
        recipe = toys.recipe(None, steps=1, learning_rate=1e-12)
        moved = il.transfer(cohort, toys.signal(9), freeze=tau, rest="reinit", recipe=recipe, seed=SEED).field
        for other in (cohort, drawn):
            for index in range(tau + 1, 4):
                _unrelated(moved.encoder.layer(index).weight, other.encoder.layer(index).weight)
                _unrelated(moved.encoder.layer(index).bias, other.encoder.layer(index).bias)
            for head in range(3):
                _unrelated(moved.head.weight, other.head.weight[other.columns(head)])


def test_warm_starts_from_the_cohorts_layers_and_a_fresh_head(backbone: str) -> None:
    cohort = _cohort(backbone)
    for start in range(5):
        field = start_of_transfer(cohort, start, "warm", SEED)
        assert all(_layer_same(field, cohort, index) for index in range(4))
        assert (field.heads, field.channels) == (1, 3)
        _unrelated(field.head.weight, cohort.head.weight[:3])
        if cohort.encoder.encoding is not None:
            assert torch.equal(_encoding(field), _encoding(cohort))


def test_scratch_reuses_nothing_not_even_the_encoding(backbone: str) -> None:
    cohort = _cohort(backbone)
    field = start_of_transfer(cohort, 0, "reinit", SEED)
    for index in range(4):
        parameters = [network.encoder.layer(index).parameters() for network in (field, cohort)]
        for one, two in zip(*parameters, strict=True):
            _unrelated(one, two)
    if cohort.encoder.encoding is not None and backbone != "posenc":  # whose encoding is not drawn
        _unrelated(_encoding(field), _encoding(cohort))
    elsewhere = start_of_transfer(toys.field(backbone, seed=1), 0, "reinit", SEED)
    assert all(torch.equal(value, elsewhere.state_dict()[name]) for name, value in field.state_dict().items())


def test_nothing_frozen_is_warm_unless_said_otherwise_and_frozen_is_reinit(cohort: il.Field) -> None:
    def notes(**arguments: object) -> dict[str, object]:
        moved = il.transfer(cohort, toys.signal(9), recipe=toys.recipe(None, steps=1), **arguments)
        return moved.field.origin.notes

    assert (notes(freeze=None)["freeze"], notes(freeze=None)["rest"]) == (None, "warm")
    assert notes(freeze=1)["rest"] == "reinit"
    assert notes(freeze=None, rest="reinit")["rest"] == "reinit"
    assert notes(freeze=1)["cohort_signals"] == ["toy 0", "toy 1", "toy 2"]


def test_auto_freezes_up_to_the_argmax_of_the_weight_stable_ranks(cohort: il.Field) -> None:
    ranks = il.weight_stable_ranks(cohort)
    best = max(range(4), key=lambda index: ranks[index])
    assert freeze_depth(cohort, "auto") == best
    moved = il.transfer(cohort, toys.signal(9), freeze="auto", recipe=toys.recipe(None, steps=2), seed=1)
    by_hand = il.transfer(cohort, toys.signal(9), freeze=best, rest="reinit", recipe=toys.recipe(None, steps=2), seed=1)
    assert torch.equal(moved.field.render(), by_hand.field.render())


def test_the_cohort_is_not_touched(backbone: str) -> None:
    cohort = _cohort(backbone)
    before = {name: value.clone() for name, value in cohort.state_dict().items()}
    origin, grid = cohort.origin, cohort.grid
    for freeze, rest in ((None, "warm"), (None, "reinit"), (1, "warm"), (3, "reinit")):
        il.transfer(cohort, toys.signal(9, (5, 8)), freeze=freeze, rest=rest, recipe=toys.recipe(None, steps=3))
    assert all(torch.equal(value, before[name]) for name, value in cohort.state_dict().items())
    assert (cohort.origin, cohort.grid) == (origin, grid)
    assert all(parameter.grad is None and parameter.requires_grad for parameter in cohort.parameters())


def test_the_same_seed_gives_the_same_bits_and_another_does_not(cohort: il.Field) -> None:
    recipe = toys.recipe(None, batch=20)
    one, same, other = (
        il.transfer(cohort, toys.signal(9), freeze=1, recipe=recipe, seed=seed).field.render() for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_signal_on_another_grid_and_the_final_psnr(cohort: il.Field) -> None:
    picture = toys.signal(9, (6, 11))
    moved = il.transfer(cohort, picture, freeze=0, recipe=toys.recipe(None))
    assert moved.field.grid == (6, 11)
    assert moved.psnr == pytest.approx(il.psnr(moved.field.render(), picture.image()), abs=1e-6)
    assert moved.field.origin.signals == ((picture.name, picture.digest),)


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_with_every_layer_frozen_only_the_head_learns(cohort: il.Field, optimizer: str) -> None:
    """Of a head the loss is a quadratic, whose least value linear algebra gives."""
    picture = toys.signal(9)
    recipe = toys.recipe(None, steps=100, learning_rate=1e-2, optimizer=optimizer)
    moved = il.transfer(cohort, picture, freeze=3, recipe=recipe)
    assert all(_layer_same(moved.field, cohort, index) for index in range(4))
    h = cohort.encoder(cohort.grid_coordinates()).detach().double()
    features, target = torch.cat([h, torch.ones(len(h), 1)], 1), picture.values.double()
    least = float((features @ torch.linalg.lstsq(features, target).solution - target).square().mean())
    first, last = (moved.history[place].loss - least for place in (0, -1))
    assert -1e-6 < last < 0.5 * first


def test_the_paper_s_recipes_fit_their_cohorts_and_no_others() -> None:
    cohort = toys.field("siren")
    named = toys.recipe("siren", steps=1)
    assert il.transfer(cohort, toys.signal(), freeze=0, recipe=named).steps == 1
    with pytest.raises(il.InputError, match=r"recipe 'toy' is for FFMLP\(.*the cohort's network is Siren\("):
        il.transfer(cohort, toys.signal(), freeze=0, recipe=toys.recipe("ffmlp"))


def test_a_prefix_that_does_not_fit_into_memory_changes_nothing_but_rounding(
    cohort: il.Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In float64: Adam divides by a gradient's size, and so makes much of a small one's rounding."""
    recipe, wide = toys.recipe(None, batch=25), copy.deepcopy(cohort).double()
    kept = il.transfer(wide, toys.signal(9), freeze=1, recipe=recipe).field.render()
    monkeypatch.setattr(fit_fields, "PrefixRows", lambda *given: PrefixRows(*given[:3], 0))
    recomputed = il.transfer(wide, toys.signal(9), freeze=1, recipe=recipe).field.render()
    torch.testing.assert_close(recomputed, kept, rtol=0, atol=1e-9)


@pytest.mark.parametrize("freeze", [-1, 4])
def test_layers_that_do_not_exist(cohort: il.Field, freeze: int) -> None:
    with pytest.raises(il.InputError, match=f"layer {freeze} does not exist: this network has layers 0 to 3"):
        il.transfer(cohort, toys.signal(), freeze=freeze, recipe=toys.recipe(None))


def test_other_requests_that_cannot_be_met(cohort: il.Field) -> None:
    with pytest.raises(il.InputError, match="'toy 0' has 1 channels, the cohort 3: convert one of them first"):
        il.transfer(cohort, toys.signal(0, channels=1), freeze=0, recipe=toys.recipe(None))
    with pytest.raises(il.InputError, match="'toy 0' lies on 3 axes, the cohort on 2"):
        il.transfer(cohort, toys.signal(0, (2, 3, 4)), freeze=0, recipe=toys.recipe(None))
    for freeze in ("most", 1.0, True):
        with pytest.raises(il.InputError, match="freeze must be a layer's number, 'auto' or None, not"):
            toys.unchecked(freeze_depth)(cohort, freeze)
    with pytest.raises(il.InputError, match="rest='cold' is not known; allowed are 'reinit' and 'warm'"):
        toys.unchecked(il.transfer)(cohort, toys.signal(), freeze=0, rest="cold", recipe=toys.recipe(None))
