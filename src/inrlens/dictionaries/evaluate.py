"""How well a dictionary stands for its layer, on the grid and between its samples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.dictionaries.encoding import ENCODING_TILE, RowEncoder
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.network import Network
from inrlens.metrics import psnrs_from_squared_error
from inrlens.rows import over_tiles
from inrlens.signals.signal import Signal, coordinates_between

Where = Literal["grid", "between"]


@dataclass(frozen=True)
class SaeQuality:
    """Measures of a dictionary over ``rows`` coordinates, all of them visited.

    ``where``: at the samples ("grid") or at the centres of the grid's cells ("between"). ``fvu``: fraction of variance
    unexplained, squared error over the squared distance to the mean. ``r2``: ``1 - fvu`` (arXiv:2605.08298 App. A.1).
    ``nmse``: squared error over the uncentred sum of squares. ``alive`` and ``dead``: shares of atoms that fire at
    some, or at no, coordinate. ``spatial_l0``: the share of coordinates at which an atom fires, mean over atoms.
    ``fidelity_psnr``: PSNR in dB of the network's output with the layer replaced by its reconstruction, against the
    output as it is, mean over heads. ``psnr`` and ``psnr_intact``: the same replaced and unreplaced output against the
    signals, over the samples that they use; None between samples, where signals have no values, or without signals.
    """

    where: Where
    rows: int
    fvu: float
    r2: float
    nmse: float
    alive: float
    dead: float
    spatial_l0: float
    fidelity_psnr: float
    psnr: float | None
    psnr_intact: float | None


@torch.no_grad()
def evaluate_sae(
    field: Network,
    sae: SparseAutoencoder,
    signals: Sequence[Signal] | None = None,
    *,
    grid: tuple[int, ...] | None = None,
    where: Where = "grid",
) -> SaeQuality:
    """Measures a dictionary over the whole grid, or over the cell centres that its training never saw.

    ``signals`` are those the field was fitted to, one a head, on that grid; they are not used between samples.

    Raises:
        InputError: where dictionary and field do not fit together, or signals do not match heads and grid.
    """
    check_fits(field, sae)
    grid = field.grid_or(grid)
    if where == "between":
        x, targets = coordinates_between(grid, field.dtype, field.coordinate_range).to(field.device), None
    else:
        x, targets = field.grid_coordinates(grid), _targets(field, signals, grid)
    rows = x.shape[0]
    mask = None if targets is None or signals is None else signals[0].mask
    used = rows if mask is None else int(mask.sum())
    error, centred, total, fired, change, replaced, intact = _sums(field, sae, x, targets, mask)
    fvu = _ratio(float(error), float(centred))
    alive = float((fired > 0).double().mean())
    return SaeQuality(
        where=where,
        rows=rows,
        fvu=fvu,
        r2=1.0 - fvu,
        nmse=_ratio(float(error), float(total)),
        alive=alive,
        dead=1.0 - alive,
        spatial_l0=float(fired.double().mean()) / rows,
        fidelity_psnr=fmean(psnrs_from_squared_error(change, rows, field.channels)),
        psnr=None if targets is None else fmean(psnrs_from_squared_error(replaced, used, field.channels)),
        psnr_intact=None if targets is None else fmean(psnrs_from_squared_error(intact, used, field.channels)),
    )


def _sums(
    field: Network, sae: SparseAutoencoder, x: Tensor, targets: Tensor | None, mask: Tensor | None
) -> list[Tensor]:
    """Over all rows: squared error, squared distance to the mean, squared length, how often each atom fires, and for
    every output column the squared change; over those that the mask uses the squared errors replaced and intact."""
    layer = sae.layer
    used = torch.ones(x.shape[0], dtype=torch.bool) if mask is None else mask
    used = used.to(x.device)

    def layer_sum(part: slice) -> Tensor:
        return field.run_to(x[part], layer).double().sum(0)

    found = over_tiles(x.shape[0], ENCODING_TILE, lambda: layer_sum, x.device)
    mean = torch.stack(found).sum(0) / x.shape[0]

    def worker() -> Callable[[slice], tuple[Tensor, ...]]:
        encoder = RowEncoder(sae)

        def tile(part: slice) -> tuple[Tensor, ...]:
            h = field.run_to(x[part], layer)
            values, atoms = encoder(h)
            h_hat = sae.decode(values, atoms)
            whole, instead = (field.run_on(rows, x[part], layer).clamp(0.0, 1.0) for rows in (h, h_hat))
            target = whole if targets is None else targets[part]
            return (
                (h_hat - h).double().square().sum(),
                (h.double() - mean).square().sum(),
                h.double().square().sum(),
                torch.bincount(atoms[values > 0.0], minlength=sae.n_atoms),
                (instead - whole).double().square().sum(0),
                (instead - target)[used[part]].double().square().sum(0),
                (whole - target)[used[part]].double().square().sum(0),
            )

        return tile

    parts = over_tiles(x.shape[0], ENCODING_TILE, worker, x.device)
    return [torch.stack(column).sum(0) for column in zip(*parts, strict=True)]


def check_fits(field: Network, sae: SparseAutoencoder) -> None:
    """Raises InputError where a dictionary does not fit a field's layer."""
    width = field.units(sae.layer)
    if width != sae.width:
        raise InputError(f"the dictionary is for layers of {sae.width} units, layer {sae.layer} here has {width}.")


def _targets(field: Network, signals: Sequence[Signal] | None, grid: tuple[int, ...]) -> Float[Tensor, "n mc"] | None:
    if signals is None:
        return None
    if len(signals) != field.heads:
        raise InputError(f"the field has {field.heads} heads, {len(signals)} signals were given: one a head is needed.")
    for signal in signals:
        if signal.shape != grid or signal.channels != field.channels:
            raise InputError(f"signal {signal.name!r} of {signal.shape} does not lie on the grid {grid}.")
        if signal.mask_digest != signals[0].mask_digest:
            raise InputError(f"signals {signals[0].name!r} and {signal.name!r} leave out different samples.")
    return torch.cat([signal.values for signal in signals], dim=1).to(field.device, field.dtype)


def _ratio(part: float, whole: float) -> float:
    if whole > 0.0:
        return part / whole
    return 0.0 if part == 0.0 else float("inf")
