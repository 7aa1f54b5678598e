"""The door to other people's networks."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from inrlens.errors import InputError
from inrlens.fields.field import Field, Origin
from inrlens.fields.importers.build import build, held_settings
from inrlens.fields.importers.encoding import fold_encoding
from inrlens.fields.importers.layouts import LAYOUTS, Layout
from inrlens.fields.importers.maps import affine, fold_coordinates, fold_output, take_maps
from inrlens.fields.importers.recognise import recognise
from inrlens.fields.importers.user_settings import (
    Given,
    check_given,
    check_stored_grid,
    per_layer_of,
    plain_numbers,
    value_ranges_of,
)
from inrlens.fields.network import check_axes
from inrlens.fields.value_ranges import Span
from inrlens.tensor_files import read_tensor_file


def read_network(
    source: str | Path | Mapping[str, Any],
    layout: str | None = None,
    *,
    omega_0: float | Sequence[float] | None = None,
    scale: float | Sequence[float] | None = None,
    axes: str | None = None,
    coordinates: Span | Sequence[Span] | None = None,
    output: Span | None = None,
    grid: tuple[int, ...] | None = None,
) -> Field:
    """A field of somebody else's state dict: the same function, in our coordinates and values.

    The first layer takes up order and range of the coordinates, the output the range of the values, an encoding's
    phases its first layer; nothing is approximated. float8, float16 and bfloat16 become float32. From a file tensors
    and plain values are read, and nothing in it is ever run. No file says all that decides what its weights mean: what
    is missing must be given, and an error says what, why, and what the project's own scripts take.

    Args:
        source: a file of torch.save or safetensors, or a state dict; training scripts may have put it under a name
            beside other things, and wrappers a prefix before its names.
        layout: whose network it is, one of ``network_layouts()``; needed where the names fit several.
        omega_0: the factor inside its sines: one number, two (the first layer's, the others'), or one a layer.
        scale: the factor inside its bells, likewise.
        axes: its coordinates in its own order: "xy" (x, along the last side of a grid, first), "yx", "x", "zyx", ...
        coordinates: the range that it takes where ours is [-1, 1], corner samples included: one for all axes, or one
            each in the order of ``axes``.
        output: the range of its values that becomes [0, 1]: (-1.0, 1.0) for a network fitted on [-1, 1].
        grid: the grid that is meant where an analysis is given none.

    Raises:
        InputError: where the file is missing, damaged or would run code; where its tensors fit no layout, or several;
            where one is missing, of a wrong shape, or not finite; where the output seems to be missing, since the last
            map is as wide as it is high; where the field would give NaN or infinite values; where something must be
            given, or is not allowed.
    """
    name, content, digest = _opened(source)
    found = recognise(name, state_dict_in(name, content), layout)
    chosen = found.layouts[0]
    given = Given(plain_numbers(omega_0), plain_numbers(scale), axes, coordinates, output)
    check_given(name, found.layouts, given)
    spans = value_ranges_of(given)
    if grid is not None:
        check_axes(len(spans.axes), grid)
    if "grid" in chosen.beside and "grid" in found.tensors:
        check_stored_grid(name, found.tensors["grid"], spans, grid)
    maps, settings = held_settings(name, chosen, take_maps(name, chosen, found.tensors, found.shown))
    matrix, shift = affine(spans)
    numbers: dict[str, Any] = dict(settings)
    for setting in chosen.asked:
        numbers[setting] = per_layer_of(name, setting, getattr(given, setting), len(maps.layers))
    if chosen.encoding is not None:
        maps, about = fold_encoding(name, maps, chosen.encoding, matrix, shift)
        numbers |= about
    else:
        taken = maps.layers[0].weight.shape[1]
        if taken != len(spans.axes):
            raise InputError(
                f"{name}: layer 0 takes {taken} numbers, but axes {spans.axes!r} names {len(spans.axes)} coordinates; "
                f"layout {chosen.name!r} has no encoding before it."
            )
        maps = fold_coordinates(maps, matrix, shift)
    field = build(name, chosen, fold_output(maps, spans.output), numbers, grid)
    field.origin = Origin(kind="imported", notes={"imported": _about(chosen, given, source, digest)})
    return field


def network_layouts() -> dict[str, str]:
    """The layouts that ``read_network`` knows, by name, and whose networks they are."""
    return {name: layout.source for name, layout in LAYOUTS.items()}


def _about(layout: Layout, given: Given, source: object, digest: str | None) -> dict[str, Any]:
    """What the field's notes say of where it came from, as JSON reads it again."""
    told = {key: value for key, value in vars(given).items() if value is not None}
    file = source.name if isinstance(source, Path) else Path(source).name if isinstance(source, str) else None
    about = {"layout": layout.name, "source": layout.source, "given": told, "file": file, "sha256": digest}
    # Ends of ranges may be numpy's numbers, which JSON does not know.
    plain: dict[str, Any] = json.loads(json.dumps(about, default=float))
    return plain


def _opened(source: str | Path | Mapping[str, Any]) -> tuple[str, Any, str | None]:
    """A name for messages, what it holds, and the SHA-256 of a file."""
    if isinstance(source, Mapping):
        return "this state dict", source, None
    if not isinstance(source, str | Path):
        raise InputError(
            f"a network is read from the path of a file or from a state dict, not from a {type(source).__name__}: give "
            "module.state_dict() of a module."
        )
    path = Path(source)
    content = read_tensor_file(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return str(path), content, digest


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
