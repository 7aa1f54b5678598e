"""What was run, in numbers: signals, machine, networks, transfers and dictionaries with all their recipes."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from inrlens.fields.checkpoint import pack_field
from inrlens.reports import words
from inrlens.reports.parts import Table
from inrlens.signals.bundled import photo_sources
from inrlens.studies.record import ConditionRecord, RunRecord
from inrlens.studies.run_reader import OpenRun


@dataclass(frozen=True)
class Setup:
    """Facts as name and value, and a table for each kind of training."""

    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]


def setup(run: OpenRun) -> Setup:
    """What a run was."""
    tables = (
        _from_file(run) if run.record.kind == "network" else _networks(run.record),
        _transfers(run.record),
        _dictionaries(run),
    )
    return Setup(_facts(run), tuple(table for table in tables if table is not None))


def _facts(run: OpenRun) -> tuple[tuple[str, str], ...]:
    record, machine = run.record, run.record.machine
    shapes = list(dict.fromkeys((signal.shape, signal.channels) for signal in run.signals))
    grids = words.listed([f"{words.size(shape)}, {words.count(c, 'channel')}" for shape, c in shapes])
    unit = "height \N{MULTIPLICATION SIGN} width in pixels" if run.pictures else "samples along each axis"
    facts = (
        ("Signals", f"{len(record.signals)} of {grids} ({unit})"),
        *_left_out(run),
        *((("Seed", str(record.seed)),) if record.kind != "network" else ()),
        ("Machine", f"{machine.processor}, {words.count(machine.cores, 'core')}, {machine.system}"),
        ("Computed on", f"{machine.device}, {words.count(machine.threads, 'thread')}"),
        ("Versions", f"InrLens {record.inrlens_version}, torch {machine.torch}, Python {machine.python}"),
        ("Started", record.started.replace("T", " ").replace("+00:00", " UTC")),
        *((("Took", f"{words.duration(record.seconds)} without this page"),) if record.kind != "network" else ()),
        ("Names", words.listed(record.signals)),
    )
    credits = _credits(record)
    return (*facts, ("Photographs by", credits)) if credits else facts


def _left_out(run: OpenRun) -> tuple[tuple[str, str], ...]:
    """How many samples masks leave out, and what the networks make of those; nothing where none is left out."""
    left, every = sum(signal.left_out for signal in run.signals), sum(len(signal.values) for signal in run.signals)
    if not left:
        return ()
    there = [
        f"{words.db(fmean(c.left_out_psnrs))} ({words.condition_title(c.kind, c.backbone)})"
        for c in run.record.conditions
        if c.left_out_psnrs is not None
    ]
    told = f"; no step saw them; PSNR there {words.listed(there)}" if there else ""
    return (("Left out", f"{left:,} of {every:,} samples ({words.percent(left / every)}) by masks{told}"),)


def _credits(record: RunRecord) -> str:
    """Authors and licences of the bundled photographs that the page shows, which most of the licences ask for."""
    shown = [source for source in photo_sources() if source.file in record.signals]
    by_author: dict[tuple[str, str], list[str]] = {}
    for source in shown:
        by_author.setdefault((source.author, source.licence), []).append(source.title)
    return "; ".join(
        f"{author} ({', '.join(titles)}; {licence}, cropped and resized)"
        for (author, licence), titles in by_author.items()
    )


def _networks(record: RunRecord) -> Table | None:
    if not record.conditions:
        return None
    rows = tuple(_network_row(condition) for condition in record.conditions)
    columns = (
        "network",
        "recipe",
        "layers \N{MULTIPLICATION SIGN} width",
        "scale",
        "signals",
        *_RECIPE,
        "seed",
        "time",
    )
    return Table("The networks and how they were fitted", columns, rows, names=4)


def _from_file(run: OpenRun) -> Table:
    """A network that no run fitted: what its file says."""
    (condition,) = run.record.conditions
    settings = pack_field(run.field(condition), "").description["architecture"]["settings"]
    about = condition.notes.get("imported") or {}
    row = (
        words.condition_title(condition.kind, condition.backbone),
        f"{settings['depth']} \N{MULTIPLICATION SIGN} {settings['width']}",
        _scale(settings),
        str(about.get("source", words.MISSING)),
        str(about.get("layout", words.MISSING)),
    )
    columns = ("network", "layers \N{MULTIPLICATION SIGN} width", "scale", "imported from", "layout")
    return Table("The network", columns, (row,), names=1)


_RECIPE = ("steps", "batch", "learning rate", "schedule", "optimiser")


def _network_row(condition: ConditionRecord) -> tuple[str, ...]:
    recipe, backbone = condition.recipe, condition.recipe.get("backbone") or {}
    planned = recipe.get("steps", condition.steps)
    steps = str(condition.steps) if planned == condition.steps else f"{condition.steps} of {planned}"
    if recipe.get("iteration") == "pass":
        steps = f"{condition.steps} in {planned} passes"
    return (
        words.condition_title(condition.kind, condition.backbone),
        str(recipe.get("name", words.MISSING)),
        f"{backbone.get('depth', len(condition.ranks.weight))} \N{MULTIPLICATION SIGN} {backbone.get('width', '?')}",
        _scale(backbone),
        str(len(condition.signals)),
        steps,
        *_recipe_cells(recipe),
        str(condition.seed),
        words.duration(condition.seconds),
    )


def _scale(backbone: dict[str, Any]) -> str:
    """The setting that decides how fine a network sees: omega_0 of a SIREN, sigma and frequencies of an FFMLP."""
    known = {"omega_0": "\N{GREEK SMALL LETTER OMEGA}\N{SUBSCRIPT ZERO}", "sigma": "\N{GREEK SMALL LETTER SIGMA}"}
    skipped = {"name", "coordinates", "width", "depth", "coordinate_range", "bias", "two_pi", "initialisation"}
    span = backbone.get("coordinate_range", [-1.0, 1.0])
    parts = [
        f"{known.get(key, key)} {_plain(backbone[key])}"
        for key in sorted(backbone, key=lambda key: key not in known)
        if key not in skipped
    ]
    if list(span) != [-1.0, 1.0]:
        parts.append(f"coordinates from {span[0]:g} to {span[1]:g}")
    return ", ".join(parts) or words.MISSING


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        entries = [_plain(entry) for entry in value]
        if len(entries) > 2 and len(set(entries[1:])) == 1:
            return f"{entries[0]}, then {entries[1]}"
        return words.listed(entries)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _recipe_cells(recipe: dict[str, Any]) -> tuple[str, ...]:
    batch = recipe.get("batch")
    rate = _plain(recipe.get("learning_rate", words.MISSING))
    if recipe.get("optimizer") == "muon":
        rate += f" (Muon {_plain(recipe.get('muon_learning_rate', words.MISSING))})"
    schedule = str(recipe.get("schedule", words.MISSING))
    if recipe.get("stop_psnr") is not None:
        schedule += f", stops at {words.db(recipe['stop_psnr'])}"
    return ("all" if batch is None else str(batch), rate, schedule, str(recipe.get("optimizer", words.MISSING)))


def _transfers(record: RunRecord) -> Table | None:
    if not record.transfers:
        return None
    recipes = {part["name"]: part.get("transfer", {}) for part in record.plan.get("backbones", ())}
    rows = []
    for backbone in dict.fromkeys(entry.backbone for entry in record.transfers):
        mine = [entry for entry in record.transfers if entry.backbone == backbone]
        recipe = recipes.get(backbone, {})
        rows.append(
            (
                words.backbone_title(backbone),
                str(recipe.get("name", words.MISSING)),
                str(len(mine)),
                str(len({entry.signal for entry in mine})),
                str(len({entry.seed for entry in mine})),
                str(recipe.get("steps", words.MISSING)),
                *_recipe_cells(recipe),
                words.duration(sum(entry.seconds for entry in mine)),
            )
        )
    columns = ("transfers", "recipe", "fits", "signals", "seeds", *_RECIPE, "time")
    return Table("The transfers of the freeze sweep", columns, tuple(rows), names=2)


def _dictionaries(run: OpenRun) -> Table | None:
    rows, record = [], run.record
    for condition in record.conditions:
        if condition.layers:
            first = condition.layers[0]
            settings = run.dictionary(first.file).origin.settings
            steps = sorted({layer.steps for layer in condition.layers})
            rows.append(
                (
                    words.condition_title(condition.kind, condition.backbone),
                    str(len(condition.layers)),
                    str(first.n_atoms),
                    str(first.k),
                    words.span(str(steps[0]), str(steps[-1])),
                    str(record.plan.get("sae_batch", settings.get("batch", words.MISSING))),
                    _plain(record.plan.get("sae_learning_rate", settings.get("learning_rate", words.MISSING))),
                    _time([layer.seconds for layer in condition.layers]),
                )
            )
    columns = ("dictionaries", "layers", "atoms n", "k", "steps", "batch", "learning rate", "time")
    return Table("The dictionaries", columns, tuple(rows)) if rows else None


def _time(seconds: Sequence[float | None]) -> str:
    """The sum of the times, where all are known."""
    known = [one for one in seconds if one is not None]
    return words.duration(sum(known)) if len(known) == len(seconds) else words.MISSING
