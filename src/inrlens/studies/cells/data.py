"""A study's data set, split and read or drawn: what every cell is computed from."""

from dataclasses import dataclass
from pathlib import Path

from inrlens.errors import InputError
from inrlens.signals.dataset_pictures import read_pictures
from inrlens.signals.datasets import absent_files, expand_path, file_sha256, find_files
from inrlens.signals.kinds import NOISE
from inrlens.signals.noise import noise_cohort
from inrlens.signals.signal import Signal
from inrlens.signals.splits import Split, split_files
from inrlens.studies.cells.plan import DataFile
from inrlens.studies.config.model import DataSpec


@dataclass(frozen=True, eq=False)
class LoadedData:
    """A data set's pictures by their use, each named as in its data set, all on one grid with the same channels.

    ``files`` lists the same pictures in the same order; files that the study does not use are neither read nor listed.
    """

    spec: DataSpec
    cohort: tuple[Signal, ...]
    validation: tuple[Signal, ...]
    test: tuple[Signal, ...]
    files: tuple[DataFile, ...]


def load_data(spec: DataSpec, base: str | Path) -> LoadedData:
    """Finds, splits, hashes and reads a data set, or draws it.

    The bundled photographs are split in their own order, cohort first; every other set at random by ``split_seed``.
    Noise is drawn from ``split_seed``, cohort first; in place of a file its values are hashed.

    Args:
        spec: the data set.
        base: the folder that a relative path starts at.

    Raises:
        InputError: where the folder is missing, the set holds too few pictures or different sizes, or a file cannot be
            read; the message names the data set.
    """
    try:
        if spec.kind.startswith(NOISE):
            signals = _drawn(spec)
            hashes = [signal.digest for signal in signals]
        else:
            split = _split(spec, base)
            used = split.cohort + split.validation + split.test
            # Before the values are read: a file that changes in between shows as a changed hash the next time.
            hashes = [file_sha256(file.path) for file in used]
            signals = tuple(read_pictures(spec.kind, used, spec.size, spec.how, spec.channels, spec.turn))
    except InputError as error:
        raise InputError(f"data set {spec.name!r}: {error}") from error
    first, second = spec.cohort, spec.cohort + spec.validation
    uses = ["cohort"] * first + ["validation"] * spec.validation + ["test"] * (len(signals) - second)
    files = tuple(
        DataFile(spec.name, signal.name, use, sha256, signal.digest)
        for signal, use, sha256 in zip(signals, uses, hashes, strict=True)
    )
    _refuse_twins(files)
    return LoadedData(spec, signals[:first], signals[first:second], signals[second:], files)


def _split(spec: DataSpec, base: str | Path) -> Split:
    found = find_files(spec.kind, _folder(spec, base), spec.pattern)
    seed = None if spec.kind == "bundled" else spec.split_seed
    absent = absent_files(spec.kind, found) if spec.pattern == "*" else ""
    return split_files(found, spec.cohort, spec.validation, spec.test, seed, absent)


def _drawn(spec: DataSpec) -> tuple[Signal, ...]:
    if spec.size is None or spec.test is None:
        raise InputError("noise is drawn, so its size and its number for the test must be said.")
    count = spec.cohort + spec.validation + spec.test
    return tuple(noise_cohort(spec.kind.removeprefix(NOISE), count, spec.size, spec.channels, spec.split_seed))


def _folder(spec: DataSpec, base: str | Path) -> Path | None:
    if spec.kind == "bundled" or spec.path is None:
        return None
    folder = expand_path(spec.path, base)
    if not folder.is_dir():
        stands = "" if str(folder) == spec.path else f", for which the study writes {spec.path!r},"
        raise InputError(f"{folder}{stands} is not a folder: give the one that holds the data set.")
    return folder


def _refuse_twins(files: tuple[DataFile, ...]) -> None:
    """A picture that is counted twice makes intervals too narrow, and one of the cohort's in the test decides it."""
    first: dict[str, DataFile] = {}
    for file in files:
        twin = first.setdefault(file.digest, file)
        if twin is not file:
            raise InputError(
                f"data set {file.data!r}: {twin.name} ({twin.split}) and {file.name} ({file.split}) hold the same "
                "picture: remove one of the files."
            )
