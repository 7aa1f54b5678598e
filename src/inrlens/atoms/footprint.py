"""Where each atom acts on the picture, and how strongly: from the effects alone, without any further pass."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from inrlens.atoms.codes import Codes
from inrlens.atoms.pieces import map_pieces
from inrlens.atoms.statistics import ACTIVE_THRESHOLD
from inrlens.rows import tiles
from inrlens.signals.signal import coordinates

RADIUS = 0.25
"""Of the disc that locality is measured in, in coordinates: an eighth of the picture's side."""
_TILE = 8192


@dataclass(frozen=True, eq=False)
class Footprint:
    """One entry an atom, float64 unless whole numbers; NaN in ``colour``, ``centre``, ``in_box`` and ``in_radius``
    where an atom has no effect.

    ``energy``: squared effect, mean over all coordinates and channels (so in units of a mean squared error).
    ``largest``: the largest absolute effect on any channel. ``colour`` ``(n, c)``: the effect's mean over the support.
    ``support``: share of coordinates where the effect is not 0. ``box`` ``(n, m, 2)``: first and last index along each
    side of the grid where the atom is active (its code above 0.01); -1 where it is nowhere. ``in_box``: the share of
    the effect's energy inside that box; a box around the whole support would hold all of it, since an effect is exactly
    0 elsewhere. ``box_share``: the box's share of the grid. ``centre`` ``(n, m)``: the effect's centre of energy, in
    coordinates (last axis x, y[, z]). ``in_radius``, the locality: the share of the energy within 0.25 of that centre
    (the picture's side is 2). ``pieces``: connected pieces of the map, neighbours sharing a side.
    """

    energy: Float[Tensor, " n"]
    largest: Float[Tensor, " n"]
    colour: Float[Tensor, "n c"]
    support: Float[Tensor, " n"]
    box: Int[Tensor, "n m two"]
    box_share: Float[Tensor, " n"]
    in_box: Float[Tensor, " n"]
    centre: Float[Tensor, "n m"]
    in_radius: Float[Tensor, " n"]
    pieces: Int[Tensor, " n"]


def footprint(delta: Float[Tensor, "rows k c"], codes: Codes) -> Footprint:
    """The footprint of every atom."""
    rows, _, channels = delta.shape
    n, device = codes.n_atoms, delta.device
    x = coordinates(codes.grid, torch.float64).to(device)
    places = torch.stack(torch.unravel_index(torch.arange(rows, device=device), codes.grid), dim=1)
    energy, count, total, inside, near = torch.zeros(5, n, dtype=torch.float64, device=device)
    largest = torch.zeros(n, dtype=delta.dtype, device=device)
    colour = torch.zeros(n, channels, dtype=torch.float64, device=device)
    moment = torch.zeros(n, x.shape[1], dtype=torch.float64, device=device)
    low = torch.full((n, len(codes.grid)), rows, device=device)
    high = torch.full_like(low, -1)
    for part in tiles(rows, _TILE):
        row, slot = (codes.values[part] > 0.0).nonzero(as_tuple=True)
        atom, effect = codes.indices[part][row, slot].long(), delta[part][row, slot]
        power = effect.double().square().sum(1)
        energy.index_add_(0, atom, power)
        count.index_add_(0, atom, (effect != 0.0).any(1).double())
        total.index_add_(0, atom, torch.ones_like(power))
        largest.scatter_reduce_(0, atom, effect.abs().amax(1), "amax")
        colour.index_add_(0, atom, effect.double())
        moment.index_add_(0, atom, power[:, None] * x[part][row])
        active = codes.values[part][row, slot] > ACTIVE_THRESHOLD
        index = atom[active, None].expand(-1, low.shape[1])
        low.scatter_reduce_(0, index, places[part][row[active]], "amin")
        high.scatter_reduce_(0, index, places[part][row[active]], "amax")
    centre = moment / energy[:, None]
    for part in tiles(rows, _TILE):
        row, slot = (codes.values[part] > 0.0).nonzero(as_tuple=True)
        atom = codes.indices[part][row, slot].long()
        power = delta[part][row, slot].double().square().sum(1)
        place = places[part][row]
        inside.index_add_(0, atom, power * ((place >= low[atom]) & (place <= high[atom])).all(1))
        near.index_add_(0, atom, power * ((x[part][row] - centre[atom]).square().sum(1) <= RADIUS**2))
    nowhere = high[:, 0] < 0
    sides = torch.where(nowhere[:, None], 0, high - low + 1).double()
    low[nowhere] = -1
    return Footprint(
        energy=energy / (rows * channels),
        largest=largest.double(),
        colour=colour / total[:, None],
        support=count / rows,
        box=torch.stack([low, high], dim=2),
        box_share=sides.prod(1) / rows,
        in_box=inside / energy,
        centre=centre,
        in_radius=near / energy,
        pieces=map_pieces(codes),
    )
