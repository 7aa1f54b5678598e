"""A study planned: with its pictures read, or, before they are at hand, sketched from their number and size."""

from pathlib import Path

from inrlens.errors import InputError
from inrlens.signals.signal import Signal
from inrlens.studies.cells.cell import SignalRef
from inrlens.studies.cells.data import load_data
from inrlens.studies.cells.expand import SPLITS, expand
from inrlens.studies.cells.plan import DataFile, StudyPlan
from inrlens.studies.config.model import DataSpec, StudySpec


def plan_study(
    spec: StudySpec, source: str, base: Path, *, lpips: Path | None = None, device: str = "cpu"
) -> StudyPlan:
    """Reads the data sets and lists every cell.

    Args:
        spec: the study.
        source: the text of its file.
        base: the folder that relative paths start from.
        lpips: the file of LPIPS's weights; None leaves LPIPS out.
        device: kind of device that the cells are computed on, ``cpu`` or ``cuda``; it is part of their keys, since
            results differ by rounding.

    Raises:
        InputError: where a data set cannot be read as asked for.
    """
    weights = None
    if lpips is not None and "lpips" in spec.metrics:
        from inrlens.metrics.lpips import weights_digest

        weights = weights_digest(lpips)
    refs: dict[tuple[str, str], tuple[SignalRef, ...]] = {}
    signals: dict[str, Signal] = {}
    files: list[DataFile] = []
    for one in spec.data:
        loaded = load_data(one, base)
        files += loaded.files
        for split in SPLITS:
            pictures: tuple[Signal, ...] = getattr(loaded, split)
            found = tuple(_ref(one.name, signal) for signal in pictures)
            refs[one.name, split] = found
            signals.update(zip((ref.digest for ref in found), pictures, strict=True))
    cells = expand(spec, base, refs, weights, device)
    return StudyPlan(spec, source, cells, signals, tuple(files), str(lpips) if weights is not None else None)


def sketch_study(spec: StudySpec, source: str, base: Path, *, device: str = "cpu") -> StudyPlan:
    """The cells that a study will have, priced before its data sets are at hand: pictures are known by size alone.

    The keys are not those of the study itself.

    Raises:
        InputError: where a data set does not say how many pictures there are, or of what size.
    """
    refs = {(one.name, split): _imagined(one, split) for one in spec.data for split in SPLITS}
    return StudyPlan(spec, source, expand(spec, base, refs, None, device), {}, ())


def _imagined(data: DataSpec, split: str) -> tuple[SignalRef, ...]:
    count, size = getattr(data, split), data.size
    if count is None or size is None:
        raise InputError(
            f"data.{data.name} is not at hand, and its file does not say "
            f"{'how many pictures are for the test' if count is None else 'of what size its pictures are'}: "
            f"give data.{data.name}.{'test' if count is None else 'size'}, or the data set."
        )
    names = [f"{split} {number}" for number in range(count)]
    return tuple(SignalRef(data.name, name, f"{data.name}/{name}", size, data.channels) for name in names)


def _ref(data: str, signal: Signal) -> SignalRef:
    return SignalRef(data, signal.name, signal.digest, signal.shape, signal.channels)
