"""What every dictionary trainer of the benchmarks offers; ours, and the plain dense one as the field writes it."""

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from inrlens.dictionaries.step import SaeGradients, remove_parallel_part, renormalise
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.workers import cores, torch_on_one_thread


class Trainer(Protocol):
    """A TopK dictionary in training."""

    def step(self, h: Tensor) -> object:
        """One whole training step on the rows ``h`` ``(b, d)``, from the forward pass to the optimiser and after."""

    def reconstruct(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """The codes ``(b, n)``, at most k of a row above 0, and the reconstruction ``(b, d)``, as of now."""


class Ours:
    """The step that ``inrlens.train_sae`` takes, on its threads."""

    def __init__(self, sae: SparseAutoencoder, learning_rate: float = 1e-4) -> None:
        self.sae = sae
        self._gradients = SaeGradients(sae, cores())
        self._optimizer = torch.optim.Adam(sae.parameters(), lr=learning_rate, fused=True)

    @torch.no_grad()
    def step(self, h: Tensor) -> object:
        with torch_on_one_thread():
            loss = self._gradients(h)
            remove_parallel_part(self.sae)
            self._optimizer.step()
            renormalise(self.sae)
        return loss

    def reconstruct(self, h: Tensor) -> tuple[Tensor, Tensor]:
        return reconstruct(self.sae, h)


class Dense:
    """The step as openai/sparse_autoencoder takes it: codes scattered into a ``(b, n)`` matrix, decoded by a dense
    product, everything differentiated by autograd; atoms of unit norm, their gradients without the part along them.

    The loss is ours, ``mean_i ||h_hat_i - h_i||^2``, and so is the optimiser, torch's Adam: from the same weights and
    batches both walk the same way but for rounding.
    """

    def __init__(self, sae: SparseAutoencoder, learning_rate: float = 1e-4) -> None:
        self.sae = sae
        self._optimizer = torch.optim.Adam(sae.parameters(), lr=learning_rate)

    def step(self, h: Tensor) -> object:
        sae = self.sae
        self._optimizer.zero_grad()
        u = F.linear(h - sae.pre_bias, sae.encoder, sae.encoder_bias)
        values, atoms = torch.topk(u, sae.k, dim=1, sorted=False)
        codes = torch.zeros_like(u).scatter(1, atoms, values.relu())
        loss = (codes @ sae.decoder + sae.pre_bias - h).square().sum(1).mean()
        loss.backward()
        with torch.no_grad():
            atom, gradient = sae.decoder, sae.decoder.grad
            assert gradient is not None
            gradient.sub_((gradient * atom).sum(1, keepdim=True) * atom)
            self._optimizer.step()
            atom.div_(atom.norm(dim=1, keepdim=True))
        return loss.item()

    def reconstruct(self, h: Tensor) -> tuple[Tensor, Tensor]:
        return reconstruct(self.sae, h)


@torch.no_grad()
def reconstruct(sae: SparseAutoencoder, h: Tensor) -> tuple[Tensor, Tensor]:
    """Codes ``(b, n)`` and reconstruction ``(b, d)`` of a dictionary of ours."""
    values, atoms = sae.encode(h)
    return h.new_zeros(h.shape[0], sae.n_atoms).scatter(1, atoms, values), sae.decode(values, atoms)
