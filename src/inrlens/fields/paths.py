"""Submodules by their path, and what to say where there is none."""

from collections.abc import Sequence
from difflib import get_close_matches

from torch import nn

from inrlens.errors import InputError

_NAMED = 4
"""Paths that a refusal names."""


def submodules(module: nn.Module, paths: Sequence[str]) -> list[nn.Module]:
    """The submodules of these paths, as ``module.named_modules()`` has them.

    Raises:
        InputError: where a path does not exist (the nearest ones are named), two name one submodule, or none is given;
            where ``module`` is no module.
    """
    if not isinstance(module, nn.Module):
        raise InputError(f"a torch.nn.Module is needed, not {module!r}: put what computes the values into one.")
    known = {path: child for path, child in module.named_modules(remove_duplicate=False) if path}
    some = ", ".join(repr(path) for path in list(known)[:_NAMED])
    if not known:
        raise InputError(f"this {type(module).__name__} has no submodules that could be layers: build it of some.")
    are_paths = (
        isinstance(paths, Sequence) and not isinstance(paths, str) and all(isinstance(one, str) for one in paths)
    )
    if not are_paths or not paths:
        raise InputError(f"layers must be a list of paths of submodules such as {some}, not {paths!r}.")
    found: dict[int, str] = {}
    for path in paths:
        if path not in known:
            near = get_close_matches(path, known, _NAMED, cutoff=0.5)
            which = f"the nearest are {', '.join(map(repr, near))}" if near else f"there are {some}"
            raise InputError(f"layer {path!r} does not exist in this {type(module).__name__}; {which}.")
        other = found.setdefault(id(known[path]), path)
        if other != path or list(paths).count(path) > 1:
            raise InputError(f"layers {other!r} and {path!r} are one submodule: name every layer once.")
    return [known[path] for path in paths]
