"""The scores of layers by closed forms, by numpy, and by the bounds that every matrix keeps."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import inrlens as il
import toys
from inrlens.ranks import scores
from inrlens.ranks.scores import SCORES, layer_scores
from inrlens.ranks.spectrum import effective_rank, participation_ratio, singular_values_from_gram
from inrlens.ranks.stable_rank import ACTIVATION_VARIANTS, Moments

GRID = (10, 12)
MEASURES = (effective_rank, participation_ratio)


def _values(matrix: torch.Tensor) -> torch.Tensor:
    return torch.linalg.svdvals(matrix.double())


@st.composite
def _matrices(draw: st.DrawFn) -> torch.Tensor:
    rows, columns, rank = draw(st.integers(1, 9)), draw(st.integers(1, 9)), draw(st.integers(1, 9))
    draws = toys.generator(draw(st.integers(0, 999)))
    left = torch.randn(rows, rank, generator=draws, dtype=torch.float64)
    return left @ torch.randn(rank, columns, generator=draws, dtype=torch.float64)


@pytest.mark.parametrize("measure", MEASURES)
def test_orthogonal_rank_one_and_zero(measure: Callable[[torch.Tensor], float]) -> None:
    turn = torch.linalg.qr(torch.randn(7, 7, generator=toys.generator(), dtype=torch.float64)).Q
    assert measure(_values(3.0 * turn)) == pytest.approx(7.0, rel=1e-12)
    assert measure(_values(torch.outer(torch.arange(1.0, 5), torch.arange(2.0, 9)))) == pytest.approx(1.0, rel=1e-6)
    assert measure(_values(torch.zeros(3, 4))) == 0.0


def test_two_values_that_were_reckoned_by_hand() -> None:
    # p = (3/4, 1/4): ln 4 - (3/4) ln 3; squares 9 and 1: 10^2 / 82.
    values = torch.tensor([3.0, 1.0])
    assert effective_rank(values) == pytest.approx(4.0 / 3.0**0.75, rel=1e-12)
    assert participation_ratio(values) == pytest.approx(100.0 / 82.0, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-120, 1e120])
def test_very_small_and_very_large_matrices_have_the_ratios_of_others(scale: float) -> None:
    values = torch.tensor([3.0, 1.0], dtype=torch.float64) * scale
    assert effective_rank(values) == pytest.approx(4.0 / 3.0**0.75, rel=1e-12)
    assert participation_ratio(values) == pytest.approx(100.0 / 82.0, rel=1e-12)


@given(_matrices(), st.floats(1e-3, 1e3))
def test_each_lies_within_one_and_rank_and_ignores_scale(matrix: torch.Tensor, scale: float) -> None:
    rank = int(torch.linalg.matrix_rank(matrix))
    stable = il.stable_rank(matrix)
    for measure in MEASURES:
        value = measure(_values(matrix))
        assert 1.0 - 1e-9 <= value <= rank + 1e-6
        assert measure(_values(-scale * matrix)) == pytest.approx(value, rel=1e-9)
        # The stable rank is the exponential of the lowest of all Renyi entropies of the squares.
        assert value >= stable - 1e-9


@given(_matrices())
def test_singular_values_from_the_gram_matrix_are_those_of_the_rows(matrix: torch.Tensor) -> None:
    found = singular_values_from_gram(matrix.T @ matrix).flip(0)
    expected = np.zeros(matrix.shape[1])
    direct = np.linalg.svd(matrix.numpy(), compute_uv=False)
    expected[: len(direct)] = direct
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6 * direct[0])


def _effective(s: np.ndarray) -> float:
    p = s / s.sum()
    p = p[p > 0.0]
    return math.exp(-(p * np.log(p)).sum())


ORACLES: dict[str, Callable[[np.ndarray], float]] = {
    "sr": lambda s: float((s**2).sum() / s[0] ** 2),
    "effective rank": _effective,
    "participation ratio": lambda s: float((s**2).sum() ** 2 / (s**4).sum()),
}


def test_every_score_of_every_backbone_against_numpy(backbone: str) -> None:
    field = toys.field(backbone)
    found = layer_scores(field, GRID)
    assert tuple(found) == tuple(name for score in SCORES.values() for name in score.names)
    assert all(len(values) == field.depth for values in found.values())
    x = il.coordinates(GRID)
    with torch.no_grad():
        post = [h.double().numpy() for h in field.encoder.activations(x)]
        pre = [u.double().numpy() for u in field.encoder.preactivations(x)]
    weights = [field.encoder.layer(index).matrix.detach().numpy().astype(complex) for index in range(field.depth)]
    of = {"post": post, "post_centred": [h - h.mean(0) for h in post], "pre": pre}
    for measure, oracle in ORACLES.items():
        name = "sr({})" if measure == "sr" else f"{measure} {{}}"
        expected = [oracle(np.linalg.svd(weight, compute_uv=False)) for weight in weights]
        assert found[name.format("W")] == pytest.approx(expected, rel=1e-9)
        for variant in ACTIVATION_VARIANTS:
            expected = [oracle(np.linalg.svd(rows, compute_uv=False)) for rows in of[variant]]
            assert found[f"{name.format('H')} {variant}"] == pytest.approx(expected, rel=1e-4)


def test_the_stable_ranks_among_them_are_those_that_the_advice_reads(cohort: il.Field) -> None:
    found = layer_scores(cohort)
    assert found["sr(W)"] == pytest.approx(il.weight_stable_ranks(cohort), rel=1e-12)
    for variant, values in il.activation_stable_ranks(cohort).items():
        assert found[f"sr(H) {variant}"] == pytest.approx(values, rel=1e-9)
    assert found == layer_scores(cohort, cohort.grid)


def test_the_grid_is_passed_once(cohort: il.Field, monkeypatch: pytest.MonkeyPatch) -> None:
    passes = []
    real = scores.layer_moments

    def counted(field: il.Field, grid: tuple[int, ...] | None) -> tuple[list[Moments], list[Moments]]:
        passes.append(grid)
        return real(field, grid)

    monkeypatch.setattr(scores, "layer_moments", counted)
    layer_scores(cohort, GRID)
    assert passes == [GRID]


def test_a_field_without_a_grid_needs_one() -> None:
    field = il.Field.new("siren", **toys.SMALL["siren"])
    with pytest.raises(il.InputError, match=r"never fitted on a grid: give grid=\(height, width\)"):
        layer_scores(field)


@pytest.mark.parametrize("backbone", ["siren", "ffmlp", "hashgrid"])
def test_the_encoding_s_rank_is_that_of_what_enters_layer_0(backbone: str) -> None:
    field = toys.field(backbone).double()
    values = torch.linalg.svdvals(field.encoder.run(field.grid_coordinates(), 0, 0).detach())
    expected = float(values.square().sum() / values[0] ** 2)
    assert il.encoding_stable_rank(field) == pytest.approx(expected, rel=1e-9)
