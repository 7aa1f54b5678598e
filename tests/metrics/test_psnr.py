"""PSNR and SSIM against closed forms and scikit-image."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import inrlens as il
import toys
from inrlens.metrics import psnr_from_mse, psnrs_from_squared_error


def _pair(seed: int, height: int, width: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    draws = np.random.default_rng(seed)
    target = draws.random((height, width, channels), dtype=np.float32)
    output = target + draws.normal(0.0, 0.3, target.shape).astype(np.float32)
    return torch.from_numpy(output), torch.from_numpy(target)


@given(st.integers(0, 99), st.integers(11, 24), st.integers(11, 24), st.sampled_from([1, 3]))
def test_both_equal_scikit_image_on_the_clamped_output(seed: int, height: int, width: int, channels: int) -> None:
    output, target = _pair(seed, height, width, channels)
    clamped = output.clamp(0.0, 1.0).double().numpy()
    exact = target.double().numpy()
    assert il.psnr(output, target) == pytest.approx(peak_signal_noise_ratio(exact, clamped, data_range=1.0), abs=1e-6)
    expected = structural_similarity(
        exact,
        clamped,
        data_range=1.0,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert il.ssim(output, target) == pytest.approx(expected, abs=1e-6)


def test_psnr_of_a_known_error() -> None:
    assert il.psnr(torch.full((10, 3), 0.6), torch.full((10, 3), 0.5)) == pytest.approx(20.0, abs=1e-5)
    assert il.psnr(torch.full((4,), 7.0), torch.ones(4)) == math.inf
    assert il.psnr(torch.full((4,), -7.0), torch.ones(4)) == 0.0
    assert math.isnan(psnr_from_mse(math.nan))


def test_ssim_of_equal_images_is_one_and_of_the_negative_is_below_zero() -> None:
    _, target = _pair(0, 16, 20, 3)
    assert il.ssim(target, target) == pytest.approx(1.0, abs=1e-12)
    assert il.ssim(1.0 - target, target) < 0.0


def test_shapes_never_broadcast() -> None:
    for measure in (il.psnr, il.ssim):
        with pytest.raises(il.InputError, match=r"output \(16, 16, 1\) and target \(16, 16, 3\) must have the same"):
            toys.unchecked(measure)(torch.zeros(16, 16, 1), torch.zeros(16, 16, 3))


def test_ssim_needs_room_for_its_window() -> None:
    with pytest.raises(il.InputError, match=r"SSIM needs sides of at least 11 pixels, not \(10, 40\)"):
        il.ssim(torch.zeros(10, 40, 3), torch.zeros(10, 40, 3))


@given(st.integers(0, 99), st.integers(1, 4), st.sampled_from([1, 2, 3]))
def test_the_psnrs_of_many_signals_are_those_of_each(seed: int, signals: int, channels: int) -> None:
    """Columns j c to j c + c - 1 belong to signal j."""
    draws = toys.generator(seed)
    output, target = torch.rand(2, 7, signals * channels, generator=draws, dtype=torch.float64)
    found = psnrs_from_squared_error((output - target).square().sum(0), 7, channels)
    parts = [slice(j * channels, (j + 1) * channels) for j in range(signals)]
    assert found == pytest.approx([il.psnr(output[:, part], target[:, part]) for part in parts])
