"""The linear maps of a state dict, checked and in one number type."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Inexact
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.importers.layouts import Layout
from inrlens.fields.importers.tensor_names import find, path_after, shown_as
from inrlens.fields.value_ranges import AXES, Span, ValueRanges
from inrlens.tensor_files import is_dense


@dataclass(frozen=True)
class LinearMap:
    """``W h + b``: weight ``(d_out, d_in)`` and bias ``(d_out,)``, real or complex, in double precision."""

    weight: Inexact[Tensor, "d_out d_in"]
    bias: Inexact[Tensor, " d_out"]


@dataclass(frozen=True)
class Maps:
    """What a state dict holds, in double precision: the layers' maps, one output's map for all signals, the settings
    that it holds (a tensor a map) and the stored frequencies. ``dtype`` is that of the field to come."""

    layers: tuple[LinearMap, ...]
    head: LinearMap
    heads: int
    held: Mapping[str, tuple[Tensor, ...]]
    frequencies: Tensor | None
    dtype: torch.dtype

    @property
    def width(self) -> int:
        """Units of every layer, complex ones counted once."""
        return int(self.layers[0].weight.shape[0])


def take_maps(source: str, layout: Layout, tensors: Mapping[str, Tensor], shown: Mapping[str, str]) -> Maps:
    """The maps of tensors that fit a layout; ``shown`` has the names under which ``source`` holds them.

    Raises:
        InputError: where a tensor is not dense, not of numbers, not finite, or of a shape that does not fit the others.
    """
    places = find(layout, tensors)
    double = any(tensor.dtype in (torch.float64, torch.complex128) for tensor in tensors.values())
    values = {name: _numbers(source, shown[name], tensor) for name, tensor in tensors.items()}

    def one(path: str) -> LinearMap:
        weight, name = values[f"{path}.weight"], shown[f"{path}.weight"]
        if weight.ndim != 2 or 0 in weight.shape:
            raise InputError(f"{source}: {name!r} has shape {tuple(weight.shape)}, where a matrix is needed.")
        bias = values.get(f"{path}.bias")
        if bias is not None and tuple(bias.shape) != (weight.shape[0],):
            raise InputError(
                f"{source}: {shown[f'{path}.bias']!r} has shape {tuple(bias.shape)}, its weight has "
                f"{weight.shape[0]} rows."
            )
        # A network without biases adds 0.
        return LinearMap(weight, torch.zeros_like(weight[:, 0]) if bias is None else bias)

    layers, outputs = [one(path) for path in places.layers], [one(path) for path in places.heads]
    _check_chain(
        source, [(shown[f"{path}.weight"], each.weight) for path, each in zip(places.layers, layers, strict=True)]
    )
    for path, each in zip(places.heads, outputs, strict=True):
        rows, wanted = tuple(each.weight.shape), (outputs[0].weight.shape[0], layers[-1].weight.shape[0])
        if rows != wanted:
            raise InputError(f"{source}: {shown[f'{path}.weight']!r} has shape {rows}, where {wanted} is needed.")
    _check_output(source, layout, places.heads[0], outputs[0].weight, shown)
    head = LinearMap(torch.cat([each.weight for each in outputs]), torch.cat([each.bias for each in outputs]))
    numbers = [layout.first + index * layout.step for index in range(len(layers) + 1)]
    held = {
        setting: tuple(values[name] for number in numbers if (name := template.replace("#", str(number))) in values)
        for setting, template in layout.held.items()
    }
    stored = None if layout.encoding is None else values.get(layout.encoding.frequencies)
    return Maps(tuple(layers), head, len(outputs), held, stored, torch.float64 if double else torch.float32)


def _check_output(
    source: str, layout: Layout, path: str, weight: Inexact[Tensor, "c d"], shown: Mapping[str, str]
) -> None:
    """Refuses an output that could as well be a layer: the file may have been cut before the output."""
    following = path_after(layout, path)
    if following is None or weight.shape[0] != weight.shape[1]:
        return
    width = weight.shape[0]
    raise InputError(
        f"{source}: the last map, {shown[f'{path}.weight']!r}, is {width} by {width} like a layer's, so the output, "
        f"{shown_as(f'{following}.weight', shown)!r}, seems to be missing: save the whole network, or il.wrap one that "
        f"gives {width} values."
    )


def _numbers(source: str, name: str, tensor: Tensor) -> Tensor:
    if tensor.is_quantized or not (tensor.is_floating_point() or tensor.is_complex()):
        raise InputError(
            f"{source}: {name!r} holds {tensor.dtype}, where a weight is real or complex: save the network as floating "
            "point numbers."
        )
    if not is_dense(tensor):
        raise InputError(
            f"{source}: {name!r}, {tuple(tensor.shape)} of {tensor.dtype}, does not hold its numbers in memory one by "
            "one: save a dense tensor."
        )
    wide = tensor.detach().to(torch.complex128 if tensor.is_complex() else torch.float64)
    if not bool(torch.isfinite(wide).all()):
        raise InputError(f"{source}: {name!r} holds NaN or infinite values, so no number from it would mean much.")
    return wide


def _check_chain(source: str, weights: list[tuple[str, Tensor]]) -> None:
    width = weights[0][1].shape[0]
    for name, weight in weights[1:]:
        if tuple(weight.shape) != (width, width):
            raise InputError(
                f"{source}: {name!r} has shape {tuple(weight.shape)}, where {(width, width)} is needed: all layers of "
                "a field have one width; a network of several is taken by il.wrap."
            )


def affine(spans: ValueRanges) -> tuple[Float[Tensor, "m m"], Float[Tensor, " m"]]:
    """``(A, t)`` of the network's coordinates ``A x + t`` from ours, x in [-1, 1] and in the order x, y, z, t."""
    assert not callable(spans.coordinates)
    count = len(spans.axes)
    matrix, shift = torch.zeros(count, count, dtype=torch.float64), torch.zeros(count, dtype=torch.float64)
    for row, (letter, (low, high)) in enumerate(zip(spans.axes, spans.coordinates, strict=True)):
        matrix[row, AXES.index(letter)] = (high - low) / 2.0
        shift[row] = (high + low) / 2.0
    return matrix, shift


def fold_coordinates(maps: Maps, matrix: Float[Tensor, "m m"], shift: Float[Tensor, " m"]) -> Maps:
    """``W (A x + t) + b = (W A) x + (W t + b)`` in layer 0."""
    first = maps.layers[0]
    matrix, shift = matrix.to(first.weight.dtype), shift.to(first.weight.dtype)
    folded = LinearMap(first.weight @ matrix, first.bias + first.weight @ shift)
    return replace(maps, layers=(folded, *maps.layers[1:]))


def fold_output(maps: Maps, output: Span) -> Maps:
    """``(W h + b - low) / (high - low)`` in the output."""
    low, high = output
    weight, bias = maps.head.weight / (high - low), (maps.head.bias - low) / (high - low)
    return replace(maps, head=LinearMap(weight, bias))
