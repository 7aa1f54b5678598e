"""Every atom of a layer in one picture: what each costs, how wide and how local it is, and its map on asking."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from inrlens.atoms.effects import Effects
from inrlens.reports import words
from inrlens.reports.figures.canvas import Panel
from inrlens.reports.figures.cloud import HEIGHT, STEPS, WIDTH, Dot, cloud_panel
from inrlens.reports.packed import LONGEST_SIDE, PackedMaps, pack_maps, packed
from inrlens.reports.parts import Examined, examined
from inrlens.reports.pictures import palette
from inrlens.reports.readings.every import cloud_reading
from inrlens.reports.views import how_cut
from inrlens.studies.run_reader import OpenRun

TENTHS = 10
"""Places are handed over in tenths of the drawing's units."""


@dataclass(frozen=True)
class Cloud:
    """One layer's atoms, those first that cost most: the picture, and what the page's script shows of each.

    ``places`` are x and y of each dot in tenths of the drawing's units (``packed``, 2 bytes); ``said`` a line an atom:
    number, PSNR without it, place by mean magnitude, active fraction, locality, pieces, largest code, tabs between
    them.
    """

    name: str
    title: str
    reading: str
    panel: Panel
    atoms: int
    places: str
    said: str
    maps: PackedMaps


@dataclass(frozen=True)
class EverySection:
    """All clouds, the names of the steps of locality, and the colours of the maps (``packed``, 1 byte)."""

    what: str
    steps: tuple[str, ...]
    clouds: tuple[Cloud, ...]
    palette: str
    width: float = WIDTH
    height: float = HEIGHT
    units: int = TENTHS


def every(run: OpenRun) -> EverySection | None:
    """None where no layer was looked at atom by atom, or none of its atoms is alive."""
    clouds = [_cloud(run, one, number) for number, one in enumerate(examined(run.record.conditions))]
    found = tuple(cloud for cloud in clouds if cloud is not None)
    if not found:
        return None
    small = ""
    shape = run.signals[0].shape
    if max(shape) > LONGEST_SIDE:
        small = " Maps are averaged down to fit the page."
    cut = how_cut(shape, "through the largest code")
    what = (
        "One dot a living atom. Across: the share of coordinates where its code passes 0.01. Up: by how many dB the "
        "PSNR of the network's first signal falls when it alone is taken out; below 0 the PSNR rises. The scale is "
        "even about 0 and logarithmic away from it. Colour: locality, the share of the effect's energy within a "
        f"quarter unit of its centre (every side of the {words.thing(shape)} is 2 units).{cut}{small}"
    )
    return EverySection(what, _steps(), found, packed(palette(), 1))


def _steps() -> tuple[str, ...]:
    edges = [round(100 * step / STEPS) for step in range(STEPS + 1)]
    return tuple(
        f"under {high}{words.THIN}%" if low == 0 else f"{low} to {high}{words.THIN}%" for low, high in pairwise(edges)
    )


def _cloud(run: OpenRun, one: Examined, number: int) -> Cloud | None:
    atlas = run.atlas(one.condition, one.layer)
    order = [atom for atom in atlas.rank("psnr_drop") if math.isfinite(float(atlas.psnr_drop[atom]))]
    if not order:
        return None
    active, locality = atlas.statistics.active_fraction.tolist(), atlas.footprint.in_radius.tolist()
    drops = atlas.psnr_drop.tolist()
    dots = [Dot(active[atom], drops[atom], locality[atom]) for atom in order]
    panel, places = cloud_panel(f"cloud-{number}", one.title, dots, atlas.codes.values.shape[0])
    return Cloud(
        name=f"cloud-{number}",
        title=one.title,
        reading=cloud_reading(one, dots),
        panel=panel,
        atoms=len(order),
        places=packed([round(TENTHS * value) for place in places for value in place], 2),
        said="\n".join(_said(atlas, order)),
        maps=pack_maps(atlas.codes, order),
    )


def _said(atlas: Effects, order: Sequence[int]) -> list[str]:
    rank = {atom: place for place, atom in enumerate(atlas.rank("mean_magnitude"), start=1)}
    largest = atlas.codes.values.new_zeros(atlas.codes.n_atoms)
    flat = atlas.codes.indices.reshape(-1).long()
    largest.scatter_reduce_(0, flat, atlas.codes.values.reshape(-1), "amax")
    drops, active = atlas.psnr_drop.tolist(), atlas.statistics.active_fraction.tolist()
    locality, pieces, top = atlas.footprint.in_radius.tolist(), atlas.footprint.pieces.tolist(), largest.tolist()
    return [
        "\t".join(
            (
                str(atom),
                words.change(-drops[atom]),
                str(rank[atom]),
                words.percent(active[atom]),
                words.locality(locality[atom]),
                str(pieces[atom]),
                words.significant(top[atom], 2),
            )
        )
        for atom in order
    ]
