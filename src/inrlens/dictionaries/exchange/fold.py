"""Other libraries' equations rewritten as ours, exactly; what cannot be is refused.

Ours is ``z = TopK(ReLU(W_enc (h - b_pre) + b_enc), k)``, ``h_hat = W_dec^T z + b_pre`` with unit rows of ``W_dec``.
Whether the k largest are taken before or after the ReLU is no difference: it can only change which zeros are kept.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from inrlens.dictionaries.topk import SaeOrigin, SparseAutoencoder
from inrlens.errors import InputError

UnevenRows = Literal["refuse", "rescale"]
"""What to do where rows of unequal length cannot be expressed exactly: refuse them, or choose by the rescaled codes."""

UNIT = 9e-4
"""How far from 1 the length of a row may be that is left as it is; a checkpoint of ours accepts 1e-3."""


@dataclass(frozen=True)
class Parameters:
    """``u = encoder (h - bias) + encoder_bias`` and ``h_hat = decoder^T z + bias``, rows of the decoder of any length.

    ``folded`` says in words what was changed to reach this form.
    """

    encoder: Float[Tensor, "n d"]
    encoder_bias: Float[Tensor, " n"]
    decoder: Float[Tensor, "n d"]
    bias: Float[Tensor, " d"]
    folded: tuple[str, ...] = ()


def centre_input(stored: Parameters) -> Parameters:
    """For ``u = encoder h + encoder_bias``: subtracting the bias from h is made up for in the encoder's bias."""
    added = stored.encoder.double() @ stored.bias.double()
    moved = (stored.encoder_bias.double() + added).to(stored.encoder_bias.dtype)
    return replace(stored, encoder_bias=moved, folded=(*stored.folded, "decoder bias into encoder bias"))


def scale_rows(path: Path, stored: Parameters) -> Parameters:
    """For codes ``|w_a| u_a`` of unit atoms, chosen by that size: every row's length goes into its encoder.

    Raises:
        InputError: where a row has no length.
    """
    lengths = _lengths(path, stored.decoder)
    return _scaled(stored, lengths, f"row lengths {lengths.min():.6g} to {lengths.max():.6g} into encoder and codes")


def scale_together(path: Path, stored: Parameters, k: int, uneven_rows: UnevenRows) -> Parameters:
    """For codes ``u_a`` of atoms that keep their length, chosen by ``u_a``: one common length goes into the encoder.

    Unit rows are left as they are, to the bit. Rows of different lengths have no such form, save where all n atoms may
    fire and nothing is chosen: unit atoms choose by ``|w_a| u_a``, which is largest at other atoms than ``u_a``.

    Raises:
        InputError: where a row has no length, or lengths differ, k is not n and ``uneven_rows`` is "refuse".
    """
    lengths = _lengths(path, stored.decoder)
    shortest, longest = float(lengths.min()), float(lengths.max())
    if max(longest - 1.0, 1.0 - shortest) <= UNIT:
        return stored
    common = 0.5 * (shortest + longest)
    if longest / common - 1.0 <= UNIT:
        note = f"common row length {common:.6g} into encoder and codes"
        return _scaled(stored, torch.full_like(lengths, common), note)
    if k == lengths.numel():
        return scale_rows(path, stored)
    if uneven_rows == "refuse":
        raise InputError(
            f"{path}: its decoder rows have lengths from {shortest:g} to {longest:g} and its k largest codes are "
            f"chosen without them, which atoms of length 1 cannot do: give the rows one length and save it again, "
            f"or accept a slightly different choice with uneven_rows='rescale'."
        )
    scaled = scale_rows(path, stored)
    return replace(scaled, folded=(*scaled.folded, "the k largest chosen by rescaled codes, not as it was trained"))


def as_dictionary(path: Path, folded: Parameters, k: int, layer: int, settings: dict[str, Any]) -> SparseAutoencoder:
    """The dictionary of a layer; ``settings`` and what was folded travel in its origin.

    Raises:
        InputError: where k is below 1 or above the number of atoms.
    """
    about = {**settings, "folded": list(folded.folded)}
    try:
        sae = SparseAutoencoder(folded.decoder, folded.bias, k, SaeOrigin(layer, settings=about))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    state = {"encoder": folded.encoder, "encoder_bias": folded.encoder_bias}
    # The constructor would bring rows that are already of unit length to it once more and change their last bits.
    sae.load_state_dict({**state, "decoder": folded.decoder, "pre_bias": folded.bias})
    return sae.requires_grad_(False)


def _lengths(path: Path, decoder: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    lengths: Tensor = decoder.double().norm(dim=1)
    without = (lengths == 0.0).nonzero()
    if without.numel():
        raise InputError(f"{path}: row {int(without[0])} of its decoder is zero, so that atom has no direction.")
    return lengths


def _scaled(stored: Parameters, lengths: Float[Tensor, " n"], note: str) -> Parameters:
    dtype = stored.decoder.dtype
    return replace(
        stored,
        encoder=(stored.encoder.double() * lengths[:, None]).to(dtype),
        encoder_bias=(stored.encoder_bias.double() * lengths).to(dtype),
        decoder=(stored.decoder.double() / lengths[:, None]).to(dtype),
        folded=(*stored.folded, note),
    )
