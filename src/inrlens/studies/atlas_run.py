"""A run folder seen through one dictionary, with the record of all its atoms."""

from collections.abc import Callable
from pathlib import Path

from inrlens.atoms.effects import Effects
from inrlens.checkpoints import load_sae
from inrlens.dictionaries.health import layer_health
from inrlens.dictionaries.loop import SaeCallback, SaeRecord
from inrlens.studies.atlas import atlas_record
from inrlens.studies.comparison_saes import train_companions
from inrlens.studies.measure import layer_record
from inrlens.studies.run_reader import OpenRun

Tell = Callable[[float, str], None]
"""Called with the share of the work that is done (0 to 1) and what is being done."""
_TRAINING = 0.8
"""The share of the work that trainings are taken for, where there are any."""


def run_with_atlas(
    run: OpenRun,
    condition: str | None,
    dictionary: Path,
    atlas: Effects,
    seconds: float,
    *,
    seeds: int = 0,
    untrained: bool = False,
    device: str = "cpu",
    tell: Tell,
) -> OpenRun:
    """A run as if ``dictionary`` were its only one, with ``atlas`` measured, grouped, controlled and matched.

    Args:
        run: the run.
        condition: which of its networks, where it holds several.
        dictionary: the file of a dictionary of one of that network's layers.
        atlas: its effects on head 0 and that head's signal.
        seconds: what they took.
        seeds: how many further dictionaries are trained, with the seeds that follow its own, to match atoms with.
        untrained: whether one is trained on the untrained network, as a control.
        device: where it is computed.
        tell: told how far it is.

    Raises:
        InputError: where files are missing or do not fit together, or the dictionary cannot be trained again.
    """
    chosen = run.condition(condition)
    field, sae = run.field(chosen).to(device), load_sae(dictionary).to(device)
    signals = [run.signal(position) for position in chosen.signals]
    count = seeds + untrained
    done = [0.0] * count

    def callback(number: int) -> SaeCallback:
        def told(record: SaeRecord, steps: int) -> None:
            done[number] = record.step / steps
            tell(_TRAINING * sum(done) / count, f"training, FVU {record.fvu:.4f}")

        return told

    companions = []
    if count:
        companions = train_companions(
            field, sae, seeds=seeds, untrained=untrained, callbacks=[callback(number) for number in range(count)]
        )
    before = _TRAINING if count else 0.0
    record = atlas_record(
        field,
        sae,
        signals,
        atlas,
        seconds,
        companions,
        tell=lambda share, what: tell(before + (1.0 - before) * share, what),
    )
    layer = layer_record(
        field,
        sae,
        signals,
        str(dictionary),
        steps=int(sae.origin.settings.get("steps", 0)),
        health=layer_health(field)[sae.layer],
        record=record,
        atlas=atlas,
    )
    tell(1.0, "")
    return run.with_dictionary(chosen, layer, sae, atlas)
