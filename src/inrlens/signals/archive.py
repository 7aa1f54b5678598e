"""Signals as a container: the exact values that a run was fitted to."""

from collections.abc import Sequence
from pathlib import Path

from inrlens.container import Container, read_container, write_container
from inrlens.errors import InputError
from inrlens.signals.signal import Signal

KIND = "signals"


def save_signals(path: str | Path, signals: Sequence[Signal]) -> None:
    """Writes signals to one ``.safetensors`` file, whole or not at all."""
    about = [{"name": signal.name, "grid": list(signal.shape), "bit_depth": signal.bit_depth} for signal in signals]
    tensors = {f"values.{index}": signal.values for index, signal in enumerate(signals)}
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
        return [
            Signal(str(about["name"]), container.tensors[f"values.{index}"], tuple(about["grid"]), about["bit_depth"])
            for index, about in enumerate(container.description["signals"])
        ]
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: its description is damaged ({type(error).__name__}: {error}).") from error
