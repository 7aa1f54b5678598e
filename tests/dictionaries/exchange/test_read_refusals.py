"""Other libraries' files that are damaged, hostile, or no dictionary of ours: one sentence each, and nothing runs."""

import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import foreign
import inrlens as il
import toys
from foreign import D, N
from inrlens.dictionaries.exchange.read import read_dictionary

BAD_CONFIGS = [
    ("sparsify", {"activation": "groupmax"}, "'activation' is 'groupmax', only 'topk' can be read here."),
    ("sparsify", {"skip_connection": True}, "'skip_connection' is set, which a TopK dictionary of a layer cannot"),
    ("sparsify", {"transcode": True}, "'transcode' is set, which a TopK dictionary of a layer cannot express."),
    ("sparsify", {"signed": True}, "'signed' is set, which a TopK dictionary of a layer cannot express."),
    ("sparsify", {"k": N + 1}, "cfg.json: k must be between 1 and the number of atoms, 12, not 13."),
    ("sparsify", {"k": 0}, "'k' must be a whole number of at least 1, not 0."),
    ("sparsify", {"k": True}, "'k' must be a whole number of at least 1, not True."),
    ("sparsify", {"d_in": None}, "'d_in' must be a whole number of at least 1, not None."),
    ("sparsify", {"num_latents": 9}, "'encoder.weight' has shape (12, 5), the configuration says (9, 5)."),
    ("sparsify", {"num_latents": 2**80}, "has shape (12, 5), the configuration says (12089258196146291747"),
    ("sae_lens", {"architecture": "jumprelu"}, "'architecture' is 'jumprelu', only 'topk' can be read here."),
    ("sae_lens", {"architecture": "standard", "activation_fn_str": "topk"}, "load and save it with SAELens 6 first."),
    ("sae_lens", {"normalize_activations": "layer_norm"}, "'normalize_activations' is 'layer_norm', only 'none' can"),
    ("sae_lens", {"normalize_activations": "expected_average_only_in"}, "do not hold the scale: fold it in with SAEL"),
    ("sae_lens", {"reshape_activations": "hook_z"}, "'reshape_activations' is 'hook_z', only 'none' can be read here."),
    ("sae_lens", {"apply_b_dec_to_input": 1}, "'apply_b_dec_to_input' must be true or false, not 1."),
    ("sae_lens", {"k": 13}, "cfg.json: k must be between 1 and the number of atoms, 12, not 13."),
    ("sae_lens", {"d_sae": 5, "d_in": 12}, "tensor 'W_enc' has shape (5, 12), the configuration says (12, 5)."),
    ("dictionary_learning", {"dict_class": "BatchTopKSAE"}, "'dict_class' is 'BatchTopKSAE', only 'AutoEncoderTopK'"),
    ("dictionary_learning", {"k": 2}, "ae.pt: the k in it is not the 2 that config.json says."),
    ("dictionary_learning", {"dict_size": "12"}, "'dict_size' must be a whole number of at least 1, not '12'."),
]


@pytest.mark.parametrize(("layout", "changes", "message"), BAD_CONFIGS)
def test_what_the_configuration_may_not_say(tmp_path: Path, layout: str, changes: dict[str, Any], message: str) -> None:
    foreign.LAYOUTS[layout](tmp_path, foreign.draws(), changes)
    with pytest.raises(il.InputError, match=re.escape(message)) as caught:
        read_dictionary(tmp_path, layer=0)
    assert str(caught.value).startswith(str(tmp_path))
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("layout", foreign.LAYOUTS)
def test_tensors_that_mean_nothing(tmp_path: Path, layout: str) -> None:
    def refused(changes: dict[str, Any], message: str) -> None:
        t = foreign.draws()
        foreign.LAYOUTS[layout](tmp_path, {**t, **changes}, {})
        with pytest.raises(il.InputError, match=message):
            read_dictionary(tmp_path, layer=0)

    refused({"b": torch.full((D,), torch.nan)}, "tensor 'b_dec' holds NaN or infinite values")
    refused({"b": torch.zeros(D + 1)}, r"tensor 'b_dec' has shape \(6,\), the configuration says \(5,\)")
    refused({"b": torch.zeros(D, dtype=torch.long)}, "'b_dec' is no plain tensor of floating-point numbers")
    refused({"W_skip": torch.zeros(D, D)}, "tensor 'W_skip' is no part of a TopK dictionary")
    gone = foreign.draws()["D"]
    gone[4] = 0.0
    refused({"D": gone}, "row 4 of its decoder is zero, so that atom has no direction")


@pytest.mark.parametrize("layout", foreign.LAYOUTS)
def test_files_that_are_missing_or_cut_short(tmp_path: Path, layout: str) -> None:
    foreign.LAYOUTS[layout](tmp_path, foreign.draws(), {})
    config = tmp_path / ("config.json" if layout == "dictionary_learning" else "cfg.json")
    weights = next(path for path in tmp_path.iterdir() if path != config)
    whole = weights.read_bytes()
    for length in (0, 7, len(whole) // 2, len(whole) - 1):
        weights.write_bytes(whole[:length])
        with pytest.raises(il.InputError, match=re.escape(weights.name)):
            read_dictionary(tmp_path, layer=0)
    weights.write_bytes(whole)
    config.write_text("[1]")
    with pytest.raises(il.InputError, match="holds no JSON object"):
        read_dictionary(tmp_path, layer=0)
    config.unlink()
    with pytest.raises(il.InputError, match=rf"{config.name} could not be read: No such file or directory"):
        read_dictionary(tmp_path, layer=0)


def test_folders_that_are_no_dictionary(tmp_path: Path) -> None:
    with pytest.raises(il.InputError, match="nowhere does not exist"):
        read_dictionary(tmp_path / "nowhere", layer=0)
    message = r"no dictionary: one of sae.safetensors, sae_weights.safetensors, ae.pt must be in it"
    with pytest.raises(il.InputError, match=message):
        read_dictionary(tmp_path, layer=0)
    foreign.write_coder(tmp_path, foreign.draws())
    with pytest.raises(il.InputError, match="is a file: give the folder that holds it"):
        read_dictionary(tmp_path / "sae.safetensors", layer=0)
    with pytest.raises(il.InputError, match="layer must be 0 or more, not -1"):
        read_dictionary(tmp_path, layer=-1)
    with pytest.raises(il.InputError, match="uneven_rows='keep' is not known; allowed are refuse, rescale"):
        toys.unchecked(read_dictionary)(tmp_path, layer=0, uneven_rows="keep")
    foreign.write_lens(tmp_path, foreign.draws())
    with pytest.raises(il.InputError, match=r"holds sae.safetensors and sae_weights.safetensors, so it is not clear"):
        read_dictionary(tmp_path, layer=0)


class _Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("save", [torch.save, lambda thing, path: path.write_bytes(pickle.dumps(thing))])
@pytest.mark.parametrize("inside", [True, False])
def test_a_pickle_never_runs(tmp_path: Path, save: Callable[[Any, Path], Any], inside: bool) -> None:
    foreign.write_trainer(tmp_path / "a", foreign.draws())
    trap = tmp_path / "ran"
    save({"encoder.weight": _Evil(trap)} if inside else _Evil(trap), tmp_path / "a" / "ae.pt")
    with pytest.raises(il.InputError, match="nothing but tensors and plain values is unpickled here"):
        read_dictionary(tmp_path / "a", layer=0)
    assert not trap.exists()
    if save is torch.save:
        torch.load(tmp_path / "a" / "ae.pt", weights_only=False)
        assert trap.exists(), "the trap is none"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.zeros(2)], "ae.pt holds no tensors by name"),
        ({0: torch.zeros(2)}, "ae.pt holds no tensors by name"),
        ({"encoder.weight": "text"}, "'encoder.weight' is no plain tensor of floating-point numbers"),
        ({"encoder.weight": torch.eye(N, D).to_sparse()}, "'encoder.weight' is no plain tensor of floating-point"),
        ({"encoder.weight": torch.empty(N, D, device="meta")}, "'encoder.weight' is no plain tensor of floating-point"),
        ({"k": torch.empty((), device="meta")}, "ae.pt: the k in it is not the 3 that config.json says"),
        (torch.nn.Linear(2, 2), r"holds a torch\.nn\.modules\.linear\.Linear, and nothing but tensors"),
    ],
)
def test_pickles_of_other_things(tmp_path: Path, content: Any, message: str) -> None:
    foreign.write_trainer(tmp_path, foreign.draws())
    torch.save(content, tmp_path / "ae.pt")
    with pytest.raises(il.InputError, match=message):
        read_dictionary(tmp_path, layer=0)
