"""From folded linear maps to a field."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.backbone import make_backbone
from inrlens.fields.field import Field
from inrlens.fields.importers.layouts import Layout
from inrlens.fields.importers.maps import LinearMap, Maps
from inrlens.signals.signal import coordinates

Numbers = tuple[float, ...]
_SIDES = 4
"""Samples an axis at which an imported field must be finite."""


def held_settings(source: str, layout: Layout, maps: Maps) -> tuple[Maps, dict[str, Numbers]]:
    """The settings that the file holds, one number a layer, and maps that have taken up what differs from unit to unit.

    ``sin(o_j (w_j h + b_j))`` with an omega a unit is ``sin(o (W' h + b'))`` with rows ``o_j / o`` times as large.

    Raises:
        InputError: where a tensor holds several numbers and the backbone is no SIREN.
    """
    layers, head = list(maps.layers), maps.head
    settings: dict[str, Numbers] = {}
    for setting, tensors in maps.held.items():
        numbers: list[float] = []
        for index, tensor in enumerate(tensors):
            # |s z|^2 is even in s, and a scale that was learned may have crossed 0.
            values = tensor.flatten().abs() if setting == "scale" else tensor.flatten()
            if index == len(layers):
                head = _scaled(source, head, values)
                continue
            one = float(values.mean())
            if bool((values != values[0]).any()):
                if layout.backbone != "siren":
                    raise InputError(f"{source}: layer {index} holds {values.numel()} different values of {setting}.")
                layers[index] = _scaled(source, layers[index], values / one)
            else:
                one = float(values[0])
            numbers.append(one)
        settings[setting] = tuple(numbers)
    return replace(maps, layers=tuple(layers), head=head), settings


def build(source: str, layout: Layout, maps: Maps, settings: Mapping[str, Any], grid: tuple[int, ...] | None) -> Field:
    """The field of maps whose coordinates, values and encoding are ours.

    Raises:
        InputError: where a number is not allowed, real and complex maps are mixed as no backbone mixes them, or the
            field's numbers leave the range of their type.
    """
    complex_units = layout.backbone == "wire"
    kinds = [each.weight.is_complex() for each in (*maps.layers, maps.head)]
    if kinds != [complex_units and index > 0 for index in range(len(kinds))]:
        raise InputError(
            f"{source}: from the first layer to the output its weights are "
            f"{', '.join('complex' if kind else 'real' for kind in kinds)}, which layout {layout.name!r} is not."
        )
    width = maps.width * (2 if complex_units else 1)
    axes = maps.layers[0].weight.shape[1] if maps.frequencies is None else maps.frequencies.shape[1]
    sizes = {"coordinates": int(axes), "width": width, "depth": len(maps.layers)}
    try:
        backbone = make_backbone(layout.backbone, **sizes, **settings)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    channels = maps.head.weight.shape[0] // maps.heads
    field = Field.new(backbone, heads=maps.heads, channels=channels, grid=grid).to(maps.dtype)
    state = _complex_state(maps) if complex_units else _real_state(maps)
    field.load_state_dict({name: tensor.to(maps.dtype) for name, tensor in state.items()})
    for name, tensor in field.state_dict().items():
        if not bool(torch.isfinite(tensor).all()):
            raise InputError(f"{source}: folding its ranges into {name!r} leaves the range of {maps.dtype}.")
    _check_finite(source, field)
    return field


@torch.no_grad()
def _check_finite(source: str, field: Field) -> None:
    """Refuses finite weights from which a layer leaves the range of numbers, at the ends of the axes or between."""
    if not bool(torch.isfinite(field(coordinates((_SIDES,) * field.coordinates, field.dtype))).all()):
        raise InputError(
            f"{source}: the field would give NaN or infinite values, since its numbers leave the range of "
            f"{field.dtype}: give omega_0, scale, coordinates and output as they were where it was fitted."
        )


def _real_state(maps: Maps) -> dict[str, Tensor]:
    state = {"head.weight": maps.head.weight, "head.bias": maps.head.bias}
    if maps.frequencies is not None:
        state["encoder.encoding.frequencies"] = maps.frequencies
    for index, each in enumerate(maps.layers):
        state[f"encoder.layers.{index}.weight"] = each.weight
        state[f"encoder.layers.{index}.bias"] = each.bias
    return state


def _complex_state(maps: Maps) -> dict[str, Tensor]:
    """A complex output ``P + iQ`` of ``a + ib`` has the real part ``P a - Q b``; no imaginary part reaches it."""
    head = maps.head
    state = {"head.weight": torch.cat([head.weight.real, -head.weight.imag], dim=1), "head.bias": head.bias.real}
    first = maps.layers[0]
    state |= {"encoder.layers.0.real": first.weight, "encoder.layers.0.real_bias": first.bias}
    for index, each in enumerate(maps.layers[1:], start=1):
        state[f"encoder.layers.{index}.real"] = each.weight.real
        state[f"encoder.layers.{index}.imaginary"] = each.weight.imag
        state[f"encoder.layers.{index}.bias"] = torch.cat([each.bias.real, each.bias.imag])
    return state


def _scaled(source: str, each: LinearMap, factors: Tensor) -> LinearMap:
    rows = each.weight.shape[0]
    if factors.numel() not in (1, rows):
        raise InputError(f"{source}: {factors.numel()} values of omega_0 stand beside a map of {rows} rows.")
    return LinearMap(each.weight * factors.view(-1, 1), each.bias * factors)
