"""Peak signal-to-noise ratio, on values in [0, 1]."""

import math

from jaxtyping import Float
from torch import Tensor

from inrlens.arrays import ArrayLike, values_of
from inrlens.metrics.shapes import check_same_shape


def psnr(output: ArrayLike, target: ArrayLike) -> float:
    """Peak signal-to-noise ratio in dB, ``-10 log10(mean((clamp(output, 0, 1) - target)^2))``; infinite for equality.

    Both ``(*any)``, tensors or what NumPy reads, as ``il.signal_from_array`` scales them.

    Raises:
        InputError: where the shapes differ (broadcasting would hide a mistake).
    """
    output, target = values_of("the output", output), values_of("the target", target)
    check_same_shape(output, target)
    error = output.double().clamp(0.0, 1.0) - target.double()
    return psnr_from_mse(float(error.square().mean()))


def psnr_from_mse(mse: float) -> float:
    """PSNR in dB of a mean squared error on values in [0, 1]."""
    if math.isnan(mse):
        return math.nan
    return math.inf if mse == 0.0 else -10.0 * math.log10(mse)


def psnrs_from_squared_error(squared: Float[Tensor, " mc"], rows: int, channels: int) -> tuple[float, ...]:
    """Each signal's PSNR in dB from squared errors ``(M*c,)`` summed over ``rows`` coordinates."""
    mses = squared.double().view(-1, channels).sum(1) / (rows * channels)
    return tuple(psnr_from_mse(float(mse)) for mse in mses)
