"""Other people's things, written by hand: what sparsify, SAELens and dictionary_learning save, and networks."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import toys

N, D, K = 12, 5, 3
Tensors = dict[str, Tensor]
Write = Callable[[Path, Tensors, dict[str, Any]], None]


def draws(lengths: Tensor | float = 1.0, seed: int = 0, n: int = N, d: int = D) -> Tensors:
    """An encoder, a decoder with rows of given lengths, and both biases, float64."""
    source = toys.generator(seed)
    encoder, decoder, rows = torch.randn(3, n, d, generator=source, dtype=torch.float64)
    biases = 0.3 * torch.randn(n + d, generator=source, dtype=torch.float64)
    decoder = decoder / decoder.norm(dim=1, keepdim=True) * torch.as_tensor(lengths, dtype=torch.float64).view(-1, 1)
    return {"E": encoder, "e": biases[:n], "D": decoder, "b": biases[n:], "h": rows}


def unequal(n: int = N) -> Tensor:
    """Lengths that differ by a factor of four."""
    return torch.linspace(0.5, 2.0, n, dtype=torch.float64)


def write_coder(folder: Path, tensors: Tensors, changes: dict[str, Any] | None = None) -> None:
    """What sparsify's SparseCoder saves."""
    n, d = tensors["E"].shape
    about = {"activation": "topk", "expansion_factor": 32, "normalize_decoder": True, "num_latents": n, "k": K}
    about |= {"multi_topk": False, "skip_connection": False, "transcode": False, "d_in": d, **(changes or {})}
    names = {"E": "encoder.weight", "e": "encoder.bias", "D": "W_dec", "b": "b_dec"}
    write_json(folder / "cfg.json", about)
    save_file(
        {names.get(name, name): value for name, value in tensors.items() if name != "h"}, folder / "sae.safetensors"
    )


def write_lens(folder: Path, tensors: Tensors, changes: dict[str, Any] | None = None) -> None:
    """What SAELens saves of a TopKSAE."""
    n, d = tensors["E"].shape
    about = {"d_in": d, "d_sae": n, "dtype": "float64", "device": "cpu", "apply_b_dec_to_input": True, "k": K}
    about |= {"normalize_activations": "none", "reshape_activations": "none", "architecture": "topk"}
    about |= {"rescale_acts_by_decoder_norm": False, "metadata": {"hook_name": "layers.2", "model_name": "siren"}}
    names = {"E": "W_enc", "e": "b_enc", "D": "W_dec", "b": "b_dec"}
    state = {names.get(name, name): value for name, value in tensors.items() if name != "h"}
    state["W_enc"] = state["W_enc"].T.contiguous()
    write_json(folder / "cfg.json", about | (changes or {}))
    save_file(state, folder / "sae_weights.safetensors")


def write_trainer(folder: Path, tensors: Tensors, changes: dict[str, Any] | None = None) -> None:
    """What dictionary_learning saves of a TopKTrainer."""
    n, d = tensors["E"].shape
    about = {"trainer_class": "TopKTrainer", "dict_class": "AutoEncoderTopK", "activation_dim": d, "dict_size": n}
    about |= {"k": K, "layer": 2, "lm_name": "siren", "submodule_name": None, "seed": 7, "steps": 100}
    names = {"E": "encoder.weight", "e": "encoder.bias", "D": "decoder.weight", "b": "b_dec"}
    state = {names.get(name, name): value for name, value in tensors.items() if name != "h"}
    state["decoder.weight"] = state["decoder.weight"].T
    state = {"k": torch.tensor(K, dtype=torch.int), "threshold": torch.tensor(0.25), **state}
    write_json(folder / "config.json", {"trainer": about | (changes or {}), "buffer": {"d_submodule": d}})
    torch.save(state, folder / "ae.pt")


LAYOUTS: dict[str, Write] = {"sparsify": write_coder, "sae_lens": write_lens, "dictionary_learning": write_trainer}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """A JSON file, its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def plain(coordinates: int = 2, channels: int = 3, width: int = 12, depth: int = 3, seed: int = 0) -> nn.Sequential:
    """A plain network of linear maps and activations: layers "1", "3", ... are the activations."""
    torch.manual_seed(seed)
    sizes = [coordinates, *[width] * depth]
    layers = [step for one, other in pairwise(sizes) for step in (nn.Linear(one, other), nn.Tanh())]
    return nn.Sequential(*layers, nn.Linear(width, channels))


def normed() -> nn.Sequential:
    """A network with a batch norm that has seen some coordinates, in training mode."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 12), nn.BatchNorm1d(12), nn.Tanh(), nn.Linear(12, 12), nn.Linear(12, 3))
    for _ in range(5):
        net(torch.rand(100, 2))
    return net


class Skip(nn.Module):
    """A network whose second layer takes the coordinates once more beside the first, and whose output a residual."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second, self.last = nn.Linear(2, 10), nn.Linear(12, 10), nn.Linear(10, 3)
        self.bend = nn.ModuleList([nn.ReLU(inplace=True), nn.ReLU(inplace=True)])

    def forward(self, x: Tensor) -> Tensor:
        h = self.bend[0](self.first(x))
        g = self.bend[1](self.second(torch.cat([h, x], dim=1)))
        return self.last(g + h) + x.sum(1, keepdim=True)


class Attention(nn.Module):
    """A network in which coordinates look at each other."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.into, self.mix, self.out = nn.Linear(2, 8), nn.MultiheadAttention(8, 2), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.into(x)
        return self.out(self.mix(h, h, h)[0])


class Wavelets(nn.Module):
    """A network of complex units, whose output is the real part."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Linear(2, 8)
        self.bend = nn.ModuleList([Wavelet(), Wavelet()])
        self.second, self.last = nn.Linear(8, 8, dtype=torch.cfloat), nn.Linear(8, 3, dtype=torch.cfloat)

    def forward(self, x: Tensor) -> Tensor:
        h = self.bend[0](self.first(x).to(torch.cfloat))
        return self.last(self.bend[1](self.second(h))).real


class Wavelet(nn.Module):
    """``exp(i z - |z|^2)``."""

    def forward(self, z: Tensor) -> Tensor:
        return torch.exp(1j * z - z.abs().square())


class Diary(nn.Module):
    """A network that writes its coordinates down on itself and reads them again: two threads must not share a pass."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net, self.last = plain(channels=16), nn.Linear(18, 3)
        self.noted: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        self.noted = x
        h = self.net(x)
        assert self.noted is not None
        return self.last(torch.cat([h, self.noted], dim=1))
