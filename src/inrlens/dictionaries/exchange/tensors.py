"""Tensors out of other libraries' files: what they must be, and the number type they get here."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.tensor_files import is_dense


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
