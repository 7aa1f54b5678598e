"""``inrlens info``: what a file or a run says about itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inrlens.cli import options as opt
from inrlens.cli.output import columns, duration, pairs, show, show_json
from inrlens.cli.parsing import check_there

if TYPE_CHECKING:
    from inrlens.container import Container
    from inrlens.studies.record import RunRecord

EXAMPLES = (
    "inrlens info runs/cohort",
    "inrlens info runs/cohort/field.safetensors --json",
)


def info(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .safetensors file of ours, or a run folder.")],
    json: opt.Json = False,
) -> None:
    """Show what a checkpoint or a run says about itself: architecture, ranges, seed, signals, recipe, sizes."""
    from inrlens.studies.record import RECORD_FILE, read_record

    check_there(file)
    if file.is_dir() or file.name == RECORD_FILE:
        record = read_record(file.parent if file.name == RECORD_FILE else file)
        if json:
            show_json(record)
        else:
            _show_run(record)
        return
    container = _checked(file)
    sizes = {name: list(tensor.shape) for name, tensor in container.tensors.items()}
    if json:
        show_json({**container.description, "tensors": sizes, "bytes": file.stat().st_size})
        return
    numbers = sum(tensor.numel() for tensor in container.tensors.values())
    rows = [(label.replace("_", " "), text) for label, text in _flat(container.description)]
    rows.append(("tensors", f"{len(sizes)}, of {numbers:,} numbers, {file.stat().st_size:,} bytes on disk"))
    show(pairs(rows))


def _checked(file: Path) -> "Container":
    """The container of a file whose tensors are as its description says."""
    from inrlens.checkpoints import load
    from inrlens.container import read_container
    from inrlens.signals.archive import KIND, load_signals

    container = read_container(file)
    if container.kind == KIND:
        load_signals(file)
    else:
        load(file)
    return container


def _flat(description: dict[str, Any]) -> list[tuple[str, str]]:
    """A description as lines: a table becomes one line an entry, anything deeper one line."""
    rows: list[tuple[str, str]] = []
    for key, value in description.items():
        if isinstance(value, dict):
            prefix = "" if key == "architecture" else f"{key}: "
            rows += [(f"{prefix}{label}", _text(entry)) for label, entry in value.items()]
        else:
            rows.append((key, _text(value)))
    return rows


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(entry)}" for key, entry in value.items()) or "-"
    if isinstance(value, list):
        if all(isinstance(entry, dict) and "name" in entry for entry in value):
            return ", ".join(str(entry["name"]) for entry in value) or "-"
        return ", ".join(_text(entry) for entry in value) or "-"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _show_run(record: "RunRecord") -> None:
    machine = record.machine
    show(
        pairs(
            [
                ("kind", f"{record.kind}, {record.outcome}"),
                ("started", f"{record.started}, {duration(record.seconds)} of computing"),
                ("version", f"InrLens {record.inrlens_version}, torch {machine.torch}, Python {machine.python}"),
                ("machine", f"{machine.processor}, {machine.threads} of {machine.cores} cores, on {machine.device}"),
                ("seed", str(record.seed)),
                ("signals", f"{len(record.signals)}: {', '.join(record.signals)}"),
                ("transfers", str(len(record.transfers))),
            ]
        )
    )
    table = columns(None, "network", "heads", "steps", "PSNR", "SSIM", "tau*", "dicts", "outcome")
    for condition in record.conditions:
        table.add_row(
            condition.name,
            str(len(condition.signals)),
            f"{condition.steps:,}",
            f"{condition.psnr:.2f}",
            "" if condition.ssim is None else f"{condition.ssim:.4f}",
            str(condition.tau),
            str(len(condition.layers)),
            condition.outcome,
        )
    show(table)
