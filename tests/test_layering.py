"""Data flows one way through the rooms, and the package opens its doors lazily."""

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter import cli

import inrlens as il

ROOT = Path(__file__).parents[1]


def test_no_room_imports_from_a_room_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out


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
