"""The pictures that an analysis left behind, made small enough for a page of many."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from inrlens.container import read_container
from inrlens.errors import InputError
from inrlens.reports.views import block_of
from inrlens.studies.cells.analysis import PICTURES
from inrlens.studies.tables.records import AnalysisRow

LONGEST_SIDE = 80
"""Pixels: a page has hundreds of these."""


@runtime_checkable
class Artefacts(Protocol):
    """Whatever gives a done cell's artefact."""

    def artefact(self, key: str, /) -> bytes: ...


@dataclass(frozen=True)
class Shots:
    """The pictures of a layer's first atoms, at most ``LONGEST_SIDE`` pixels a side, as ``study_pictures`` has them.

    ``target`` and ``intact`` ``(h, w, c)``; ``maps`` ``(a, h, w)`` of ``atoms`` and their ``mean_map`` ``(h, w)``; for
    ``removed_atoms``: ``removed`` ``(r, h, w, c)`` and ``effects`` ``(r, h, w)``. ``before`` and ``after`` are PSNRs in
    dB, ``after`` one a removed atom. Maps and effects are bright where they are largest.
    """

    atoms: tuple[int, ...]
    removed_atoms: tuple[int, ...]
    target: UInt8[np.ndarray, "h w c"]
    intact: UInt8[np.ndarray, "h w c"]
    maps: UInt8[np.ndarray, "a h w"]
    mean_map: UInt8[np.ndarray, "h w"]
    removed: UInt8[np.ndarray, "r h w c"]
    effects: UInt8[np.ndarray, "r h w"]
    before: float
    after: tuple[float, ...]


def shots_of(store: object, row: AnalysisRow) -> Shots | None:
    """A row's pictures; None where the store does not have them (any more)."""
    if row.artefact is None or not isinstance(store, Artefacts):
        return None
    try:
        return read_shots(store.artefact(row.key))
    except InputError:
        # A report is made of what is there; a driver makes a damaged artefact anew.
        return None


def read_shots(artefact: bytes) -> Shots | None:
    """The pictures of an analysis's artefact; None where it holds something else, or is no picture.

    Raises:
        InputError: where it is damaged.
    """
    with tempfile.TemporaryDirectory(prefix="inrlens-") as folder:
        path = Path(folder) / "artefact.safetensors"
        path.write_bytes(artefact)
        content = read_container(path)
        if content.kind != PICTURES or content.tensors["intact"].ndim != 3:
            return None
        found = {name: tensor.numpy().copy() for name, tensor in content.tensors.items()}
    said: Any = content.description
    return Shots(
        atoms=tuple(said["atoms"]),
        removed_atoms=tuple(said["removed_atoms"]),
        target=shrunk(found["target"]),
        intact=shrunk(found["intact"]),
        maps=_bright(shrunk(found["maps"][..., None], 1)[..., 0]),
        mean_map=_bright(shrunk(found["mean_map"][..., None])[None, ..., 0])[0],
        removed=shrunk(found["removed"], 1),
        effects=_bright(shrunk(found["effects"][..., None], 1)[..., 0]),
        before=float(said["psnr_before"]),
        after=tuple(float(value) for value in said["psnr_after"]),
    )


def shrunk(values: UInt8[np.ndarray, "... c"], first: int = 0) -> UInt8[np.ndarray, "... c"]:
    """Pictures ``(h, w, c)`` behind ``first`` axes, averaged over square blocks; small ones as they are."""
    height, width = values.shape[first : first + 2]
    block = block_of((height, width), LONGEST_SIDE)
    if block <= 1:
        return values
    rows, columns = np.arange(0, height, block), np.arange(0, width, block)
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.float64), rows, axis=first), columns, axis=first + 1)
    tall, wide = np.diff([*rows, height]), np.diff([*columns, width])
    means: UInt8[np.ndarray, "... c"] = np.rint(sums / (tall[:, None, None] * wide[None, :, None])).astype(np.uint8)
    return means


def _bright(values: UInt8[np.ndarray, "a h w"]) -> UInt8[np.ndarray, "a h w"]:
    """Each map with its own largest value at 255, which averaging may have lowered."""
    tops = values.max(axis=(1, 2), keepdims=True, initial=0).astype(np.float64)
    scaled: UInt8[np.ndarray, "a h w"] = np.rint(255.0 * values / np.where(tops > 0.0, tops, 1.0)).astype(np.uint8)
    return scaled
