"""The state dict inside what a file holds: training scripts put it beside much else."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from inrlens.errors import InputError

_USED = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "params")
"""Under which names scripts keep it, the surest first; ``model_state`` is FINER's."""


def state_dict_in(source: str, content: Any) -> dict[str, Tensor]:
    """The tensors by name in what a file holds, plain numbers and words beside them left aside, or in one entry of it.

    Raises:
        InputError: where there are none, or several that could be meant.
    """
    if _is_state_dict(content):
        return dict(content)
    if not isinstance(content, Mapping):
        raise InputError(f"{source} holds a {type(content).__name__}, no tensors by name: save a state_dict.")
    found = [name for name, value in content.items() if isinstance(name, str) and _is_state_dict(value)]
    known = [name for name in _USED if name in found]
    if known or len(found) == 1:
        return dict(content[(known or found)[0]])
    tensors = {name: value for name, value in content.items() if isinstance(value, Tensor)}
    if tensors and not found:
        beside = [name for name, value in content.items() if not isinstance(value, Tensor | int | float | str | None)]
        if beside or not _is_state_dict(tensors):
            odd = (beside or [name for name in tensors if not isinstance(name, str)])[0]
            raise InputError(f"{source} holds {odd!r} beside its tensors by name: save the state_dict by itself.")
        return tensors
    entries = ", ".join(f"{name!r}" for name in list(content)[:6]) or "nothing"
    if found:
        raise InputError(
            f"{source} holds several state dicts ({', '.join(map(repr, found))}): save the one that is meant by itself."
        )
    raise InputError(f"{source} holds no state dict, neither itself nor in an entry ({entries}): save one.")


def _is_state_dict(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and all(isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in value.items())
    )
