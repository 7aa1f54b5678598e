"""The field's libraries for sparse autoencoders: each one's own TopK model, optimiser and training step.

Every library is optional. Left to itself, each keeps the optimiser, the learning rate, the initial weights and the
auxiliary loss that it comes with, all in float32 on the CPU; what differs from ours is said at its class. The pins are
in sae_peers.txt.
"""

import importlib
import importlib.metadata
import io
import os
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dictionary_trainers import Trainer

# The libraries ask for these at their import; nothing may leave this machine or be fetched.
os.environ.update(WANDB_MODE="disabled", WANDB_ERROR_REPORTING="false", HF_HUB_OFFLINE="1")


class Sparsify:
    """eai-sparsify: its ``Trainer.fit``, driven one batch at a time on a model whose only layer gives the rows.

    Its optimiser is schedule-free sign descent at 1e-2 for n=4096 (not Adam); the loss is the batch's FVU; b_pre starts
    at the batch's mean; atoms have unit norm, gradients are projected, nothing is clipped, the auxiliary loss is off.
    Without Triton it decodes by ``embedding_bag``; its encoder's gradient is sparse. Driving ``fit`` so adds some
    1 ms a step to it.
    """

    def __init__(self, width: int, n_atoms: int, k: int, steps: int) -> None:
        from sparsify import SparseCoderConfig, TrainConfig, Trainer as SparsifyTrainer

        class WithoutFiles(SparsifyTrainer):  # type: ignore[misc]
            def save(self) -> None:
                """``fit`` would write a checkpoint at its end, here after every step."""

        config = TrainConfig(
            SparseCoderConfig(num_latents=n_atoms, k=k), batch_size=1, hookpoints=["layer"], log_to_wandb=False
        )
        self._model = _RowsAsModel(width)
        with redirect_stdout(io.StringIO()):
            self._trainer = WithoutFiles(config, _OneText(), self._model)
        self._sae = self._trainer.saes["layer"]

    def step(self, h: Tensor) -> object:
        self._model.rows = h
        self._trainer.dataset.rows = h.shape[0]
        precision = torch.get_float32_matmul_precision()
        try:
            # A progress bar and some lines about the model at every call.
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                return self._trainer.fit()
        finally:
            torch.set_float32_matmul_precision(precision)

    @torch.no_grad()
    def reconstruct(self, h: Tensor) -> tuple[Tensor, Tensor]:
        # What it would save: the averaged weights, not those at which gradients are taken.
        (optimizer,) = self._trainer.optimizers
        optimizer.eval()
        values, atoms, _ = self._sae.encode(h)
        codes = h.new_zeros(h.shape[0], self._sae.num_latents).scatter(1, atoms, values)
        h_hat = self._sae.decode(values, atoms)
        optimizer.train()
        return codes, h_hat


class _RowsAsModel(nn.Module):
    """As much of a language model as sparsify's trainer asks for: ``layer`` puts out the rows, whatever the text."""

    device = torch.device("cpu")

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Identity()
        self.rows = torch.zeros(1, width)
        self.dummy_inputs = {"input_ids": torch.zeros(1, 1, dtype=torch.long)}

    @property
    def base_model(self) -> nn.Module:
        return self

    def forward(self, input_ids: Tensor) -> Tensor:
        out: Tensor = self.layer(self.rows[None])
        return out


class _OneText:
    """A data set of one text with a token a row, however often it is continued."""

    rows = 1

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"input_ids": torch.zeros(self.rows, dtype=torch.long)}

    def select(self, indices: object) -> "_OneText":
        return self


class DictionaryLearning:
    """dictionary-learning: ``trainers.top_k.TopKTrainer.update``.

    Adam at 4e-4 for n=4096 after a linear warm-up of 1,000 steps, or of a tenth of a shorter training, which it would
    refuse; the loss is ours, plus 1/32 of an auxiliary one once an atom has been silent for ten million rows; b_pre
    starts at the first batch's geometric median; atoms have unit norm, gradients are projected and then clipped to a
    norm of 1. Dense throughout.
    """

    def __init__(self, width: int, n_atoms: int, k: int, steps: int) -> None:
        from dictionary_learning.trainers.top_k import TopKTrainer

        self._trainer = TopKTrainer(
            steps=steps,
            activation_dim=width,
            dict_size=n_atoms,
            k=k,
            layer=0,
            lm_name="",
            warmup_steps=min(1000, steps // 10),
            device="cpu",
        )
        self._step = 0

    def step(self, h: Tensor) -> object:
        loss = self._trainer.update(self._step, h)
        self._step += 1
        return loss

    @torch.no_grad()
    def reconstruct(self, h: Tensor) -> tuple[Tensor, Tensor]:
        h_hat, codes = self._trainer.ae(h, output_features=True)
        return codes, h_hat


class SaeLens:
    """sae-lens: ``SAETrainer.step`` on a ``TopKTrainingSAE``.

    Adam at a constant 3e-4; the loss is ours, plus an auxiliary one, of weight 1, once an atom has been silent for
    1,000 steps; b_pre starts at 0; atoms start with norm 0.1 and are free, the codes are rescaled by their norm
    instead; gradients are clipped to a norm of 1. Dense throughout.
    """

    sparse = False

    def __init__(self, width: int, n_atoms: int, k: int, steps: int) -> None:
        from sae_lens import SAETrainer, TopKTrainingSAE, TopKTrainingSAEConfig
        from sae_lens.config import SAETrainerConfig

        config = TopKTrainingSAEConfig(
            d_in=width,
            d_sae=n_atoms,
            k=k,
            use_sparse_activations=self.sparse,
            rescale_acts_by_decoder_norm=not self.sparse,
        )
        # Its runners fill in lr_end so; a constant rate never reads it. The batch is only counted with.
        numbers = SAETrainerConfig(total_training_samples=steps, train_batch_size_samples=1, lr_end=3e-5)
        self._trainer = SAETrainer(numbers, TopKTrainingSAE(config), iter(()))

    def step(self, h: Tensor) -> object:
        loss = self._trainer.step(h).loss.item()
        self._trainer.n_training_steps += 1
        return loss

    @torch.no_grad()
    def reconstruct(self, h: Tensor) -> tuple[Tensor, Tensor]:
        codes = self._trainer.sae.encode(h)
        h_hat = self._trainer.sae.decode(codes)
        return codes.to_dense(), h_hat


class SaeLensSparse(SaeLens):
    """sae-lens with its option of sparse activations, off by default: codes as a COO tensor, a sparse product after it.

    Its rescaling by the atoms' norm is off then: torch cannot differentiate it on sparse codes.
    """

    sparse = True

    def __init__(self, width: int, n_atoms: int, k: int, steps: int) -> None:
        super().__init__(width, n_atoms, k, steps)
        # As by default, but without a warning.
        torch.sparse.check_sparse_tensor_invariants.disable()


class Overcomplete:
    """overcomplete: its ``train_sae`` on a ``TopKSAE``, a batch a call; only where torchvision loads.

    The encoder is a linear layer with batch normalisation, atoms are normalised in the forward pass, gradients are
    clipped to a norm of 1; optimiser and loss are the user's: Adam at 1e-4 and ours. Dense throughout.
    """

    def __init__(self, width: int, n_atoms: int, k: int, steps: int) -> None:
        from overcomplete.sae import TopKSAE, train_sae

        self._model, self._train = TopKSAE(width, n_atoms, top_k=k), train_sae
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=1e-4)

    def step(self, h: Tensor) -> object:
        return self._train(self._model, [h], _squared_error, self._optimizer, nb_epochs=1, monitoring=0)

    @torch.no_grad()
    def reconstruct(self, h: Tensor) -> tuple[Tensor, Tensor]:
        self._model.eval()
        _, codes, h_hat = self._model(h)
        return codes, h_hat


def _squared_error(x: Tensor, x_hat: Tensor, *others: Tensor) -> Tensor:
    return (x_hat - x).square().sum(1).mean()


@dataclass(frozen=True)
class Peer:
    """A library: the package's name on the index, the module whose import tells whether it is there, and its trainer,
    built from width d, n, k and the number of steps that the training will take."""

    package: str
    module: str
    build: Callable[[int, int, int, int], Trainer]


PEERS = {
    "sparsify": Peer("eai-sparsify", "sparsify.trainer", Sparsify),
    "dictionary-learning": Peer("dictionary-learning", "dictionary_learning.trainers.top_k", DictionaryLearning),
    "sae-lens": Peer("sae-lens", "sae_lens", SaeLens),
    "sae-lens, sparse": Peer("sae-lens", "sae_lens", SaeLensSparse),
    "overcomplete": Peer("overcomplete", "overcomplete.sae", Overcomplete),
}


def why_absent(peer: Peer) -> str:
    """Empty where the library is there, else why it cannot be imported."""
    try:
        with redirect_stdout(io.StringIO()):
            importlib.import_module(peer.module)
    except Exception as error:  # An import of this size can fail in any way, a broken torchvision with RuntimeError.
        return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    return ""


def version(peer: Peer) -> str:
    """The installed version."""
    return importlib.metadata.version(peer.package)


def build(peer: Peer, width: int, n_atoms: int, k: int, steps: int) -> Trainer:
    """The library's trainer, with its initial weights drawn from seed 0."""
    torch.manual_seed(0)
    return peer.build(width, n_atoms, k, steps)
