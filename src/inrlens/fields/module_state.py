"""Everything that decides what a module computes and that it holds: its tensors, and its settings told as text."""

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from types import CodeType, FunctionType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_OF_EVERY_MODULE = frozenset(vars(nn.Module()))
_PLAIN = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device, np.generic)
_DEPTH = 6
"""How deep settings within settings are followed; some hold themselves."""


def module_state(module: nn.Module) -> Iterator[tuple[str, bytes]]:
    """Name and content of every parameter, buffer and setting of a module and of its submodules.

    Settings are what stands on a module besides what ``torch.nn.Module`` puts there: numbers, texts, functions, tensors
    and what is made of them. Of other objects the type alone is told.
    """
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        yield name, tensor_bytes(tensor)
    for path, child in module.named_modules():
        for name, value in vars(child).items():
            if name not in _OF_EVERY_MODULE:
                yield f"{path}.{name}", _told(value, _DEPTH)


def tensor_bytes(tensor: Tensor) -> bytes:
    """Number type, shape and values of a tensor."""
    values = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return f"{tensor.dtype} {tuple(tensor.shape)} ".encode() + values


def _told(value: Any, depth: int) -> bytes:
    if isinstance(value, _PLAIN):
        return repr(value).encode()
    if isinstance(value, Tensor):
        return tensor_bytes(value)
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} ".encode() + value.tobytes()
    kind = type(value).__qualname__.encode()
    if depth == 0:
        return kind
    parts: list[Any] = []
    if isinstance(value, FunctionType):
        parts = [value.__module__, value.__qualname__, value.__code__, value.__defaults__]
        parts += [cell.cell_contents for cell in value.__closure__ or ()]
    elif isinstance(value, CodeType):
        parts = [value.co_code, value.co_names, value.co_consts]
    elif isinstance(value, partial):
        parts = [value.func, value.args, value.keywords]
    elif isinstance(value, Mapping):
        parts = [part for item in value.items() for part in item]
    elif isinstance(value, Set):
        return kind + b"{" + b",".join(sorted(_told(part, depth - 1) for part in value)) + b"}"
    elif isinstance(value, Sequence):
        parts = list(value)
    elif callable(value) and not isinstance(value, nn.Module):
        parts = [getattr(value, "__module__", None), getattr(value, "__qualname__", None)]
    return kind + b"(" + b",".join(_told(part, depth - 1) for part in parts) + b")"
