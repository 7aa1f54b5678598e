"""The folder of a SparseCoder: ``cfg.json`` and ``sae.safetensors`` (EleutherAI/sparsify, checked against 1.3.3).

Its equation with ``activation`` "topk" is ours: ``b_dec`` is subtracted before the encoder and added after the decoder,
and the k largest are taken after the ReLU. Rows of ``W_dec`` are of unit length where ``normalize_decoder`` is set.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors.torch import save

from inrlens.dictionaries.exchange.config import read_config
from inrlens.dictionaries.exchange.fold import Parameters, UnevenRows, as_dictionary, scale_together
from inrlens.dictionaries.exchange.tensors import parameters
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.files import whole_folder
from inrlens.tensor_files import read_safetensors

CONFIG, WEIGHTS = "cfg.json", "sae.safetensors"
_ABOUT_TRAINING = ("normalize_decoder", "multi_topk")


def read_sparsify(folder: Path, layer: int, uneven_rows: UnevenRows) -> SparseAutoencoder:
    """A dictionary that sparsify saved, for ``layer``.

    Raises:
        InputError: where a file is missing, damaged or inconsistent, or the SparseCoder does what no dictionary of ours
            can (a skip connection, a transcoder, another activation than topk, unequal rows).
    """
    config = read_config(folder / CONFIG)
    config.only("activation", "topk", "topk")
    d, k = config.whole("d_in"), config.whole("k")
    n = config.whole("num_latents", 0, 0) or d * config.whole("expansion_factor", 1, 32)
    for name in sorted(config.entries):
        if config.entries[name] is True and name not in _ABOUT_TRAINING:
            raise InputError(f"{config.path}: {name!r} is set, which a TopK dictionary of a layer cannot express.")
    path = folder / WEIGHTS
    found = read_safetensors(path)
    shapes = {"encoder.weight": (n, d), "encoder.bias": (n,), "W_dec": (n, d), "b_dec": (d,)}
    state = parameters(path, found, shapes)
    stored = Parameters(state["encoder.weight"], state["encoder.bias"], state["W_dec"], state["b_dec"])
    folded = scale_together(path, stored, k, uneven_rows)
    numbers = config.some("activation", "d_in", "num_latents", "expansion_factor", "k", *_ABOUT_TRAINING)
    settings = {"source": "sparsify", **numbers, "dtype": str(found["W_dec"].dtype).removeprefix("torch.")}
    return as_dictionary(config.path, folded, k, layer, settings)


def write_sparsify(sae: SparseAutoencoder, folder: str | Path, force: bool = False) -> None:
    """Writes the folder that ``SparseCoder.load_from_disk`` reads, whole or not at all.

    With ``force`` a folder that holds nothing else than these two files is replaced. The layout has no place for the
    layer, nor for what else the origin says.

    Raises:
        InputError: where the folder is taken (without ``force``), holds something else, or cannot be written.
    """
    about = {
        "activation": "topk",
        "expansion_factor": max(1, sae.n_atoms // sae.width),
        "normalize_decoder": True,
        "num_latents": sae.n_atoms,
        "k": sae.k,
        "multi_topk": False,
        "skip_connection": False,
        "transcode": False,
        "d_in": sae.width,
    }
    names = {"encoder": "encoder.weight", "encoder_bias": "encoder.bias", "decoder": "W_dec", "pre_bias": "b_dec"}
    state = {names[name]: value.detach().cpu().contiguous().clone() for name, value in sae.state_dict().items()}
    with _whole(Path(folder), force) as temporary:
        (temporary / CONFIG).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        (temporary / WEIGHTS).write_bytes(save(state, {"format": "pt"}))


@contextmanager
def _whole(folder: Path, force: bool) -> Iterator[Path]:
    """A temporary folder that becomes ``folder`` when the block succeeds."""
    if not force or folder.is_symlink() or not folder.is_dir():
        with whole_folder(folder, force) as temporary:
            yield temporary
        return
    _ensure_ours(folder)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent) as name:
            beside = Path(name)
            (beside / "new").mkdir()
            yield beside / "new"
            _ensure_ours(folder)
            try:
                folder.replace(beside / "old")
                (beside / "new").replace(folder)
            except BaseException:
                if not folder.exists():
                    (beside / "old").replace(folder)
                raise
    except OSError as error:
        raise InputError(f"{folder} could not be written: {error.strerror or error}.") from error


def _ensure_ours(folder: Path) -> None:
    foreign = sorted({entry.name for entry in folder.iterdir()} - {CONFIG, WEIGHTS})
    if foreign:
        raise InputError(f"{folder} also holds {foreign[0]!r}, which --force would delete: give another path.")
