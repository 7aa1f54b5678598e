"""The folder of a single fit, a cohort or a transfer."""

import datetime
from collections.abc import Sequence
from pathlib import Path

from inrlens.checkpoints import load_field, save
from inrlens.errors import InputError
from inrlens.fields.field import Field
from inrlens.fitting.history import Fit, write_history
from inrlens.signals.archive import save_signals
from inrlens.signals.images import save_image
from inrlens.signals.signal import Signal
from inrlens.studies.measure import condition_record
from inrlens.studies.record import SIGNALS_FILE, RunRecord, this_machine, version, write_record
from inrlens.studies.run_reader import OpenRun


def write_fit_run(folder: Path, fitted: Fit, signals: Sequence[Signal]) -> RunRecord:
    """Writes a fit into ``folder`` (which must exist): field, history, signals, reconstructions and ``run.json``."""
    field, origin = fitted.field, fitted.field.origin
    save_signals(signals, folder / SIGNALS_FILE)
    save(field, folder / "field.safetensors")
    write_history(folder / "history.csv", fitted.history)
    if signals[0].is_picture:
        for head, image in enumerate(field.render_all()):
            save_image(image.cpu(), folder / "reconstructions" / f"{head:02d}.png")
    name = f"{origin.kind}_{field.backbone.name}"
    positions = tuple(range(len(signals)))
    condition = condition_record(name, fitted, signals, positions, "field.safetensors", "history.csv")
    kinds = {"single": "fit", "cohort": "cohort", "transfer": "transfer"}
    now = datetime.datetime.now(datetime.UTC)
    record = RunRecord(
        kind=kinds[origin.kind],  # type: ignore[arg-type]
        inrlens_version=version(),
        started=(now - datetime.timedelta(seconds=fitted.seconds)).isoformat(timespec="seconds"),
        seconds=fitted.seconds,
        outcome="interrupted" if fitted.outcome == "interrupted" else "finished",
        machine=this_machine(str(field.device)),
        seed=origin.seed,
        plan={"recipe": origin.recipe, "notes": origin.notes},
        signals=tuple(signal.name for signal in signals),
        conditions=(condition,),
    )
    write_record(folder, record)
    return record


def open_field(path: str | Path, condition: str | None = None) -> tuple[Field, list[Signal] | None]:
    """A field from its file, or from a run folder together with the signals that it was fitted to, one a head.

    There are no signals beside a file, nor in a run that was shared without them.
    ``condition`` names one of a run's networks where it holds several.

    Raises:
        InputError: where there is no such field, or a run of several is given without a name.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist: give the folder of a run, or a field's .safetensors file.")
    if not path.is_dir():
        return load_field(path), None
    run = OpenRun(path)
    chosen = run.condition(condition)
    field = run.field(chosen)
    return field, [run.signal(position) for position in chosen.signals] if run.has_signals else None
