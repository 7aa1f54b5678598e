"""Stable ranks by closed forms and by singular values, and the advice that rests on them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import inrlens as il
import toys
from inrlens.fields.field import Origin
from inrlens.ranks.stable_rank import ACTIVATION_VARIANTS, layer_moments, stable_rank_from_gram
from prose import says


@st.composite
def _matrices(draw: st.DrawFn) -> torch.Tensor:
    rows, columns, rank = draw(st.integers(1, 9)), draw(st.integers(1, 9)), draw(st.integers(1, 9))
    draws = toys.generator(draw(st.integers(0, 999)))
    left = torch.randn(rows, rank, generator=draws, dtype=torch.float64)
    return left @ torch.randn(rank, columns, generator=draws, dtype=torch.float64)


@given(_matrices(), st.floats(1e-3, 1e3), st.integers(0, 99))
def test_the_stable_rank_lies_within_one_and_rank_and_ignores_scale_and_rotation(
    matrix: torch.Tensor, scale: float, seed: int
) -> None:
    value = il.stable_rank(matrix)
    assert 1.0 - 1e-9 <= value <= int(torch.linalg.matrix_rank(matrix)) + 1e-9
    assert il.stable_rank(-scale * matrix) == pytest.approx(value, rel=1e-9)
    turn = torch.linalg.qr(torch.randn(len(matrix), len(matrix), generator=toys.generator(seed), dtype=torch.float64)).Q
    assert il.stable_rank(turn @ matrix) == pytest.approx(value, rel=1e-9)
    assert il.stable_rank(matrix.T.contiguous()) == pytest.approx(value, rel=1e-9)
    assert stable_rank_from_gram(matrix.T @ matrix) == pytest.approx(value, rel=1e-9)


def test_stable_ranks_that_are_known() -> None:
    assert il.stable_rank(torch.eye(7)) == pytest.approx(7.0)
    assert il.stable_rank(torch.outer(torch.arange(1.0, 5), torch.arange(2.0, 9))) == pytest.approx(1.0)
    assert il.stable_rank(torch.diag(torch.tensor([2.0, 1.0, 1.0]))) == pytest.approx(1.5)
    assert il.stable_rank(torch.zeros(3, 4)) == 0.0
    assert stable_rank_from_gram(torch.zeros(4, 4)) == 0.0


def test_weights_against_numpy(cohort: il.Field) -> None:
    expected = []
    for index in range(cohort.depth):
        values = np.linalg.svd(cohort.encoder.layer(index).weight.detach().double().numpy(), compute_uv=False)
        expected.append((values**2).sum() / values[0] ** 2)
    assert il.weight_stable_ranks(cohort) == pytest.approx(expected, rel=1e-9)


def test_activations_in_every_variant_against_numpy(backbone: str) -> None:
    field = toys.field(backbone)
    x = il.coordinates((10, 12))
    found = il.activation_stable_ranks(field, (10, 12))
    assert tuple(sorted(found)) == tuple(sorted(ACTIVATION_VARIANTS))

    def rank_of(matrix: np.ndarray) -> float:
        values = np.linalg.svd(matrix, compute_uv=False)
        return float((values**2).sum() / values[0] ** 2)

    with torch.no_grad():
        after = [h.double().numpy() for h in field.encoder.activations(x)]
        before = [u.double().numpy() for u in field.encoder.preactivations(x)]
    assert found["post"] == pytest.approx([rank_of(h) for h in after], rel=1e-6)
    assert found["post_centred"] == pytest.approx([rank_of(h - h.mean(0)) for h in after], rel=1e-6)
    assert found["pre"] == pytest.approx([rank_of(u) for u in before], rel=1e-6)


def test_moments_over_several_tiles_are_those_of_all_rows() -> None:
    field = toys.field()
    grid = (90, 50)
    pre, post = layer_moments(field, grid)
    with torch.no_grad():
        x = il.coordinates(grid)
        rows = [u.double() for u in field.encoder.preactivations(x)], [h.double() for h in field.encoder.activations(x)]
    for moments, values in zip((*pre, *post), (*rows[0], *rows[1]), strict=True):
        assert moments.rows == 4500
        torch.testing.assert_close(moments.total, values.sum(0), rtol=1e-5, atol=1e-3)
        torch.testing.assert_close(moments.gram, values.T @ values, rtol=1e-5, atol=1e-3)
        centred = values - values.mean(0)
        torch.testing.assert_close(moments.centred_gram(), centred.T @ centred, rtol=1e-4, atol=1e-2)


def _with_ranks(*values: float) -> il.Field:
    """A field whose square layers have the given stable ranks, between 1 and 2."""
    field = il.Field.new("siren", width=2, depth=len(values), grid=(3, 4))
    with torch.no_grad():
        for index, value in enumerate(values):
            field.encoder.layer(index).weight.copy_(torch.diag(torch.tensor([1.0, math.sqrt(value - 1.0)])))
    field.origin = Origin(kind="cohort")
    return field


def test_tau_is_the_argmax_and_the_margin_is_over_the_runner_up() -> None:
    advice = il.freeze_advice(_with_ranks(1.1, 1.8, 1.2, 1.5))
    assert advice.weight_stable_rank == pytest.approx((1.1, 1.8, 1.2, 1.5), rel=1e-6)
    assert (advice.tau, advice.runner_up) == (1, 3)
    assert advice.margin == pytest.approx(1.8 / 1.5, rel=1e-6)
    lead = ("freeze layers", 0, 1, "layer", 1, "highest", 1.8, "small lead", "layer", 3, 1.5)
    assert says(advice.sentence, *lead, never=("but", "clear", "tie"))
    assert set(advice.activation_stable_rank) == set(ACTIVATION_VARIANTS)


def test_the_sentence_says_how_clear_the_lead_is_and_what_the_rule_was_not_made_for() -> None:
    clear = ("freeze layer", 0, "layer", 0, "highest", 1.9, "clear lead", "layer", 1, 1.2)
    assert says(il.freeze_advice(_with_ranks(1.9, 1.2)).sentence, *clear, never=("small", "tie"))
    tie = il.freeze_advice(_with_ranks(1.3, 1.5, 1.5))
    assert (tie.tau, tie.runner_up) == (1, 2)
    assert tie.margin == pytest.approx(1.0)
    assert says(tie.sentence, "nearly a tie", never="lead")
    field = _with_ranks(1.1, 1.8)
    field.origin = Origin(kind="untrained")
    assert says(il.freeze_advice(field).sentence, "but", "untrained", "initialisation")
    field.origin = Origin(kind="single")
    assert says(il.freeze_advice(field).sentence, "but", "one signal", "cohorts", never="network's layers")
    field.origin = Origin(kind="transfer")
    assert says(il.freeze_advice(field).sentence, "but", "one signal", "network's layers", "cohorts")


def test_the_sentence_says_where_the_rule_was_not_found(backbone: str) -> None:
    field = toys.field(backbone)
    field.origin = Origin(kind="cohort")
    caveat = ("but", "found on cohorts of SIREN and FFMLP", backbone)
    assert says(il.freeze_advice(field).sentence, *caveat) == (backbone not in ("siren", "ffmlp"))


def test_a_single_layer_and_an_unknown_grid() -> None:
    advice = il.freeze_advice(_with_ranks(1.4))
    assert (advice.tau, advice.runner_up, advice.margin) == (0, None, 1.0)
    assert "no depth to choose" in advice.sentence
    field = _with_ranks(1.4, 1.2)
    field.grid = None
    assert il.freeze_advice(field).activation_stable_rank == {}
    assert len(il.freeze_advice(field, (3, 3)).activation_stable_rank["post"]) == 2
    with pytest.raises(il.InputError, match="never fitted on a grid"):
        il.activation_stable_ranks(field)
