"""The k largest positive codes of a row, against a sort of the whole row."""

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import toys
from inrlens.dictionaries.select import SparseRows, by_threshold, by_topk, top_codes

WAYS = (by_threshold, by_topk)


def _rows(found: SparseRows) -> list[tuple[list[int], list[float]]]:
    ends = found.counts.cumsum(0).tolist()
    starts = [0, *ends][:-1]
    return [
        (found.atoms[start:end].tolist(), found.codes[start:end].tolist())
        for start, end in zip(starts, ends, strict=True)
    ]


def _agrees(u: torch.Tensor, k: int, found: SparseRows) -> None:
    assert found.finite
    assert found.counts.shape == (u.shape[0],)
    for row, (atoms, codes) in zip(u, _rows(found), strict=True):
        wanted = np.sort(row.numpy())[::-1][:k]
        assert sorted(codes, reverse=True) == wanted[wanted > 0.0].tolist()
        assert atoms == sorted(set(atoms))
        assert row[atoms].tolist() == codes


@given(
    st.integers(0, 6), st.integers(1, 140), st.data(), st.sampled_from([torch.float32, torch.float64]), st.booleans()
)
def test_it_is_the_top_k_of_the_positive_part(
    rows: int, n: int, data: st.DataObject, dtype: torch.dtype, with_ties: bool
) -> None:
    k = data.draw(st.integers(1, n))
    u = torch.randn(rows, n, generator=toys.generator(data.draw(st.integers(0, 99)))).to(dtype)
    if with_ties:
        u = (2.0 * u).round() / 2.0
    for way in WAYS:
        _agrees(u, k, way(u.clone(), k))


@pytest.mark.parametrize(("n", "k"), [(4096, 32), (4100, 4), (1024, 128), (1000, 1000)])
def test_sizes_as_they_are_used(n: int, k: int) -> None:
    u = torch.randn(40, n, generator=toys.generator())
    u[3] = -1.0
    u[4, 7:] = -0.5
    u[5] = 0.25
    u[6, :-1] = 0.0
    for way in WAYS:
        _agrees(u, k, way(u.clone(), k))


def test_of_equal_codes_the_first_columns_are_kept() -> None:
    u = torch.tensor([[1.0, 2.0, 1.0, 1.0, -3.0, 1.0]])
    found = top_codes(u, 3)
    assert found.atoms.tolist() == [0, 1, 2]
    assert found.codes.tolist() == [1.0, 2.0, 1.0]


@pytest.mark.parametrize("place", [0, 17, 99])
def test_nan_is_noticed_and_infinity_is_a_number(place: int) -> None:
    u = torch.randn(3, 100, generator=toys.generator())
    u[1, place] = torch.nan
    for way in WAYS:
        assert not way(u.clone(), 5).finite
    u[1, place] = torch.inf
    for way in WAYS:
        found = way(u.clone(), 5)
        assert found.finite
        assert torch.inf in found.codes
