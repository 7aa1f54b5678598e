"""Reading and replacing the output of a submodule within a forward pass.

A tap hangs on its submodule for good and does nothing unless the running thread's pass asks it to, so that threads
can take tiles of rows through one module at once.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field as with_default
from typing import Any

import torch
from jaxtyping import Float, Inexact
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class Action:
    """What a pass does where it enters and leaves a tapped submodule."""

    def enter(self, inputs: tuple[Any, ...]) -> None:
        """Called with the submodule's positional inputs."""

    def leave(self, output: Any) -> Any:
        """Called with its output; what is not None takes the output's place."""


_THREAD = threading.local()
"""``actions`` are those of the pass that runs on this thread, by tap."""


class Tap:
    """The two hooks of one submodule; it holds nothing, so that modules with taps can be copied."""

    def __init__(self, module: nn.Module) -> None:
        module.register_forward_pre_hook(self._enter)
        module.register_forward_hook(self._leave)

    def _enter(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        action = getattr(_THREAD, "actions", {}).get(self)
        if action is not None:
            action.enter(inputs)

    def _leave(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> Any:
        action = getattr(_THREAD, "actions", {}).get(self)
        return None if action is None else action.leave(output)


@contextmanager
def _acting(actions: Mapping[Tap, Action]) -> Iterator[None]:
    before = getattr(_THREAD, "actions", {})
    _THREAD.actions = actions
    try:
        yield
    finally:
        _THREAD.actions = before


def real_units(values: Inexact[Tensor, "n d"]) -> Float[Tensor, "n d2"]:
    """Complex units as pairs of real ones, d real parts, then d imaginary parts; real units as they are."""
    return torch.cat([values.real, values.imag], dim=1) if values.is_complex() else values


class _Reached(BaseException):
    """Ends a pass at the layer that it was to reach; no module's own ``except Exception`` stops it."""


class _Reach(Action):
    values: Tensor | None = None

    def leave(self, output: Any) -> Any:
        # What comes after may write into it, were it not for the end of the pass.
        self.values = real_units(output)
        raise _Reached


class _Replace(Action):
    def __init__(self, values: Tensor) -> None:
        self._values = values

    def leave(self, output: Any) -> Any:
        if output.is_complex():
            return torch.complex(*self._values.chunk(2, dim=1))
        # What comes after may write into it.
        return self._values.clone()


def run_to(module: nn.Module, tap: Tap, x: Float[Tensor, "n m"]) -> Float[Tensor, "n d"]:
    """The output of a tapped submodule at ``x``; the pass ends there."""
    reach = _Reach()
    with _acting({tap: reach}), suppress(_Reached):
        module(x)
    assert reach.values is not None
    return reach.values


def run_on(module: nn.Module, tap: Tap, h: Float[Tensor, "n d"], x: Float[Tensor, "n m"]) -> Tensor:
    """The module's output at ``x`` with ``h`` in place of a tapped submodule's output."""
    with _acting({tap: _Replace(h)}):
        out: Tensor = module(x)
    return out


@dataclass
class Seen:
    """One tapped submodule in a pass.

    ``calls``: how often it ran. ``output``: what it gave last. ``linears``: the weight and the output of every
    ``torch.nn.functional.linear`` (which ``nn.Linear`` calls) that ran in it, or else of the one whose output it took
    as its first input. ``place``: how many tapped submodules had ended before.
    """

    calls: int = 0
    output: Any = None
    linears: list[tuple[Tensor, Tensor]] = with_default(default_factory=list)
    place: int = -1


class _Linears(TorchFunctionMode):
    """Keeps weight, output and a copy of the output of every linear map: what comes after may write into it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[Tensor, Tensor, Tensor]] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if func is nn.functional.linear:
            weight = args[1] if len(args) > 1 else kwargs["weight"]
            self.found.append((weight, out, out.clone()))
        return out


class _Look(Action):
    def __init__(self, linears: _Linears, ended: list[Seen]) -> None:
        self.seen = Seen()
        self._linears = linears
        self._ended = ended
        self._start = 0
        self._inputs: tuple[Any, ...] = ()

    def enter(self, inputs: tuple[Any, ...]) -> None:
        self._start, self._inputs = len(self._linears.found), inputs

    def leave(self, output: Any) -> Any:
        seen, found = self.seen, self._linears.found
        seen.calls += 1
        # What comes after may write into it.
        seen.output = output.clone() if isinstance(output, Tensor) else output
        inside = found[self._start :]
        before = [one for one in found[: self._start] if self._inputs and one[1] is self._inputs[0]]
        seen.linears = [(weight, kept) for weight, _, kept in inside or before]
        seen.place = len(self._ended)
        self._ended.append(seen)


def look(module: nn.Module, taps: Sequence[Tap], x: Tensor) -> tuple[Any, list[Seen]]:
    """The module's output at ``x``, and what became of every tapped submodule on the way."""
    linears = _Linears()
    ended: list[Seen] = []
    actions: dict[Tap, _Look] = {tap: _Look(linears, ended) for tap in taps}
    with _acting(actions), linears:
        out = module(x)
    return out, [actions[tap].seen for tap in taps]
