"""How near a picture that a network gives is to the signal that it was fitted to."""

from jaxtyping import Float
from torch import Tensor

from inrlens.errors import InputError
from inrlens.metrics import psnr
from inrlens.signals.signal import Signal


def signal_psnr(picture: Float[Tensor, "*grid c"], signal: Signal) -> float:
    """PSNR in dB of a picture on the signal's grid, clamped to [0, 1], over the samples that the signal uses.

    Raises:
        InputError: where the picture lies on another grid or has other channels.
    """
    if tuple(picture.shape) != (*signal.shape, signal.channels):
        raise InputError(
            f"a picture of shape {tuple(picture.shape)} is not on the grid of {signal.name!r}, {signal.shape} with "
            f"{signal.channels} channels: render it there."
        )
    used = signal.used
    return psnr(picture.reshape(-1, signal.channels)[used], signal.values[used].to(picture))
