"""Fields as containers, and back, bit for bit."""

import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from inrlens.container import Container, take, take_unread
from inrlens.errors import InputError
from inrlens.fields.backbone import Backbone, backbone_settings, make_backbone
from inrlens.fields.field import KINDS, Field, Origin
from inrlens.seeding import generator
from inrlens.signals.affine import Affine, check_affine

KIND = "field"
_LARGEST_GRID = 2**31
"""Samples; a description that speaks of more is taken for damaged."""


def pack_field(field: Field, version: str) -> Container:
    """The container of a field; ``version`` is that of InrLens."""
    origin = field.origin
    description: dict[str, Any] = {
        "inrlens_version": version,
        "architecture": {
            "backbone": field.backbone.name,
            "settings": backbone_settings(field.backbone),
            "scale_per_layer": [field.encoder.layer(i).scale for i in range(field.depth)],
            "nonlinearity_per_layer": [field.encoder.layer(i).nonlinearity.name for i in range(field.depth)],
            "weight_rule": field.backbone.weight_rule,
            "bias_rule": field.backbone.bias_rule,
        },
        "heads": field.heads,
        "channels": field.channels,
        "dtype": str(field.dtype).removeprefix("torch."),
        "grid": list(field.grid) if field.grid is not None else None,
        "affine": [list(row) for row in field.affine] if field.affine is not None else None,
        "coordinate_range": list(field.coordinate_range),
        "target_range": list(field.target_range),
        "kind_of_fit": origin.kind,
        "seed": origin.seed,
        "signals": [{"name": name, "sha256": digest} for name, digest in origin.signals],
        "recipe": origin.recipe,
        "notes": origin.notes,
    }
    return Container(KIND, description, dict(field.state_dict()))


def unpack_field(path: str | Path, container: Container) -> Field:
    """The field of a container read from ``path``.

    Raises:
        InputError: where the description is incomplete, or a tensor is missing or of another shape than described.
    """
    about = container.description
    try:
        architecture = about["architecture"]
        backbone = make_backbone(architecture["backbone"], **architecture["settings"])
        heads, channels = _count(about["heads"]), _count(about["channels"])
        grid = _grid(about["grid"], backbone.coordinates)
        # Files of earlier versions have none.
        affine = _affine(about.get("affine"), backbone.coordinates)
        dtype = {"float32": torch.float32, "float64": torch.float64}[about["dtype"]]
        origin = Origin(
            kind=_kind(about["kind_of_fit"]),
            seed=int(about["seed"]),
            signals=tuple((str(signal["name"]), str(signal["sha256"])) for signal in about["signals"]),
            recipe=dict(about["recipe"]),
            notes=dict(about["notes"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise InputError(f"{path}: {error}") from error
        raise InputError(f"{path}: its description is damaged ({type(error).__name__}: {error}).") from error
    try:
        _check_sizes_against_file(path, container, backbone, heads * channels, dtype)
        field = Field.new(backbone, heads=heads, channels=channels, grid=grid).to(dtype)
    except (TypeError, RuntimeError, MemoryError) as error:
        raise InputError(f"{path}: its description is damaged ({type(error).__name__}: {error}).") from error
    state = {name: take(path, container.tensors, name, like) for name, like in field.state_dict().items()}
    extra = sorted(container.tensors.keys() - state.keys())
    if extra:
        raise InputError(f"{path}: tensor {extra[0]!r} belongs to no layer that its description speaks of.")
    field.load_state_dict(state)
    field.origin, field.affine = origin, affine
    _check_statements(path, about, field)
    return field


def _check_statements(path: str | Path, about: dict[str, Any], field: Field) -> None:
    """Refuses a description that says of the network what it is not: these decide what a weight means."""
    rebuilt = pack_field(field, "").description
    pairs = [
        (key, about.get(key), rebuilt[key]) for key in ("coordinate_range", "target_range", "heads", "channels")
    ] + [
        (key, about["architecture"].get(key), rebuilt["architecture"][key])
        for key in ("scale_per_layer", "nonlinearity_per_layer")
    ]
    for key, stated, true in pairs:
        if stated != true:
            raise InputError(f"{path}: its description says {key} {stated}, the network it describes has {true}.")


def _kind(value: Any) -> str:
    if value not in KINDS:
        raise ValueError(f"{value!r} is no kind of fit; allowed are {', '.join(KINDS)}")
    return str(value)


def _count(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def _grid(value: Any, axes: int) -> tuple[int, ...] | None:
    if value is None:
        return None
    grid = tuple(_count(side) for side in value)
    if len(grid) != axes or min(grid) < 1 or math.prod(grid) > _LARGEST_GRID:
        raise ValueError(f"a grid of {list(grid)} samples for {axes} coordinates")
    return grid


def _affine(value: Any, axes: int) -> Affine | None:
    if value is None:
        return None
    affine = tuple(tuple(float(number) for number in row) for row in value)
    check_affine("its description", affine, axes)
    return affine


def _check_sizes_against_file(
    path: str | Path, container: Container, backbone: Backbone, rows: int, dtype: torch.dtype
) -> None:
    """Refuses a description larger than its tensors before a network of that size is built."""
    shapes = [side for tensor in container.tensors.values() if tensor.numel() for side in tensor.shape]
    largest = max([len(container.tensors), *shapes], default=0)
    settings: Any = fields(backbone)  # type: ignore[arg-type]
    sizes = [one for one in settings if one.type in (int, "int") and one.metadata.get("is_size", True)]
    for size in (rows, *(getattr(backbone, one.name) for one in sizes)):
        if size > largest:
            raise InputError(f"{path}: its description speaks of size {size}, its tensors reach {largest} at most.")
    # Nothing is stored on this device, whatever the size.
    with torch.device("meta"):
        weight, bias = backbone.head(rows, generator(0, "sizes"))
        encoder = backbone.encoder(generator(0, "sizes")).to(dtype)
    described = {"head.weight": weight.to(dtype), "head.bias": bias.to(dtype)}
    described |= {f"encoder.{name}": like for name, like in encoder.state_dict().items()}
    for name, like in described.items():
        take_unread(path, container.tensors, name, like)
