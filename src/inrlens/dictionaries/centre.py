"""Where activations are centred."""

import torch
from jaxtyping import Float
from torch import Tensor


@torch.no_grad()
def geometric_median(rows: Float[Tensor, "n d"], iterations: int = 100, tolerance: float = 1e-6) -> Float[Tensor, " d"]:
    """The point of least summed distance to the rows, by Weiszfeld's iteration in the form of Vardi and Zhang (2000).

    Where the guess equals a row, that row's infinite weight is replaced by their correction, so that the iteration
    neither divides by zero nor gets stuck there unless the row is the median.
    """
    points = rows.double()
    guess = points.mean(0)
    for _ in range(iterations):
        distance = (points - guess).norm(dim=1)
        away = distance > 0.0
        if not bool(away.any()):
            break
        weight = torch.where(away, 1.0 / distance.clamp_min(torch.finfo(torch.float64).tiny), 0.0)
        target = weight @ points / weight.sum()
        pull = (weight[:, None] * (points - guess)).sum(0).norm()
        here = points.shape[0] - int(away.sum())
        stay = min(1.0, here / float(pull)) if float(pull) > 0.0 else 1.0
        moved = (1.0 - stay) * target + stay * guess
        shift = float((moved - guess).norm())
        guess = moved
        if shift <= tolerance * max(1.0, float(guess.norm())):
            break
    return guess.to(rows.dtype)
