"""The top of the page: what was run in a few sentences, and what went wrong."""

from dataclasses import dataclass

from inrlens.reports import words
from inrlens.reports.readings.troubles import troubles
from inrlens.studies.record import RunRecord
from inrlens.studies.run_reader import OpenRun


@dataclass(frozen=True)
class Heading:
    """The top of the page; ``troubles`` is empty for a clean run."""

    title: str
    intro: str
    troubles: tuple[str, ...]


def heading(run: OpenRun) -> Heading:
    """The top of a run's page."""
    return Heading(_title(run.record), _intro(run), tuple(troubles(run.record)))


def _title(record: RunRecord) -> str:
    if record.kind == "demo":
        return "What transfers, and what each atom does"
    if not record.conditions:
        return "A run that ended before its first network"
    condition = record.conditions[0]
    names = [record.signals[position] for position in condition.signals if position < len(record.signals)]
    network = words.backbone_title(condition.backbone)
    if record.kind == "cohort":
        return f"{words.count(len(names), 'signal')} in one {network} encoder"
    on = f"fitted on a {words.source(condition.notes)}'s layers"
    how = on if record.kind == "transfer" else f"as a {network}"
    return f"{words.listed(names)} {how}"


def _intro(run: OpenRun) -> str:
    record = run.record
    noun = "photograph" if run.pictures else words.thing(run.signals[0].shape)
    signals = words.count(len(record.signals), noun)
    backbones = [words.backbone_title(name) for name in dict.fromkeys(c.backbone for c in record.conditions)]
    if record.kind != "demo" or not record.conditions:
        return _intro_of_fit(record, signals)
    value = "colour" if run.pictures else "value"
    parts = [f"{signals} went through {words.listed(backbones)} networks that take a coordinate and return a {value}."]
    cohort = next((c for c in record.conditions if c.kind == "cohort"), None)
    if cohort is not None:
        parts.append(
            f"Each network learned one {noun} alone and then {len(cohort.signals)} at once, with one encoder for "
            "all and a linear head for each."
        )
    if record.transfers:
        held = len({entry.signal for entry in record.transfers})
        parts.append(
            f"{words.count(held, noun)} that no cohort saw then "
            f"{'was' if held == 1 else 'were'} fitted on the encoders with more and more of their layers frozen."
        )
    if any(condition.layers for condition in record.conditions):
        parts.append(
            "A sparse dictionary took the layers apart into atoms, and single atoms were taken out of the network to "
            "see what changes."
        )
    return " ".join(parts)


def _intro_of_fit(record: RunRecord, signals: str) -> str:
    if not record.conditions:
        return f"A run over {signals} that recorded no network."
    condition = record.conditions[0]
    network = f"{words.backbone_title(condition.backbone)} network"
    depth = len(condition.ranks.weight)
    if record.kind == "network":
        return f"A {network} of {words.count(depth, 'layer')}, read from a file, is compared with {signals}."
    text = f"A {network} of {words.count(depth, 'layer')}, which takes a coordinate and returns a value, was fitted to "
    text += f"{signals} in {words.count(condition.steps, 'step')} and {words.duration(condition.seconds)}."
    if condition.kind == "transfer":
        freeze, rest = condition.notes.get("freeze"), condition.notes.get("rest")
        source = words.source(condition.notes)
        start = {"warm": f"started from the {source}'s weights", "reinit": "drawn afresh"}.get(str(rest), str(rest))
        if freeze is None:
            return f"{text} No layer was frozen; all were {start}."
        held = "layer 0" if freeze == 0 else f"layers 0 to {freeze}"
        return f"{text} The {source}'s {held} stayed frozen; what follows was {start}."
    return text
