"""What went wrong in a run, a sentence each: interruptions and divergences."""

from inrlens.fitting.history import Divergence
from inrlens.reports import words
from inrlens.reports.sweep import went_wrong
from inrlens.studies.record import ConditionRecord, RunRecord


def troubles(record: RunRecord) -> list[str]:
    """Empty for a run that finished without incident."""
    found = [_interruption(record)] if record.outcome == "interrupted" else []
    for condition in record.conditions:
        found += _of_fit(condition) + _of_dictionaries(condition)
    return found + _of_transfers(record)


def _interruption(record: RunRecord) -> str:
    done = [words.count(len(record.conditions), "network")]
    if record.kind == "demo":
        done.append(words.count(len(record.transfers), "transfer"))
        layers = sum(len(condition.layers) for condition in record.conditions)
        done.append(words.count(layers, "dictionary", "dictionaries"))
    return f"This run was interrupted: it reached {words.listed(done)}; what is missing here was not measured."


def _of_fit(condition: ConditionRecord) -> list[str]:
    name = words.condition_title(condition.kind, condition.backbone)
    found = []
    if condition.outcome == "interrupted":
        found.append(f"{name} was interrupted after {words.count(condition.steps, 'step')}.")
    if condition.divergences:
        more = len(condition.divergences) - 1
        also = f", and {words.count(more, 'later time', 'later times')}" if more else ""
        ended = f"It ended at {words.db(condition.psnr)}, more than 6 dB below its best."
        if any(event.kind == "non-finite loss" for event in condition.divergences):
            ended = f"The last finite weights were kept, at {words.db(condition.psnr)}."
        end = {"diverged": ended, "interrupted": "Then it was interrupted."}
        after = end.get(condition.outcome, "It recovered.")
        found.append(f"{name} diverged at step {_moment(condition.divergences[0])}{also}. {after}")
    elif condition.outcome == "diverged":
        found.append(f"{name} ended diverged.")
    return found


def _moment(event: Divergence) -> str:
    if event.kind == "non-finite loss":
        return f"{event.step} (the loss was no longer finite)"
    return f"{event.step} (PSNR fell from {words.db(event.best_psnr)} to {words.db(event.psnr)})"


def _of_dictionaries(condition: ConditionRecord) -> list[str]:
    name = words.condition_title(condition.kind, condition.backbone)
    verbs = {"interrupted": "was interrupted", "diverged": "diverged"}
    return [
        f"The dictionary of {name}, layer {layer.layer}, {verbs.get(layer.outcome, layer.outcome)} "
        f"after {words.count(layer.steps, 'step')}."
        for layer in condition.layers
        if layer.outcome != "finished"
    ]


def _of_transfers(record: RunRecord) -> list[str]:
    found = []
    for backbone in dict.fromkeys(entry.backbone for entry in record.transfers):
        mine = [entry for entry in record.transfers if entry.backbone == backbone]
        wrong = [entry for entry in mine if went_wrong(entry)]
        if wrong:
            ended = sum(entry.outcome == "diverged" for entry in wrong)
            found.append(
                f"{len(wrong)} of {words.count(len(mine), 'transfer')} of {words.backbone_title(backbone)} diverged on "
                f"the way, {ended or 'none'} of them to the end; their final PSNRs stand in the means below."
            )
    return found
