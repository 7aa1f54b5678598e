"""Many atoms taken out, or kept, at once: PSNR against their number."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from inrlens.atoms.codes import Codes, check_codes
from inrlens.atoms.suffix import Suffix, weighted_sums
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.fields.network import Network
from inrlens.metrics import psnr_from_mse
from inrlens.rows import over_tiles
from inrlens.seeding import generator
from inrlens.signals.signal import Signal

Mode = Literal["remove", "keep"]


@dataclass(frozen=True)
class GroupCurve:
    """PSNR in dB when the first m atoms of an order are removed, or when only they are kept, for several m.

    ``order`` is the order's name, ``mode`` "remove" or "keep". ``counts`` are the m, rising; ``psnr`` the PSNRs against
    the signal. ``area`` is the mean PSNR in dB under the curve over ``log2(1 + m)``, by the trapezoid rule: small for
    an order that names what matters first when it removes, large when it keeps. Everything that is no atom of the group
    stays as it is, the dictionary's own error included.
    """

    order: str
    mode: Mode
    counts: tuple[int, ...]
    psnr: tuple[float, ...]
    area: float


def group_curve(
    field: Network,
    sae: SparseAutoencoder,
    codes: Codes,
    order: Sequence[int],
    signal: Signal,
    *,
    mode: Mode = "remove",
    head: int = 0,
    name: str = "",
    counts: Sequence[int] | None = None,
) -> GroupCurve:
    """Removes, or keeps alone, the first m atoms of ``order``, for every m of ``counts``.

    Args:
        field: the network.
        sae: a dictionary of one of its layers.
        codes: that dictionary's, from ``encode``.
        order: atoms, the first to go (or to stay) first; atoms that it leaves out are never removed, and always kept.
        signal: what the PSNR is against.
        mode: ``remove`` the first m, or ``keep`` only them of the order.
        head: whose output.
        name: what the order is by, for the result.
        counts: the m; default 0, 1, 2, 4, ... and all.

    Raises:
        InputError: for an atom that does not exist or is named twice, a count beyond the order, an unknown mode, or
            things that do not fit together.
    """
    suffix = Suffix(field, sae, head)
    check_codes(field, sae, codes)
    codes.check_signal(signal, field.channels)
    if mode not in get_args(Mode):
        raise InputError(f"mode {mode!r} is not known; allowed are {', '.join(get_args(Mode))}.")
    place = _places(codes, order)
    chosen = tuple(sorted(set(counts))) if counts is not None else doubling_counts(len(order))
    if not chosen or chosen[0] < 0 or chosen[-1] > len(order):
        raise InputError(f"counts must be within 0 to {len(order)}, the length of the order, not {list(chosen)}.")
    squared = _squared_errors(field, sae, codes, suffix, place, signal, mode, head, chosen)
    counted = signal.used_count * field.channels
    psnr = tuple(psnr_from_mse(value / counted) for value in squared)
    return GroupCurve(name, mode, chosen, psnr, _area(chosen, psnr))


def doubling_counts(length: int) -> tuple[int, ...]:
    """0, 1, 2, 4, ... and ``length``."""
    powers = [2**exponent for exponent in range(length.bit_length()) if 2**exponent < length]
    return tuple(dict.fromkeys((0, *powers, length)))


def random_order(codes: Codes, seed: int) -> list[int]:
    """All atoms that fire somewhere, shuffled."""
    alive = torch.unique(codes.indices[codes.values > 0.0]).tolist()
    shuffled = torch.randperm(len(alive), generator=generator(seed, "atoms", "random order"))
    return [int(alive[place]) for place in shuffled.tolist()]


def _places(codes: Codes, order: Sequence[int]) -> Tensor:
    """Each atom's place in the order; -1 for those that it leaves out."""
    place = torch.full((codes.n_atoms,), -1, dtype=torch.long)
    for number, atom in enumerate(order):
        codes.check_atom(atom)
        if place[atom] >= 0:
            raise InputError(f"atom {atom} stands twice in the order: name every atom once.")
        place[atom] = number
    return place.to(codes.values.device)


@torch.no_grad()
def _squared_errors(
    field: Network,
    sae: SparseAutoencoder,
    codes: Codes,
    first: Suffix,
    place: Tensor,
    signal: Signal,
    mode: Mode,
    head: int,
    counts: Sequence[int],
) -> list[float]:
    """The squared error of the clamped output, summed over coordinates and channels, for every count."""
    used = signal.used
    x, target = field.grid_coordinates(codes.grid)[used], signal.values[used].to(codes.values)
    indices, values = codes.indices[used], codes.values[used]

    def worker() -> Callable[[slice], list[float]]:
        suffix = Suffix(field, sae, head, first.reach)

        def tile(part: slice) -> list[float]:
            u = suffix.enter(field.run_to(x[part], sae.layer))
            atoms, z = indices[part].long(), values[part]
            at = place[atoms]
            errors = []
            for count in counts:
                gone = (at >= 0) & ((at < count) if mode == "remove" else (at >= count))
                out = suffix.finish(u - weighted_sums(atoms, torch.where(gone, z, 0.0), suffix.reach), x[part])
                errors.append(float((out.clamp(0.0, 1.0) - target[part]).double().square().sum()))
            return errors

        return tile

    found = over_tiles(x.shape[0], first.rows, worker, field.device)
    return [math.fsum(column) for column in zip(*found, strict=True)]


def _area(counts: Sequence[int], psnr: Sequence[float]) -> float:
    at = [math.log2(1.0 + count) for count in counts]
    if len(at) == 1:
        return psnr[0]
    steps = zip(at, at[1:], psnr, psnr[1:], strict=False)
    return sum((right - left) * (low + high) / 2.0 for left, right, low, high in steps) / (at[-1] - at[0])
