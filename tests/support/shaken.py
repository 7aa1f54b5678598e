"""The tests as they would run elsewhere: with numbers that another rounding moved, or with other random draws.

``pytest --shake rounding`` multiplies every weight that a field starts with, and every toy signal, by 1 + 1e-6 noise:
what another vector width or thread count may do to a training, and more. ``pytest --shake seeds`` takes all random
streams from other seeds. A test that fails under either holds by chance.
"""

import sys
from collections.abc import Callable
from typing import Any

import torch

import inrlens as il
import toys
from inrlens import seeding
from inrlens.fields.field import Field

KINDS = ("rounding", "seeds")
NOISE = 1e-6
_OTHER = 7919
"""What is added to the seeds of the tests' draws; the package's streams get a word of their own instead."""


def shake(kind: str | None) -> None:
    """Shakes this process's tests in one of ``KINDS``, once; ``None`` leaves them as they are."""
    if kind == "rounding":
        start, signal = Field.new, toys.signal
        Field.new = classmethod(lambda cls, *a, **k: _moved_field(start(*a, **k)))  # type: ignore[assignment, method-assign]
        _replace(toys, "signal", lambda *a, **k: _moved_signal(signal(*a, **k)))
    elif kind == "seeds":
        stream, draws = seeding.generator, toys.generator
        _replace(seeding, "generator", lambda seed, *purpose: stream(seed, *purpose, "shaken"))
        _replace(toys, "generator", lambda seed=0: draws(seed + _OTHER))


def _replace(module: Any, name: str, function: Callable[..., Any]) -> None:
    """Gives ``module.name`` another function, in every module that has imported it by name, too."""
    before = getattr(module, name)
    for loaded in list(sys.modules.values()):
        if getattr(loaded, "__dict__", {}).get(name) is before:
            setattr(loaded, name, function)


def _noise(like: torch.Tensor) -> torch.Tensor:
    draws = torch.Generator().manual_seed(like.numel())
    return 1.0 + NOISE * torch.randn(like.shape, generator=draws, dtype=torch.float64)


@torch.no_grad()
def _moved_field(field: Field) -> Field:
    for weight in field.parameters():
        weight.copy_((weight * _noise(weight)).to(weight.dtype))
    return field


def _moved_signal(signal: il.Signal) -> il.Signal:
    values = (signal.values * _noise(signal.values)).clamp(0.0, 1.0).to(signal.values.dtype)
    return il.Signal(signal.name, values, signal.shape)
