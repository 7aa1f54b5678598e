"""The signals that verbs are given: files, folders, and noise by its name."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inrlens.errors import InputError

if TYPE_CHECKING:
    from inrlens.signals.folders import SignalList
    from inrlens.signals.signal import Signal
    from inrlens.signals.sizing import Fitting

_COHORT = 10
"""How many signals of noise are drawn where no number is given: as many as the paper's cohorts have."""


def cohort_signals(
    source: Path,
    pattern: str,
    size: tuple[int, int] | None,
    grey: bool,
    how: "Fitting",
    limit: int | None,
    seed: int,
    window: tuple[float, float] | None,
) -> "SignalList":
    """The images, volumes or sounds of a folder, or noise where ``source`` is ``noise:NAME`` and no folder.

    Raises:
        InputError: where nothing can be read, or noise is asked for without a size, with a window or by a name that is
            not known.
    """
    from inrlens.signals.folders import SignalList, load_any_folder
    from inrlens.signals.kinds import NOISE
    from inrlens.signals.noise import noise_cohort

    if not str(source).startswith(NOISE) or source.exists():
        return load_any_folder(source, pattern, size, grey, how, limit, window)
    if window is not None:
        raise InputError(f"--window has no meaning for {source}, whose values are within [0, 1]: leave it out.")
    if size is None:
        raise InputError(f"{source} is drawn at any size: give one with --size, such as --size 64x80.")
    if pattern != "*":
        raise InputError(f"--pattern {pattern!r} has no meaning for {source}, which has no files: leave it out.")
    name = str(source).removeprefix(NOISE)
    return SignalList(noise_cohort(name, limit or _COHORT, size, 1 if grey else 3, seed), ())


def is_image(path: Path) -> bool:
    """Whether a file is read as an image: all are but NIfTI files and sounds, by their endings."""
    from inrlens.signals.audio import AUDIO_SUFFIXES
    from inrlens.signals.nifti_files import NIFTI_SUFFIXES

    return not path.name.lower().endswith((*NIFTI_SUFFIXES, *AUDIO_SUFFIXES))


def one_signal(
    path: Path,
    size: tuple[int, int] | None,
    grey: bool,
    how: "Fitting",
    window: tuple[float, float] | None = None,
) -> "Signal":
    """An image, a NIfTI slice or volume, or a sound with one channel, by the file's ending.

    Raises:
        InputError: where it cannot be read, a size or grey is asked for of what is no image, or a window of what is no
            NIfTI file.
    """
    from inrlens.signals.audio import AUDIO_SUFFIXES, load_audio
    from inrlens.signals.images import load_image
    from inrlens.signals.nifti import load_nifti
    from inrlens.signals.nifti_files import NIFTI_SUFFIXES

    if window is not None and not path.name.lower().endswith(NIFTI_SUFFIXES):
        raise InputError(f"{path} is no NIfTI file, whose values --window maps: leave it out.")
    if is_image(path):
        return load_image(path, size, grey, how)
    if size is not None or grey:
        raise InputError(f"{path} is no image: leave --size and --grey out.")
    return load_audio(path) if path.name.lower().endswith(AUDIO_SUFFIXES) else load_nifti(path, window)


def masked(signals: "Sequence[Signal]", mask: Path | None) -> "list[Signal]":
    """The signals with the samples left out that the file ``mask`` leaves out, where there is one.

    Raises:
        InputError: where it cannot be read, or is of another size than a signal.
    """
    from inrlens.signals.mask import load_mask

    if mask is None:
        return list(signals)
    return [signal.masked(load_mask(mask, signal)) for signal in signals]
