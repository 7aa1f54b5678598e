"""How to read the numbers: every term that the page uses, only those that this run needs."""

from inrlens.reports import words
from inrlens.reports.readings.freeze import LEVEL_DB
from inrlens.reports.readings.ranks import NEAR_TIE
from inrlens.studies.opened import OpenRun

_FIT = (
    (
        "PSNR",
        "Peak signal-to-noise ratio in dB: \N{MINUS SIGN}10 log\N{SUBSCRIPT ONE}\N{SUBSCRIPT ZERO} of the mean squared "
        "error on values in [0, 1], output clamped to [0, 1]; at the last step, never the best one; the mean over "
        "signals is the mean of each signal's own. Ten dB more are a tenth of the squared error.",
    ),
    (
        "SSIM",
        "Structural similarity with the 11-tap Gaussian window, mean over windows that lie inside the picture and over "
        "channels; 1 is identity.",
    ),
    (
        "Stable rank",
        "Squared Frobenius norm over squared largest singular value: how many directions a matrix spreads over. tau* "
        f"is the layer whose weights have the highest. A lead under {words.percent(NEAR_TIE - 1.0)} is called nearly "
        "level.",
    ),
)
_FREEZE = (
    (
        "Freeze depth tau",
        "Layers 0 to tau keep the cohort's weights; the rest starts reinitialised (the paper's protocol) or warm (from "
        "the cohort), with a fresh head. None freezes nothing and starts warm; scratch reuses nothing.",
    ),
    (
        "Spread",
        "One sample standard deviation over the fits behind a number, each a signal and a seed. Signals differ in how "
        "hard they are, so the spread of a difference on the same signal and seed says more than that of a PSNR. Means "
        f"closer than {words.db(LEVEL_DB)} are called level.",
    ),
)
_ATOMS = (
    (
        "Atom, code, map",
        "A dictionary writes a layer's activations at a coordinate as a sum of at most k of its n unit-length "
        "directions, the atoms. A code is how much of an atom is used; its map is the code at every coordinate.",
    ),
    (
        "What TopK allows",
        "At most k atoms fire at a coordinate, so the mean firing rate over all n atoms is at most k/n, and no median "
        "over living atoms can pass twice k over the number of living atoms.",
    ),
    (
        "FVU, R\N{SUPERSCRIPT TWO}, NMSE",
        "Fraction of variance unexplained: squared error of a dictionary over the squared distance of the activations "
        "to their mean; R\N{SUPERSCRIPT TWO} is 1 less that. NMSE divides by the plain sum of squares and is smaller "
        "where the mean is large.",
    ),
    (
        "Fidelity",
        "PSNR of the network's output with one layer replaced by its dictionary's reconstruction, against the output "
        "as it is. Between the samples: the same at the centres of the grid's cells, which no training ever saw.",
    ),
    (
        "IPR",
        "Inverse participation ratio of a map, sum of fourth powers over the squared sum of squares: 1 for one "
        "coordinate, 1/N for an even map over N.",
    ),
    (
        "Effect",
        "What the output loses when an atom's part is taken out of the activations and all else is kept. A coordinate "
        "network treats every coordinate by itself, so an effect can only be where the atom fires.",
    ),
)


def notes(run: OpenRun) -> tuple[tuple[str, str], ...]:
    """Terms and their meanings."""
    record = run.record
    chosen = [*_FIT] if record.conditions else []
    chosen += _FREEZE if record.transfers else ()
    chosen += _ATOMS if any(condition.layers for condition in record.conditions) else ()
    return tuple(chosen)
