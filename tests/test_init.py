"""The package opens its doors lazily, and every public name is there."""

import subprocess
import sys

import inrlens as il


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
