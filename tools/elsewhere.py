"""Runs the tests as other machines would: with other vector widths, libraries' kernels, thread counts, draws, rounding.

``python tools/elsewhere.py`` prints a line per setting and ends with exit code 1 where one of them fails; then it
prints what failed. ``--list`` prints the settings alone, ``--only WORD`` runs those whose names hold a word, and
arguments behind ``--`` go to pytest in place of ``PATHS``.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("signals", "fields", "metrics", "fitting", "ranks", "dictionaries", "atoms", "studies/tables", "studies/cells")
PATHS = tuple(f"tests/{room}" for room in ROOMS)
"""The tests of numbers; what reads files and command lines, and draws pages, runs under ``-- tests``."""
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Setting:
    """A machine that this one can pretend to be.

    ``environment`` is set for the run, ``options`` go to pytest, and ``absent`` says why the setting would change
    nothing here; empty where it changes something.
    """

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    absent: str = ""


def numpy_features(word: str) -> str:
    """The vector extensions that NumPy chooses at run time, that this processor has, and whose names hold ``word``.

    NumPy refuses the names of others, and those that its build takes for granted.
    """
    from numpy._core import _multiarray_umath as built  # type: ignore[attr-defined]

    there: Mapping[str, bool] = built.__cpu_features__
    return " ".join(name for name in built.__cpu_dispatch__ if there.get(name) and word in name)


def settings() -> list[Setting]:
    """Every setting, in the order in which they run."""
    wide = " ".join(filter(None, (numpy_features(word) for word in ("AVX512", "X86_V4"))))
    return [
        Setting("torch without vector kernels", {"ATEN_CPU_CAPABILITY": "default"}),
        Setting("torch with AVX2 at most", {"ATEN_CPU_CAPABILITY": "avx2"}),
        Setting("oneDNN with AVX2 at most", {"ONEDNN_MAX_CPU_ISA": "AVX2"}),
        Setting("MKL's kernels for any processor", {"MKL_CBWR": "COMPATIBLE"}),
        Setting(
            "NumPy without AVX-512",
            {"NPY_DISABLE_CPU_FEATURES": wide},
            absent="" if wide else "this processor has no AVX-512",
        ),
        Setting("NumPy without vector kernels", {"NPY_DISABLE_CPU_FEATURES": numpy_features("")}),
        Setting("OpenBLAS for Haswell", {"OPENBLAS_CORETYPE": "Haswell"}),
        *(Setting(f"{count} threads per process", dict.fromkeys(THREADS, str(count))) for count in (1, 2, 4)),
        Setting("weights and signals shaken by 1e-6", options=("--shake", "rounding")),
        Setting("other random draws", options=("--shake", "seeds")),
    ]


def run(setting: Setting, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """The tests under a setting, their output kept."""
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadscope", *arguments, *setting.options]
    environment = {**os.environ, **setting.environment}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def summary(output: str) -> str:
    """Pytest's closing line: how many tests passed and failed, and how long they took."""
    lines = re.findall(r"^=* ?(\d+ (?:passed|failed|error|skipped).*?|no tests ran.*?) ?=*$", output, re.MULTILINE)
    return lines[-1] if lines else "pytest did not end"


def main() -> int:
    """Runs the settings that were asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", default="", help="run the settings whose names hold this")
    parser.add_argument("--list", action="store_true", help="print the settings and run nothing")
    parser.add_argument("arguments", nargs="*", help="tests and options for pytest, after --")
    asked = parser.parse_args()
    failed = []
    for setting in settings():
        if asked.only not in setting.name:
            continue
        words = " ".join([*(f"{name}='{value}'" for name, value in setting.environment.items()), *setting.options])
        if asked.list or setting.absent:
            print(f"{setting.name:36}{f'not run: {setting.absent}' if setting.absent else words}", flush=True)
            continue
        began = time.monotonic()
        ended = run(setting, asked.arguments or list(PATHS))
        verdict = "passed" if ended.returncode == 0 else "FAILED"
        print(f"{setting.name:36}{verdict}  {summary(ended.stdout)}  [{time.monotonic() - began:.0f} s]", flush=True)
        if ended.returncode:
            failed.append((setting, words, ended))
    for setting, words, ended in failed:
        print(f"\n{setting.name}: {words} python -m pytest\n{ended.stdout[-6000:]}{ended.stderr[-2000:]}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
