"""How many directions a matrix really has, read from its singular values."""

import torch
from jaxtyping import Float
from torch import Tensor


def effective_rank(singular_values: Float[Tensor, " d"]) -> float:
    """``exp(-sum p_i ln p_i)`` with ``p_i = s_i / sum s`` (Roy & Vetterli 2007), between 1 and rank(A).

    0 for the zero matrix. The entropy is that of the singular values, not of their squares.
    """
    s = singular_values.double()
    total = float(s.sum())
    if not total > 0.0:
        return 0.0
    p = s / total
    return float(torch.exp(-torch.special.xlogy(p, p).sum()))


def participation_ratio(singular_values: Float[Tensor, " d"]) -> float:
    """``(sum s_i^2)^2 / sum s_i^4``, between 1 and rank(A); 0 for the zero matrix.

    The ``s_i^2`` are the eigenvalues of ``A^T A``; for centred rows this is the dimensionality of Gao et al. 2017
    ("A theory of multineuronal dimensionality, dynamics and measurement").
    """
    s = singular_values.double()
    top = float(s.max()) if s.numel() else 0.0
    if not top > 0.0:
        return 0.0
    # Fourth powers of small values would vanish, those of large ones overflow.
    squares = (s / top).square()
    return float(squares.sum().square() / squares.square().sum())


def singular_values_from_gram(gram: Float[Tensor, "d d"]) -> Float[Tensor, " d"]:
    """The singular values of A from its Gram matrix ``A^T A``, smallest first, in float64.

    Values below some 1e-8 of the largest are rounding.
    """
    values: Tensor = torch.linalg.eigvalsh(gram.double()).clamp_min(0.0).sqrt()
    return values
