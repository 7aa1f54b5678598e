"""How to read a study's numbers: every term that its report uses."""

from inrlens.reports.published import SIZES
from inrlens.reports.study.told import ToldStudy

_TAU = "\N{GREEK SMALL LETTER TAU}"
_Terms = tuple[tuple[str, str], ...]
_FITS: _Terms = (
    (
        "PSNR",
        "Peak signal-to-noise ratio in dB on values in [0, 1], output clamped to [0, 1], on the whole grid after the "
        "last step, never at the best one; a mean over pictures is the mean of each picture's own.",
    ),
    (
        "SSIM, LPIPS",
        "Structural similarity with the 11-tap Gaussian window, 1 is identity; distance of AlexNet features with the "
        "heads of version 0.1, 0 is identity. LPIPS is not computed without the file of its weights.",
    ),
)
_TRANSFERS: _Terms = (
    (
        "Setting",
        f"{_TAU}: layers 0 to {_TAU} keep the cohort's weights, the rest is drawn afresh (the paper's protocol) or, "
        "warm, starts from the cohort. No freeze: all layers start from the cohort and are trained. From scratch: "
        "nothing is reused. The head is always new.",
    ),
    (
        "Spread",
        "A standard deviation over pictures is that of the pictures' means over seeds; one over seeds is that between "
        "seeds of the same picture, pooled over pictures; both with n \N{MINUS SIGN} 1. They are never mixed, while "
        "the paper calls its own both over images and over images and seeds.",
    ),
    (
        "Interval",
        "A 95 % percentile bootstrap over pictures, 10,000 resamples. Two settings are told apart where the interval "
        "of their difference, paired by picture and seed, leaves 0 out. From five pictures or fewer it is too narrow.",
    ),
    (
        "Best here",
        "The depth with the highest mean is chosen on the pictures that it is then measured on, which favours it. A "
        "predictor names its depth without them.",
    ),
)
_ATOMS: _Terms = (
    (
        "R\N{SUPERSCRIPT TWO}, fidelity, dead",
        "R\N{SUPERSCRIPT TWO} is the share of the activations' variance that a dictionary explains; fidelity the PSNR "
        "of the output with the layer replaced by its reconstruction, against the output as it is; a dead atom fires "
        "at no coordinate of the whole grid.",
    ),
    (
        "Atom",
        "Active fraction: share of coordinates with a code above 0.01. IPR: inverse participation ratio, 1 over the "
        "number of coordinates that an atom is spread over. What is lost without an atom is exact, not estimated.",
    ),
)


def notes(study: ToldStudy) -> tuple[tuple[str, str], ...]:
    """Terms with their meanings, those of the parts that the study has."""
    rows = study.rows
    found: _Terms = _FITS if rows.transfers or rows.singles or rows.cohorts else ()
    found += _TRANSFERS if rows.transfers else ()
    found += _ATOMS if rows.dictionaries or rows.analyses else ()
    return (*found, ("Not the paper's", _unlike(study))) if found else ()


def _unlike(study: ToldStudy) -> str:
    """What differs from the published experiments as far as the study's file says it."""
    sizes = [f"{one.name} {one.size[0]} \N{MULTIPLICATION SIGN} {one.size[1]}" for one in study.spec.data if one.size]
    batches = sorted(
        {
            one.settings["batch"]
            for one in study.recipes
            if one.settings.get("batch") is not None and one.task != "dictionary"
        }
    )
    alone = [one.name for one in study.spec.data if study.counterpart(one.name) is None]
    here = [f"height \N{MULTIPLICATION SIGN} width here: {', '.join(sizes)}"] if sizes else []
    if batches:
        here.append(f"{' or '.join(f'{one:,}' for one in batches)} coordinates a step here, all of them in the paper")
    if alone:
        here.append(f"no published data set stands beside {', '.join(alone)}")
    theirs = f"Width \N{MULTIPLICATION SIGN} height: {SIZES}."
    return f"{theirs} {'; '.join(here)[:1].upper()}{'; '.join(here)[1:]}." if here else theirs
