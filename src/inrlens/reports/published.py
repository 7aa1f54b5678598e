"""What the paper states, as data: arXiv:2605.08298v1, the numbers that a run here can be held against."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

PAPER = "arXiv:2605.08298"


@dataclass(frozen=True)
class FreezeGain:
    """Table 1: mean PSNR in dB over source and target pairs, unfrozen and frozen at tau*; pairs where frozen leads."""

    none: float
    frozen: float
    ahead: int
    pairs: int


TAU_STAR: Mapping[str, int] = MappingProxyType({"siren": 1, "ffmlp": 0})
"""Fig. 2: the best freeze depth, the same for all three cohorts of a backbone."""

FREEZE_GAIN: Mapping[str, FreezeGain] = MappingProxyType(
    {"siren": FreezeGain(40.69, 43.80, 7, 9), "ffmlp": FreezeGain(34.66, 35.91, 7, 9)}
)

SIZES = (
    "the paper has 178 \N{MULTIPLICATION SIGN} 218 faces, 160 \N{MULTIPLICATION SIGN} 192 brain slices and "
    "768 \N{MULTIPLICATION SIGN} 512 photographs, cohorts of 10 for 5,000 steps, transfers of 500 steps with 3 seeds, "
    "and dictionaries of n = 4,096 atoms with k = 32 trained for 10,000 steps"
)
COHORT_PSNR = 30.0
"""Table 2: the mean PSNR in dB, about, at which a cohort's pretraining stops."""

Measure = Literal[
    "threshold", "active", "dead", "magnitude", "dominance", "firing", "drop_top", "drop_tops", "drop_all", "drop_worst"
]
Rule = Literal["about", "at most", "within"]
COHORT: tuple[str, ...] = ("cohort",)
CELLS: tuple[str, ...] = ("cohort", "single")


@dataclass(frozen=True)
class Fact:
    """A published number about dictionaries.

    ``id`` names the statement. ``rule`` says how the number reads: ``about`` ``low``, ``at most`` ``high``, or
    ``within`` ``low`` to ``high``. ``backbone`` None: said of all. ``layers`` are those it is stated for (None: all);
    ``kinds`` the fits that it is stated for; ``caution`` is what a reader must know.
    """

    id: str
    measure: Measure
    backbone: str | None
    what: str
    rule: Rule
    low: float
    high: float
    where: str
    layers: tuple[int, ...] | None = None
    caution: str = ""
    kinds: tuple[str, ...] = COHORT


_MEDIAN_CEILING = (
    "a coordinate has at most k codes, so with the published n, k and dead share no median over living atoms can pass "
    "4\N{NO-BREAK SPACE}%: the published share must be that of the strongest atoms"
)
_OWN_CONFLICT = "the paper gives at least 85\N{NO-BREAK SPACE}% alive at every layer in App. A.1"
_WORST_OF_ALL = "here the worst of all atoms, there of the few strongest"
_TIER = "here over the second atom's, there over the next tier's"
_ALL_ATOMS = "here all living atoms, there the top 4 of a layer"

FACTS: tuple[Fact, ...] = (
    Fact(
        "active.threshold", "threshold", None, "code above which an atom counts as active", "about", 0.01, 0.01,
        "Sec. 4.2", None, "a definition, taken over", CELLS,
    ),
    Fact("active.fraction", "active", "siren", "median active fraction", "about", 0.01, 0.01, "Fig. 4"),
    Fact(
        "active.fraction", "active", "ffmlp", "active fraction, deep layers", "within", 0.30, 0.50, "Fig. 4", (3, 4),
        _MEDIAN_CEILING,
    ),
    Fact("dead.fraction", "dead", "siren", "dead atoms, layer 0", "at most", 0.0, 0.27, "App. A.2", (0,)),
    Fact("dead.fraction", "dead", "siren", "dead atoms, layer 1 on", "at most", 0.0, 0.04, "Fig. 4", (1, 2, 3, 4)),
    Fact(
        "dead.fraction", "dead", "ffmlp", "dead atoms, all layers", "within", 0.003, 0.591, "Fig. 4", None,
        _OWN_CONFLICT,
    ),
    Fact(
        "dead.fraction", "dead", "ffmlp", "dead atoms, layers 3 and 4", "within", 0.59, 0.74, "App. A.2", (3, 4),
        _OWN_CONFLICT, CELLS,
    ),
    Fact(
        "magnitude.top", "magnitude", "siren", "mean magnitude of the top atom, layer 2", "about", 0.05, 0.05,
        "Sec. 4.3", (2,),
    ),
    Fact(
        "magnitude.top", "magnitude", "ffmlp", "mean magnitude of the top atom, layer 2", "about", 0.35, 0.35,
        "Sec. 4.3", (2,),
    ),
    Fact(
        "magnitude.top", "dominance", "ffmlp", "the top atom's mean magnitude over the next, layer 2", "about", 7.0,
        7.0, "Sec. 4.3", (2,), _TIER,
    ),
    Fact("firing.rate", "firing", "siren", "firing rate of the top 16 atoms", "at most", 0.0, 0.05, "Fig. 10"),
    Fact(
        "firing.rate", "firing", "ffmlp", "firing rate of the top atom, layers 3 and 4", "within", 0.7, 0.9, "Fig. 10",
        (3, 4), "", CELLS,
    ),
    Fact(
        "ablation.drop", "drop_top", "siren", "PSNR lost without one of the top 2, layer 2", "within", 2.0, 3.0,
        "Sec. 4.3", (2,),
    ),
    Fact(
        "ablation.drop", "drop_tops", "siren", "PSNR lost without one of the top 4 of any layer", "within", 0.2, 9.2,
        "App. C",
    ),
    Fact(
        "ablation.drop", "drop_all", "siren", "PSNR lost without any one atom of any layer", "within", 0.2, 9.2,
        "App. C", None, _ALL_ATOMS,
    ),
    Fact(
        "ablation.drop", "drop_worst", "siren", "most PSNR lost without one atom", "about", 9.2, 9.2, "App. C", None,
        _WORST_OF_ALL,
    ),
    Fact(
        "ablation.drop", "drop_worst", "ffmlp", "most PSNR lost without one atom, layer 2", "about", 10.58, 10.58,
        "Fig. 5", (2,), _WORST_OF_ALL,
    ),
    Fact(
        "ablation.drop", "drop_worst", "ffmlp", "most PSNR lost without one atom, layer 4", "about", 9.36, 9.36,
        "App. C", (4,), _WORST_OF_ALL,
    ),
)  # fmt: skip
