"""One cell of a dictionary sweep: a dictionary is trained, or a control is made, and measured."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from jaxtyping import Float
from torch import Tensor

from inrlens.dictionaries.activations import encoder_digest
from inrlens.dictionaries.controls import neurons, principal_components, random_dictionary
from inrlens.dictionaries.evaluate import evaluate_sae
from inrlens.dictionaries.loop import SaeCallback
from inrlens.dictionaries.topk import SparseAutoencoder
from inrlens.dictionaries.train import train_sae
from inrlens.fields.field import Field
from inrlens.signals.signal import Signal
from inrlens.studies.sweep_plan import TRAININGS, CellKey, SweepPlan
from inrlens.studies.sweep_record import SweepCell, SweepOutcome


@dataclass(frozen=True, eq=False)
class _Made:
    """A dictionary, the seconds and steps that it took, and how that ended."""

    sae: SparseAutoencoder
    seconds: float
    steps: int = 0
    outcome: SweepOutcome = "finished"


def measured_cell(
    network: Field,
    plan: SweepPlan,
    key: CellKey,
    grid: tuple[int, ...],
    rows: Float[Tensor, "n d"],
    signals: Sequence[Signal] | None,
    callback: SaeCallback | None = None,
) -> tuple[SparseAutoencoder, SweepCell] | None:
    """The dictionary of a cell, and its numbers; None where Ctrl-C ended its training.

    ``network`` is the one whose layer it describes and ``rows`` are that layer's activations over ``grid``; ``signals``
    are those that its pictures are compared with.
    """
    made = (
        _trained(network, plan, key, grid, rows, callback)
        if key.kind in TRAININGS
        else _control(network, key, grid, rows)
    )
    if made is None:
        return None
    return made.sae, SweepCell(
        kind=key.kind,
        layer=key.layer,
        n_atoms=made.sae.n_atoms,
        k=key.k,
        seed=key.seed,
        quality=evaluate_sae(network, made.sae, signals, grid=grid),
        between=evaluate_sae(network, made.sae, grid=grid, where="between"),
        seconds=made.seconds,
        steps=made.steps,
        outcome=made.outcome,
    )


def _trained(
    network: Field,
    plan: SweepPlan,
    key: CellKey,
    grid: tuple[int, ...],
    rows: Tensor,
    callback: SaeCallback | None,
) -> _Made | None:
    assert key.n_atoms is not None
    assert key.seed is not None
    numbers = asdict(plan.recipe(key.n_atoms, key.k))
    del numbers["record_every"]
    fit = train_sae(network, key.layer, **numbers, grid=grid, seed=key.seed, rows=rows, callback=callback)
    return None if fit.outcome == "interrupted" else _Made(fit.sae, fit.seconds, fit.steps, fit.outcome)


def _control(network: Field, key: CellKey, grid: tuple[int, ...], rows: Tensor) -> _Made:
    started = time.perf_counter()
    digest = encoder_digest(network, key.layer)
    if key.kind == "principal components":
        sae = principal_components(rows, key.layer, k=key.k, grid=grid, field_digest=digest)
    elif key.kind == "neurons":
        sae = neurons(rows, key.layer, k=key.k, grid=grid, field_digest=digest)
    else:
        assert key.n_atoms is not None
        assert key.seed is not None
        sae = random_dictionary(
            rows, key.layer, n_atoms=key.n_atoms, k=key.k, seed=key.seed, grid=grid, field_digest=digest
        )
    return _Made(sae, time.perf_counter() - started)
