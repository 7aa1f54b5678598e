"""Anybody's network, as every analysis takes it."""

import copy
import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from jaxtyping import Float, Inexact
from torch import Tensor, nn

from inrlens.errors import InputError
from inrlens.fields.hooks import Seen, Tap, look, real_units, run_on, run_to
from inrlens.fields.inspection import Sight, example, inspect
from inrlens.fields.module_state import module_state, tensor_bytes
from inrlens.fields.network import Network, check_axes
from inrlens.fields.paths import submodules
from inrlens.fields.pointwise import check_repeatable, probes
from inrlens.fields.value_ranges import CoordinateMap, Span, ValueRanges, read_value_ranges

_ONE_PASS_AT_A_TIME = threading.RLock()


class Wrapped(Network):
    """A module from coordinates to channels, and the submodules whose outputs are its layers 0..L-1; made by ``wrap``.

    A layer's activations are the output of its submodule; where those are complex, d real parts, then d imaginary
    parts. The network runs on from edited activations by a whole forward pass in which they take that output's place,
    so that whatever else the module does, skip connections from the coordinates among it, stays exact.

    A layer's matrix is the weight of the one linear map (``torch.nn.functional.linear``, which ``nn.Linear`` calls)
    that runs in its submodule; where none does, of the one whose output that submodule takes as its input. A layer with
    no such map, or with several, has no matrix.
    """

    def __init__(
        self,
        module: nn.Module,
        taps: Mapping[str, Tap],
        spans: ValueRanges,
        sight: Sight,
        channels: int,
        grid: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.module = module
        self.layers = tuple(taps)
        self.spans = spans
        self.channels = channels
        self.grid = grid
        self._taps = list(taps.values())
        self._sight = sight

    @property
    def coordinates(self) -> int:
        """Number of coordinates m."""
        return len(self.spans.axes)

    @property
    def depth(self) -> int:
        """Number of layers L: those that were named."""
        return len(self.layers)

    @property
    def heads(self) -> int:
        """Number of signals M."""
        return self._sight.width // self.channels

    @property
    def device(self) -> torch.device:
        """Where the weights live."""
        return example(self.module).device

    @property
    def dtype(self) -> torch.dtype:
        """The weights' number type, that of their parts where they are complex."""
        return example(self.module).dtype

    @property
    def kind(self) -> str:
        """Always wrapped: how the network came to be is not known."""
        return "wrapped"

    def forward(self, x: Float[Tensor, "n m"]) -> Float[Tensor, "n mc"]:
        """The outputs ``(N, M*c)`` at coordinates ``x`` in [-1, 1], the module's output range mapped to [0, 1]."""
        with self._guard():
            return self.spans.leave(self.module(self.spans.enter(x)))

    def units(self, layer: int) -> int:
        """Units d of a layer, two for each complex one."""
        self.check_layer(layer)
        return self._sight.units[layer]

    @torch.no_grad()
    def matrix(self, layer: int) -> Inexact[Tensor, "d_out d_in"] | None:
        """The weight of the layer's one linear map, None where there is no one such map."""
        self.check_layer(layer)
        at_the_centre = torch.zeros(1, self.coordinates, dtype=self.dtype, device=self.device)
        one = _one_linear(self._look(at_the_centre)[layer])
        return None if one is None else one[0]

    def run_to(self, x: Float[Tensor, "n m"], layer: int) -> Float[Tensor, "n d"]:
        """The activations of a layer at coordinates ``x``; the pass ends there."""
        self.check_layer(layer)
        with self._guard():
            return run_to(self.module, self._taps[layer], self.spans.enter(x))

    def run_on(self, h: Float[Tensor, "n d"], x: Float[Tensor, "n m"], layer: int) -> Float[Tensor, "n mc"]:
        """The outputs at ``x`` with the activations of a layer replaced by ``h``: a whole forward pass."""
        self.check_layer(layer)
        with self._guard():
            return self.spans.leave(run_on(self.module, self._taps[layer], h, self.spans.enter(x)))

    def layer_values(
        self, x: Float[Tensor, "n m"]
    ) -> Iterator[tuple[Float[Tensor, "n d_pre"] | None, Float[Tensor, "n d"]]]:
        """Every layer's pre-activations, the output of its one linear map, and activations at ``x``."""
        for seen in self._look(x):
            one = _one_linear(seen)
            yield None if one is None else real_units(one[1]), real_units(seen.output)

    def chain(self, layer: int, head: int) -> None:
        """None: what follows a layer is known by running it alone."""
        self.check_layer(layer)

    def digest(self, layer: int) -> str:
        """SHA-256 of all tensors and settings in the module that passes leave as they are, of the coordinates it takes,
        and of the layer's path.

        Which part of the module a layer depends on is not known, so a change after the layer changes this too.
        """
        self.check_layer(layer)
        digest = hashlib.sha256(self.layers[layer].encode())
        for name, content in module_state(self.module):
            if name not in self._sight.passing:
                digest.update(name.encode() + b" " + content)
        some = probes(self.coordinates).to(self.device, self.dtype)
        digest.update(tensor_bytes(self.spans.enter(some)))
        return digest.hexdigest()

    def _look(self, x: Tensor) -> list[Seen]:
        with self._guard():
            return look(self.module, self._taps, self.spans.enter(x))[1]

    def _guard(self) -> AbstractContextManager[object]:
        return _ONE_PASS_AT_A_TIME if self._sight.keeps_state else nullcontext()


def wrap(
    module: nn.Module,
    layers: Sequence[str],
    *,
    axes: str = "xy",
    coordinates: Span | Sequence[Span] | CoordinateMap = (-1.0, 1.0),
    output: Span = (0.0, 1.0),
    channels: int | None = None,
    grid: tuple[int, ...] | None = None,
    tolerance: float | None = None,
) -> Wrapped:
    """Any pointwise module from coordinates ``(N, m)`` to channels ``(N, c)``, as every analysis takes it.

    The module is copied as it is, its mode too: later changes to it are not seen. ``Wrapped`` says what counts as a
    layer's activations and as its matrix.

    Args:
        module: anybody's network.
        layers: paths of the submodules whose outputs are the layers, in the order in which they run.
        axes: its coordinates in its own order: "xy" (x, along the last side of a grid, first), "yx", "x", "zyx", ...
        coordinates: the range that it expects where ours is [-1, 1], corner samples included: one for all axes, or one
            each in the order of ``axes``; or a function from ours ``(N, m)``, in that order, to what it takes.
        output: the range of its outputs that is mapped to [0, 1]: (-1.0, 1.0) for a network fitted on [-1, 1].
        channels: c; default: all that it gives. A module that gives M times as many has M heads.
        grid: the grid that is meant where an analysis is given none.
        tolerance: by how much of their largest value outputs may differ between rows together, permuted, split and
            alone, since products of other sizes round otherwise; default: 1e-7 where the module runs in float64, in
            which it is then tried, else 1e-4.

    Raises:
        InputError: where the module is of half precision; where a layer does not exist, is not called exactly once, or
            gives no matrix of one row a coordinate; where the module is not pointwise, is random, or gives values that
            are not finite; where a number is not allowed.
    """
    spans = read_value_ranges(axes, coordinates, output)
    if grid is not None:
        check_axes(len(axes), grid)
    if tolerance is not None and not 0.0 < tolerance < 1.0:
        raise InputError(f"tolerance must lie between 0 and 1, not {tolerance}.")
    submodules(module, layers)
    check_repeatable(module)
    module = _copied(module)
    try:
        taps = {path: Tap(layer) for path, layer in zip(layers, submodules(module, layers), strict=True)}
    except RuntimeError as error:
        raise InputError(
            f"this {type(module).__name__} cannot be looked into ({error}): give what it is compiled from."
        ) from error
    sight = inspect(module, taps, spans, tolerance)
    channels = sight.width if channels is None else channels
    if channels < 1 or sight.width % channels:
        raise InputError(f"channels must divide the {sight.width} outputs of this module, and {channels} does not.")
    return Wrapped(module, taps, spans, sight, channels, grid)


def _copied(module: nn.Module) -> nn.Module:
    # What weight norm derives from its parameters cannot be copied by itself, and is made anew in every pass.
    derived = [value for child in module.modules() for value in vars(child).values() if isinstance(value, Tensor)]
    known = {id(value): value.detach().clone() for value in derived if value.grad_fn is not None}
    try:
        return copy.deepcopy(module, known)
    except Exception as error:
        raise InputError(
            f"this {type(module).__name__} cannot be copied by copy.deepcopy ({type(error).__name__}: {error}): take "
            "what it holds besides parameters, buffers and settings out of it."
        ) from error


def _one_linear(seen: Seen) -> tuple[Tensor, Tensor] | None:
    """Weight and output of the one linear map of a layer, where there is one and its weight is a matrix."""
    return seen.linears[0] if len(seen.linears) == 1 and seen.linears[0][0].ndim == 2 else None
