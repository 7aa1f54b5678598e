"""Nonlinearities with their derivatives written out, so that fitting needs no autograd."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Nonlinearity:
    """A function phi of each unit (``complex_gabor``: of each pair of units) and, for fast fits, its derivative.

    ``value(v, None)`` gives phi(v) and can be differentiated; ``value(v, out)`` writes phi(v) into ``out``, which may
    be ``v``, and is where phi keeps its output alone. ``pull_back(grad, v, h)`` multiplies ``grad`` by phi'(v) in place
    (a row of it by phi's transposed Jacobian); v and ``h = phi(v)`` may be overwritten, and are one tensor, phi(v),
    where ``keeps`` says ``output``. Without ``pull_back``, fitting takes autograd. ``name`` and ``parameters`` say
    which function it is to whoever runs the network elsewhere.
    """

    name: str
    value: Callable[[Tensor, Tensor | None], Tensor]
    pull_back: Callable[[Tensor, Tensor, Tensor], None] | None = None
    keeps: Literal["input", "output"] = "input"
    parameters: Mapping[str, float] = field(default_factory=dict)


def _sine(v: Tensor, out: Tensor | None) -> Tensor:
    if out is None or v.device.type != "cpu":
        return torch.sin(v, out=out)
    # On a CPU, numpy's vectorised sine, cosine and exp take about half the time of torch's, within the same error.
    np.sin(v.numpy(), out=out.numpy())
    return out


def _cosine(v: Tensor, out: Tensor) -> Tensor:
    if v.device.type != "cpu":
        return torch.cos(v, out=out)
    np.cos(v.numpy(), out=out.numpy())
    return out


def _exp(v: Tensor) -> Tensor:
    if v.device.type != "cpu":
        return v.exp_()
    np.exp(v.numpy(), out=v.numpy())
    return v


def _sine_pull_back(grad: Tensor, v: Tensor, h: Tensor) -> None:
    grad.mul_(_cosine(v, v))


def _relu(v: Tensor, out: Tensor | None) -> Tensor:
    return torch.relu(v) if out is None else torch.clamp(v, min=0.0, out=out)


def _relu_pull_back(grad: Tensor, v: Tensor, h: Tensor) -> None:
    torch.ops.aten.threshold_backward.grad_input(grad, h, 0.0, grad_input=grad)


def _gauss(v: Tensor, out: Tensor | None) -> Tensor:
    return torch.exp(-v.square()) if out is None else _exp(torch.square(v, out=out).neg_())


def _gauss_pull_back(grad: Tensor, v: Tensor, h: Tensor) -> None:
    grad.mul_(h.mul_(v).mul_(-2.0))


def _finer(omega: float, v: Tensor, out: Tensor | None) -> Tensor:
    phase = torch.addcmul(v, v, v.abs(), value=1.0 / omega, out=out)
    return torch.sin(phase) if out is None else _sine(phase, phase)


def _finer_pull_back(omega: float, grad: Tensor, v: Tensor, h: Tensor) -> None:
    # The derivative is even in v, so that |v| may take v's place and no third buffer is needed.
    grad.addcmul_(grad, v.abs_(), value=2.0 / omega)
    v.addcmul_(v, v, value=1.0 / omega)
    grad.mul_(_cosine(v, v))


def _gabor(ratio: float, v: Tensor, out: Tensor | None) -> Tensor:
    if out is None:
        return torch.cos(v) * torch.exp(-(ratio * v).square())
    bell = _exp(torch.square(v).mul_(-(ratio**2)))
    return _cosine(v, out).mul_(bell)


def _gabor_pull_back(ratio: float, grad: Tensor, v: Tensor, h: Tensor) -> None:
    # phi'(v) = -(sin(v) e + 2 ratio^2 v h), where e is the bell.
    h.mul_(v).mul_(2.0 * ratio**2)
    wave = _sine(v, torch.empty_like(v))
    grad.mul_(h.addcmul_(wave, _exp(v.square_().mul_(-(ratio**2)))).neg_())


def _complex_gabor(ratio: float, v: Tensor, out: Tensor | None) -> Tensor:
    x, y = v.chunk(2, dim=-1)
    if out is None:
        size = torch.exp(-y - ratio**2 * (x.square() + y.square()))
        return torch.cat([size * torch.cos(x), size * torch.sin(x)], dim=-1)
    real, imaginary = out.chunk(2, dim=-1)
    # out may be v.
    size, wave = _exp(x.square().addcmul_(y, y).mul_(-(ratio**2)).sub_(y)), _sine(x, torch.empty_like(x))
    _cosine(x, real).mul_(size)
    torch.mul(wave, size, out=imaginary)
    return out


def _complex_gabor_pull_back(ratio: float, grad: Tensor, v: Tensor, h: Tensor) -> None:
    # |h| falls by 2 ratio^2 x along x and by 1 + 2 ratio^2 y along y, in parts of itself; its phase is x.
    (a, b), (x, y), (real, imaginary) = (pair.chunk(2, dim=-1) for pair in (grad, v, h))
    across = torch.mul(b, real).addcmul_(a, imaginary, value=-1.0)
    along = real.mul_(a).addcmul_(imaginary, b)
    torch.addcmul(across, x, along, value=-2.0 * ratio**2, out=a)
    torch.mul(y.mul_(-2.0 * ratio**2).sub_(1.0), along, out=b)


SINE = Nonlinearity("sine", _sine, _sine_pull_back)
RELU = Nonlinearity("relu", _relu, _relu_pull_back, keeps="output")
GAUSS = Nonlinearity("gauss", _gauss, _gauss_pull_back)
"""``exp(-v^2)``."""


def finer(omega: float) -> Nonlinearity:
    """``sin((|v| / omega + 1) v)``: ``sin(omega (|u| + 1) u)`` for ``v = omega u`` (FINER, Liu et al. 2024).

    Its derivative is ``cos((|v| / omega + 1) v) (2 |v| / omega + 1)``.
    """
    return Nonlinearity(
        "finer", partial(_finer, omega), partial(_finer_pull_back, omega), parameters={"omega": float(omega)}
    )


def gabor(ratio: float) -> Nonlinearity:
    """``cos(v) exp(-(ratio v)^2)``: ``cos(omega u) exp(-(s u)^2)`` for ``v = omega u``, ``ratio = s / omega``."""
    return Nonlinearity(
        "gabor", partial(_gabor, ratio), partial(_gabor_pull_back, ratio), parameters={"ratio": float(ratio)}
    )


def complex_gabor(ratio: float) -> Nonlinearity:
    """``exp(i v - |ratio v|^2)`` of complex v: ``exp(i omega z - |s z|^2)`` for ``v = omega z``, ``ratio = s / omega``
    (WIRE, Saragadam et al. 2023).

    A row holds d real parts, then d imaginary parts, before and after. It is not holomorphic: its derivative is that of
    two real functions of the two parts.
    """
    return Nonlinearity(
        "complex gabor",
        partial(_complex_gabor, ratio),
        partial(_complex_gabor_pull_back, ratio),
        parameters={"ratio": float(ratio)},
    )
