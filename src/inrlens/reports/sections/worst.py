"""The ten atoms of a layer that cost most: where they fire, what they change, and what they are like."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from inrlens.atoms.effects import Effects
from inrlens.reports import words
from inrlens.reports.parts import Examined, Table, examined
from inrlens.reports.pictures import Picture, heat_map
from inrlens.reports.rank_correlation import rank_correlation
from inrlens.reports.readings.worst import worst_ten_reading
from inrlens.reports.views import how_cut, peak, slice_note
from inrlens.signals.signal import Signal
from inrlens.studies.record import RankedAtom
from inrlens.studies.run_reader import OpenRun


@dataclass(frozen=True)
class WorstTile:
    """One atom's map and its absolute effect, each scaled to its own largest value."""

    title: str
    map: Picture
    effect: Picture
    lines: tuple[str, ...]


@dataclass(frozen=True)
class WorstTen:
    """One layer's."""

    name: str
    title: str
    reading: str
    tiles: tuple[WorstTile, ...]
    table: Table


@dataclass(frozen=True)
class WorstSection:
    """Every layer's."""

    what: str
    layers: tuple[WorstTen, ...]


def worst(run: OpenRun) -> WorstSection | None:
    """None where no layer was looked at atom by atom, or none of its atoms is alive."""
    entries = [one for one in examined(run.record.conditions) if one.atlas.worst]
    if not entries:
        return None
    shown = run.signal(entries[0].condition.signals[0])
    what = (
        "Left its map, right the absolute effect (mean over channels), each scaled to its own largest value; black is "
        f"0.{how_cut(shown.shape, 'through the largest code')}{_over_time(shown)} dB lost: on the network's first "
        "signal, the atom taken out alone. Mean effect: what it adds to each channel, mean over the coordinates where "
        "it fires; "
        "the swatch shows it on middle grey, all of a network's swatches stretched alike."
    )
    return WorstSection(words.sentence(what), tuple(_ten(run, one, number) for number, one in enumerate(entries)))


def _over_time(shown: Signal) -> str:
    return " Both are drawn over time." if len(shown.shape) == 1 else ""


def _ten(run: OpenRun, one: Examined, number: int) -> WorstTen:
    atlas = run.atlas(one.condition, one.layer)
    alive = ~atlas.statistics.dead.cpu()
    together = rank_correlation(atlas.psnr_drop[alive].tolist(), atlas.statistics.mean_magnitude.cpu()[alive].tolist())
    return WorstTen(
        name=f"worst-{number}",
        title=one.title,
        reading=worst_ten_reading(one, together),
        tiles=tuple(_tile(atlas, one, atom) for atom in one.atlas.worst),
        table=_table(one, [atlas.footprint.colour[atom.atom].cpu() for atom in one.atlas.worst]),
    )


def _tile(atlas: Effects, one: Examined, atom: RankedAtom) -> WorstTile:
    values, effect = atlas.codes.map(atom.atom), atlas.of(atom.atom).abs().mean(-1)
    cut = peak(values)
    who = f"atom {atom.atom} of {one.title}"
    lines = (
        f"{words.change(-atom.psnr_drop)}",
        f"max {words.significant(float(values.max()), 2)}, effect {words.significant(float(effect.max()), 2)}",
        *slice_note(cut),
    )
    alt = f"Map of {who}: active on {words.percent(atom.active_fraction)} of the {words.thing(atlas.codes.grid)}"
    strength = heat_map(effect, f"Absolute effect of {who}", cut=cut)
    return WorstTile(f"atom {atom.atom}", heat_map(values, alt, cut=cut), strength, lines)


def _table(one: Examined, colours: Sequence[Tensor]) -> Table:
    rows = tuple(
        (
            str(atom.atom),
            words.significant(atom.psnr_drop),
            str(atom.magnitude_rank),
            words.significant(atom.mean_magnitude),
            words.percent(atom.active_fraction),
            words.locality(atom.locality),
            str(atom.pieces),
            ", ".join(words.signed(float(value), 3) for value in colour),
        )
        for atom, colour in zip(one.atlas.worst, colours, strict=True)
    )
    columns = (
        "atom", "dB lost", "place by mean magnitude", "mean magnitude", "active fraction", "locality", "pieces",
        "mean effect",
    )  # fmt: skip
    marked = frozenset(row for row, atom in enumerate(one.atlas.worst) if atom.magnitude_rank <= len(rows))
    caption = f"{one.title}: the atoms that cost most; bold, those that are also among the first {len(rows)} by mean "
    return Table(f"{caption}magnitude", columns, rows, names=0, marked=marked, swatches=_swatches(colours))


def _swatches(colours: Sequence[Tensor]) -> tuple[str, ...]:
    """CSS colours: middle grey for no effect, the largest part of any of them at the end of the scale."""
    largest = max((float(colour.abs().max()) for colour in colours), default=0.0) or 1.0
    found = []
    for colour in colours:
        parts = [round(127.5 + 127.5 * float(value) / largest) for value in colour]
        # One channel is a grey; what has neither one nor three has no colour of its own.
        parts = parts * 3 if len(parts) == 1 else parts
        if len(parts) != 3:
            return ()
        found.append(f"rgb({', '.join(str(part) for part in parts)})")
    return tuple(found)
