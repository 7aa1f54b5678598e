"""Codes sorted by atom: every atom's map and effect as one run of rows."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from inrlens.atoms.codes import Codes


@dataclass(frozen=True, eq=False)
class SparseCodes:
    """The E pairs (atom, row) with ``z_a(x) > 0``, sorted by atom, then by row.

    Those of atom a are ``starts[a] .. starts[a + 1]``, with ``starts`` ``(n + 1,)``; ``rows`` ``(E,)`` counts
    coordinates, ``codes`` ``(E,)`` are above 0. ``slots`` ``(E,)`` is each entry's place in ``Codes.values``, flat.
    """

    starts: Int64[Tensor, " n1"]
    rows: Int64[Tensor, " e"]
    codes: Float[Tensor, " e"]
    slots: Int64[Tensor, " e"]

    def pick(self, table: Float[Tensor, "rows k c"]) -> Float[Tensor, "e c"]:
        """Each entry's part of what belongs to (row, slot) pairs, such as ``Effects.delta``."""
        return table.reshape(-1, table.shape[2])[self.slots]


def entries(codes: Codes) -> SparseCodes:
    """The entries of all atoms, on the CPU."""
    indices, values = codes.indices.cpu().reshape(-1), codes.values.cpu().reshape(-1)
    flat = (values > 0.0).nonzero()[:, 0]
    atoms = indices[flat].numpy()
    # Sixteen bits where they do: numpy then counts instead of comparing.
    keys = atoms.astype(np.uint16) if codes.n_atoms <= 2**16 else atoms
    slots = flat[torch.from_numpy(np.argsort(keys, kind="stable"))]
    counts = np.bincount(atoms, minlength=codes.n_atoms)
    starts = torch.from_numpy(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
    return SparseCodes(starts, slots // codes.values.shape[1], values[slots], slots)
