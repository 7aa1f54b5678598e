"""Every code of every coordinate of a grid."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int32
from torch import Tensor

from inrlens.dictionaries.evaluate import check_fits
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.field import EVALUATION_TILE, Field
from inrlens.rows import tiles


@dataclass(frozen=True, eq=False)
class Codes:
    """The k codes of each of N coordinates.

    ``indices`` ``(N, k)`` names the atoms, ``values`` ``(N, k)`` their codes, 0 or more; ``grid`` is what the rows
    run over, row-major.
    """

    indices: Int32[Tensor, "n k"]
    values: Float[Tensor, "n k"]
    n_atoms: int
    grid: tuple[int, ...]

    def check_atom(self, atom: int) -> None:
        """Raises InputError where there is no such atom."""
        if not 0 <= atom < self.n_atoms:
            raise InputError(f"atom {atom} does not exist: this dictionary has atoms 0 to {self.n_atoms - 1}.")

    def map(self, atom: int) -> Float[Tensor, "*grid"]:
        """``z_a(x)`` laid out on the grid.

        Raises:
            InputError: where there is no such atom.
        """
        self.check_atom(atom)
        return torch.where(self.indices == atom, self.values, 0.0).sum(1).reshape(self.grid)


@torch.no_grad()
def encode(field: Field, sae: SparseAutoencoder, grid: tuple[int, ...] | None = None) -> Codes:
    """The codes of a layer over a grid (default: the one the field was fitted on), computed in tiles.

    Raises:
        InputError: where the dictionary does not fit the field, or no grid is known.
    """
    check_fits(field, sae)
    grid = field.grid_or(grid)
    x = field.grid_coordinates(grid)
    indices = torch.empty(x.shape[0], sae.k, dtype=torch.int32, device=x.device)
    values = x.new_empty(x.shape[0], sae.k)
    for part in tiles(x.shape[0], EVALUATION_TILE):
        z, atoms = sae.encode(field.encoder.run(x[part], 0, sae.layer + 1))
        indices[part], values[part] = atoms.to(torch.int32), z
    return Codes(indices, values, sae.n_atoms, grid)
