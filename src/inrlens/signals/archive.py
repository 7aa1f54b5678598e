"""Signals as a container: the exact values that a run was fitted to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inrlens.container import Container, read_container, write_container
from inrlens.errors import InputError
from inrlens.signals.audio import Recording
from inrlens.signals.signal import Signal

KIND = "signals"


def save_signals(path: str | Path, signals: Sequence[Signal]) -> None:
    """Writes signals to one ``.safetensors`` file, whole or not at all."""
    about = [_about(signal) for signal in signals]
    tensors = {f"values.{index}": signal.values for index, signal in enumerate(signals)}
    tensors |= {f"mask.{index}": signal.mask for index, signal in enumerate(signals) if signal.mask is not None}
    write_container(path, Container(KIND, {"signals": about}, tensors))


def load_signals(path: str | Path) -> list[Signal]:
    """Reads what ``save_signals`` wrote.

    Raises:
        InputError: where the file is missing, damaged, or holds something else.
    """
    container = read_container(path)
    if container.kind != KIND:
        raise InputError(f"{path} holds a {container.kind!r}, signals are needed here.")
    try:
        return [_signal(about, container, index) for index, about in enumerate(container.description["signals"])]
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise InputError(f"{path}: {error}") from error
        raise InputError(f"{path}: its description is damaged ({type(error).__name__}: {error}).") from error


def _about(signal: Signal) -> dict[str, Any]:
    about: dict[str, Any] = {"name": signal.name, "grid": list(signal.shape), "bit_depth": signal.bit_depth}
    if signal.affine is not None:
        about["affine"] = [list(row) for row in signal.affine]
    if isinstance(signal, Recording):
        about["rate"] = signal.rate
    return about


def _signal(about: dict[str, Any], container: Container, index: int) -> Signal:
    affine = about.get("affine")
    parts: dict[str, Any] = {
        "name": str(about["name"]),
        "values": container.tensors[f"values.{index}"],
        "shape": tuple(about["grid"]),
        "bit_depth": about["bit_depth"],
        "mask": container.tensors.get(f"mask.{index}"),
        "affine": None if affine is None else tuple(tuple(float(number) for number in row) for row in affine),
    }
    return Recording(**parts, rate=about["rate"]) if "rate" in about else Signal(**parts)
