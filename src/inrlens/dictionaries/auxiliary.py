"""A loss that gives dead atoms something to do."""

import torch
import torch.nn.functional as F
from torch import Tensor

from inrlens.dictionaries.topk import SparseAutoencoder

COEFFICIENT = 1.0 / 32.0


def add_auxiliary_gradient(sae: SparseAutoencoder, h: Tensor, dead: Tensor, auxiliary_k: int) -> None:
    """Adds the gradient of ``1/32 mean ||e - e_hat||^2`` (Gao et al. 2024, App. A.2).

    e is the residual of the reconstruction, detached; e_hat is built by the dead atoms' own largest codes, without
    b_pre, which the reconstruction already holds.
    """
    which = dead.nonzero()[:, 0]
    if which.numel() == 0:
        return
    with torch.no_grad():
        residual = h - sae(h)
    u = F.linear(h - sae.pre_bias, sae.encoder[which], sae.encoder_bias[which])
    values, indices = torch.topk(u.relu(), min(auxiliary_k, which.numel()), dim=1, sorted=False)
    modelled = F.embedding_bag(indices, sae.decoder[which], per_sample_weights=values, mode="sum")
    loss = COEFFICIENT * (modelled - residual).square().sum(1).mean()
    loss.backward()
