"""The TopK sparse autoencoder.

Source: Gao et al. 2024 ("Scaling and evaluating sparse autoencoders"); arXiv:2605.08298 eqs. 5 and 6.
"""

from dataclasses import dataclass, field as with_default
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from inrlens.errors import InputError


@dataclass(frozen=True)
class SaeOrigin:
    """How a dictionary came to be; travels inside its checkpoint.

    ``settings`` holds everything that the paper leaves open (batch, sampling, auxiliary loss, source of b_pre);
    ``field_digest`` names the field whose layer it was trained on.
    """

    layer: int
    seed: int = 0
    grid: tuple[int, ...] | None = None
    field_digest: str = ""
    settings: dict[str, Any] = with_default(default_factory=dict)


class SparseAutoencoder(nn.Module):
    """``z = TopK(ReLU(W_enc (h - b_pre) + b_enc), k)`` and ``h_hat = W_dec^T z + b_pre``.

    ``encoder`` and ``decoder`` are ``(n, d)``; a row of the decoder is an atom and has unit norm, so that a code is
    the length of its atom's part of ``h``. ``encoder_bias`` is ``(n,)``, ``pre_bias`` ``(d,)``.
    """

    def __init__(self, decoder: Float[Tensor, "n d"], pre_bias: Float[Tensor, " d"], k: int, origin: SaeOrigin) -> None:
        super().__init__()
        n = decoder.shape[0]
        if not 1 <= k <= n:
            raise InputError(f"k must be between 1 and the number of atoms, {n}, not {k}.")
        decoder = F.normalize(decoder, dim=1)
        self.encoder = nn.Parameter(decoder.clone())
        self.encoder_bias = nn.Parameter(decoder.new_zeros(n))
        self.decoder = nn.Parameter(decoder)
        self.pre_bias = nn.Parameter(pre_bias.clone())
        self.k = k
        self.origin = origin

    @property
    def n_atoms(self) -> int:
        """Number of atoms n."""
        return int(self.decoder.shape[0])

    @property
    def width(self) -> int:
        """Units d of the layer."""
        return int(self.decoder.shape[1])

    @property
    def layer(self) -> int:
        """The layer that it was trained on."""
        return self.origin.layer

    def encode(self, h: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n k"], Int[Tensor, "n k"]]:
        """The k largest codes of each row and their atoms, in no particular order; a code may be 0 where fewer fire."""
        u = F.linear(h - self.pre_bias, self.encoder, self.encoder_bias)
        values, indices = torch.topk(u, self.k, dim=1, sorted=False)
        return values.relu(), indices

    def decode(self, values: Float[Tensor, "n k"], indices: Int[Tensor, "n k"]) -> Float[Tensor, "n d"]:
        """``W_dec^T z + b_pre`` from sparse codes."""
        return F.embedding_bag(indices, self.decoder, per_sample_weights=values, mode="sum") + self.pre_bias

    def forward(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """The reconstruction of ``h``."""
        return self.decode(*self.encode(h))
