"""Grids, coordinates and the values on them."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import inrlens as il
import toys

shapes = st.lists(st.integers(1, 7), min_size=1, max_size=3).map(tuple)


@given(shapes)
def test_coordinates_equal_a_plain_loop_with_x_fastest(shape: tuple[int, ...]) -> None:
    def at(index: int, side: int) -> float:
        return 0.0 if side == 1 else -1.0 + 2.0 * index / (side - 1)

    rows = [
        [at(i, side) for i, side in reversed(list(zip(place, shape, strict=True)))]
        for place in itertools.product(*(range(side) for side in shape))
    ]
    np.testing.assert_allclose(il.coordinates(shape, torch.float64).numpy(), np.array(rows), atol=1e-15)


@given(shapes)
def test_the_corners_lie_exactly_on_minus_one_and_one(shape: tuple[int, ...]) -> None:
    x = il.coordinates(shape)
    assert x.shape == (math.prod(shape), len(shape))
    for axis, side in enumerate(reversed(shape)):
        low, high = float(x[:, axis].min()), float(x[:, axis].max())
        assert (low, high) == ((-1.0, 1.0) if side > 1 else (0.0, 0.0))


def test_both_axes_of_a_photograph_stay_within_their_range() -> None:
    """Dividing both axes by one side would take x of a 512x768 picture to 2."""
    x = il.coordinates((512, 768))
    assert x.min(0).values.tolist() == [-1.0, -1.0]
    assert x.max(0).values.tolist() == [1.0, 1.0]
    assert x[0].tolist() == [-1.0, -1.0]
    assert x[767].tolist() == [1.0, -1.0]
    assert x[768].tolist()[0] == -1.0
    assert x[-1].tolist() == [1.0, 1.0]
    assert x[1, 0] - x[0, 0] == pytest.approx(2 / 767, rel=1e-4)
    assert x[768, 1] - x[0, 1] == pytest.approx(2 / 511, rel=1e-4)


@given(st.lists(st.integers(2, 6), min_size=1, max_size=3).map(tuple))
def test_coordinates_between_are_the_means_of_their_cells_corners(shape: tuple[int, ...]) -> None:
    axes = len(shape)
    samples = il.coordinates(shape, torch.float64).reshape(*shape, axes)
    middle = torch.zeros(*(side - 1 for side in shape), axes, dtype=torch.float64)
    for corner in itertools.product((0, 1), repeat=axes):
        middle += samples[tuple(slice(c, c + side - 1) for c, side in zip(corner, shape, strict=True))]
    between = il.coordinates_between(shape, torch.float64)
    torch.testing.assert_close(between, middle.reshape(-1, axes) / 2**axes, rtol=0, atol=1e-15)


def test_a_side_of_one_sample_has_its_own_centre_between() -> None:
    assert il.coordinates_between((1, 3)).tolist() == [[-0.5, 0.0], [0.5, 0.0]]


def test_a_value_of_a_non_square_image_is_found_at_its_pixel() -> None:
    image = torch.zeros(4, 6, 3)
    image[1, 5] = torch.tensor([0.25, 0.5, 0.75])
    signal = il.signal_from_array("dot", image)
    row = 1 * 6 + 5
    assert signal.values[row].tolist() == [0.25, 0.5, 0.75]
    torch.testing.assert_close(il.coordinates((4, 6))[row], torch.tensor([1.0, -1.0 / 3.0]))
    assert torch.equal(signal.image(), image)
    assert signal.channels == 3


def test_the_digest_depends_on_values_and_grid_and_not_on_the_name() -> None:
    one = toys.signal(0)
    assert one.digest == il.Signal("other name", one.values.clone(), one.shape).digest
    assert one.digest != il.Signal(one.name, one.values, (one.shape[1], one.shape[0])).digest
    changed = one.values.clone()
    changed[3, 1] = torch.nextafter(changed[3, 1], torch.tensor(2.0))
    assert one.digest != il.Signal(one.name, changed, one.shape).digest
    assert one.digest != il.Signal(one.name, one.values.reshape(-1, 1), (9, 21)).digest


@pytest.mark.parametrize(
    ("values", "grid", "message"),
    [
        (torch.zeros(5, 3), (2, 3), r"signal 'bad': values of shape \(5, 3\) do not fill the grid \(2, 3\)"),
        (torch.zeros(0, 3), (0, 3), "a side of the grid must be at least 1, not 0"),
        (torch.zeros(1, 3), (), r"shape must be the grid's sides, such as \(height, width\), not \(\)"),
        (torch.zeros(1, 0), (1,), "do not fill the grid"),
        (torch.tensor([[0.5], [math.nan]]), (1, 2), r"'bad' holds NaN or infinite values; .* within \[0, 1\]"),
        (torch.tensor([[0.5], [math.inf]]), (1, 2), "holds NaN or infinite values"),
        (torch.tensor([[-0.1], [1.0]]), (1, 2), r"holds values from -0.1 to 1; scale them to \[0, 1\] first"),
        (torch.tensor([[0.0], [255.0]]), (1, 2), "holds values from 0 to 255"),
    ],
)
def test_values_that_are_no_signal(values: torch.Tensor, grid: tuple[int, ...], message: str) -> None:
    with pytest.raises(il.InputError, match=message):
        il.Signal("bad", values, grid)


@pytest.mark.skipif(toys.is_checked(il.Signal.__init__), reason="the checker of types is asked before the signal")
@pytest.mark.parametrize("shape", [[2, 3], np.array([2, 3]), torch.Size([2, 3]), (2.0, np.int64(3))])
def test_a_grid_s_sides_are_taken_as_people_hold_them(shape: Any) -> None:
    values = torch.linspace(0.0, 1.0, 6)[:, None]
    signal: Any = il.Signal
    plain, other = il.Signal("a", values, (2, 3)), signal("a", values, shape)
    assert other.shape == (2, 3)
    assert [type(side) for side in other.shape] == [int, int]
    assert other.digest == plain.digest
    assert signal("a", values, (2, 3), affine=np.eye(3)).affine == ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


@pytest.mark.skipif(toys.is_checked(il.Signal.__init__), reason="the checker of types is asked before the signal")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": 5}, "a signal's name must be a text, not 5"),
        ({"shape": "ab"}, r"shape must be the grid's sides, .* not 'ab'"),
        ({"shape": 6}, r"shape must be the grid's sides, .* not 6"),
        ({"shape": (2, 2.5)}, r"a side of the grid must be a whole number, not 2\.5"),
        ({"shape": (-2, -3)}, "a side of the grid must be at least 1, not -2"),
        ({"bit_depth": "x"}, "bit_depth must be a whole number, not 'x'"),
        ({"bit_depth": True}, "bit_depth must be a whole number, not True"),
        ({"bit_depth": 65}, "bit_depth must lie from 1 to 64, not 65"),
        ({"affine": 5}, "an affine must be the rows of .* not 5"),
        ({"affine": "abc"}, "an affine must be the rows of .* not 'abc'"),
    ],
)
def test_settings_that_are_no_signal_s(settings: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"name": "a", "values": torch.zeros(6, 1), "shape": (2, 3)}
    with pytest.raises(il.InputError, match=message):
        il.Signal(**given | settings)


@pytest.mark.parametrize("coordinates", [il.coordinates, il.coordinates_between])
def test_a_grid_without_samples(coordinates: object) -> None:
    with pytest.raises(il.InputError, match="a grid's side must be 1 or more, not 0"):
        coordinates((3, 0))  # type: ignore[operator]
