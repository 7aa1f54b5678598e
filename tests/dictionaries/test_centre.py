"""The geometric median where it is known."""

import pytest
import torch

import toys
from inrlens.dictionaries.centre import geometric_median


def _cost(rows: torch.Tensor, point: torch.Tensor) -> float:
    return float((rows - point).norm(dim=1).sum())


def test_on_a_line_it_is_the_median() -> None:
    direction = torch.tensor([3.0, -4.0, 12.0], dtype=torch.float64) / 13.0
    at = torch.tensor([0.0, 1.0, 2.5, 7.0, 100.0], dtype=torch.float64)
    rows = at[:, None] * direction
    torch.testing.assert_close(geometric_median(rows, 2000, 1e-12), 2.5 * direction, rtol=0, atol=1e-6)


def test_a_majority_point_wins_whatever_the_others_are() -> None:
    rows = torch.cat([torch.tensor([[1.0, 2.0]]).repeat(6, 1), 50.0 * torch.randn(5, 2, generator=toys.generator())])
    torch.testing.assert_close(geometric_median(rows), torch.tensor([1.0, 2.0]), rtol=0, atol=1e-4)


def test_the_centre_of_a_symmetric_cloud() -> None:
    half = torch.randn(40, 5, generator=toys.generator(), dtype=torch.float64)
    centre = torch.arange(5, dtype=torch.float64)
    rows = torch.cat([centre + half, centre - half])
    torch.testing.assert_close(geometric_median(rows), centre, rtol=0, atol=1e-6)


def test_a_row_that_equals_the_first_guess() -> None:
    """The mean of these rows is a row itself: a plain Weiszfeld step would divide by zero there."""
    staying = torch.tensor([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    assert torch.equal(geometric_median(staying), torch.zeros(2))

    # The mean is a row and the median, though the other rows pull to one side: it must stay there exactly.
    pulled = torch.tensor([[0.0], [0.0], [0.0], [-3.0], [1.0], [2.0]])
    assert torch.equal(geometric_median(pulled), torch.zeros(1))

    # Here the mean is the row at the origin, the median of this line another: it must not get stuck.
    leaving = torch.tensor([[0.0], [-9.0], [1.0], [2.0], [6.0]], dtype=torch.float64)
    assert float(leaving.mean()) == 0.0
    assert float(geometric_median(leaving, 5000, 1e-13)) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_no_step_away_from_it_lowers_the_summed_distance(seed: int) -> None:
    draws = toys.generator(seed)
    rows = torch.randn(60, 4, generator=draws, dtype=torch.float64) * torch.rand(60, 1, generator=draws).double() * 9.0
    found = geometric_median(rows, 1000, 1e-12)
    best = _cost(rows, found)
    assert best < _cost(rows, rows.mean(0))
    for _ in range(50):
        step = torch.randn(4, generator=draws, dtype=torch.float64)
        assert _cost(rows, found + 1e-3 * step) > best


def test_equal_rows_and_a_single_row() -> None:
    assert torch.equal(geometric_median(torch.full((7, 3), 0.5)), torch.full((3,), 0.5))
    assert torch.equal(geometric_median(torch.tensor([[1.0, -2.0]])), torch.tensor([1.0, -2.0]))
    assert geometric_median(torch.rand(9, 3, dtype=torch.float64)).dtype == torch.float64
