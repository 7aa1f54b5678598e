"""Fixed threads and examples, and the few trained things that many tests look at."""

import os
import signal
from pathlib import Path

import hypothesis
import jaxtyping
import pytest
import torch

import command
import inrlens as il
import pages
import shaken
import toys

pytest_plugins = ["browser"]
# One thread: the networks here are so small that a second one only waits, and pytest-xdist runs one process per core.
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
hypothesis.settings.register_profile("fixed", deadline=None, derandomize=True, max_examples=30, database=None)
hypothesis.settings.load_profile("fixed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--shake``: see ``support/shaken.py``."""
    parser.addoption("--shake", choices=shaken.KINDS, help="move every start by 1e-6, or take other random draws")


def pytest_configure(config: pytest.Config) -> None:
    """Shakes before the first test is collected; hears Ctrl-C, which a shell's background jobs are started deaf to."""
    shaken.shake(config.getoption("--shake"))
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """``few_backbones``: three of them stand for all where only the way to the gradient could matter, which is written
    out for real layers, for complex ones and for tables; the others are slow tests."""
    for item in items:
        if item.get_closest_marker("few_backbones") is not None:
            given = getattr(item, "callspec", None)
            if given is not None and not {"siren", "wire", "hashgrid"} & set(map(str, given.params.values())):
                item.add_marker("slow")


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls with arguments of a wrong type as a user makes them, who has no type checker in between."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are written without their figures, see ``support/pages.py``."""
    pages.leave_figures_out(monkeypatch)


@pytest.fixture
def unwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are drawn and not written, see ``support/pages.py``."""
    pages.draw_without_writing(monkeypatch)


@pytest.fixture(scope="session", params=il.backbone_names())
def backbone(request: pytest.FixtureRequest) -> str:
    """The name of every registered backbone in turn."""
    return str(request.param)


@pytest.fixture(scope="session", params=[name for name in il.backbone_names() if toys.page_runs(name)])
def runnable(request: pytest.FixtureRequest) -> str:
    """The name of every registered backbone that the explorer's page can run, in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def cohort_fit() -> il.Fit:
    """A small SIREN cohort of 3 signals; not to be changed."""
    return il.fit_cohort(toys.signals(3), toys.recipe(steps=60), seed=3)


@pytest.fixture(scope="session")
def cohort(cohort_fit: il.Fit) -> il.Field:
    """Its field."""
    return cohort_fit.field


@pytest.fixture(scope="session")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo's run; not to be changed, but for a page that is written into it."""
    folder = tmp_path_factory.mktemp("walked") / "demo"
    pages.walk(folder)
    return folder


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``photos/``, a run ``cohort/`` of three of them, and ``sae.safetensors`` of its layer 1.

    Made by the program itself; not to be changed.
    """
    folder = tmp_path_factory.mktemp("bench")
    photos = command.photos(folder / "photos", 4)
    command.done("cohort", photos, "--limit", 3, *command.BRIEF, "-o", folder / "cohort")
    numbers = ("-n", 32, "-k", 4, "--steps", 5, "--batch", 64)
    command.done("sae", folder / "cohort", "--layer", 1, *numbers, "-o", folder / "sae.safetensors")
    return folder
