"""Every code of every coordinate of a grid."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int32
from torch import Tensor

from inrlens.dictionaries.encoding import ENCODING_TILE, RowEncoder
from inrlens.dictionaries.evaluate import check_fits
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.network import Network
from inrlens.rows import over_tiles
from inrlens.signals.signal import Signal

_CHECKED_ROWS = 64
_CODE_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Codes:
    """The k codes of each of N coordinates.

    ``indices`` ``(N, k)`` names the atoms, ``values`` ``(N, k)`` their codes, 0 or more; ``n_atoms`` is the
    dictionary's size n; ``grid`` is what the rows run over, row-major.
    """

    indices: Int32[Tensor, "n k"]
    values: Float[Tensor, "n k"]
    n_atoms: int
    grid: tuple[int, ...]

    def check_atom(self, atom: int) -> None:
        """Raises InputError where there is no such atom."""
        if not 0 <= atom < self.n_atoms:
            raise InputError(f"atom {atom} does not exist: this dictionary has atoms 0 to {self.n_atoms - 1}.")

    def __post_init__(self) -> None:
        rows = math.prod(self.grid)
        if self.indices.shape != self.values.shape or self.values.shape[0] != rows:
            raise InputError(
                f"codes of shapes {tuple(self.indices.shape)} and {tuple(self.values.shape)} do not fill the grid "
                f"{self.grid}: both must have {rows} rows."
            )

    def check_signal(self, signal: Signal, channels: int) -> None:
        """Raises InputError where a signal does not lie on the codes' grid or has another number of channels."""
        if signal.shape != self.grid or signal.channels != channels:
            raise InputError(
                f"signal {signal.name!r} of {signal.shape} with {signal.channels} channels does not lie on the grid "
                f"{self.grid} with {channels}: give the one that this head was fitted to."
            )

    def map(self, atom: int) -> Float[Tensor, "*grid"]:
        """``z_a(x)`` laid out on the grid.

        Raises:
            InputError: where there is no such atom.
        """
        self.check_atom(atom)
        return torch.where(self.indices == atom, self.values, 0.0).sum(1).reshape(self.grid)


@torch.no_grad()
def check_codes(field: Network, sae: SparseAutoencoder, codes: Codes) -> None:
    """Raises InputError where ``codes`` are not this dictionary's in this field, as a look at some rows shows."""
    if codes.n_atoms != sae.n_atoms:
        raise InputError(f"the codes speak of {codes.n_atoms} atoms, the dictionary has {sae.n_atoms}.")
    if not bool((codes.values >= 0.0).all() and (codes.indices >= 0).all() and (codes.indices < sae.n_atoms).all()):
        raise InputError(
            f"codes must be 0 or more, of atoms 0 to {sae.n_atoms - 1}, and these are not: make them anew with "
            "encode(field, sae)."
        )
    x = field.grid_coordinates(codes.grid)
    rows = torch.linspace(0, x.shape[0] - 1, min(_CHECKED_ROWS, x.shape[0]), dtype=torch.float64).long().to(x.device)
    h = field.run_to(x[rows], sae.layer) - sae.pre_bias
    u = torch.nn.functional.linear(h, sae.encoder, sae.encoder_bias).gather(1, codes.indices[rows].long())
    stated = codes.values[rows]
    if bool((((stated - u).abs() > _CODE_TOLERANCE * (1.0 + u.abs())) & (stated > 0.0)).any()):
        raise InputError("these codes are not this dictionary's in this field: make them anew with encode(field, sae).")


@torch.no_grad()
def encode(field: Network, sae: SparseAutoencoder, grid: tuple[int, ...] | None = None) -> Codes:
    """The codes of a layer over a grid (default: the one the field was fitted on), computed in tiles.

    Raises:
        InputError: where the dictionary does not fit the field, or no grid is known.
    """
    check_fits(field, sae)
    grid = field.grid_or(grid)
    x = field.grid_coordinates(grid)
    indices = torch.empty(x.shape[0], sae.k, dtype=torch.int32, device=x.device)
    values = x.new_empty(x.shape[0], sae.k)

    def worker() -> Callable[[slice], None]:
        encoder = RowEncoder(sae)

        def tile(part: slice) -> None:
            z, atoms = encoder(field.run_to(x[part], sae.layer))
            indices[part], values[part] = atoms.to(torch.int32), z

        return tile

    over_tiles(x.shape[0], ENCODING_TILE, worker, x.device)
    return Codes(indices, values, sae.n_atoms, grid)
