"""Cells that fit a network: a cohort, a single picture, a transfer."""

from typing import Any

from inrlens.fields.backbone import Backbone, make_backbone
from inrlens.fields.field import Field, initial_field
from inrlens.files import plain_json
from inrlens.fitting.fit import fit, fit_cohort
from inrlens.fitting.history import Fit
from inrlens.fitting.recipes import Recipe
from inrlens.fitting.transfer import transfer
from inrlens.ranks.scores import layer_scores
from inrlens.signals.signal import Signal
from inrlens.studies.cells.image_metrics import image_metrics
from inrlens.studies.cells.inputs import device_of, field_of, signals_of
from inrlens.studies.cells.resumable import with_state
from inrlens.studies.cells.serialise import field_bytes
from inrlens.studies.cells.task import Done, Task


def cohort_cell(task: Task) -> Done:
    """Fits a cohort and scores its layers, fitted and as they were drawn.

    Raises:
        InputError: as ``fit_cohort``.
    """
    signals, recipe, device = signals_of(task), recipe_of(task.settings["recipe"], task.kind), device_of(task)
    seed = int(task.settings["seed"])
    fitted = with_state(task.state, lambda resume: fit_cohort(signals, recipe, seed=seed, device=device, resume=resume))
    return _done(task, fitted, {"psnrs": fitted.psnrs, **_scores(fitted.field)}, field_bytes(fitted.field))


def single_cell(task: Task) -> Done:
    """Fits one picture and scores the network's layers, fitted and as they were drawn.

    Raises:
        InputError: as ``fit``.
    """
    (signal,) = signals_of(task)
    recipe, device, seed = recipe_of(task.settings["recipe"], task.kind), device_of(task), int(task.settings["seed"])
    fitted = with_state(task.state, lambda resume: fit(signal, recipe, seed=seed, device=device, resume=resume))
    found = {**_perceived(task, fitted, signal), **_scores(fitted.field)}
    return _done(task, fitted, found, field_bytes(fitted.field))


def transfer_cell(task: Task) -> Done:
    """Fits one picture on a cohort's encoder, or with the same network from scratch.

    Raises:
        InputError: as ``transfer``.
    """
    settings, (signal,) = task.settings, signals_of(task)
    recipe = recipe_of(settings["recipe"], task.kind)
    cohort = _unused_cohort(task, signal) if "backbone" in settings else field_of(task.inputs[0], device_of(task))
    fitted = with_state(
        task.state,
        lambda resume: transfer(
            cohort,
            signal,
            freeze=settings["freeze"],
            rest=settings["rest"],
            recipe=recipe,
            seed=int(settings["seed"]),
            resume=resume,
        ),
    )
    return _done(task, fitted, _perceived(task, fitted, signal))


def recipe_of(settings: dict[str, Any], name: str) -> Recipe:
    """The recipe that ``recipe_settings`` wrote, under another name: cells of equal numbers are equal.

    Raises:
        InputError: for an unknown backbone or setting, or a number that is not allowed.
    """
    numbers = {key: value for key, value in settings.items() if key not in ("name", "backbone")}
    backbone = settings.get("backbone")
    return Recipe(name=name, backbone=None if backbone is None else backbone_of(backbone), **numbers)


def backbone_of(settings: dict[str, Any]) -> Backbone:
    """The backbone of ``{"name": ..., its settings}``.

    Raises:
        InputError: as ``make_backbone``.
    """
    return make_backbone(settings["name"], **{key: value for key, value in settings.items() if key != "name"})


class Interrupted(Exception):
    """Ctrl-C or SIGTERM ended a cell early; what it has reached is no result, and nothing is wrong with the cell."""


def whole(outcome: str) -> str:
    """``outcome``, where it is that of a whole cell.

    Raises:
        Interrupted: where it is not.
    """
    if outcome == "interrupted":
        raise Interrupted("its worker was asked to end")
    return outcome


def _unused_cohort(task: Task, signal: Signal) -> Field:
    """A cohort to transfer nothing from: of its weights not one is looked at."""
    backbone = backbone_of(task.settings["backbone"])
    return Field.new(backbone, channels=signal.channels, grid=signal.shape).to(device_of(task))


def _done(task: Task, fitted: Fit, found: dict[str, Any], artefact: bytes | None = None) -> Done:
    history = {"step": [row.step for row in fitted.history], "psnr": [row.psnr for row in fitted.history]}
    result = {
        "psnr": fitted.psnr,
        **found,
        "steps": fitted.steps,
        "outcome": whole(fitted.outcome),
        "history": history,
    }
    timing = {"seconds": fitted.seconds, "history_seconds": [row.seconds for row in fitted.history]}
    return Done(task.key, plain_json(result), timing, artefact)


def _scores(field: Field) -> dict[str, Any]:
    return {"scores": layer_scores(field), "scores_initial": layer_scores(initial_field(field))}


def _perceived(task: Task, fitted: Fit, signal: Signal) -> dict[str, Any]:
    settings = task.settings
    return dict(image_metrics(fitted.field, signal, settings["metrics"], task.lpips, settings.get("lpips")))
