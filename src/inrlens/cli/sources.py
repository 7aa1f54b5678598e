"""The signals that verbs are given: files, folders, and noise by its name."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


def one_signal(
    path: Path,
    size: tuple[int, int] | None,
    grey: bool,
    how: "Fitting",
    window: tuple[float, float] | None = None,
    frames: str | None = None,
) -> "Signal":
    """What a file, or a folder of frames, holds, as ``il.load_signal`` reads it.

    Raises:
        InputError: where it cannot be read, or an option has no meaning for what it is.
    """
    from inrlens.cli.progress import told_where_slow
    from inrlens.signals.load import load_signal

    wanted: Any = int(frames) if frames is not None and frames.isdecimal() else frames
    with told_where_slow(f"reading {path.name}"):
        return load_signal(path, size=size, grey=grey, how=how, window=window, frames=wanted)


def masked(signals: "Sequence[Signal]", mask: Path | None) -> "list[Signal]":
    """The signals with the samples left out that the file ``mask`` leaves out, where there is one.

    Raises:
        InputError: where it cannot be read, or is of another size than a signal.
    """
    from inrlens.signals.mask import load_mask

    if mask is None:
        return list(signals)
    return [signal.masked(load_mask(mask, signal)) for signal in signals]
