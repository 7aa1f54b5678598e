"""The manifest of a bundle: what networks, dictionaries and effects it holds, and where their arrays lie.

The fields are the keys of ``manifest.json``, format version 3; numbers that are not finite become null there.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

from inrlens import __version__
from inrlens.explorer.arrays import ArrayPlace

FORMAT = "inrlens-explorer"
VERSION = 3
MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True)
class EncodingEntry:
    """What the coordinates go through before layer 0: ``fourier`` with ``frequencies`` B ``(F, m)``, cycles a unit.

    Any other kind, named in words or by its class, is one that the page does not know, and has no frequencies.
    """

    kind: str
    frequencies: ArrayPlace | None


@dataclass(frozen=True)
class LayerEntry:
    """``h = phi(scale * (W h' + b))``: ``weight`` ``(d, d_in)``, ``bias`` ``(d,)``, phi by the name of its
    ``nonlinearity`` and that one's ``parameters``, which ``inrlens.fields.nonlinearity`` explains."""

    weight: ArrayPlace
    bias: ArrayPlace
    scale: float
    nonlinearity: str
    parameters: dict[str, float]


@dataclass(frozen=True)
class SignalEntry:
    """One head: its signal ``target`` ``(N, c)`` (uint8 stands for value / 255), the network's ``output`` ``(N, c)``,
    unclamped, its PSNR in dB, a sound's ``rate`` in samples a second where it is known, and the head's ``weight``
    ``(c, d)`` and ``bias`` ``(c,)``, None where ``layers`` is. ``used`` ``(N,)`` uint8 is 0 where a mask leaves the
    sample out; None where all are used."""

    head: int
    name: str
    psnr: float
    rate: int | None
    target: ArrayPlace
    output: ArrayPlace
    weight: ArrayPlace | None
    bias: ArrayPlace | None
    used: ArrayPlace | None = None


@dataclass(frozen=True)
class RanksEntry:
    """Stable ranks of every layer: of its weight, and of its activations in each variant."""

    weight: tuple[float, ...]
    activation: dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class EffectsEntry:
    """What all atoms do to one head's output: ``delta`` ``(E, c)``, one row an entry, and numbers ``(n,)`` by name."""

    head: int
    delta: ArrayPlace
    numbers: dict[str, ArrayPlace]


@dataclass(frozen=True)
class AlikeEntry:
    """The atoms of a dictionary most like each atom, ``by`` map or cosine; ``atoms`` and ``values`` ``(n, 5)``."""

    dictionary: str
    by: str
    atoms: ArrayPlace
    values: ArrayPlace


@dataclass(frozen=True)
class DictionaryEntry:
    """One dictionary: its E ``entries``, as ``SparseCodes`` has them, by ``starts`` ``(n + 1,)``, ``rows`` and
    ``codes`` ``(E,)``; its ``decoder`` ``(n, d)``, statistics ``(n,)`` by name, effects, and the atoms like its own."""

    id: str
    name: str
    layer: int
    n_atoms: int
    k: int
    seed: int
    entries: int
    starts: ArrayPlace
    rows: ArrayPlace
    codes: ArrayPlace
    decoder: ArrayPlace
    numbers: dict[str, ArrayPlace]
    effects: tuple[EffectsEntry, ...]
    alike: tuple[AlikeEntry, ...]
    quality: dict[str, float]


@dataclass(frozen=True)
class NetworkEntry:
    """One network with the heads and dictionaries that the bundle holds; ``heads`` counts all that it has.

    ``run`` is None for one that was given from Python, ``layers`` for one whose layers only its own code can run, as
    anybody's; ``seed`` and ``tau`` where they are not known. ``width`` counts the units of the last layer;
    ``coordinate_range`` is what the first and the last sample of every axis have for their coordinate.
    """

    id: str
    name: str
    run: str | None
    kind: str
    backbone: str
    seed: int | None
    grid: tuple[int, ...]
    coordinate_range: tuple[float, ...]
    channels: int
    depth: int
    width: int
    heads: int
    encoding: EncodingEntry | None
    layers: tuple[LayerEntry, ...] | None
    signals: tuple[SignalEntry, ...]
    ranks: RanksEntry
    tau: int | None
    advice: str
    dictionaries: tuple[DictionaryEntry, ...]


@dataclass(frozen=True)
class SettingEntry:
    """One freeze setting: mean PSNR in dB and each fit's; ``picture`` ``(H, W, c)`` of the first held-out signal."""

    label: str
    freeze: int | None
    rest: str
    psnr: float
    psnrs: tuple[float, ...]
    picture: ArrayPlace | None


@dataclass(frozen=True)
class FreezeEntry:
    """One backbone's freeze sweep in a run; ``network`` is the id of the cohort's, ``signals`` names the held-out."""

    run: str
    backbone: str
    network: str | None
    signals: tuple[str, ...]
    settings: tuple[SettingEntry, ...]


@dataclass(frozen=True)
class Manifest:
    """A whole bundle; ``files`` gives every data file's bytes, ``source`` the digest of all that decides it."""

    title: str
    source: str
    notes: tuple[str, ...]
    files: dict[str, int]
    networks: tuple[NetworkEntry, ...]
    freeze: tuple[FreezeEntry, ...]


def manifest_json(manifest: Manifest) -> dict[str, Any]:
    """The content of ``manifest.json``."""
    head = {"format": FORMAT, "version": VERSION, "inrlens_version": __version__}
    content = _plain({**head, **asdict(manifest)})
    assert isinstance(content, dict)
    return content


def _plain(content: Any) -> Any:
    if isinstance(content, float) and not math.isfinite(content):
        return None
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain(value) for value in content]
    return content
