"""Small cells of every kind as a driver hands them out, and what must come back."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch

import inrlens as il
import toys
from inrlens.fields.field import Field
from inrlens.fitting.recipes import recipe_settings
from inrlens.studies.cells.execute import execute
from inrlens.studies.cells.inputs import field_of
from inrlens.studies.cells.task import Done, Failed, Picture, Task

GRID = (12, 14)
SAE = {"n_atoms": 24, "k": 3, "steps": 30, "learning_rate": 1e-3, "batch": 64}
METRICS = {"metrics": ["psnr", "ssim", "lpips"], "lpips": None}


def picture(signal: il.Signal, name: str | None = None) -> Picture:
    """A signal as a driver sends it."""
    values = signal.values.numpy().astype("<f4").tobytes()
    return Picture(name or signal.name, signal.shape, signal.channels, values)


def nameless(recipe: il.Recipe) -> dict[str, Any]:
    """A recipe as a cell's settings hold it: through JSON, without its name."""
    settings: dict[str, Any] = json.loads(json.dumps(recipe_settings(recipe)))
    del settings["name"]
    return settings


def make(kind: Any, settings: dict[str, Any], signals: list[il.Signal], *inputs: bytes) -> Task:
    """A task as a driver makes it."""
    common = {"kind": kind, "code": 1, "device": "cpu", "signals": [signal.digest for signal in signals]}
    return Task(f"key of a {kind}", kind, {**common, **settings}, inputs, tuple(picture(one) for one in signals))


def cohort_task(backbone: str = "siren", **numbers: Any) -> Task:
    """A cohort of three small signals, from batches."""
    recipe = toys.recipe(backbone, batch=50, **numbers)
    return make("cohort", {"recipe": nameless(recipe), "seed": 5}, toys.signals(3, GRID))


def single_task() -> Task:
    """A fit of one signal."""
    return make("single", {"recipe": nameless(toys.recipe()), "seed": 2, **METRICS}, [toys.signal(7, GRID)])


def transfer_task(cohort: bytes, freeze: int | None, rest: str, signal: il.Signal | None = None) -> Task:
    """A transfer of a fourth signal."""
    settings = {"cohort": "key", "freeze": freeze, "rest": rest, "recipe": nameless(toys.recipe(None)), "seed": 4}
    return make("transfer", {**settings, **METRICS}, [signal or toys.signal(8, GRID)], cohort)


def done(task: Task) -> Done:
    """The result of a task that must not fail, and must be plain JSON."""
    outcome = execute(task)
    assert isinstance(outcome, Done), outcome
    assert outcome.key == task.key
    assert json.loads(json.dumps(outcome.result, allow_nan=False)) == outcome.result
    return outcome


def failed(task: Task) -> Failed:
    """The failure of a task that must fail."""
    outcome = execute(task)
    assert isinstance(outcome, Failed), outcome
    assert outcome.key == task.key
    assert "\n" not in outcome.error
    return outcome


def loaded(artefact: bytes | None, tmp_path: Path, load: Callable[[Path], Any]) -> Any:
    """What an artefact holds."""
    assert artefact is not None
    # A container's tensors are mapped, so that its file must not be written to again.
    path = tmp_path / f"artefact {len(list(tmp_path.iterdir()))}.safetensors"
    path.write_bytes(artefact)
    return load(path)


def same_weights(one: torch.nn.Module, other: torch.nn.Module) -> None:
    """Two modules of equal bits."""
    assert one.state_dict().keys() == other.state_dict().keys()
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


@cache
def cohort_bytes() -> bytes:
    """The artefact of a fitted cohort."""
    artefact = done(cohort_task(steps=40)).artefact
    assert artefact is not None
    return artefact


@cache
def network() -> Field:
    """That cohort's network; not to be changed."""
    return field_of(cohort_bytes(), torch.device("cpu"))


@cache
def dictionary_task() -> Task:
    """A dictionary of its layer 2."""
    return make(
        "dictionary", {"network": "key", "layer": 2, "recipe": SAE, "seed": 1}, toys.signals(3, GRID), cohort_bytes()
    )


@cache
def analysis_task() -> Task:
    """The analysis of that dictionary."""
    artefact = done(dictionary_task()).artefact
    assert artefact is not None
    return make("analysis", {"network": "one", "dictionary": "two"}, toys.signals(1, GRID), cohort_bytes(), artefact)


@cache
def every_task() -> dict[str, Task]:
    """A task of every kind."""
    transfer = transfer_task(cohort_bytes(), 1, "reinit")
    return {
        "cohort": cohort_task(),
        "single": single_task(),
        "transfer": transfer,
        "dictionary": dictionary_task(),
        "analysis": analysis_task(),
    }


def equal(one: Done | Failed, other: Done | Failed) -> None:
    """All that must not differ from run to run."""
    assert isinstance(one, Done)
    assert isinstance(other, Done)
    assert (one.key, one.result, one.artefact, one.log) == (other.key, other.result, other.artefact, other.log)
