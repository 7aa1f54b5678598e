"""A small run of every backbone with everything that the explorer shows, and its bundle with the page."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

import inrlens as il
import toys
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.explorer.bundle import write_bundle
from inrlens.explorer.folder import read_manifest
from inrlens.explorer.gather import gather
from inrlens.explorer.pages import write_page
from inrlens.studies.plan import BackbonePlan, WalkthroughPlan
from inrlens.studies.run_reader import OpenRun
from inrlens.studies.walkthrough import run_walkthrough

GRID = (20, 26)
K = 4
HOSTILE = "<img src=x onerror=document.title='owned'>.png"
"""The name of the cohort's second signal and of the first held-out one: markup, were it ever read as such."""


@dataclass(frozen=True)
class Explored:
    """A run and the folder of its explorer."""

    run: Path
    folder: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The bundle's manifest."""
        return read_manifest(self.folder)

    @cached_property
    def opened(self) -> OpenRun:
        """The run, opened for reading."""
        return OpenRun(self.run)

    def network(self, name: str) -> dict[str, Any]:
        """The manifest's entry of a network."""
        return next(one for one in self.manifest["networks"] if one["name"] == name)

    def layer(self, name: str, layer: int) -> "Layer":
        """One layer of a network: what the page shows of it, as Python has it."""
        record = self.opened.condition(name)
        file = next(one.file for one in record.layers if one.layer == layer)
        signals = [self.opened.signal(position) for position in record.signals]
        return Layer(self.opened.field(record), self.opened.dictionary(file), signals)


@dataclass(frozen=True)
class Layer:
    """A network, the dictionary of one of its layers, and its signals, one a head."""

    field: il.Field
    sae: SparseAutoencoder
    signals: list[il.Signal]

    @cached_property
    def codes(self) -> il.Codes:
        """The codes on the grid."""
        return il.encode(self.field, self.sae)

    def effects(self, head: int = 0) -> il.Effects:
        """The effects on one head, with the dB lost."""
        return il.effects(self.field, self.sae, self.codes, head=head, signal=self.signals[head])

    def firing(self, count: int) -> list[int]:
        """The atoms of the largest mean magnitude."""
        return il.atom_statistics(self.codes).top(count)

    def at(self, row: int) -> dict[int, float]:
        """The atoms that fire at a row, with their codes, largest first."""
        pairs = zip(self.codes.indices[row].tolist(), self.codes.values[row].tolist(), strict=True)
        return dict(sorted(((atom, code) for atom, code in pairs if code > 0.0), key=lambda pair: (-pair[1], pair[0])))


def picture(image: Tensor) -> NDArray[np.float64]:
    """A picture ``(H, W, c)`` as a screen shows it: clamped, in levels of 0 to 255 that are not rounded yet."""
    return np.asarray(image.detach().clamp(0.0, 1.0).double().numpy() * 255.0)


def plan() -> WalkthroughPlan:
    """Every backbone, trained for long enough that single atoms change the picture by many levels."""
    parts = []
    for name in ("siren", "ffmlp", *(other for other in il.backbone_names() if other not in ("siren", "ffmlp"))):
        backbone = il.make_backbone(name, **{**toys.SMALL[name], "depth": 3})
        recipe = il.Recipe(f"toy {name}", backbone, steps=40, learning_rate=4e-3, record_every=20)
        parts.append(BackbonePlan(name, recipe, recipe, replace(recipe, backbone=None, steps=4)))
    return WalkthroughPlan(tuple(parts), 2, 32, K, 25, 64, 1e-3)


def signals() -> list[il.Signal]:
    """Three for the cohort and two held out; one of each has a hostile name."""
    made = toys.signals(5, GRID)
    return [replace(one, name=HOSTILE) if place in (1, 3) else one for place, one in enumerate(made)]


def explored(folder: Path, run: Callable[[Path], object] | None = None) -> Explored:
    """Makes a run in ``folder/toy run`` and its explorer in ``folder/explorer``."""
    place, own = folder / "toy run", folder / "explorer"
    if run is None:
        place.mkdir(parents=True)
        run_walkthrough(plan(), signals()[:3], signals()[3:], place)
    else:
        run(place)
    write_bundle(gather([place]), own)
    write_page(own)
    return Explored(place, own)


def bare(folder: Path) -> Explored:
    """The explorer of a run that has a network and no dictionary."""

    def fit(place: Path) -> None:
        import command

        photos = command.photos(place.parent / "photos", 2)
        command.done("fit", photos / "photo00.png", *command.BRIEF, "-o", place)

    return explored(folder, fit)
