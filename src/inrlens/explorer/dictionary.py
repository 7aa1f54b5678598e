"""A dictionary's part of a bundle: codes, decoder, effects on each head, and the atoms most like each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from inrlens.atoms.alike import closest, most_alike_maps
from inrlens.atoms.codes import Codes
from inrlens.atoms.correlation import Maps, maps_of
from inrlens.atoms.effects import STATISTIC_RANKINGS, effects
from inrlens.atoms.statistics import atom_statistics
from inrlens.dictionaries.activations import layer_rows
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.explorer.arrays import ArrayFile, ArrayPlace, array_file, halved
from inrlens.explorer.bundle_input import BundleDictionary, BundleNetwork
from inrlens.explorer.manifest import AlikeEntry, DictionaryEntry, EffectsEntry
from inrlens.explorer.sparse_codes import SparseCodes, entries
from inrlens.fields.network import Network
from inrlens.rows import tiles

EFFECT_NUMBERS = ("psnr_drop", "energy", "largest", "support", "in_radius", "pieces")
ALIKE_COUNT = 5
_ROW_TILE = 8192


@dataclass(frozen=True, eq=False)
class EncodedDictionary:
    """A gathered dictionary with its id, its network, and its codes over that network's grid."""

    id: str
    network: BundleNetwork
    gathered: BundleDictionary
    codes: Codes

    @cached_property
    def maps(self) -> Maps:
        """The codes as maps, to be compared with many others."""
        return maps_of(self.codes)


def dictionary_entry(
    one: EncodedDictionary,
    others: tuple[EncodedDictionary, ...],
    heads: range,
    folder: Path,
    sizes: dict[str, int],
    tell: Callable[[str], None],
) -> DictionaryEntry:
    """Writes a dictionary's files into ``folder`` and enters them into ``sizes``.

    ``others`` are those that its atoms are compared with; ``tell`` is told what is done: once a head, and once more.
    """
    sae, codes, name = one.gathered.sae, one.codes, f"data/{one.id}"
    sorted_codes = entries(codes)
    statistics = atom_statistics(codes)
    row_type = np.uint16 if codes.values.shape[0] <= 2**16 else np.uint32
    with array_file(folder, f"{name}.codes.bin", sizes) as file:
        starts = file.append(sorted_codes.starts.numpy().astype(np.uint32))
        rows = file.append(sorted_codes.rows.numpy().astype(row_type))
        values = file.append(halved(sorted_codes.codes))
        numbers = _numbers(file, {by: getattr(statistics, by) for by in STATISTIC_RANKINGS})
    with array_file(folder, f"{name}.decoder.bin", sizes) as file:
        decoder = file.append(halved(sae.decoder))
    found = tuple(_effects(one, sorted_codes, head, folder, sizes, tell) for head in heads)
    tell(f"atoms like those of {one.network.name}, {one.gathered.name}")
    with array_file(folder, f"{name}.alike.bin", sizes) as file:
        alike = tuple(entry for other in others for entry in _alike(one, other, file))
    return DictionaryEntry(
        id=one.id,
        name=one.gathered.name,
        layer=sae.layer,
        n_atoms=sae.n_atoms,
        k=sae.k,
        seed=sae.origin.seed,
        entries=sorted_codes.rows.shape[0],
        starts=starts,
        rows=rows,
        codes=values,
        decoder=decoder,
        numbers=numbers,
        effects=found,
        alike=alike,
        quality={"fvu": fvu(one.network.field, sae, codes), "dead": float(statistics.dead.double().mean())},
    )


def compared(one: EncodedDictionary, each: tuple[EncodedDictionary, ...]) -> tuple[EncodedDictionary, ...]:
    """Those that a dictionary's atoms are compared with: all of its own network, itself among them, and those of the
    same layer of other networks on the same grid."""
    return tuple(
        other
        for other in each
        if other.network is one.network
        or (other.gathered.sae.layer == one.gathered.sae.layer and other.codes.grid == one.codes.grid)
    )


@torch.no_grad()
def fvu(field: Network, sae: SparseAutoencoder, codes: Codes) -> float:
    """The fraction of variance unexplained over the grid, as ``SaeQuality.fvu``, from codes that are there already."""
    h = layer_rows(field, sae.layer, codes.grid)
    mean = h.double().mean(0)
    error = centred = 0.0
    for part in tiles(h.shape[0], _ROW_TILE):
        error += float((sae.decode(codes.values[part], codes.indices[part].long()) - h[part]).double().square().sum())
        centred += float((h[part].double() - mean).square().sum())
    return error / centred if centred > 0.0 else 0.0 if error == 0.0 else float("inf")


def _effects(
    one: EncodedDictionary,
    sorted_codes: SparseCodes,
    head: int,
    folder: Path,
    sizes: dict[str, int],
    tell: Callable[[str], None],
) -> EffectsEntry:
    network = one.network
    tell(f"effects of {network.name}, {one.gathered.name}, on {network.signals[head].name}")
    found = effects(network.field, one.gathered.sae, one.codes, head, signal=network.signals[head])
    with array_file(folder, f"data/{one.id}.head{head}.bin", sizes) as file:
        delta = file.append(halved(sorted_codes.pick(found.delta.cpu())))
        numbers = _numbers(file, {by: found.measure(by) for by in EFFECT_NUMBERS})
    return EffectsEntry(head, delta, numbers)


def _numbers(file: ArrayFile, values: Mapping[str, Tensor]) -> dict[str, ArrayPlace]:
    return {name: file.append(value.float()) for name, value in values.items()}


def _alike(one: EncodedDictionary, other: EncodedDictionary, file: ArrayFile) -> list[AlikeEntry]:
    found = {"map": most_alike_maps(one.maps, other.maps, ALIKE_COUNT)}
    sae, other_sae = one.gathered.sae, other.gathered.sae
    if other.network is one.network and sae.layer == other_sae.layer:
        found["cosine"] = closest(sae, other_sae, one.maps.alive, other.maps.alive, ALIKE_COUNT)
    return [
        AlikeEntry(other.id, by, file.append(alike.atom.int()), file.append(halved(alike.value)))
        for by, alike in found.items()
    ]
