"""How much memory a file takes while it is read, as a multiple of the values that come out.

``python benchmarks/reading_memory.py`` writes a picture of 768x512, a volume of 256 cubed and an hour of sound in the
formats that hold them, reads each in a process of its own, and prints the highest resident memory above that of the
process before the reading, over four bytes for each value. ``--csv FILE`` keeps the table.
"""

import argparse
import csv
import multiprocessing
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import soundfile
import tifffile
from PIL import Image

import inrlens as il

PICTURE, VOLUME, RATE = (512, 768), (256, 256, 256), 44_100


def picture(path: Path, shape: tuple[int, int] = PICTURE) -> None:
    """Noise in colour."""
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)).save(path)


def deep(path: Path, shape: tuple[int, int] = PICTURE) -> None:
    """Grey noise of 16 bits."""
    tifffile.imwrite(path, np.random.default_rng(0).integers(0, 65536, shape, np.uint16))


def stack(path: Path, shape: tuple[int, int, int] = VOLUME) -> None:
    """Pages of grey noise."""
    tifffile.imwrite(path, np.random.default_rng(0).integers(0, 256, shape, np.uint8), photometric="minisblack")


def volume(path: Path, shape: tuple[int, int, int] = VOLUME) -> None:
    """Noise as a scanner stores it."""
    values = np.random.default_rng(0).integers(0, 4096, shape, np.int16)
    nib.save(nib.Nifti1Image(values, np.eye(4)), path)


def sound(path: Path, seconds: int = 3600) -> None:
    """Noise, a second at a time."""
    draws = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        for _ in range(seconds):
            file.write(draws.uniform(-0.5, 0.5, RATE))


Make = Callable[[Path], None]
CASES: tuple[tuple[str, Make, dict[str, object]], ...] = (
    ("picture.png", picture, {}),
    ("picture.jpg", picture, {}),
    ("picture.tif", deep, {}),
    ("stack.tif", stack, {"frames": "all"}),
    ("volume.nii", volume, {}),
    ("volume.nii.gz", volume, {}),
    ("hour.wav", sound, {}),
    ("hour.flac", sound, {}),
)


def _measure(
    path: Path, options: dict[str, object], small: Path, send: "multiprocessing.connection.Connection"
) -> None:
    """In a process of its own: reads a small file of the kind first, so that libraries are loaded before."""
    il.load_signal(small, **options)  # type: ignore[arg-type]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    signal = il.load_signal(path, **options)  # type: ignore[arg-type]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    send.send((signal.values.numel() * 4, peak - before))


def _small(name: str, make: Make, folder: Path) -> Path:
    path = folder / f"small-{name}"
    sizes = {picture: (16, 16), deep: (16, 16), stack: (4, 16, 16), volume: (4, 4, 4), sound: 1}
    make(path, sizes[make])  # type: ignore[call-arg]
    return path


def main() -> int:
    """Measures and prints; 1 where a reading takes more than three times its values."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    rows = []
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as place:
        for name, make, given in CASES:
            path = Path(place) / name
            make(path)
            receive, send = spawn.Pipe(duplex=False)
            process = spawn.Process(target=_measure, args=(path, given, _small(name, make, Path(place)), send))
            process.start()
            values, extra = receive.recv()
            process.join()
            rows.append((name, f"{values / 1e6:.1f}", f"{extra / 1e6:.1f}", f"{extra / values:.2f}"))
            print(
                f"{name:<14} {rows[-1][1]:>7} MB of values, {rows[-1][2]:>7} MB more memory: {rows[-1][3]} times",
                flush=True,
            )
            path.unlink()
    if options.csv is not None:
        with options.csv.open("w", newline="") as file:
            csv.writer(file).writerows([("file", "values_mb", "memory_mb", "times"), *rows])
    return int(any(float(row[3]) > 3.0 for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
