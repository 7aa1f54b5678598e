"""Records of runs that are written by hand: what reports read from a run, without the run."""

from dataclasses import replace
from typing import Any

from inrlens.atoms.statistics import Spread
from inrlens.dictionaries.evaluate import SaeQuality
from inrlens.reports.sweep import Sweep, sweeps
from inrlens.studies.record import ConditionRecord, LayerRecord, Machine, Ranks, RunRecord, TransferRecord

THIN = "\u202f"


def condition(
    backbone: str = "siren", weight: tuple[float, ...] = (2.0, 50.0, 20.0), **changes: Any
) -> ConditionRecord:
    tau = max(range(len(weight)), key=lambda layer: (weight[layer], -layer))
    plain = ConditionRecord(
        name=f"cohort_{backbone}",
        kind="cohort",
        backbone=backbone,
        file="f",
        history="h",
        signals=(0, 1),
        recipe={},
        seed=0,
        psnr=30.0,
        psnrs=(29.0, 31.0),
        ssim=None,
        seconds=4.0,
        steps=100,
        outcome="finished",
        divergences=(),
        ranks_initial=Ranks((2.0, 66.0, 66.0), {}),
        ranks=Ranks(weight, {"post": (9.0, 3.0, 1.0), "pre": (1.0, 4.0, 2.0)}),
        tau=tau,
        margin=1.5,
        advice="",
        notes={},
    )
    return replace(plain, **changes)


def quality(dead: float = 0.0, fidelity: float = 40.0) -> SaeQuality:
    return SaeQuality("grid", 100, 0.1, 0.9, 0.05, 1.0 - dead, dead, 0.01, fidelity, 30.0, 31.0)


def layer(number: int = 2, **changes: Any) -> LayerRecord:
    plain = LayerRecord(
        layer=number,
        file="f",
        n_atoms=64,
        k=4,
        steps=10,
        seconds=1.0,
        outcome="finished",
        quality=quality(),
        between=quality(fidelity=38.0),
        active_fraction=Spread(0.012, 0.01, 0.02),
        ipr=Spread(0.02, 0.01, 0.03),
        top_atoms=(5, 7),
        top_magnitude=(0.3, 0.1),
        top_firing=(0.4, 0.2),
        psnr_drop=Spread(0.1, 0.0, 0.2),
        worst_atom=9,
        worst_atom_drop=2.5,
        worst_atom_rank=11,
    )
    return replace(plain, **changes)


DEAD: dict[str, Any] = {
    "quality": quality(dead=1.0),
    "active_fraction": None,
    "ipr": None,
    "top_atoms": (),
    "top_magnitude": (),
    "top_firing": (),
    "psnr_drop": None,
    "worst_atom": None,
    "worst_atom_drop": None,
    "worst_atom_rank": None,
}


def transfer(freeze_at: int | None, rest: Any, psnr: float, signal: int = 2, **changes: Any) -> TransferRecord:
    plain = TransferRecord("siren", signal, freeze_at, rest, 0, psnr, None, 1.0, "finished", (), None)
    return replace(plain, **changes)


def run(transfers: list[TransferRecord], *conditions: ConditionRecord, **changes: Any) -> RunRecord:
    machine = Machine("cpu", 2, 2, "cpu", "3.11", "2", "Linux")
    plain = RunRecord(
        "demo", "0", "2026-01-01", 9.0, "finished", machine, 0, {}, ("a", "b", "c"), conditions, tuple(transfers)
    )
    return replace(plain, **changes)


def sweep(reinit: list[float], none: float = 30.0, scratch: float = 25.0) -> Sweep:
    """Two signals: the second is fitted 2 dB better in every setting."""
    entries = []
    for signal, extra in ((2, 0.0), (3, 2.0)):
        entries += [transfer(tau, "reinit", value + extra, signal) for tau, value in enumerate(reinit)]
        entries += [transfer(None, "warm", none + extra, signal), transfer(None, "reinit", scratch + extra, signal)]
    return sweeps(run(entries, condition()))[0]
