"""The freeze sweeps of a bundle: every setting's fits, and the first held-out signal's picture under each."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from inrlens.errors import InputError
from inrlens.explorer.arrays import ArrayFile, ArrayPlace
from inrlens.explorer.manifest import FreezeEntry, SettingEntry
from inrlens.reports.sweep import Sweep
from inrlens.studies.plan import freeze_label, sweep_settings
from inrlens.studies.run_reader import OpenRun


def freeze_entry(run: OpenRun, run_name: str, sweep: Sweep, network: str | None, file: ArrayFile) -> FreezeEntry:
    """Writes a sweep's pictures into ``file``; ``network`` is the id of the cohort's network.

    Raises:
        InputError: where a picture's file is there, but no image.
    """
    cells = sorted({cell for fits in sweep.cells.values() for cell in fits})
    signals = list(dict.fromkeys(signal for signal, _ in cells))
    settings = []
    for freeze, rest in sweep_settings(sweep.depth):
        label = freeze_label(freeze, rest)
        fits = sweep.cells.get(label)
        if not fits:
            continue
        psnrs = tuple(fits[cell] for cell in cells)
        picture = _picture(run, sweep.backbone, label, signals[0], file)
        settings.append(SettingEntry(label, freeze, rest, sum(psnrs) / len(psnrs), psnrs, picture))
    names = tuple(run.signal(signal).name for signal in signals)
    return FreezeEntry(run_name, sweep.backbone, network, names, tuple(settings))


def _picture(run: OpenRun, backbone: str, label: str, signal: int, file: ArrayFile) -> ArrayPlace | None:
    for entry in run.record.transfers:
        named = (entry.backbone, freeze_label(entry.freeze, entry.rest), entry.signal) == (backbone, label, signal)
        if named and entry.picture is not None:
            path = run.path(entry.picture)
            return file.append(_pixels(path, run.signal(signal).channels)) if path.is_file() else None
    return None


def _pixels(path: Path, channels: int) -> UInt8[np.ndarray, "h w c"]:
    try:
        with Image.open(path) as opened:
            pixels = np.array(opened.convert("L" if channels == 1 else "RGB"), dtype=np.uint8)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise InputError(f"{path} could not be read as an image ({error}).") from error
    return pixels.reshape(*pixels.shape[:2], channels)
