"""Structural similarity, on values in [0, 1]."""

import torch
import torch.nn.functional as F
from torch import Tensor

from inrlens.arrays import ArrayLike, values_of
from inrlens.errors import InputError
from inrlens.metrics.shapes import check_same_shape

_SSIM_TAPS = 11
_SSIM_SIGMA = 1.5


def ssim(output: ArrayLike, target: ArrayLike) -> float:
    """Structural similarity after Wang et al. 2004, mean over windows and channels, output clamped to [0, 1].

    Both ``(h, w, c)``, tensors or what NumPy reads, as ``il.signal_from_array`` scales them.

    Gaussian window of 11 taps and standard deviation 1.5, population variances, data range 1, and only windows that
    lie wholly inside the image: scikit-image with ``gaussian_weights=True, use_sample_covariance=False``.

    Raises:
        InputError: where the shapes differ or a side is shorter than 11 pixels.
    """
    output, target = values_of("the output", output), values_of("the target", target)
    check_same_shape(output, target)
    if min(output.shape[:2]) < _SSIM_TAPS:
        raise InputError(f"SSIM needs sides of at least {_SSIM_TAPS} pixels, not {tuple(output.shape[:2])}.")
    x = output.double().clamp(0.0, 1.0).permute(2, 0, 1)[:, None]
    y = target.double().permute(2, 0, 1)[:, None]
    offsets = torch.arange(_SSIM_TAPS, dtype=torch.float64, device=x.device) - _SSIM_TAPS // 2
    taps = torch.exp(-0.5 * (offsets / _SSIM_SIGMA).square())
    taps /= taps.sum()

    def blur(image: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(image, taps.view(1, 1, -1, 1)), taps.view(1, 1, 1, -1))

    mean_x, mean_y = blur(x), blur(y)
    var_x = blur(x * x) - mean_x * mean_x
    var_y = blur(y * y) - mean_y * mean_y
    covariance = blur(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x.square() + mean_y.square() + c1) * (var_x + var_y + c2)
    )
    return float(similarity.mean())
