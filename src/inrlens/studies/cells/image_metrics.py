"""How good a cell's picture is beside its PSNR: SSIM and LPIPS, where they are defined."""

from collections.abc import Sequence
from functools import lru_cache

from inrlens.errors import InputError
from inrlens.fields.field import Field
from inrlens.metrics import ssim
from inrlens.metrics.lpips import LEAST_SIDE as LPIPS_SIDE, Lpips, load_lpips, weights_digest
from inrlens.signals.signal import Signal

_SSIM_SIDE = 11


def image_metrics(
    field: Field, signal: Signal, metrics: Sequence[str], lpips: str | None, digest: str | None
) -> dict[str, float | None]:
    """``ssim`` and ``lpips`` of head 0 against its signal, output clamped to [0, 1].

    None for a metric that is not among ``metrics``, for a grid that is no picture or is too small, where a mask leaves
    samples out, which windows would see, and for LPIPS without the file of its weights or with other than 1 or 3
    channels. ``digest`` is that of the weights that the cell was planned with; None takes any.

    Raises:
        InputError: where the weights cannot be read or are others.
    """
    found: dict[str, float | None] = {"ssim": None, "lpips": None}
    if len(signal.shape) != 2 or signal.left_out:
        return found
    side = min(signal.shape)
    defined = {"ssim": side >= _SSIM_SIDE, "lpips": side >= LPIPS_SIDE and signal.channels in (1, 3)}
    if not any(defined[name] for name in found if name in metrics):
        return found
    output, target = field.render(0, signal.shape).cpu().clamp(0.0, 1.0), signal.image()
    if "ssim" in metrics and defined["ssim"]:
        found["ssim"] = ssim(output, target)
    if "lpips" in metrics and defined["lpips"] and lpips is not None:
        found["lpips"] = float(_lpips(lpips, digest).distance(output, target))
    return found


@lru_cache(maxsize=1)
def _lpips(path: str, digest: str | None) -> Lpips:
    if digest is not None and weights_digest(path) != digest:
        raise InputError(
            f"{path} does not hold the LPIPS weights that this cell was planned with: plan the study again."
        )
    return load_lpips(path)
