"""Data flows one way through the rooms, and the package opens its doors lazily."""

import subprocess
import sys
from pathlib import Path

import inrlens as il

ROOT = Path(__file__).parents[1]


def test_no_room_imports_from_a_room_below_it() -> None:
    # A process of its own: the linter reconfigures logging.
    call = "from importlinter import cli; raise SystemExit(cli.lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", call], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 kept, 0 broken" in done.stdout


def test_every_public_name_is_there_and_has_a_docstring() -> None:
    assert {"Field", "fit", "fit_cohort", "transfer", "train_sae", "effects", "ablate", "edit"} <= set(il.__all__)
    for name in il.__all__:
        assert getattr(il, name).__doc__, name


def test_the_package_loads_torch_only_when_something_needs_it() -> None:
    lines = (
        "import sys, inrlens",
        "assert 'torch' not in sys.modules",
        "inrlens.Field",
        "assert 'torch' in sys.modules",
    )
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True)
