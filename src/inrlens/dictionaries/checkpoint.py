"""Dictionaries as containers, and back, bit for bit."""

from pathlib import Path
from typing import Any

import torch

from inrlens.container import Container, take
from inrlens.dictionaries.topk import SaeOrigin, SparseAutoencoder
from inrlens.errors import InputError

KIND = "dictionary"


def pack_sae(sae: SparseAutoencoder, version: str) -> Container:
    """The container of a dictionary; ``version`` is that of InrLens."""
    origin = sae.origin
    description: dict[str, Any] = {
        "inrlens_version": version,
        "n_atoms": sae.n_atoms,
        "k": sae.k,
        "width": sae.width,
        "layer": origin.layer,
        "seed": origin.seed,
        "grid": list(origin.grid) if origin.grid is not None else None,
        "field_digest": origin.field_digest,
        "settings": origin.settings,
        "dtype": str(sae.decoder.dtype).removeprefix("torch."),
    }
    return Container(KIND, description, dict(sae.state_dict()))


def unpack_sae(path: str | Path, container: Container) -> SparseAutoencoder:
    """The dictionary of a container read from ``path``.

    Raises:
        InputError: where the description is incomplete, or a tensor is missing or of another shape than described.
    """
    about, tensors = container.description, container.tensors
    try:
        n, d, k = about["n_atoms"], about["width"], about["k"]
        if any(type(number) is not int for number in (n, d, k, about["layer"])) or about["layer"] < 0:
            raise TypeError("its sizes and its layer must be whole numbers")
        dtype = {"float32": torch.float32, "float64": torch.float64}[about["dtype"]]
        grid = tuple(int(side) for side in about["grid"]) if about["grid"] is not None else None
        origin = SaeOrigin(
            int(about["layer"]), int(about["seed"]), grid, str(about["field_digest"]), dict(about["settings"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: its description is damaged ({type(error).__name__}: {error}).") from error
    shapes = {"encoder": (n, d), "encoder_bias": (n,), "decoder": (n, d), "pre_bias": (d,)}
    likes = {name: torch.empty(shape, dtype=dtype, device="meta") for name, shape in shapes.items()}
    state = {name: take(path, tensors, name, like) for name, like in likes.items()}
    norms = state["decoder"].norm(dim=1)
    if bool(((norms - 1.0).abs() > 1e-3).any()):
        raise InputError(f"{path}: its atoms have lengths from {norms.min():g} to {norms.max():g}, not 1.")
    try:
        sae = SparseAutoencoder(state["decoder"], state["pre_bias"], k, origin)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    sae.load_state_dict(state)
    return sae.requires_grad_(False)
