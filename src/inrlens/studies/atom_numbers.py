"""The numbers that records and studies keep of a dictionary's atoms."""

from dataclasses import dataclass

from inrlens.atoms.effects import Effects
from inrlens.atoms.statistics import Spread, spread

TOP_ATOMS = 16
"""So many atoms, first by mean magnitude, are listed one by one."""


@dataclass(frozen=True)
class AtomNumbers:
    """What the atoms of a layer are like and what the picture loses without each.

    ``active_fraction``, ``ipr`` and ``drop`` (dB) are median and quartiles over living atoms, None without any;
    ``dead`` is the share of atoms that fire nowhere. ``top_...`` are of the first 16 by mean magnitude. The worst atom
    is the one without which the PSNR falls most, its rank the place by mean magnitude (1 is the largest).
    """

    active_fraction: Spread | None
    ipr: Spread | None
    dead: float
    top_atoms: tuple[int, ...]
    top_magnitude: tuple[float, ...]
    top_firing: tuple[float, ...]
    top_drops: tuple[float, ...]
    drop: Spread | None
    worst_atom: int | None
    worst_drop: float | None
    worst_rank: int | None


def atom_numbers(atlas: Effects) -> AtomNumbers:
    """The numbers of an atlas's atoms."""
    statistics, drops = atlas.statistics, atlas.psnr_drop.cpu()
    alive = ~statistics.dead.cpu()
    top = statistics.top(TOP_ATOMS)
    worst = next(iter(atlas.rank("psnr_drop")), None)
    return AtomNumbers(
        active_fraction=spread(statistics.active_fraction.cpu()[alive]),
        ipr=spread(statistics.ipr.cpu()[alive]),
        dead=float(statistics.dead.double().mean()),
        top_atoms=tuple(top),
        top_magnitude=tuple(float(statistics.mean_magnitude[atom]) for atom in top),
        top_firing=tuple(float(statistics.firing_rate[atom]) for atom in top),
        top_drops=tuple(float(drops[atom]) for atom in top),
        drop=spread(drops[alive]),
        worst_atom=worst,
        worst_drop=None if worst is None else float(drops[worst]),
        worst_rank=None if worst is None else atlas.rank("mean_magnitude").index(worst) + 1,
    )
