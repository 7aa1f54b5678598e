"""Maps, ablations and the explorer itself in a notebook's cell."""

from collections.abc import Sequence
from pathlib import Path

from inrlens.atoms.codes import Codes
from inrlens.atoms.edit import Ablation
from inrlens.atoms.effects import Effects
from inrlens.atoms.statistics import atom_statistics
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.errors import InputError
from inrlens.explorer.from_objects import given
from inrlens.explorer.gather import gather
from inrlens.explorer.notebook_grid import Cell, Panel
from inrlens.explorer.notebook_iframe import Frame, frame
from inrlens.fields.network import Network
from inrlens.fields.quality import signal_psnr
from inrlens.reports.pictures import heat_map, picture
from inrlens.reports.views import peak, slice_note
from inrlens.reports.words import db, percent, significant, thing
from inrlens.signals.signal import Signal


def show(
    thing: Codes | Ablation | Effects | Network | str | Path | Sequence[str | Path],
    *,
    sae: SparseAutoencoder | Sequence[SparseAutoencoder] = (),
    signal: Signal | Sequence[Signal] | None = None,
    atoms: int = 12,
    signals: int | None = 3,
    height: int = 760,
) -> Cell | Frame:
    """What a notebook shows as pictures: maps, ablations, or the explorer of a network or a run.

    Volumes are drawn as three slices through the map's largest value, sounds over time, above a spectrogram.

    Args:
        thing: codes (the maps of the atoms of largest mean magnitude), an ablation (map, before, after, effect),
            effects (the same for the atoms that cost most), a network, a field of ours or ``wrap``'s (its explorer), or
            a run's folder, alone or with further runs and dictionaries' files (the explorer, written into the first
            run's folder unless it is there).
        sae: of a network, one or more dictionaries of its layers.
        signal: of a network, what it was fitted to; of one with several heads one each, in their order.
        atoms: of codes and effects, how many at most.
        signals: of a network or a run, how many of each network the explorer holds; None holds all.
        height: the explorer's, in pixels.

    Raises:
        InputError: for anything else, or what does not fit together.
    """
    if atoms < 1:
        raise InputError(f"atoms must be at least 1, not {atoms}.")
    if height < 1:
        raise InputError(f"height must be at least 1 pixel, not {height}.")
    if isinstance(thing, Network):
        if signal is None:
            raise InputError("a network is shown beside what it was fitted to: give signal=, one a head.")
        return frame(given(thing, sae, signal), signals, height)
    if signal is not None or sae != ():
        raise InputError(f"sae and signal go with a network, not with {type(thing).__name__}: leave them away.")
    if isinstance(thing, Codes):
        return _maps(thing, atoms)
    if isinstance(thing, Ablation):
        return _ablations([thing])
    if isinstance(thing, Effects):
        return _ablations([_ablation(thing, atom) for atom in thing.rank(_order(thing))[:atoms]])
    paths = [thing] if isinstance(thing, (str, Path)) else thing
    if not isinstance(paths, Sequence) or not paths or not all(isinstance(path, (str, Path)) for path in paths):
        raise InputError(
            f"{type(thing).__name__} cannot be shown; allowed are Codes, Ablation, Effects, a network, and the path of "
            "a run, alone or in a list with further runs and dictionaries."
        )
    return frame(gather([Path(path) for path in paths]), signals, height)


def _maps(codes: Codes, atoms: int) -> Cell:
    statistics = atom_statistics(codes)
    panels = []
    for atom in statistics.top(atoms):
        values = codes.map(atom)
        cut = peak(values)
        note = f"on {percent(float(statistics.firing_rate[atom]))} of the {thing(codes.grid)}"
        shot = heat_map(values, f"Map of atom {atom}", cut=cut)
        panels.append(Panel(f"atom {atom}", ", ".join((note, *slice_note(cut))), shot))
    alive = int((~statistics.dead).sum())
    return Cell(f"{len(panels)} of {alive:,} living atoms, by mean magnitude; each map ends at its own maximum", panels)


def _ablations(found: Sequence[Ablation]) -> Cell:
    panels: list[Panel] = []
    for one in found:
        strength = one.delta.abs().mean(-1)
        who, what = f"atom {one.atom}", thing(one.map.shape)
        cut, sounds = peak(one.map), len(one.map.shape) == 1
        panels += [
            Panel(
                f"map of {who}",
                ", ".join((f"up to {significant(float(one.map.max()), 2)}", *slice_note(cut))),
                heat_map(one.map, f"Map of {who}", cut=cut, sound=one.before if sounds else None),
            ),
            Panel(
                "before", _quality(one.psnr_before), picture(one.before, f"The {what} with every atom in place", cut)
            ),
            Panel(f"without {who}", _quality(one.psnr_after), picture(one.after, f"The {what} without {who}", cut)),
            Panel(
                f"effect of {who}",
                f"up to {significant(float(strength.max()), 2)}{_lost(one)}",
                heat_map(
                    strength,
                    f"Absolute effect of {who}, mean over channels",
                    cut=cut,
                    sound=0.5 + one.delta if sounds else None,
                ),
            ),
        ]
    if len(found) == 1:
        return Cell(f"Atom {found[0].atom} taken out, all else kept", panels, per_row=4)
    return Cell(f"{len(found)} atoms, each taken out alone, those that change most first", panels, per_row=4)


def _ablation(found: Effects, atom: int) -> Ablation:
    """What ``ablate`` gives, without a further pass."""
    delta = found.of(atom)
    before = found.output.reshape(delta.shape)
    after = before - delta
    signal = found.signal
    quality = [None if signal is None else signal_psnr(image, signal) for image in (before, after)]
    return Ablation(atom, found.codes.map(atom), before, after, delta, *quality)


def _order(found: Effects) -> str:
    return "energy" if found.signal is None else "psnr_drop"


def _quality(value: float | None) -> str:
    return "" if value is None else db(value, 2)


def _lost(one: Ablation) -> str:
    if one.psnr_before is None or one.psnr_after is None:
        return ""
    return f"; {db(one.psnr_before, 2)} \N{RIGHTWARDS ARROW} {db(one.psnr_after, 2)}"
