"""The folder of a TopK trainer: ``config.json`` and ``ae.pt`` (dictionary_learning, checked against 0.1.0).

An AutoEncoderTopK has our equation: ``b_dec`` is subtracted before the encoder, the k largest are taken after the ReLU;
``decoder.weight`` is ``(d, n)`` with columns of unit length. ``ae.pt`` is a pickle, of which tensors are read and
nothing else.
"""

from pathlib import Path
from typing import Any

import torch

from inrlens.dictionaries.exchange.config import read_config
from inrlens.dictionaries.exchange.fold import Parameters, UnevenRows, as_dictionary, scale_together
from inrlens.dictionaries.exchange.tensors import parameters
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.tensor_files import is_dense, read_pickled

CONFIG, WEIGHTS = "config.json", "ae.pt"
_NUMBERS = ("trainer_class", "dict_class", "activation_dim", "dict_size", "k", "layer", "submodule_name", "lm_name")
_TRAINING = ("steps", "lr", "auxk_alpha", "warmup_steps", "decay_start", "seed")


def read_dictionary_learning(folder: Path, layer: int, uneven_rows: UnevenRows) -> SparseAutoencoder:
    """A dictionary that dictionary_learning saved, for ``layer``; the layer it was trained on is kept in its settings.

    Raises:
        InputError: where a file is missing, damaged or inconsistent, holds anything but tensors, or is no
            AutoEncoderTopK.
    """
    config = read_config(folder / CONFIG).inner("trainer")
    # Other classes store tensors of the same names and shapes, so the class must be known.
    config.only("dict_class", "AutoEncoderTopK")
    d, n, k = config.whole("activation_dim"), config.whole("dict_size"), config.whole("k")
    path = folder / WEIGHTS
    found = _read_pickled_tensors(path)
    stored_k = found.pop("k", torch.tensor(k))
    if not is_dense(stored_k) or stored_k.tolist() != k:
        raise InputError(f"{path}: the k in it is not the {k} that {CONFIG} says.")
    # The threshold replaces the k largest only where a caller asks for it.
    found.pop("threshold", None)
    shapes = {"encoder.weight": (n, d), "encoder.bias": (n,), "decoder.weight": (d, n), "b_dec": (d,)}
    state = parameters(path, found, shapes)
    decoder = state["decoder.weight"].T.contiguous()
    stored = Parameters(state["encoder.weight"], state["encoder.bias"], decoder, state["b_dec"])
    folded = scale_together(path, stored, k, uneven_rows)
    dtype = str(found["decoder.weight"].dtype).removeprefix("torch.")
    settings = {"source": "dictionary_learning", **config.some(*_NUMBERS, *_TRAINING), "dtype": dtype}
    return as_dictionary(config.path, folded, k, layer, settings)


def _read_pickled_tensors(path: Path) -> dict[str, Any]:
    found = read_pickled(path)
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise InputError(f"{path} holds no tensors by name: save the dictionary's state_dict with torch.save.")
    return dict(found)
