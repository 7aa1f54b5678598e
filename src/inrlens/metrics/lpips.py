"""Learned perceptual image patch similarity (LPIPS) v0.1 on AlexNet, on values in [0, 1]."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from inrlens.errors import InputError
from inrlens.metrics.lpips_weights import CONVOLUTIONS, HEADS, read_weights
from inrlens.metrics.shapes import check_same_shape

LEAST_SIDE = 31
"""Pixels: 31 leave 7 after the first convolution, 3 after the first pooling and 1 after the second; 30 leave none."""
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_EPSILON = 1e-10
_STRIDES, _PADDINGS, _POOLED = (4, 1, 1, 1, 1), (2, 2, 1, 1, 1), (False, True, True, False, False)


@dataclass(frozen=True, eq=False)
class Lpips:
    """The distance of Zhang et al. 2018, eq. 1, with its weights.

    Shapes: five ``kernels`` ``(out, in, height, width)`` and ``biases`` ``(out,)`` of AlexNet's convolutions, and five
    ``heads`` ``(1, out, 1, 1)``, none negative.
    """

    kernels: tuple[Float[Tensor, "_ _ _ _"], ...]
    biases: tuple[Float[Tensor, " _"], ...]
    heads: tuple[Float[Tensor, "1 _ 1 1"], ...]

    def distance(self, output: Float[Tensor, "h w c"], target: Float[Tensor, "h w c"]) -> float:
        """LPIPS of two pictures with values in [0, 1], output clamped; 0 for equality, NaN where the output holds one.

        Zhang et al. 2018, eq. 1: the activations after each of five ReLUs, scaled to unit length over channels, give
        squared differences; these are weighted by the heads, averaged over places and summed over the five. Grey
        pictures count as three equal channels. Computed in float32 where the weights are, one picture at a time, so
        that equal pictures have distance 0 and the order does not matter.

        Raises:
            InputError: where the shapes differ, channels are neither 1 nor 3, or a side is shorter than 31 pixels.
        """
        check_same_shape(output, target)
        height, width, channels = output.shape
        if channels not in (1, 3):
            raise InputError(f"LPIPS compares pictures of 1 or 3 channels, not {channels}.")
        if min(height, width) < LEAST_SIDE:
            raise InputError(f"LPIPS needs sides of at least {LEAST_SIDE} pixels, not {(height, width)}.")
        total = 0.0
        with torch.no_grad():
            taps = zip(self._taps(output.clamp(0.0, 1.0)), self._taps(target), self.heads, strict=True)
            for ours, theirs, head in taps:
                squared = (_unit(ours) - _unit(theirs)).square()
                total += float((squared * head).sum(1).double().mean())
        return total

    def _taps(self, picture: Float[Tensor, "h w c"]) -> list[Float[Tensor, "1 _ _ _"]]:
        """The activations after AlexNet's five ReLUs."""
        like = self.kernels[0]
        x = picture.to(like).expand(-1, -1, 3).permute(2, 0, 1)[None].contiguous()
        shift, scale = (like.new_tensor(values).view(1, 3, 1, 1) for values in (_SHIFT, _SCALE))
        x = (2.0 * x - 1.0 - shift) / scale
        taps = []
        layers = zip(self.kernels, self.biases, _STRIDES, _PADDINGS, _POOLED, strict=True)
        for kernel, bias, stride, padding, pooled in layers:
            if pooled:
                x = F.max_pool2d(x, kernel_size=3, stride=2)
            x = F.relu(F.conv2d(x, kernel, bias, stride, padding))
            taps.append(x)
        return taps


def load_lpips(path: str | Path) -> Lpips:
    """LPIPS with the weights of a ``.safetensors`` file of ours, or of a folder (see ``lpips_weights``).

    Raises:
        InputError: where the weights cannot be read or are not those of LPIPS v0.1 on AlexNet.
    """
    weights = read_weights(path)
    return Lpips(
        tuple(weights[f"{name}.weight"] for name in CONVOLUTIONS),
        tuple(weights[f"{name}.bias"] for name in CONVOLUTIONS),
        tuple(weights[name] for name in HEADS),
    )


def weights_digest(path: str | Path) -> str:
    """SHA-256 of the weights' names, shapes and numbers, the same in whichever form they are stored.

    Raises:
        InputError: as ``read_weights``.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(read_weights(path).items()):
        digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().numpy().astype("<f4").tobytes())
    return digest.hexdigest()


def _unit(x: Float[Tensor, "1 channels y x"]) -> Float[Tensor, "1 channels y x"]:
    return x / (x.square().sum(1, keepdim=True).sqrt() + _EPSILON)
