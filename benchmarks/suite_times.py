"""How long the commands that run tests take here, with everything installed.

``python benchmarks/suite_times.py --csv benchmarks/results/suite_times.csv`` runs ``make test`` with the caches of the
linter and of the type checker empty, as in a fresh clone; ``--commands test,test-all`` runs others as well.
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
CACHES = (".mypy_cache", ".ruff_cache", ".import_linter_cache", ".pytest_cache")
COLUMNS = ("command", "seconds", "passed", "skipped")


def timed(command: str) -> tuple[str, float, int, int]:
    """A command's name, seconds, and the tests that passed and were skipped; the run ends where it fails."""
    for cache in CACHES:
        shutil.rmtree(ROOT / cache, ignore_errors=True)
    began = time.monotonic()
    done = subprocess.run(["make", command], cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode:
        sys.exit(f"make {command} failed:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    passed, skipped = (
        sum(int(found) for found in re.findall(rf"(\d+) {word}", done.stdout)) for word in ("passed", "skipped")
    )
    return command, round(seconds, 1), passed, skipped


def main() -> None:
    """Times every command and prints a line for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--commands", type=lambda text: text.split(","), default=["test"])
    asked = parser.parse_args()
    rows = []
    for command in asked.commands:
        rows.append(timed(command))
        print("make {:16} {:7.1f} s, {} passed, {} skipped".format(*rows[-1]), flush=True)
        if asked.csv:
            write_csv(asked.csv, COLUMNS, rows)
    print(f"on {about()}")


if __name__ == "__main__":
    main()
