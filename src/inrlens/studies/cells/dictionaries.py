"""Cells that train a dictionary on a layer of a network and measure it."""

from dataclasses import asdict

from inrlens.dictionaries.evaluate import evaluate_sae
from inrlens.dictionaries.recipe import SaeRecipe
from inrlens.dictionaries.train import train_sae
from inrlens.files import plain_json
from inrlens.studies.cells.fits import whole
from inrlens.studies.cells.inputs import device_of, field_of, signals_of
from inrlens.studies.cells.resumable import with_state
from inrlens.studies.cells.serialise import sae_bytes
from inrlens.studies.cells.task import Done, Task


def dictionary_cell(task: Task) -> Done:
    """Trains a dictionary on the grid that its network was fitted on; measures it there and between its samples.

    Where the network's own signals are given, one a head, its pictures are compared with them.

    Raises:
        InputError: as ``train_sae`` and ``evaluate_sae``.
    """
    settings = task.settings
    network = field_of(task.inputs[0], device_of(task))
    numbers = asdict(SaeRecipe(**settings["recipe"]))
    del numbers["record_every"]
    trained = with_state(
        task.state,
        lambda resume: train_sae(network, int(settings["layer"]), **numbers, seed=int(settings["seed"]), resume=resume),
    )
    result = {
        "quality": asdict(evaluate_sae(network, trained.sae, signals_of(task) or None)),
        "between": asdict(evaluate_sae(network, trained.sae, where="between")),
        "steps": trained.steps,
        "outcome": whole(trained.outcome),
    }
    return Done(task.key, plain_json(result), {"seconds": trained.seconds}, sae_bytes(trained.sae))
