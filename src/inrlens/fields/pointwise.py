"""Whether a module treats every coordinate by itself.

All that is exact here rests on it: rows in any order and any tiles, effects that are zero off an atom's support.
"""

from collections.abc import Callable, Iterator, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from inrlens.errors import InputError
from inrlens.rows import tiles
from inrlens.seeding import generator

_PROBES = 257
_ALONE = 8

Outputs = Callable[[Tensor], Mapping[str, Tensor]]
"""What a module gives for rows, by name: its output and its layers' activations."""


def probes(coordinates: int) -> Float[Tensor, "rows m"]:
    """Coordinates to try a module at: both far corners, the centre, and random ones in [-1, 1]; float64."""
    drawn = torch.rand(_PROBES, coordinates, generator=generator(0, "probes"), dtype=torch.float64) * 2.0 - 1.0
    drawn[:3] = torch.tensor([-1.0, 1.0, 0.0], dtype=torch.float64)[:, None]
    return drawn


def check_repeatable(module: nn.Module) -> None:
    """Raises InputError where a dropout is in training mode, so that two passes never agree."""
    for path, child in module.named_modules():
        if isinstance(child, _DropoutNd) and child.training and child.p > 0.0:
            raise InputError(
                f"{path!r} of this {type(module).__name__} is a dropout in training mode, which gives other values in "
                "every pass: call module.eval() first."
            )


def check_pointwise(module: nn.Module, outputs: Outputs, x: Float[Tensor, "n m"], tolerance: float) -> None:
    """Raises InputError where rows permuted, split or evaluated alone give other values than all of them together.

    ``outputs`` runs the module. A deviation is measured against the largest size of the values it is found in; the
    message names the largest.
    """
    whole = outputs(x)
    found = [
        (_deviation(whole[name], values), name, how)
        for how, again in _ways(outputs, x)
        for name, values in again.items()
    ]
    deviation, where, how = max(found)
    if deviation <= tolerance:
        return
    repeated = max(deviation for deviation, _, again in found if again == _AGAIN) > tolerance
    what = "does not give the same values twice" if repeated else "is not pointwise"
    raise InputError(
        f"this {type(module).__name__} {what}: its {where} deviates by up to {deviation:.2g} of its largest value when "
        f"rows are {how}, where at most tolerance={tolerance:g} is allowed; "
        f"{_causes(module, repeated)}."
    )


_AGAIN = "computed again"


def _ways(outputs: Outputs, x: Tensor) -> Iterator[tuple[str, Mapping[str, Tensor]]]:
    """The same rows' values, got in other ways."""
    rows = x.shape[0]
    yield _AGAIN, outputs(x)
    order = torch.randperm(rows, generator=generator(0, "probes", "order")).to(x.device)
    back = torch.argsort(order)
    yield "permuted", {name: values[back] for name, values in outputs(x[order]).items()}
    parts = [outputs(x[part]) for part in tiles(rows, rows // 3)]
    yield "split", {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    try:
        alone = [outputs(x[row : row + 1]) for row in range(_ALONE)]
    except InputError:
        # Batch norm in training mode refuses a row alone, and its deviations are found already.
        return
    yield "evaluated alone", {name: torch.cat([part[name] for part in alone]) for name in alone[0]}


def _deviation(whole: Tensor, other: Tensor) -> float:
    """The largest difference over the first rows, which are all that ``other`` may have, relative to the largest."""
    largest = float(whole.abs().max())
    difference = float((whole[: other.shape[0]] - other).abs().max())
    return difference / largest if largest > 0.0 else difference


def _causes(module: nn.Module, repeated: bool) -> str:
    suspects = []
    for path, child in module.named_modules():
        if isinstance(child, _NormBase) and (child.training or not child.track_running_stats):
            suspects.append(f"{path!r} is a batch norm in training mode, which module.eval() may mend")
        elif path and "attention" in type(child).__name__.lower():
            suspects.append(f"{path!r} is an attention, which mixes coordinates")
    if suspects:
        return "; ".join(suspects)
    if repeated:
        return "likely causes are dropout, noise, or a state that every pass changes"
    return "likely causes are batch norm in training mode, attention over coordinates, or a mean over all rows"
