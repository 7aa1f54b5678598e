"""Galleries of atoms: the strongest of every layer as maps, and the mean map of the top k."""

from dataclasses import dataclass

from inrlens.atoms.statistics import mean_map
from inrlens.reports import words
from inrlens.reports.pictures import Picture, heat_map, is_shrunk
from inrlens.reports.readings.atoms import gallery_reading
from inrlens.reports.views import how_cut, how_heard, peak, slice_note
from inrlens.studies.record import ConditionRecord, LayerRecord
from inrlens.studies.run_reader import OpenRun

SHOWN = 8


@dataclass(frozen=True)
class AtomTile:
    """One map with what stands under it."""

    title: str
    picture: Picture
    lines: tuple[str, ...]
    mean: bool = False


@dataclass(frozen=True)
class GalleryRow:
    """One layer's tiles."""

    layer: int
    note: str
    tiles: tuple[AtomTile, ...]


@dataclass(frozen=True)
class Gallery:
    """One network's atoms, layer by layer; ``folded`` galleries open on a click."""

    name: str
    title: str
    reading: str
    rows: tuple[GalleryRow, ...]
    folded: bool


@dataclass(frozen=True)
class GallerySection:
    """All galleries of a run."""

    what: str
    galleries: tuple[Gallery, ...]


def gallery(run: OpenRun) -> GallerySection | None:
    """None where the run has no dictionaries."""
    conditions = sorted((c for c in run.record.conditions if c.layers), key=lambda c: c.kind != "cohort")
    if not conditions:
        return None
    cohorts = any(condition.kind == "cohort" for condition in conditions)
    galleries = tuple(_gallery(run, c, folded=cohorts and c.kind != "cohort") for c in conditions)
    shape = run.signals[0].shape
    how = how_cut(shape, "through the largest code") + how_heard(run.signals[0])
    how += " The spectrogram is that of the network's first output." if len(shape) == 1 else ""
    small = " Maps are averaged down to fit the page." if is_shrunk(shape) else ""
    k = words.listed([str(number) for number in sorted({layer.k for c in conditions for layer in c.layers})])
    what = (
        f"The {SHOWN} atoms of largest mean magnitude, strongest first; framed, the mean map of the top {k}. Each "
        "map is scaled to its own largest code, printed as max; black is 0. Mean: mean code over the grid. Active: "
        "share of coordinates with a code above 0.01. In dB: the change of PSNR on the network's first signal when "
        f"the atom is taken out.{how}{small}"
    )
    return GallerySection(what, galleries)


def _gallery(run: OpenRun, condition: ConditionRecord, folded: bool) -> Gallery:
    rows = tuple(_row(run, condition, layer) for layer in condition.layers)
    title = words.condition_title(condition.kind, condition.backbone)
    return Gallery(f"atoms-{condition.name}", title, gallery_reading(condition), rows, folded)


def _row(run: OpenRun, condition: ConditionRecord, layer: LayerRecord) -> GalleryRow:
    atlas = run.atlas(condition, layer)
    codes, statistics, drops = atlas.codes, atlas.statistics, atlas.psnr_drop
    shown = statistics.top(SHOWN)
    sound = run.field(condition).render(0) if len(codes.grid) == 1 else None
    who = f"{words.condition_title(condition.kind, condition.backbone)}, layer {layer.layer}"
    tiles = []
    for atom in shown:
        values = codes.map(atom)
        cut = peak(values)
        mean, active = float(statistics.mean_magnitude[atom]), float(statistics.active_fraction[atom])
        alt = f"Map of atom {atom} of {who}: active on {words.percent(active)} of the {words.thing(codes.grid)}"
        lines = (
            f"max {words.significant(float(values.max()), 2)}",
            f"mean {words.significant(mean, 2)}",
            f"active {words.percent(active)}",
            words.gain(-float(drops[atom])),
            *slice_note(cut),
        )
        tiles.append(AtomTile(f"atom {atom}", heat_map(values, alt, cut=cut, sound=sound), lines))
    top = statistics.top(layer.k)
    if top:
        average = mean_map(codes, top)
        cut = peak(average)
        alt = f"Mean map of the {len(top)} strongest atoms of {who}"
        lines = (f"max {words.significant(float(average.max()), 2)}", *slice_note(cut))
        shot = heat_map(average, alt, cut=cut, sound=sound)
        tiles.append(AtomTile(f"top-{len(top)} mean", shot, lines, mean=True))
    note = f"{words.percent(layer.quality.dead)} of {words.count(layer.n_atoms, 'atom')} dead"
    return GalleryRow(layer.layer, note, tuple(tiles))
