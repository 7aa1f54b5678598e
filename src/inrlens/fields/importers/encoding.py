"""Another project's encoding of coordinates as ours, exactly.

With the coordinates ``A x + t`` of the network an angle ``b (A x + t)`` is ``b A x`` and a phase ``p = b t``, and
``sin(u + p) = sin u cos p + cos u sin p``: the phase turns pairs of columns of layer 0, whatever the features' order.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.importers.layouts import Encoding
from inrlens.fields.importers.maps import LinearMap, Maps, fold_coordinates

_UNEVEN = 1e-9
"""Relative difference from which ranges of coordinates count as different."""


@dataclass(frozen=True)
class _Features:
    """Angles b in radians per unit of the network's coordinates, and the columns of layer 0 that read each feature."""

    angles: Float[Tensor, "f m"]
    sines: list[int]
    cosines: list[int]
    bare: list[int]


def fold_encoding(
    source: str, maps: Maps, encoding: Encoding, matrix: Float[Tensor, "m m"], shift: Float[Tensor, " m"]
) -> tuple[Maps, dict[str, Any]]:
    """Maps whose layer 0 reads our features, ``frequencies`` their B, and the settings of the backbone.

    Raises:
        InputError: where layer 0 does not take what the encoding gives, or waves of the same number would have
            different lengths along different axes.
    """
    features = _random(source, maps, shift) if encoding.kind == "random" else _waves(source, maps, encoding, matrix)
    first = maps.layers[0]
    phase = features.angles @ shift
    sine, cosine = first.weight[:, features.sines], first.weight[:, features.cosines]
    turned = [sine * phase.cos() - cosine * phase.sin(), sine * phase.sin() + cosine * phase.cos()]
    folded = LinearMap(torch.cat(turned, dim=1), first.bias)
    if features.bare:
        alone = replace(maps, layers=(LinearMap(first.weight[:, features.bare], first.bias),))
        bare = fold_coordinates(alone, matrix, shift).layers[0]
        folded = LinearMap(torch.cat([folded.weight, bare.weight], dim=1), bare.bias)
    cycles = features.angles @ matrix / (2.0 * math.pi)
    if encoding.kind == "waves":
        # An axis that runs the other way: sin(-u) = -sin(u), so that the encoding stays the backbone's.
        ways = cycles.sum(dim=1).sign()
        folded.weight[:, : len(ways)] *= ways
        cycles = cycles * ways[:, None]
    settings = _settings(source, encoding, features, matrix, cycles)
    return replace(maps, layers=(folded, *maps.layers[1:]), frequencies=cycles), settings


def _random(source: str, maps: Maps, shift: Tensor) -> _Features:
    stored, taken = maps.frequencies, maps.layers[0].weight.shape[1]
    assert stored is not None, "a layout of random frequencies without them is refused before"
    if stored.ndim != 2 or stored.is_complex() or stored.shape[1] != len(shift):
        raise InputError(
            f"{source}: its frequencies have shape {tuple(stored.shape)}, where (number, {len(shift)}) is needed for "
            f"{len(shift)} axes."
        )
    count = stored.shape[0]
    if taken != 2 * count:
        raise InputError(f"{source}: layer 0 takes {taken} features, its {count} frequencies give {2 * count}.")
    return _Features(2.0 * math.pi * stored, list(range(count)), list(range(count, 2 * count)), [])


def _waves(source: str, maps: Maps, encoding: Encoding, matrix: Tensor) -> _Features:
    m, taken = len(matrix), int(maps.layers[0].weight.shape[1])
    count, left = divmod(taken - m, 2 * m)
    if left or count < 1:
        raise InputError(
            f"{source}: layer 0 takes {taken} features, which no number of waves gives for {m} axes: {m} (2 n + 1) are "
            "needed."
        )
    # In our order: x's waves first, and each coordinate's together.
    pairs = [(int(axis), wave) for axis in matrix.abs().argmax(dim=0) for wave in range(count)]
    angles = torch.zeros(len(pairs), m, dtype=torch.float64)
    for row, (axis, wave) in enumerate(pairs):
        angles[row, axis] = 2.0**wave * encoding.first_angle
    if encoding.order == "by kind":
        sines = [m + 2 * m * wave + axis for axis, wave in pairs]
        cosines = [column + m for column in sines]
    else:
        sines = [m + 2 * (m * wave + axis) for axis, wave in pairs]
        cosines = [column + 1 for column in sines]
    return _Features(angles, sines, cosines, list(range(m)))


def _settings(source: str, encoding: Encoding, features: _Features, matrix: Tensor, cycles: Tensor) -> dict[str, Any]:
    if encoding.kind == "random":
        # What sigma of N(0, sigma^2) says of a matrix that is given: its root mean square.
        return {"frequencies": len(cycles), "sigma": float(cycles.square().mean().sqrt())}
    sizes = matrix.abs().sum(dim=1)
    if float(sizes.max() - sizes.min()) > _UNEVEN * float(sizes.max()):
        raise InputError(
            f"{source}: its coordinates have ranges of different lengths, so that its waves would too, which posenc "
            "cannot express: wrap the network."
        )
    return {
        "frequencies": len(features.angles) // len(matrix),
        "first_angle": float(sizes[0]) * encoding.first_angle,
        "bare": True,
    }
