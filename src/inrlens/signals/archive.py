"""Signals as a container: the exact values that a run was fitted to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inrlens.container import Container, read_container, write_container
from inrlens.errors import InputError
from inrlens.signals.affine import affine_of
from inrlens.signals.audio import Recording
from inrlens.signals.signal import Signal

KIND = "signals"


def save_signals(signals: Sequence[Signal], path: str | Path, force: bool = False) -> None:
    """Writes signals to one ``.safetensors`` file, whole or not at all; ``force`` replaces one that is there."""
    about = [describe(signal) for signal in signals]
    tensors = {f"values.{index}": signal.values for index, signal in enumerate(signals)}
    tensors |= {f"mask.{index}": signal.mask for index, signal in enumerate(signals) if signal.mask is not None}
    write_container(path, Container(KIND, {"signals": about}, tensors), force)


def load_signals(path: str | Path) -> list[Signal]:
    """Reads what ``save_signals`` wrote.

    Raises:
        InputError: where the file is missing, damaged, or holds something else.
    """
    container = read_container(path)
    if container.kind != KIND:
        raise InputError(f"{path} holds a {container.kind!r}, signals are needed here.")
    tensors = container.tensors
    try:
        return [
            described(about, about["grid"], tensors[f"values.{index}"], tensors.get(f"mask.{index}"))
            for index, about in enumerate(container.description["signals"])
        ]
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise InputError(f"{path}: {error}") from error
        raise InputError(f"{path}: its description is damaged ({type(error).__name__}: {error}).") from error


def describe(signal: Signal) -> dict[str, Any]:
    """What a signal is beside its values and mask, for a file's description."""
    about: dict[str, Any] = {"name": signal.name, "grid": list(signal.shape), "bit_depth": signal.bit_depth}
    if signal.affine is not None:
        about["affine"] = [list(row) for row in signal.affine]
    if isinstance(signal, Recording):
        about["rate"] = signal.rate
    return about


def described(about: dict[str, Any], grid: Sequence[int], values: Tensor, mask: Tensor | None) -> Signal:
    """The signal that ``describe`` told of, on its grid.

    Raises:
        InputError: where its parts do not suit one another.
        KeyError, TypeError, ValueError: where the description is damaged.
    """
    affine = about.get("affine")
    parts: dict[str, Any] = {
        "name": str(about["name"]),
        "values": values,
        "shape": tuple(_whole(side) for side in grid),
        "bit_depth": _whole(about["bit_depth"]),
        "mask": mask,
        "affine": None if affine is None else affine_of(affine),
    }
    if mask is not None and mask.dtype != torch.bool:
        raise TypeError(f"a mask of {mask.dtype}")
    return Recording(**parts, rate=_whole(about["rate"])) if "rate" in about else Signal(**parts)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value
