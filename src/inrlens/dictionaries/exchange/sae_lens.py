"""The folder of a TopKSAE: ``cfg.json`` and ``sae_weights.safetensors`` (SAELens, checked against 6.54.12).

``u = (h - s b_dec) W_enc + b_enc`` with s = ``apply_b_dec_to_input``; ``W_enc`` is ``(d, n)``. With
``rescale_acts_by_decoder_norm`` codes are the k largest ``|w_a| u_a`` of unit atoms, without it the k largest ``u_a``
of atoms as long as they are.
"""

from pathlib import Path

from inrlens.dictionaries.exchange.config import ForeignConfig, read_config
from inrlens.dictionaries.exchange.fold import (
    Parameters,
    UnevenRows,
    as_dictionary,
    centre_input,
    scale_rows,
    scale_together,
)
from inrlens.dictionaries.exchange.tensors import parameters
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.tensor_files import read_safetensors

CONFIG, WEIGHTS = "cfg.json", "sae_weights.safetensors"
_CENTRE, _BY_LENGTH = "apply_b_dec_to_input", "rescale_acts_by_decoder_norm"
_NEEDS_A_SCALE = ("expected_average_only_in", "covariance_whitening")


def read_sae_lens(folder: Path, layer: int, uneven_rows: UnevenRows) -> SparseAutoencoder:
    """A dictionary that SAELens saved, for ``layer``; the hook it was trained on is kept in its settings.

    Raises:
        InputError: where a file is missing, damaged or inconsistent, or the SAE does what no dictionary of ours can
            (another architecture than topk, activations normalised row by row, unequal rows).
    """
    config = read_config(folder / CONFIG)
    _check_equation(config)
    d, n, k = config.whole("d_in"), config.whole("d_sae"), config.whole("k")
    centred, by_length = config.flag(_CENTRE, True), config.flag(_BY_LENGTH, False)
    path = folder / WEIGHTS
    shapes = {"W_enc": (d, n), "b_enc": (n,), "W_dec": (n, d), "b_dec": (d,)}
    state = parameters(path, read_safetensors(path), shapes)
    stored = Parameters(state["W_enc"].T.contiguous(), state["b_enc"], state["W_dec"], state["b_dec"])
    if not centred:
        stored = centre_input(stored)
    folded = scale_rows(path, stored) if by_length else scale_together(path, stored, k, uneven_rows)
    numbers = config.some("d_in", "d_sae", "k", "dtype", _CENTRE, _BY_LENGTH, "normalize_activations")
    if isinstance(config.entries.get("metadata"), dict):
        numbers.update(config.inner("metadata").some("model_name", "hook_name", "hook_layer", "sae_lens_version"))
    return as_dictionary(config.path, folded, k, layer, {"source": "sae_lens", **numbers})


def _check_equation(config: ForeignConfig) -> None:
    old = config.entries.get("activation_fn_str", config.entries.get("activation_fn")) == "topk"
    config.only("architecture", "topk", None, ": load and save it with SAELens 6 first" if old else "")
    normalised = config.entries.get("normalize_activations")
    unfolded = normalised in _NEEDS_A_SCALE
    why = ", and its files do not hold the scale: fold it in with SAELens and save it again" if unfolded else ""
    config.only("normalize_activations", "none", "none", why)
    config.only("reshape_activations", "none", "none")
