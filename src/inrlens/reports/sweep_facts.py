"""What the paper states of its own dictionary sweep (arXiv:2605.08298 App. A.1), beside what this one measured."""

import math
from dataclasses import dataclass
from statistics import fmean

from inrlens.reports import words
from inrlens.reports.dictionary_grid import ALIVE, FIDELITY, LIVING_L0, PSNR, SPATIAL_L0, DictionaryGrid, Measure
from inrlens.reports.readings.dictionary_sweep import equals, falling_l0, number

MOST_GAIN = 0.5
"""dB that a doubling of n beyond ``FROM`` gains at most, mean over an FFMLP's layers (sae.sweep.gain_beyond_2048)."""
FROM = 2048
LEAST_ALIVE = 0.85
"""Share of atoms alive at every layer, at n = 4,096 and k = 32 (sae.alive)."""
_OWN_CONFLICT = "App. A.2 gives 59 to 74\N{NARROW NO-BREAK SPACE}% dead at FFMLP layers 3 and 4"


@dataclass(frozen=True)
class SweepFact:
    """One row; ``verdict`` is same, different, or a dash where the paper's statement is not about this."""

    quantity: str
    published: str
    where: str
    measured: str
    verdict: str
    condition: str


def sweep_facts(grid: DictionaryGrid, data: str) -> list[SweepFact]:
    """The rows; ``data`` says what network and grid this sweep is of."""
    return [*_gains(grid, data), _alive(grid, data), *_local(grid, data)]


def doublings(grid: DictionaryGrid, measure: Measure) -> list[float]:
    """The change of a measure's mean over layers with every doubling of n from ``FROM`` on, at every k."""
    found = []
    for n in grid.ns:
        if n >= FROM and 2 * n in grid.ns:
            for k in grid.ks:
                before, after = (grid.over_layers(measure, "trained", size, k) for size in (n, 2 * n))
                if before is not None and after is not None and math.isfinite(after - before):
                    found.append(after - before)
    return found


def _gains(grid: DictionaryGrid, data: str) -> list[SweepFact]:
    rows = []
    said_here = grid.record.field.backbone == "ffmlp"
    for measure, what in ((PSNR, "to the signals"), (FIDELITY, "to the intact output")):
        if measure is PSNR and not grid.record.field.signals:
            continue
        gains = doublings(grid, measure)
        measured, verdict = f"no n from {number(FROM)} on and its double at any layer", words.MISSING
        if gains:
            span = words.span(words.gain(min(gains)), words.gain(max(gains)))
            measured = f"{span}, mean {words.gain(fmean(gains))}"
            # The paper gives one number for all k.
            verdict = _verdict(fmean(gains) < MOST_GAIN) if said_here else words.MISSING
        caution = "" if said_here else "; the paper says it of an FFMLP"
        over = f"; {words.count(len(gains), 'doubling')}, over {words.layers(grid.whole)}"
        rows.append(
            SweepFact(
                f"PSNR {what}, mean over layers, gained by a doubling of n from {number(FROM)} on",
                f"under {words.db(MOST_GAIN)}",
                "App. A.1",
                measured,
                verdict,
                f"{data}{over if gains else ''}{caution}",
            )
        )
    return rows


def _alive(grid: DictionaryGrid, data: str) -> SweepFact:
    shares = [grid.mean(ALIVE, "trained", layer, grid.n, grid.k) for layer in grid.layers]
    known = [share for share in shares if share is not None]
    at = f"{equals('n', grid.n)}, {equals('k', grid.k)}"
    measured, verdict = "not measured", words.MISSING
    if known:
        measured = f"{words.span(words.percent(min(known)), words.percent(max(known)))} ({at})"
        verdict = _verdict(min(known) >= LEAST_ALIVE)
    return SweepFact(
        "atoms alive, least of any layer",
        f"at least {words.percent(LEAST_ALIVE)}",
        "App. A.1",
        measured,
        verdict,
        f"{data}; {_OWN_CONFLICT}",
    )


def _local(grid: DictionaryGrid, data: str) -> list[SweepFact]:
    falling, pairs = falling_l0(grid, SPATIAL_L0)
    if not pairs:
        return []
    shares = [
        n * share / k
        for layer in grid.layers
        for n in grid.ns
        for k in grid.ks
        if (share := grid.mean(SPATIAL_L0, "trained", layer, n, k)) is not None
    ]
    living, _ = falling_l0(grid, LIVING_L0)
    return [
        SweepFact(
            "pairs of a layer and a k at which spatial L\N{SUBSCRIPT ZERO} falls with every larger n",
            "all",
            "App. A.1",
            f"{falling} of {pairs}; over living atoms {living} of {pairs}",
            _verdict(falling == pairs),
            f"{data}; over all atoms it is at most k/n by construction, here {words.percent(fmean(shares))} of that on "
            "average",
        )
    ]


def _verdict(same: bool) -> str:
    return "same" if same else "different"
