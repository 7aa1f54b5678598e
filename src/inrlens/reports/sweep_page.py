"""The page of a dictionary sweep: curves, heat maps, controls and the layers' health in one self-contained file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inrlens.files import write_text
from inrlens.reports import words
from inrlens.reports.dictionary_grid import DictionaryGrid
from inrlens.reports.environment import environment
from inrlens.reports.published import PAPER
from inrlens.reports.readings.dictionary_sweep import (
    alive_reading,
    between_reading,
    doubling_reading,
    equals,
    number,
    size_reading,
    sparsity_reading,
)
from inrlens.reports.readings.sweep_controls import control_reading, health_reading
from inrlens.reports.sections.dictionary_sweep import (
    SweepSection,
    cell_section,
    control_section,
    curve_section,
    health_section,
    number_section,
)
from inrlens.reports.sections.heading import Heading
from inrlens.reports.sweep_facts import SweepFact, sweep_facts
from inrlens.studies.sweep_folder import PAGE_FILE
from inrlens.studies.sweep_plan import TRAININGS, left_out
from inrlens.studies.sweep_record import SweepRecord, expected, read_sweep


@dataclass(frozen=True)
class _Section:
    """A section of the page, as ``page.html.j2`` takes it."""

    name: str
    title: str
    data: Any
    template: str = "sweep_page.html.j2"


@dataclass(frozen=True)
class _Closing:
    """The rows of the last table, as ``closing.html.j2`` takes them."""

    reading: str
    what: str
    rows: tuple[SweepFact, ...]


def write_sweep_page(folder: Path) -> Path:
    """Writes ``report.html`` into a sweep's folder, whole or not at all, and returns its path.

    Raises:
        InputError: where the folder holds no sweep, or a damaged one.
    """
    html = render_sweep(read_sweep(folder))
    write_text(Path(folder) / PAGE_FILE, html)
    return Path(folder) / PAGE_FILE


def render_sweep(record: SweepRecord) -> str:
    """A sweep's page as HTML; the same record gives the same text."""
    grid = DictionaryGrid(record)
    sections, brief = [_Section("setup", "What was swept", SweepSection(facts=_facts(record)))], []
    if any(cell.kind == "trained" for cell in record.cells):
        sections += [
            _Section("atoms", "More atoms", curve_section(grid, "n")),
            _Section("codes", "More codes", curve_section(grid, "k")),
            _Section("cells", "Every size and sparsity", cell_section(grid)),
        ]
        if any(cell.kind != "trained" for cell in record.cells):
            sections.append(_Section("controls", "Beside controls", control_section(grid)))
        sections += [
            _Section("health", "Health of the layers", health_section(grid)),
            _Section("closing", "Beside the paper", _closing(grid), "closing.html.j2"),
            _Section("numbers", "All numbers", number_section(grid)),
        ]
        brief = _brief(grid)
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            heading=Heading("How many atoms, and how few at a time", _intro(record), tuple(_troubles(record))),
            brief=brief,
            sections=sections,
            kicker=f"A dictionary sweep by InrLens, {record.started[:10]}",
            version=record.inrlens_version,
            script=None,
        )
    )


def _brief(grid: DictionaryGrid) -> list[tuple[str, str]]:
    found = [
        ("Atoms n", size_reading(grid)),
        ("Codes k", sparsity_reading(grid)),
        ("Together", doubling_reading(grid)),
        ("Between the pixels", between_reading(grid)),
        ("Dead atoms", alive_reading(grid)),
        ("Health", health_reading(grid)),
    ]
    if any(cell.kind != "trained" for cell in grid.record.cells):
        found.insert(5, ("Controls", control_reading(grid)))
    return [(title, text) for title, text in found if text]


def network_title(record: SweepRecord) -> str:
    """The network in the middle of a sentence: a cohort SIREN of 10 signals."""
    field = record.field
    kind = "" if field.kind == "untrained" else f"{field.kind} "
    text = f"{kind}{words.backbone_title(field.backbone)}"
    return f"{text} of {words.count(field.heads, 'signal')}" if field.heads > 1 else text


def _intro(record: SweepRecord) -> str:
    plan, keys = record.plan, expected(record.plan, record.health)
    trained = sum(key.kind == "trained" for key in keys)
    text = (
        f"{words.count(len(plan.layers), 'layer')} of a {network_title(record)} on {words.size(record.field.grid)} "
        f"coordinates were taken apart by {words.count(trained, 'dictionary', 'dictionaries')} of different sizes n, "
        "with different numbers k of atoms that may fire at a coordinate."
    )
    if len(keys) > trained:
        text += f" {words.count(len(keys) - trained, 'control')} stand beside them."
    return words.sentence(text)


def _facts(record: SweepRecord) -> tuple[tuple[str, str], ...]:
    plan, field = record.plan, record.field
    keys = expected(plan, record.health)
    trainings = sum(key.kind in TRAININGS for key in keys)
    missing = ", ".join(f"{equals('n', n)} with {equals('k', k)}" for n, k in left_out(plan))
    facts = [
        ("Network", f"{network_title(record)}, {field.depth} layers of {field.width}"),
        ("Grid", f"{words.size(field.grid)} coordinates"),
        ("Compared with", words.listed([name for name, _ in field.signals]) or "the network's own output alone"),
        ("Layers", ", ".join(str(layer) for layer in plan.layers)),
        ("Atoms n", ", ".join(number(n) for n in plan.n_atoms)),
        ("Codes k", ", ".join(str(k) for k in plan.k)),
        ("Left out, k being above n", missing or "nothing"),
        ("Seeds", ", ".join(str(seed) for seed in plan.seeds)),
        ("A training", f"{words.count(plan.steps, 'step')} of {number(plan.batch)} rows, "
                       f"learning rate {words.significant(plan.learning_rate, 2)}"),
        ("Cells", f"{len(record.cells)} of {len(keys)}, {trainings} trainings among all of them"),
        ("Time", words.duration(record.seconds)),
        ("Machine", words.listed([
            f"{one.processor}, {one.device}, {words.count(one.threads, 'thread')}, torch {one.torch}"
            for one in record.machines
        ])),
    ]  # fmt: skip
    return tuple(facts)


def _troubles(record: SweepRecord) -> list[str]:
    keys, found = expected(record.plan, record.health), []
    if record.outcome == "interrupted":
        found.append(
            f"This sweep is not finished: {len(record.cells)} of {words.count(len(keys), 'cell')} are here; what is "
            "missing was not measured."
        )
    diverged = sum(cell.outcome == "diverged" for cell in record.cells)
    if diverged:
        found.append(f"{words.count(diverged, 'training')} diverged; what each ended with stands among the numbers.")
    return found


def _closing(grid: DictionaryGrid) -> _Closing:
    record, plan = grid.record, grid.record.plan
    data = f"here {network_title(record)}, {words.size(record.field.grid)}, {words.count(plan.steps, 'step')}"
    rows = tuple(sweep_facts(grid, data))
    judged = [row.verdict for row in rows if row.verdict != words.MISSING]
    same = sum(verdict == "same" for verdict in judged)
    verb = "comes" if same == 1 else "come"
    many = words.count(len(judged), "statement")
    reading = f"{many} can be compared; {same or 'none'} {verb} out as published."
    what = (
        f"{PAPER}, App. A.1: n of 1{words.THIN}024 to 8{words.THIN}192, k of 4 to 128, every layer, 10{words.THIN}000 "
        "steps; whether its PSNR is against the photographs or the network's own output it does not say, so both "
        "stand here."
    )
    return _Closing(reading if judged else "Nothing here can be held against the paper.", what, rows)
