"""What a model card says of the files that are shared, in plain numbers."""

import math
import statistics
from dataclasses import dataclass
from typing import Any

import torch

from inrlens.atoms.effects import Effects
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.fields.backbone import backbone_settings
from inrlens.fields.field import Field
from inrlens.ranks.advice import freeze_advice
from inrlens.signals.affine import Affine, to_points
from inrlens.studies.record import ConditionRecord, LayerRecord


@dataclass(frozen=True)
class Quality:
    """PSNR in dB, output clamped to [0, 1]; ``NetworkFacts.measured`` says when.

    ``mean`` is over the n signals; ``deviation`` (with n - 1) and the extremes are over signals too, None where the
    signals' own are not known (``each`` is empty), not all finite, or n is 1. ``ssim`` is the mean over signals.
    """

    n: int
    mean: float
    deviation: float | None
    low: float | None
    high: float | None
    each: tuple[float, ...]
    ssim: float | None


@dataclass(frozen=True)
class NetworkFacts:
    """A field: what it is, what it was fitted to and how, how well, and which of its layers transfer."""

    file: str
    backbone: str
    settings: dict[str, Any]
    depth: int
    heads: int
    channels: int
    grid: tuple[int, ...] | None
    place: str | None
    parameters: int
    dtype: str
    coordinate_range: tuple[float, ...]
    target_range: tuple[float, float]
    kind: str
    seed: int
    recipe: dict[str, Any]
    notes: dict[str, Any]
    signals: tuple[tuple[str, str], ...]
    quality: Quality | None
    weight_rank: tuple[float, ...]
    activation_rank: dict[str, tuple[float, ...]]
    tau: int
    advice: str

    @property
    def is_start(self) -> bool:
        """Whether it was meta-learned to fit from, so that its one head draws none of its signals."""
        return self.kind == "meta"

    @property
    def measured(self) -> str:
        """When the quality was measured."""
        if not self.is_start:
            return "after the last step"
        number, rate = (self.recipe.get(key, "?") for key in ("inner_steps", "inner_learning_rate"))
        steps = f"{number} step{'' if number == 1 else 's'}"
        return f"after {steps} of gradient descent (rate {rate}) on each signal from this start"


@dataclass(frozen=True)
class DictionaryFacts:
    """A dictionary: the layer that it takes apart, its sizes, how it was trained; ``fvu`` where a run measured it."""

    file: str
    layer: int
    n_atoms: int
    k: int
    width: int
    seed: int
    field_digest: str
    settings: dict[str, Any]
    fvu: float | None


@dataclass(frozen=True)
class AtlasFacts:
    """An atlas: the effects of every atom of a layer on one head's picture; ``signal`` where the file holds it."""

    file: str
    layer: int
    head: int
    grid: tuple[int, ...]
    n_atoms: int
    k: int
    signal: str | None


Facts = NetworkFacts | DictionaryFacts | AtlasFacts


def quality(psnrs: tuple[float, ...], ssim: float | None = None) -> Quality:
    """The quality of n signals from the PSNR of each."""
    several = len(psnrs) > 1 and all(map(math.isfinite, psnrs))
    return Quality(
        n=len(psnrs),
        mean=statistics.fmean(psnrs),
        deviation=statistics.stdev(psnrs) if several else None,
        low=min(psnrs) if several else None,
        high=max(psnrs) if several else None,
        each=psnrs,
        ssim=ssim,
    )


def network_facts(file: str, field: Field, psnrs: tuple[float, ...], record: ConditionRecord | None) -> NetworkFacts:
    """The facts of a field; ``psnrs`` is empty and ``record`` None where they are not known."""
    origin, advice = field.origin, freeze_advice(field)
    found = quality(psnrs, None if record is None else record.ssim) if psnrs else None
    noted = origin.notes.get("psnr_db")
    if found is None and isinstance(noted, float):
        found = Quality(len(origin.signals) or field.heads, noted, None, None, None, (), None)
    return NetworkFacts(
        file=file,
        backbone=field.backbone.name,
        settings=backbone_settings(field.backbone),
        depth=field.depth,
        heads=field.heads,
        channels=field.channels,
        grid=field.grid,
        place=None if field.affine is None or field.grid is None else _place(field.affine, field.grid),
        parameters=sum(parameter.numel() for parameter in field.parameters()),
        dtype=str(field.dtype).removeprefix("torch."),
        coordinate_range=field.coordinate_range,
        target_range=field.target_range,
        kind=origin.kind,
        seed=origin.seed,
        recipe=origin.recipe,
        notes=origin.notes,
        signals=origin.signals,
        quality=found,
        weight_rank=advice.weight_stable_rank,
        activation_rank=advice.activation_stable_rank,
        tau=advice.tau,
        advice=advice.sentence,
    )


def _place(affine: Affine, grid: tuple[int, ...]) -> str:
    """Where a grid lies, in words: how far apart its samples are along each axis, its first and its last."""
    # The units that signals' affines lead to: a sound's to seconds, a volume's to millimetres, a picture's to anything.
    unit = {1: " s", 3: " mm"}.get(len(grid), "")
    apart = " x ".join(f"{math.hypot(*column):.6g}" for column in list(zip(*affine, strict=True))[:-1])
    corners = torch.tensor([[0.0 for _ in grid], [side - 1.0 for side in grid]])
    first, last = (f"({', '.join(f'{n:.6g}' for n in point)}){unit}" for point in to_points(corners, affine).tolist())
    return f"{'voxels of' if len(grid) == 3 else 'spacing'} {apart}{unit}, the first at {first}, the last at {last}"


def dictionary_facts(file: str, sae: SparseAutoencoder, record: LayerRecord | None) -> DictionaryFacts:
    """The facts of a dictionary; ``record`` is a run's, None where there is no run."""
    origin = sae.origin
    return DictionaryFacts(
        file=file,
        layer=sae.layer,
        n_atoms=sae.n_atoms,
        k=sae.k,
        width=sae.width,
        seed=origin.seed,
        field_digest=origin.field_digest,
        settings=origin.settings,
        fvu=None if record is None else record.quality.fvu,
    )


def atlas_facts(file: str, atlas: Effects) -> AtlasFacts:
    """The facts of an atlas."""
    codes = atlas.codes
    return AtlasFacts(
        file=file,
        layer=atlas.layer,
        head=atlas.head,
        grid=codes.grid,
        n_atoms=codes.n_atoms,
        k=int(codes.values.shape[1]),
        signal=None if atlas.signal is None else atlas.signal.name,
    )
