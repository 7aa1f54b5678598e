"""How to read the numbers: every term that the page uses, only those that this run needs."""

from inrlens.atoms.footprint import RADIUS
from inrlens.atoms.match import ALIKE
from inrlens.reports import words
from inrlens.reports.readings.freeze import LEVEL_DB
from inrlens.reports.readings.ranks import NEAR_TIE
from inrlens.studies.run_reader import OpenRun

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
_HEALTH = (
    (
        "Gamma",
        "Of a layer's activations over the grid: the length of their mean over the length of their standard "
        "deviations, one entry of each a unit. Where it is large, a dictionary that starts at random points mostly "
        "along the mean, and many of its atoms start dead.",
    ),
    (
        "Effective dimension, effective rank",
        "Over how many directions a layer's activations vary: the squared sum of their covariance's eigenvalues over "
        "the sum of their squares, and the exponential of their entropy.",
    ),
)
_ATLAS = (
    (
        "Cost",
        "The dB that the PSNR of the network's first signal falls when one atom alone is taken out; negative where the "
        "picture is better without it.",
    ),
    (
        "Energy, locality",
        "The energy of an effect is its square, mean over coordinates and channels. Locality is the share of it "
        f"within {RADIUS:g} of its centre, an eighth of a side.",
    ),
    (
        "Pieces",
        "Connected pieces of the coordinates where an atom fires; neighbours share a side. Single pixels count as "
        "well.",
    ),
    (
        "Removal area",
        "The mean PSNR in dB under the curve of PSNR against the number of atoms taken out, the costliest first, over "
        "log\N{SUBSCRIPT TWO}(1 + m). Low where the picture hangs on few atoms.",
    ),
    (
        "Excess",
        "How far two atoms' joint effect is from the sum of their single ones where both fire: squared distance over "
        "that sum squared. 0 where they add up, 1 where the joint effect is as far from the sum as none at all.",
    ),
    (
        "Controls",
        "Dictionaries that nobody trained, of the same k: random unit-length atoms (with the one gain that rebuilds "
        "the layer best), the principal components with both signs, and the layer's own units above and below their "
        "means. The untrained network is the same network before its fit, with a dictionary trained as the first was.",
    ),
    (
        "Found again, PW-MCC",
        "Two atoms are compared by the cosine of their directions and by the correlation of their maps. PW-MCC is the "
        f"mean over one-to-one pairs, chosen so that it is largest. Above {ALIKE:g} an atom counts as found again. "
        "Collisions: atoms whose best free partner is another atom's too.",
    ),
    (
        "Subspace overlap",
        "Whether two dictionaries use the same part of a layer's space at a coordinate, whatever atoms span it: 1 "
        "where the smaller span lies in the larger. By chance: what random spans of the same dimensions share.",
    ),
)


def notes(run: OpenRun) -> tuple[tuple[str, str], ...]:
    """Terms and their meanings."""
    record = run.record
    chosen = [*_FIT] if record.conditions else []
    chosen += _FREEZE if record.transfers else ()
    layers = [layer for condition in record.conditions for layer in condition.layers]
    chosen += _ATOMS if layers else ()
    chosen += _HEALTH if any(layer.health is not None for layer in layers) else ()
    chosen += _ATLAS if any(layer.atlas is not None for layer in layers) else ()
    return tuple(chosen)
