"""Tensors out of other libraries' files: what they must be, and the number type they get here."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from inrlens.errors import InputError


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file.

    Raises:
        InputError: where it is missing, cut short or no such file.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist or is no file.")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(f"{path} is no safetensors file, or it is cut short or damaged ({error}).") from error
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.") from error


def parameters(path: Path, found: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """The tensors named in ``shapes``, all float64 where one of them is, else float32, which holds half types exactly.

    Raises:
        InputError: where one is missing, left over, of another shape, not finite, or no plain floating-point tensor.
    """
    for name in found:
        if name not in shapes:
            raise InputError(
                f"{path}: tensor {name!r} is no part of a TopK dictionary, so its meaning is not known here."
            )
    for name, shape in shapes.items():
        if name not in found:
            raise InputError(f"{path}: tensor {name!r} is missing.")
        if not is_dense(found[name]) or not found[name].is_floating_point():
            raise InputError(f"{path}: {name!r} is no plain tensor of floating-point numbers.")
        if tuple(found[name].shape) != shape:
            raise InputError(
                f"{path}: tensor {name!r} has shape {tuple(found[name].shape)}, the configuration says {shape}."
            )
        if not bool(torch.isfinite(found[name].to(torch.float64)).all()):
            raise InputError(f"{path}: tensor {name!r} holds NaN or infinite values, so no code would mean much.")
    double = any(found[name].dtype == torch.float64 for name in shapes)
    dtype = torch.float64 if double else torch.float32
    return {name: found[name].detach().to(dtype).contiguous() for name in shapes}


def is_dense(value: Any) -> bool:
    """Whether it is a tensor whose numbers all lie in memory, which files may also say of sparse or empty ones."""
    return isinstance(value, Tensor) and value.layout == torch.strided and value.device.type == "cpu"
