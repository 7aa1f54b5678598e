"""An atlas as a container, and back: effects and codes are read from the disk when they are looked at."""

import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inrlens.atoms.codes import Codes
from inrlens.atoms.effects import Effects
from inrlens.atoms.footprint import Footprint
from inrlens.container import Container, take, take_unread
from inrlens.errors import InputError
from inrlens.signals.archive import describe, described
from inrlens.signals.signal import Signal

KIND = "atlas"
_SIGNAL_DTYPE = torch.float32
_LARGEST = 2**31


def pack_atlas(atlas: Effects, version: str) -> Container:
    """The container of an atlas, its footprints and PSNR drops included; ``version`` is that of InrLens."""
    codes, signal = atlas.codes, atlas.signal
    description: dict[str, Any] = {
        "inrlens_version": version,
        "layer": atlas.layer,
        "head": atlas.head,
        "grid": list(codes.grid),
        "n_atoms": codes.n_atoms,
        "k": codes.values.shape[1],
        "channels": atlas.output.shape[1],
        "dtype": str(atlas.delta.dtype).removeprefix("torch."),
        "signal": None if signal is None else describe(signal),
    }
    tensors = {"delta": atlas.delta, "output": atlas.output, "indices": codes.indices, "values": codes.values}
    tensors |= {f"footprint.{entry.name}": getattr(atlas.footprint, entry.name) for entry in fields(Footprint)}
    if signal is not None:
        tensors |= {"signal": signal.values, "psnr_drop": atlas.psnr_drop}
        tensors |= {} if signal.mask is None else {"mask": signal.mask}
    return Container(KIND, description, tensors)


def unpack_atlas(path: str | Path, container: Container) -> Effects:
    """The atlas of a container read from ``path``; its largest tensors stay on the disk until they are looked at.

    Raises:
        InputError: where the description is incomplete, or a tensor is missing or of another shape than described.
    """
    about, tensors = container.description, container.tensors
    try:
        grid = tuple(_whole(side, 1) for side in about["grid"])
        n, k, channels = (_whole(about[name], 1) for name in ("n_atoms", "k", "channels"))
        layer, head = _whole(about["layer"], 0), _whole(about["head"], 0)
        dtype = {"float32": torch.float32, "float64": torch.float64}[about["dtype"]]
        named = about["signal"]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: its description is damaged ({type(error).__name__}: {error}).") from error
    rows = math.prod(grid)
    if max(rows, n, k, channels, layer, head) > _LARGEST:
        raise InputError(f"{path}: its description speaks of {rows} coordinates and {n} atoms; it is damaged.")
    like = {
        "delta": _like((rows, k, channels), dtype),
        "output": _like((rows, channels), dtype),
        "indices": _like((rows, k), torch.int32),
        "values": _like((rows, k), dtype),
    }
    big = {name: take_unread(path, tensors, name, shape) for name, shape in like.items()}
    low, high = int(big["indices"].min()), int(big["indices"].max())
    if low < 0 or high >= n:
        raise InputError(f"{path}: its codes name atoms {low} to {high}, its description has 0 to {n - 1}.")
    if not bool((big["values"] >= 0.0).all()):
        raise InputError(f"{path}: its codes hold negative values or NaN; the file is damaged.")
    signal = None if named is None else _signal(path, named, tensors, grid, channels)
    codes = Codes(big["indices"], big["values"], n, grid)
    atlas = Effects(big["delta"], big["output"], codes, head, layer, signal)
    # What is told for every atom is read back instead of being worked out again.
    vars(atlas)["footprint"] = _footprint(path, tensors, n, len(grid), channels)
    if signal is not None:
        drops = take_unread(path, tensors, "psnr_drop", _like((n,), torch.float64))
        if bool(drops.isnan().any()):
            raise InputError(f"{path}: its PSNR drops hold NaN; the file is damaged.")
        vars(atlas)["psnr_drop"] = drops
    return atlas


def _signal(
    path: str | Path, about: dict[str, Any], tensors: dict[str, Tensor], grid: tuple[int, ...], channels: int
) -> Signal:
    rows = math.prod(grid)
    values = take(path, tensors, "signal", _like((rows, channels), _SIGNAL_DTYPE))
    mask = take(path, tensors, "mask", _like((rows,), torch.bool)) if "mask" in tensors else None
    try:
        return described(about, grid, values, mask)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise InputError(f"{path}: {error}") from error
        raise InputError(f"{path}: its description is damaged ({type(error).__name__}: {error}).") from error


def _footprint(path: str | Path, tensors: dict[str, Tensor], n: int, axes: int, channels: int) -> Footprint:
    shapes = {"colour": (n, channels), "box": (n, axes, 2), "centre": (n, axes)}
    whole = {"box", "pieces"}
    found = Footprint(
        **{
            entry.name: take_unread(
                path,
                tensors,
                f"footprint.{entry.name}",
                _like(shapes.get(entry.name, (n,)), torch.int64 if entry.name in whole else torch.float64),
            )
            for entry in fields(Footprint)
        }
    )
    if bool(((found.energy < 0.0) | found.energy.isnan() | (found.pieces < 0)).any()):
        raise InputError(f"{path}: its atoms' footprints hold numbers that cannot be; the file is damaged.")
    return found


def _like(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def _whole(value: Any, least: int) -> int:
    if type(value) is not int or value < least:
        raise ValueError(f"{value!r} is no whole number of at least {least}")
    return value
