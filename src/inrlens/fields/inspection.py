"""A look at somebody's module before anything is computed with it: what it gives, and what no analysis could take."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from inrlens.errors import InputError
from inrlens.fields.hooks import Seen, Tap, look, real_units
from inrlens.fields.module_state import module_state
from inrlens.fields.pointwise import Outputs, check_pointwise, probes
from inrlens.fields.value_ranges import ValueRanges

_TOLERANCE = {torch.float64: 1e-7, torch.float32: 1e-4}
"""Well above what each number type rounds in a network of sines; the first is below what float32 could show."""


@dataclass(frozen=True)
class Sight:
    """What was seen: the width of the output, the units of every layer, two for each complex one, whether the module
    writes on itself in a pass, so that two threads would disturb each other, and the names of its module_state that are
    others after a pass over other coordinates."""

    width: int
    units: tuple[int, ...]
    keeps_state: bool
    passing: frozenset[str]


def example(module: nn.Module) -> Tensor:
    """The first parameter or buffer of real or complex numbers, which tells device and number type."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point() or tensor.is_complex():
            return tensor.real
    return torch.zeros(())


@torch.no_grad()
def inspect(module: nn.Module, taps: Mapping[str, Tap], spans: ValueRanges, tolerance: float | None) -> Sight:
    """Runs a module whose layers are tapped, by path; ``tolerance`` None is 1e-7 in float64, 1e-4 in float32.

    Raises:
        InputError: where it is of half precision or cannot be run; where a layer is not called once, in the order
            named, and for a matrix of one row a coordinate; where values are not finite; where it is not pointwise.
    """
    name = f"this {type(module).__name__}"
    like = example(module)
    _check_number_type(name, like)
    x = probes(len(spans.axes)).to(like.device, like.dtype)

    first = _outputs(module, taps, spans, x)
    for what, values in first.items():
        if not bool(torch.isfinite(values).all()):
            raise InputError(f"the {what} of {name} holds values that are not finite: mend its weights, or its input.")
    before, held = _state(module), dict(module_state(module))
    _outputs(module, taps, spans, x.flip(0))
    keeps_state = not _same(before, _state(module))
    after = dict(module_state(module))
    passing = frozenset(name for name in {**held, **after} if held.get(name) != after.get(name))
    exact = _in_float64(module, taps, spans, x)
    if tolerance is None:
        tolerance = _TOLERANCE[like.dtype if exact is None else torch.float64]
    check_pointwise(module, exact or (lambda rows: _outputs(module, taps, spans, rows)), x, tolerance)
    width, *units = (int(values.shape[1]) for values in first.values())
    return Sight(width, tuple(units), keeps_state, passing)


def _check_number_type(name: str, like: Tensor) -> None:
    if like.device.type == "meta":
        raise InputError(f"{name} lies on the device meta, without values: load its weights first.")
    if like.dtype not in _TOLERANCE:
        raise InputError(
            f"{name} is of {like.dtype}, and dictionaries and effects need float32 or float64: call module.float()."
        )


def _outputs(module: nn.Module, taps: Mapping[str, Tap], spans: ValueRanges, x: Tensor) -> dict[str, Tensor]:
    """The output and every layer's activations at ``x``, by name."""
    name = f"this {type(module).__name__}"
    try:
        out, seen = look(module, list(taps.values()), spans.enter(x))
    except Exception as error:
        raise InputError(
            f"{name} cannot be run on {x.shape[0]} coordinates {spans.axes} ({type(error).__name__}: {error}): name "
            f"its axes, or put it into a module that takes (N, {x.shape[1]})."
        ) from error
    return _matrices(dict(zip(taps, seen, strict=True)), out, x.shape[0], name)


def _in_float64(module: nn.Module, taps: Mapping[str, Tap], spans: ValueRanges, x: Tensor) -> Outputs | None:
    """A copy in float64, None where it does not run there.

    Sines of high frequency magnify rounding from layer to layer: in float32 a pointwise network may seem to be none.
    """
    twin, its_taps = copy.deepcopy((module, dict(taps)))
    exact: Outputs = lambda rows: _outputs(twin, its_taps, spans, rows.double())  # noqa: E731
    try:
        twin.double()
        # module.double() leaves complex numbers as they are.
        for values in (*twin.parameters(), *twin.buffers()):
            values.data = values.data.to(torch.complex128) if values.is_complex() else values.data
        exact(x)
    except Exception:
        return None
    return exact


def _matrices(seen: Mapping[str, Seen], out: Any, rows: int, name: str) -> dict[str, Tensor]:
    """The output and every layer's activations by name, checked to be matrices of one row a coordinate."""
    for path, layer in seen.items():
        if layer.calls != 1:
            how = "is never called" if layer.calls == 0 else f"is called {layer.calls} times"
            raise InputError(f"layer {path!r} {how} in a forward pass of {name}: name submodules that it calls once.")
    order = sorted(seen, key=lambda path: seen[path].place)
    if order != list(seen):
        raise InputError(f"layers must be named in the order in which they run, {order}, not {list(seen)}.")
    values = {"output": out, **{f"layer {path!r}": layer.output for path, layer in seen.items()}}
    for what, value in values.items():
        shape = f"of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
        if not isinstance(value, Tensor) or value.ndim != 2 or value.shape[0] != rows or value.shape[1] == 0:
            raise InputError(
                f"the {what} of {name} at {rows} coordinates is {shape}, where ({rows}, width) is needed: name another "
                "layer, or put the module into one that reshapes."
            )
        if not (value.is_floating_point() or (value.is_complex() and value is not out)):
            raise InputError(
                f"the {what} of {name} is of {value.dtype}, where real numbers are needed: take their part."
            )
    return {what: real_units(value) for what, value in values.items()}


_State = list[tuple[Any, int]]


def _state(module: nn.Module) -> _State:
    """Everything that the module and its submodules hold, each with a number that grows as it is written into."""
    held: list[Any] = [*module.parameters(), *module.buffers()]
    for child in module.modules():
        held += vars(child).values()
    return [(value, _version(value)) for value in held]


def _version(value: Any) -> int:
    if isinstance(value, Tensor):
        return value._version
    return len(value) if isinstance(value, list | dict | set) else 0


def _same(one: _State, other: _State) -> bool:
    return len(one) == len(other) and all(
        mine is theirs and before == after for (mine, before), (theirs, after) in zip(one, other, strict=True)
    )
