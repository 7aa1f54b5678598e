"""Physical coordinates: from samples to millimetres and seconds, to the network's [-1, 1], and into files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

import inrlens as il
import toys
from inrlens.checkpoints import load_atlas, load_field
from inrlens.container import read_container, write_container
from inrlens.signals.affine import Affine, from_unit, on_grid, to_index, to_points, to_unit
from inrlens.signals.archive import load_signals, save_signals

OBLIQUE: Affine = ((-1.5, 0.2, 0.1, 30.0), (0.3, 2.0, -0.4, -20.0), (0.0, 0.5, 3.0, 5.0))
"""Voxels of unequal sides, turned, the first axis running backwards."""
SHAPE = (5, 4, 6)


def volume(affine: Affine | None = OBLIQUE) -> il.Signal:
    return replace(toys.signal(grid=SHAPE, channels=1), affine=affine)


def fitted(*affines: Affine | None) -> il.Field:
    network = il.make_backbone("siren", coordinates=3, width=8, depth=2)
    recipe = il.Recipe("toy", network, steps=2, learning_rate=1e-3)
    signals = [volume(affine) for affine in affines]
    return (il.fit(signals[0], recipe) if len(signals) == 1 else il.fit_cohort(signals, recipe)).field


def samples(shape: tuple[int, ...]) -> torch.Tensor:
    """The numbers of every sample, row-major."""
    return torch.cartesian_prod(*(torch.arange(side, dtype=torch.float64) for side in shape)).reshape(-1, len(shape))


def test_points_are_those_of_nibabel() -> None:
    affines = pytest.importorskip("nibabel.affines", reason="nibabel (the extra nifti) is not installed")
    matrix = np.vstack([np.array(OBLIQUE), [0, 0, 0, 1]])
    expected = affines.apply_affine(matrix, samples(SHAPE).numpy())
    np.testing.assert_allclose(to_points(samples(SHAPE), OBLIQUE).numpy(), expected, atol=1e-12)


def test_samples_lie_at_their_coordinates() -> None:
    points = to_points(samples(SHAPE), OBLIQUE)
    torch.testing.assert_close(
        to_unit(points, OBLIQUE, SHAPE), il.coordinates(SHAPE, torch.float64), atol=1e-12, rtol=0
    )
    flat = (1, 4, 6)
    found = to_unit(to_points(samples(flat), OBLIQUE), OBLIQUE, flat)
    torch.testing.assert_close(found, il.coordinates(flat, torch.float64), atol=1e-12, rtol=0)


@settings(deadline=None)
@given(st.lists(st.floats(-3.0, 3.0), min_size=9, max_size=9), st.lists(st.floats(-50.0, 50.0), min_size=3, max_size=3))
def test_there_and_back_again(numbers: list[float], origin: list[float]) -> None:
    matrix = torch.tensor(numbers, dtype=torch.float64).reshape(3, 3) + 8.0 * torch.eye(3, dtype=torch.float64)
    if float(torch.linalg.cond(matrix)) > 1e3:
        return
    affine: Affine = tuple((*row, t) for row, t in zip(matrix.tolist(), origin, strict=True))
    index = samples(SHAPE) + 0.25
    points = to_points(index, affine)
    torch.testing.assert_close(to_index(points, affine), index, atol=1e-8, rtol=0)
    torch.testing.assert_close(from_unit(to_unit(points, affine, SHAPE), affine, SHAPE), points, atol=1e-8, rtol=0)


def test_a_field_answers_at_physical_points() -> None:
    field = fitted(OBLIQUE)
    found = field.at(to_points(samples(SHAPE), OBLIQUE).float())
    torch.testing.assert_close(found, field.render().reshape(-1, 1), atol=1e-4, rtol=1e-4)
    between = field.at(to_points(torch.tensor([[0.5, 1.0, 2.0]]), OBLIQUE))
    x = torch.tensor([[2.0 * 2.0 / 5.0 - 1.0, 2.0 / 3.0 - 1.0, 1.0 / 4.0 - 1.0]])
    torch.testing.assert_close(between, field(x).detach(), atol=1e-5, rtol=1e-5)


def test_a_cohort_keeps_the_affine_that_all_share() -> None:
    assert fitted(OBLIQUE, OBLIQUE).affine == OBLIQUE
    other = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))
    assert fitted(OBLIQUE, other).affine is None
    assert fitted(None).affine is None


def test_files_keep_the_affine_and_those_without_one_are_read(tmp_path: Path) -> None:
    field, path = fitted(OBLIQUE), tmp_path / "field.safetensors"
    il.save(field, path)
    assert load_field(path).affine == OBLIQUE
    container = read_container(path)
    del container.description["affine"]
    write_container(path, container, force=True)
    assert load_field(path).affine is None
    container.description["affine"] = [[1.0, 2.0]]
    write_container(path, container, force=True)
    with pytest.raises(il.InputError, match="an affine of 1 rows"):
        load_field(path)


def test_archives_keep_affines_and_rates(tmp_path: Path) -> None:
    word = il.spoken_word(rate=8000)
    save_signals([volume(), word], tmp_path / "signals.safetensors")
    first, second = load_signals(tmp_path / "signals.safetensors")
    assert first.affine == OBLIQUE
    assert isinstance(second, il.Recording)
    assert (second.rate, second.affine) == (8000, ((1.0 / 8000.0, 0.0),))


def test_sound_is_asked_in_seconds() -> None:
    word = il.spoken_word(rate=8000)
    network = il.make_backbone("siren", coordinates=1, width=8, depth=2)
    field = il.fit(word, il.Recipe("toy", network, steps=1, learning_rate=1e-3)).field
    seconds = torch.tensor([[0.0], [100.0 / 8000.0]])
    torch.testing.assert_close(field.at(seconds), field.render()[[0, 100]], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["out.nii", "out.nii.gz"])
def test_a_volume_goes_to_a_file_and_comes_back(tmp_path: Path, name: str) -> None:
    nibabel = pytest.importorskip("nibabel", reason="nibabel (the extra nifti) is not installed")
    signal = volume()
    il.save_volume(signal.image(), tmp_path / name, signal.affine)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    image = nibabel.load(tmp_path / name)
    np.testing.assert_allclose(image.affine[:3], np.array(OBLIQUE), atol=1e-5)
    np.testing.assert_array_equal(image.get_fdata(dtype=np.float32), signal.image()[..., 0].numpy())
    back = il.load_volume(tmp_path / name)
    assert torch.equal(back.values, signal.values)
    assert back.affine is not None
    np.testing.assert_allclose(back.affine, OBLIQUE, atol=1e-5)


def test_what_cannot_be_placed(tmp_path: Path) -> None:
    with pytest.raises(
        il.InputError, match=r"signal 'toy 0': an affine of 1 rows of \[4\] numbers on a grid of 3 axes"
    ):
        volume(((1.0, 0.0, 0.0, 0.0),))
    flat = ((1.0, 0.0, 0.0, 0.0), (2.0, 0.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))
    with pytest.raises(il.InputError, match="is singular: give one that keeps all axes apart"):
        volume(flat)
    field = fitted(OBLIQUE)
    with pytest.raises(
        il.InputError, match=r"1 of 2 points lie outside the grid, whose first sample is at \(30, -20, 5\)"
    ):
        field.at(torch.tensor([[30.0, -20.0, 5.0], [300.0, 0.0, 0.0]]))
    with pytest.raises(il.InputError, match="points of 2 coordinates do not suit a field of 3"):
        field.at(torch.zeros(1, 2))
    with pytest.raises(il.InputError, match="this field knows no affine"):
        fitted(None).at(torch.zeros(1, 3))
    with pytest.raises(
        il.InputError, match=r"points of shape \(3,\) are no n rows of 3 numbers: give one point as a list"
    ):
        field.at(torch.zeros(3))
    with pytest.raises(il.InputError, match="points must be n rows of 3 numbers"):
        field.at([[0.0, 0.0], [0.0]])
    with pytest.raises(il.InputError, match=r"an affine must be the rows of \[A | t\], or .* not 'abc'"):
        volume().placed("abc")
    with pytest.raises(il.InputError, match="holds NaN or infinite numbers: give one of finite numbers"):
        volume().placed(np.full((3, 4), np.nan))
    pytest.importorskip("nibabel", reason="nibabel (the extra nifti) is not installed")
    with pytest.raises(il.InputError, match=r"four axes \(i, j, k, c\), not \(5, 4, 6\): add the channels' axis"):
        il.save_volume(volume().image()[..., 0], tmp_path / "out.nii")
    with pytest.raises(il.InputError, match=r"must end in \.nii or \.nii\.gz"):
        il.save_volume(volume().image(), tmp_path / "out.png")


@given(
    st.lists(st.integers(1, 6), min_size=3, max_size=3),
    st.lists(st.integers(1, 6), min_size=3, max_size=3),
)
def test_another_grid_lies_at_the_same_place(shape: list[int], grid: list[int]) -> None:
    """Its samples are where the network's coordinates say, by way of the first grid."""
    moved = on_grid(OBLIQUE, tuple(shape), tuple(grid))
    expected = from_unit(il.coordinates(tuple(grid), torch.float64), OBLIQUE, tuple(shape))
    torch.testing.assert_close(to_points(samples(tuple(grid)), moved), expected, atol=1e-10, rtol=0)
    torch.testing.assert_close(
        torch.tensor(on_grid(moved, tuple(grid), tuple(shape))), torch.tensor(OBLIQUE), atol=1e-5, rtol=1e-5
    )


def test_a_field_drawn_finer_knows_where_it_lies() -> None:
    field, fine = fitted(OBLIQUE), (9, 7, 11)
    affine = field.affine_on(fine)
    assert affine is not None
    torch.testing.assert_close(
        field.at(to_points(samples(fine), affine)), field.render(grid=fine).reshape(-1, 1), atol=1e-5, rtol=1e-5
    )
    assert fitted(None).affine_on(fine) is None
    with pytest.raises(il.InputError, match="a grid of 2 axes does not suit a network of 3 coordinates"):
        field.affine_on((9, 7))


def test_a_signal_is_placed_by_what_nibabel_gives() -> None:
    square = np.vstack([np.array(OBLIQUE), [0.0, 0.0, 0.0, 1.0]])
    assert volume(None).placed(square).affine == OBLIQUE
    assert volume(None).placed(square[:3]).affine == OBLIQUE
    assert volume().placed(None).affine is None
    assert volume().placed(square).digest == volume(None).digest
    with pytest.raises(il.InputError, match=r"is singular"):
        volume().placed(np.zeros((3, 4)))
    with pytest.raises(il.InputError, match=r"an affine of 4 rows of \[4\] numbers"):
        volume().placed(np.full((4, 4), 2.0))


def test_rounding_does_not_put_the_corners_outside() -> None:
    far: Affine = ((1.0, 0.0, 0.0, -120.3), (0.0, 1.0, 0.0, -97.7), (0.0, 0.0, 0.1, -1000.1))
    field = fitted(far)
    points = to_points(samples(SHAPE), far)
    assert field.at(points.float()).shape == (len(points), 1)
    assert field.at(points[:0]).shape == (0, 1)
    beyond = points[-1:] + torch.tensor([[0.001, 0.0, 0.0]], dtype=torch.float64)
    for wrong in (beyond, torch.full_like(beyond, torch.nan)):
        with pytest.raises(il.InputError, match="1 of 1 points lie outside the grid"):
            field.at(wrong)


def test_a_slice_has_no_values_beside_it() -> None:
    unit: Affine = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))
    slice_of_one = replace(toys.signal(grid=(1, 4, 5), channels=1), affine=unit)
    network = il.make_backbone("siren", coordinates=3, width=8, depth=2)
    field = il.fit(slice_of_one, il.Recipe("toy", network, steps=1, learning_rate=1e-3)).field
    assert field.at(torch.tensor([[0.0, 1.5, 2.0]])).shape == (1, 1)
    with pytest.raises(il.InputError, match="1 of 1 points lie outside the grid"):
        field.at(torch.tensor([[0.5, 1.5, 2.0]]))


def test_a_rate_and_an_affine_that_disagree() -> None:
    word = il.spoken_word(rate=8000)
    assert replace(word, affine=((1.0 / 8000.0, 2.5),)).affine == ((1.0 / 8000.0, 2.5),)
    assert replace(word, rate=4000, affine=None).affine == ((1.0 / 4000.0, 0.0),)
    with pytest.raises(il.InputError, match=r"lie 1/4000 s apart, not 0.000125 s as its affine says: give affine=None"):
        replace(word, rate=4000)


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1.0), ("micron", 0.001), ("meter", 1000.0), ("unknown", 1.0)])
def test_a_file_in_other_units_comes_in_millimetres(tmp_path: Path, unit: str, factor: float) -> None:
    nibabel = pytest.importorskip("nibabel", reason="nibabel (the extra nifti) is not installed")
    image = nibabel.Nifti1Image(volume().image()[..., 0].numpy(), np.diag([2.0, -3.0, 4.0, 1.0]))
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "a.nii")
    found = il.load_volume(tmp_path / "a.nii").affine
    assert found is not None
    np.testing.assert_allclose(found, np.diag([2.0, -3.0, 4.0, 1.0])[:3] * factor)


def test_a_file_whose_affine_is_singular_is_read_without_it(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel", reason="nibabel (the extra nifti) is not installed")
    image = nibabel.Nifti1Image(volume().image()[..., 0].numpy(), np.eye(4))
    raw = bytearray(image.to_bytes())
    raw[280 : 280 + 48] = b"\0" * 48  # srow_x, srow_y, srow_z
    (tmp_path / "a.nii").write_bytes(raw)
    with pytest.warns(UserWarning, match=r"a\.nii: the affine .* is singular.*read without it"):
        found = il.load_volume(tmp_path / "a.nii")
    assert found.affine is None
    assert torch.equal(found.values, volume().values)


def test_channels_are_written_as_a_vector(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel", reason="nibabel (the extra nifti) is not installed")
    values = toys.signal(grid=SHAPE, channels=3).image()
    il.save_volume(values, tmp_path / "a.nii.gz", OBLIQUE)
    image = nibabel.load(tmp_path / "a.nii.gz")
    assert (image.shape, image.header.get_intent()[0]) == ((*SHAPE, 1, 3), "vector")
    np.testing.assert_array_equal(image.get_fdata(dtype=np.float32)[:, :, :, 0], values.numpy())
    assert image.header.get_xyzt_units()[0] == "mm"
    back = il.load_volume(tmp_path / "a.nii.gz")
    assert torch.equal(back.image(), values)
    assert back.affine is not None
    np.testing.assert_allclose(back.affine, OBLIQUE, atol=1e-5)
    il.save_volume(values, tmp_path / "b.nii.gz", image.affine)
    assert il.load_volume(tmp_path / "b.nii.gz").affine == back.affine


def test_points_may_be_whole_numbers_lists_or_arrays() -> None:
    field = fitted(OBLIQUE)
    expected = field.at(torch.tensor([[30.0, -20.0, 5.0]], dtype=torch.float64))
    assert torch.equal(field.at([[30, -20, 5]]), expected)
    assert torch.equal(field.at(np.array([[30.0, -20.0, 5.0]])), expected)
    assert torch.equal(field.at(torch.tensor([[30, -20, 5]])), expected)


def test_an_atlas_keeps_what_its_signal_is(tmp_path: Path) -> None:
    field = toys.field()
    sae = toys.sae(field)
    affine: Affine = ((2.0, 0.0, 1.0), (0.0, -1.0, 3.0))
    atlas = il.effects(field, sae, il.encode(field, sae), signal=toys.signal().placed(affine))
    il.save(atlas, tmp_path / "atlas.safetensors")
    signal = load_atlas(tmp_path / "atlas.safetensors").signal
    assert signal is not None
    assert signal.affine == affine
