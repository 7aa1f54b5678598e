"""How long the steps of ``make test`` take here, with everything installed.

``python benchmarks/suite_times.py --csv benchmarks/results/suite_times.csv`` runs them one after the other, as ``make``
does, with the caches of the linter and of the type checker empty, as in a fresh clone.
"""

import argparse
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from timing import about, write_csv

ROOT = Path(__file__).parents[1]
STEPS = ("lint", "types", "layers", "unit")
CACHES = (".mypy_cache", ".ruff_cache", ".import_linter_cache")
COLUMNS = ("step", "seconds", "passed", "skipped")


def timed(step: str) -> tuple[str, float, int, int]:
    """A step's name, seconds, and the tests that passed and were skipped; the run ends where it fails."""
    began = time.monotonic()
    done = subprocess.run(["make", step], cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode:
        sys.exit(f"make {step} failed:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    passed, skipped = (
        int(found[1]) if (found := re.search(rf"(\d+) {word}", done.stdout)) else 0 for word in ("passed", "skipped")
    )
    return step, round(seconds, 1), passed, skipped


def main() -> None:
    """Times every step and prints a line for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--csv", type=Path)
    asked = parser.parse_args()
    for cache in CACHES:
        shutil.rmtree(ROOT / cache, ignore_errors=True)
    rows = []
    for step in STEPS:
        rows.append(timed(step))
        print("{:8} {:6.1f} s, {} passed, {} skipped".format(*rows[-1]), flush=True)
    print(f"{'all':8} {sum(row[1] for row in rows):6.1f} s on {about()}")
    if asked.csv:
        write_csv(asked.csv, COLUMNS, rows)


if __name__ == "__main__":
    main()
