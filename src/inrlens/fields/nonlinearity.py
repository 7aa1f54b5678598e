"""Nonlinearities with their derivatives written out, so that fitting needs no autograd."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Nonlinearity:
    """A function phi of one variable.

    ``value(v, out)`` writes phi(v); ``slope(v, h, out)`` writes phi'(v), given v and h = phi(v). ``out`` may be ``v``
    itself for the slope, so that a tile needs two buffers a layer and no more.
    """

    name: str
    value: Callable[[Tensor, Tensor | None], Tensor]
    slope: Callable[[Tensor, Tensor, Tensor], Tensor]


def _sine(v: Tensor, out: Tensor | None) -> Tensor:
    return torch.sin(v, out=out)


def _sine_slope(v: Tensor, h: Tensor, out: Tensor) -> Tensor:
    return torch.cos(v, out=out)


def _relu(v: Tensor, out: Tensor | None) -> Tensor:
    return torch.relu(v) if out is None else torch.clamp(v, min=0.0, out=out)


def _relu_slope(v: Tensor, h: Tensor, out: Tensor) -> Tensor:
    return torch.sign(h, out=out)


SINE = Nonlinearity("sine", _sine, _sine_slope)
RELU = Nonlinearity("relu", _relu, _relu_slope)
