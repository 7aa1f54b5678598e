"""A folder of images, volumes or sounds as a list of signals."""

import fnmatch
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from inrlens.errors import InputError
from inrlens.signals.audio import load_audio
from inrlens.signals.formats import PICTURE, SOUND, VOLUME, Format
from inrlens.signals.images import load_image
from inrlens.signals.nifti import load_nifti
from inrlens.signals.signal import Signal
from inrlens.signals.sizing import Fitting, sides

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Skipped:
    """A file of a folder that was not read, and why."""

    file: str
    reason: str


class SignalList(list[Signal]):
    """The signals of a folder; ``skipped`` names every file that was left out."""

    skipped: tuple[Skipped, ...]

    def __init__(self, signals: list[Signal], skipped: tuple[Skipped, ...]) -> None:
        super().__init__(signals)
        self.skipped = skipped


def load_folder(
    folder: str | Path,
    pattern: str = "*",
    size: tuple[int, int] | None = None,
    grey: bool = False,
    how: Fitting = "resize",
    limit: int | None = None,
) -> SignalList:
    """Reads the images directly inside a folder, sorted by name; grey images among coloured ones get three channels.

    Files that are no images or cannot be read are left out, logged, and listed in ``.skipped``.

    Args:
        folder: the folder.
        pattern: a shell pattern that a file's name must match, for example ``"*.jpg"``.
        size: as for ``load_image``, like the next two.
        grey: one channel.
        how: how the size is reached.
        limit: read at most so many images.

    Raises:
        InputError: where the folder is missing or holds no readable image that matches.
    """
    found = _read(Path(folder), pattern, limit, PICTURE, lambda path: load_image(path, size, grey, how))
    if len({signal.channels for signal in found}) < 2:
        return found
    return SignalList([_coloured(signal) for signal in found], found.skipped)


def load_volume_folder(
    folder: str | Path, pattern: str = "*", limit: int | None = None, window: tuple[float, float] | None = None
) -> SignalList:
    """Reads the NIfTI files directly inside a folder, each as ``load_nifti`` does with ``window``, sorted by name.

    Raises:
        InputError: as ``load_folder``, or where one differs from the others in its grid.
    """
    return _alike(Path(folder), _read(Path(folder), pattern, limit, VOLUME, lambda path: load_nifti(path, window)))


def load_audio_folder(folder: str | Path, pattern: str = "*", limit: int | None = None) -> SignalList:
    """Reads the sound files of one channel directly inside a folder, each as ``load_audio`` does, sorted by name.

    Raises:
        InputError: as ``load_folder``, or where one differs from the others in its number of samples.
    """
    return _alike(Path(folder), _read(Path(folder), pattern, limit, SOUND, load_audio))


def load_any_folder(
    folder: str | Path,
    pattern: str = "*",
    size: tuple[int, int] | None = None,
    grey: bool = False,
    how: Fitting = "resize",
    limit: int | None = None,
    window: tuple[float, float] | None = None,
) -> SignalList:
    """Reads a folder of images, of NIfTI files or of sounds, by the endings of its files; the arguments are those of
    ``load_folder`` and ``load_volume_folder``. A folder that holds any image is one of images.

    Raises:
        InputError: as the three; where there are volumes and sounds, or a size or grey is asked for of what are no
            images, or a window of what are no volumes.
    """
    folder = Path(folder)
    kinds = [kind for kind in (PICTURE, VOLUME, SOUND) if any(True for _ in _named(folder, pattern, kind.endings))]
    if window is not None and kinds != [VOLUME]:
        raise InputError(f"{folder} is no folder of NIfTI files, whose values a window maps: leave the window out.")
    if not kinds or PICTURE in kinds:
        return load_folder(folder, pattern, size, grey, how, limit)
    if len(kinds) > 1:
        raise InputError(f'{folder} holds volumes and sounds: choose one kind with a pattern, such as "*.wav".')
    if size is not None or grey:
        raise InputError(f"{folder} holds no images: leave size and grey out.")
    if kinds == [VOLUME]:
        return load_volume_folder(folder, pattern, limit, window)
    return load_audio_folder(folder, pattern, limit)


def _named(folder: Path, pattern: str, suffixes: tuple[str, ...] = ("",)) -> Iterator[Path]:
    """The files that are no secret and match, by name."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        matches = fnmatch.fnmatch(path.name, pattern) and path.name.lower().endswith(suffixes)
        if matches and not path.is_dir() and not path.name.startswith("."):
            yield path


def _read(folder: Path, pattern: str, limit: int | None, kind: Format, read: Callable[[Path], Signal]) -> SignalList:
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder.")
    if limit is not None and limit < 1:
        raise InputError(f"limit must be at least 1 {kind.more}, not {limit}.")
    signals: list[Signal] = []
    skipped: list[Skipped] = []
    for path in _named(folder, pattern):
        if limit is not None and len(signals) == limit:
            break
        if not path.name.lower().endswith(kind.endings):
            skipped.append(Skipped(path.name, f"not {kind.what} file by its ending"))
            continue
        try:
            signals.append(read(path))
        except InputError as error:
            skipped.append(Skipped(path.name, str(error)))
    for file in skipped:
        _log.warning("%s was left out: %s", file.file, file.reason)
    if not signals:
        reasons = f" ({skipped[0].file}: {skipped[0].reason})" if skipped else ""
        raise InputError(f"{folder} holds no {kind.more} that matches {pattern!r} and can be read{reasons}.")
    return SignalList(signals, tuple(skipped))


def _coloured(signal: Signal) -> Signal:
    return signal if signal.channels == 3 else replace(signal, values=signal.values.expand(-1, 3).contiguous())


def _alike(folder: Path, signals: SignalList) -> SignalList:
    """The signals, which must share one grid: nothing here scales volumes or sounds."""
    usual, count = Counter(signal.shape for signal in signals).most_common(1)[0]
    odd = next((signal for signal in signals if signal.shape != usual), None)
    if odd is not None:
        raise InputError(
            f"{folder}: {odd.name} has {sides(odd.shape)} samples and {count} of {len(signals)} files "
            f"{sides(usual)}, but signals fitted together share one grid: cut them alike, or leave it out with a "
            "pattern."
        )
    return signals
