"""Signals that are drawn: moments, spectra and occlusion against closed forms."""

import math
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from scipy import ndimage, stats

import command
import inrlens as il
from inrlens.signals.datasets import find_files
from inrlens.signals.dead_leaves import DeadLeaves, power_law
from inrlens.signals.kinds import NOISE, DataKind
from inrlens.signals.noise import NOISES, GaussianNoise, make_noise
from inrlens.signals.spectrum import SpectralNoise
from inrlens.studies.cells.data import load_data
from inrlens.studies.config.model import DataSpec

each_noise = pytest.mark.parametrize("kind", NOISES)


# Every kind


@each_noise
@pytest.mark.parametrize("shape", [(9, 12), (40,), (3, 4, 5), (1, 8), (1, 1)])
def test_a_cohort_lies_on_its_grid_and_depends_on_its_seed_alone(kind: str, shape: tuple[int, ...]) -> None:
    three = il.noise_cohort(kind, 3, shape, channels=2, seed=4)
    assert [one.name for one in three] == [f"{kind}_{index:02d}" for index in range(3)]
    assert {(one.shape, one.channels, one.bit_depth) for one in three} == {(shape, 2, 16)}
    assert {one.values.dtype for one in three} == {torch.float32}
    ten = il.noise_cohort(kind, 10, shape, channels=2, seed=4)
    assert [one.digest for one in ten[:3]] == [one.digest for one in three]
    if math.prod(shape) > 1:
        assert len({one.digest for one in ten + il.noise_cohort(kind, 3, shape, channels=2, seed=5)}) == 13


@each_noise
def test_a_noise_with_its_settings_equals_its_name_with_them(kind: str) -> None:
    one = il.noise_cohort(kind, 1, (6, 8))[0]
    assert il.noise_cohort(make_noise(kind), 1, (6, 8))[0].digest == one.digest


def test_settings_are_used() -> None:
    named = il.noise_cohort("spectrum", 1, (6, 8), exponent=2.0)[0]
    assert named.digest == il.noise_cohort(SpectralNoise(2.0), 1, (6, 8))[0].digest
    assert named.digest != il.noise_cohort("spectrum", 1, (6, 8))[0].digest


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (("pink", 1, (4, 4)), {}, "noise 'pink' is not known; allowed are uniform, gaussian, dead-leaves, spectrum"),
        (("uniform", 1, (4, 4)), {"mean": 0.1}, "uniform noise has no setting 'mean'; allowed are none"),
        (("gaussian", 1, (4, 4)), {"sigma": 0.1}, "no setting 'sigma'; allowed are mean, deviation"),
        (("gaussian", 1, (4, 4)), {"mean": 1.5}, r"mean must lie in \[0, 1\], not 1.5"),
        (("gaussian", 1, (4, 4)), {"deviation": 0.0}, "deviation must be a positive number, not 0.0"),
        (("spectrum", 1, (4, 4)), {"exponent": -1.0}, r"exponent must lie in \[0, 10\], not -1.0"),
        (("dead-leaves", 1, (4, 4)), {"smallest": 0.6}, "0 < smallest <= largest, .* not 0.6 and 0.5"),
        (("dead-leaves", 1, (4, 4)), {"exponent": 11.0}, r"exponent must lie in \[0, 10\], not 11.0"),
        (("dead-leaves", 1, (40, 50)), {"smallest": 1e-6}, r"leaves to cover 40x50 samples, .* larger `smallest`"),
        (("uniform", 0, (4, 4)), {}, "at least 1 signal of 1 channel, not 0 of 3"),
        (("uniform", 1, (4, 0)), {}, r"sides of at least 1 sample, such as \(64, 80\), not \(4, 0\)"),
        (("uniform", 1, ()), {}, r"sides of at least 1 sample"),
        ((GaussianNoise(), 1, (4, 4)), {"mean": 0.1}, r"settings \(mean\) go with the name of a noise"),
    ],
)
def test_what_cannot_be_drawn(arguments: tuple[object, ...], settings: dict[str, float], words: str) -> None:
    with pytest.raises(il.InputError, match=words):
        il.noise_cohort(*arguments, **settings)  # type: ignore[arg-type]


# Moments


def test_uniform_noise_is_uniform_in_every_channel() -> None:
    values = il.noise_cohort("uniform", 1, (80, 100), seed=1)[0].values.double().numpy()
    for channel in values.T:
        assert stats.kstest(channel, "uniform").pvalue > 1e-7
    # Six standard deviations.
    assert np.abs(np.corrcoef(values.T) - np.eye(3)).max() < 6.0 / math.sqrt(80 * 100)


@pytest.mark.parametrize(("mean", "deviation"), [(0.5, 0.2), (0.3, 0.4)])
def test_gaussian_noise_has_the_moments_of_a_clipped_normal(mean: float, deviation: float) -> None:
    values = il.noise_cohort("gaussian", 1, (200, 240), seed=1, mean=mean, deviation=deviation)[0].values.double()
    low, high = -mean / deviation, (1.0 - mean) / deviation
    inside = stats.truncnorm(low, high, mean, deviation)
    below, above = stats.norm.cdf(low), stats.norm.sf(high)
    share = 1.0 - below - above
    expected = share * inside.mean() + above
    second = share * (inside.var() + inside.mean() ** 2) + above
    # What lies in [0, 1] deviates by at most 0.5; six standard deviations of its mean.
    near = 6.0 * 0.5 / math.sqrt(values.numel())
    assert float(values.mean()) == pytest.approx(expected, abs=near)
    assert float(values.square().mean()) == pytest.approx(second, abs=near)
    assert float((values == 0.0).double().mean()) == pytest.approx(below, abs=near)
    assert float((values == 1.0).double().mean()) == pytest.approx(above, abs=near)


# Spectrum


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 1.5])
@pytest.mark.parametrize("shape", [(48, 64), (200,), (32, 32, 40)])
def test_the_averaged_power_spectrum_falls_with_twice_the_exponent(shape: tuple[int, ...], exponent: float) -> None:
    image = il.noise_cohort("spectrum", 1, shape, channels=2, exponent=exponent)[0].image().double().numpy()
    assert (image.min(), image.max()) == (0.0, 1.0)
    frequency = np.sqrt(sum(f**2 for f in np.meshgrid(*map(np.fft.fftfreq, shape), indexing="ij")))
    for channel in np.moveaxis(image, -1, 0):
        power = np.abs(np.fft.fftn(channel)) ** 2
        rings = np.round(frequency * min(shape)).astype(int)
        radii = np.arange(1, min(shape) // 2)
        mean = ndimage.mean(power, rings, radii)
        middle = np.exp(ndimage.mean(np.log(np.where(rings > 0, frequency, 1.0)), rings, radii))
        slope = stats.linregress(np.log(middle), np.log(mean)).slope
        assert slope == pytest.approx(-2.0 * exponent, abs=0.1)
        # Random phases leave the amplitude of every single frequency as it is.
        rest = power.ravel()[1:] * frequency.ravel()[1:] ** (2.0 * exponent)
        np.testing.assert_allclose(rest, rest.mean(), rtol=1e-3)


# Dead leaves


@given(st.floats(0.01, 0.4), st.floats(1.0, 20.0), st.floats(0.0, 6.0))
def test_radii_invert_their_distribution(smallest: float, ratio: float, exponent: float) -> None:
    uniform, largest = np.linspace(0.0, 1.0, 21), smallest * ratio
    radii = power_law(uniform, smallest, largest, exponent)
    assert radii.min() >= smallest * (1 - 1e-9)
    assert radii.max() <= largest * (1 + 1e-6)
    if ratio > 1.01 and abs(exponent - 1.0) > 0.01:
        power = 1.0 - exponent
        distribution = (radii**power - smallest**power) / (largest**power - smallest**power)
        np.testing.assert_allclose(distribution, uniform, atol=1e-5)


def test_an_exponent_of_one_is_uniform_in_the_logarithm() -> None:
    np.testing.assert_allclose(power_law(np.array([0.0, 0.5, 1.0]), 0.01, 1.0, 1.0), [0.01, 0.1, 1.0])


@pytest.fixture(scope="module")
def discs() -> torch.Tensor:
    """Pictures of discs of one radius, 6 samples."""
    pictures = il.noise_cohort("dead-leaves", 20, (60, 60), 1, smallest=0.1, largest=0.1)
    return torch.stack([one.image() for one in pictures])


@pytest.mark.parametrize("lag", [2, 5, 9])
def test_neighbours_share_a_leaf_as_often_as_the_model_says(discs: torch.Tensor, lag: int) -> None:
    """Discs of one radius R: a pair at distance h lies in one leaf with g(h) / (2 g(0) - g(h)), where g(h) is the area
    that two discs share whose centres are h apart."""
    radius = 6.0
    shared = 2 * radius**2 * math.acos(lag / (2 * radius)) - lag / 2 * math.sqrt(4 * radius**2 - lag**2)
    expected = shared / (2 * math.pi * radius**2 - shared)
    across = (discs[:, :, lag:] == discs[:, :, :-lag]).double().mean()
    down = (discs[:, lag:] == discs[:, :-lag]).double().mean()
    # Over other seeds they deviate by 0.004.
    assert float(across) == pytest.approx(expected, abs=0.03)
    assert float(down) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("shape", [(12, 60), (60, 12)])
def test_radii_are_shares_of_the_shortest_side(shape: tuple[int, int]) -> None:
    """No leaf of radius 3 spans more than 7 samples, and some spans all of them."""
    (picture,) = il.noise_cohort("dead-leaves", 1, shape, 1, smallest=0.25, largest=0.25)
    image = picture.image()[..., 0]
    spans = [
        int((places.max(0)[0] - places.min(0)[0]).max()) + 1
        for places in map(torch.nonzero, map(image.eq, image.unique()))
    ]
    assert max(spans) in (6, 7)


def test_leaves_are_flat_and_their_colours_uniform() -> None:
    pictures = il.noise_cohort("dead-leaves", 4, (48, 60))
    colours = torch.cat([one.values.unique(dim=0) for one in pictures]).double().numpy()
    samples = sum(len(one.values) for one in pictures)
    assert 300 < len(colours) < samples / 5
    for channel in colours.T:
        assert stats.kstest(channel, "uniform").pvalue > 1e-7


def test_a_single_disc_that_covers_all_leaves_one_colour() -> None:
    picture = il.noise_cohort("dead-leaves", 1, (6, 8), seed=2, smallest=200.0, largest=200.0)[0]
    assert len(picture.values.unique(dim=0)) == 1


def test_a_disc_is_round_and_later_ones_lie_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = iter([(0.5, 0.5, 0.1), (0.5, 0.6, 0.2), *(((i % 11) / 10, (i // 11) / 10, 0.9) for i in range(121))])

    def numbers(count: int, columns: int, **_: object) -> torch.Tensor:
        found = [(0.0, *next(rows, (0.5, 0.5, 0.9))) for _ in range(count)]
        return torch.tensor(found, dtype=torch.float64)

    monkeypatch.setattr("inrlens.signals.dead_leaves.torch.rand", numbers)
    image = DeadLeaves(0.2, 0.2).draw((21, 21), 1, torch.Generator())[:, :, 0]
    row, column = torch.meshgrid(torch.arange(21.0), torch.arange(21.0), indexing="ij")
    first = (row - 10) ** 2 + (column - 10) ** 2 <= 4.2**2
    second = ((row - 10) ** 2 + (column - (0.6 * 28.4 - 4.2)) ** 2 <= 4.2**2) & ~first
    assert torch.equal(image == 0.1, first)
    assert torch.equal(image == 0.2, second)
    assert bool((image[~first & ~second] == 0.9).all())


# In studies and on the command line


def test_every_noise_is_a_kind_of_data_and_has_no_files() -> None:
    kinds = [kind for kind in get_args(DataKind) if kind.startswith(NOISE)]
    assert kinds == [NOISE + name for name in NOISES]
    with pytest.raises(il.InputError, match="'noise:uniform' is drawn and has no files"):
        find_files("noise:uniform")


def test_a_study_draws_its_noise() -> None:
    spec = DataSpec("grain", "noise:gaussian", None, cohort=2, validation=1, test=3, split_seed=7, size=(6, 8))
    loaded = load_data(spec, "/nowhere")
    drawn = il.noise_cohort("gaussian", 6, (6, 8), seed=7)
    signals = loaded.cohort + loaded.validation + loaded.test
    assert [one.digest for one in signals] == [one.digest for one in drawn]
    assert [file.split for file in loaded.files] == ["cohort"] * 2 + ["validation"] + ["test"] * 3
    assert [file.sha256 for file in loaded.files] == [one.digest for one in drawn]


def test_a_cohort_of_noise_is_fitted_from_the_command_line(tmp_path: Path) -> None:
    arguments = ("--size", "6x8", "--limit", 3, "--steps", 2, "--seed", 5, "-o", tmp_path / "run", "--json")
    numbers = command.done("cohort", "noise:spectrum", *arguments).json
    assert [one["name"] for one in numbers["signals"]] == ["spectrum_00", "spectrum_01", "spectrum_02"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("noise:uniform",), "noise:uniform is drawn at any size: give one with --size"),
        (("noise:pink", "--size", "6x8"), "noise 'pink' is not known"),
        (
            ("noise:uniform", "--size", "6x8", "--pattern", "*.png"),
            "--pattern '*.png' has no meaning for noise:uniform",
        ),
    ],
)
def test_noise_that_is_asked_for_wrongly(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    assert words in command.refused("cohort", *arguments, "-o", tmp_path / "run")
