"""The measured findings in a few lines, for those who read no further."""

from collections.abc import Sequence

from inrlens.reports import words
from inrlens.reports.parts import examined
from inrlens.reports.readings.ablations import worst_reading
from inrlens.reports.readings.atoms import dead_reading, spread_reading
from inrlens.reports.readings.controls import control_verdict
from inrlens.reports.readings.fits import quality_reading
from inrlens.reports.readings.freeze import best_reading
from inrlens.reports.readings.ranks import weight_reading
from inrlens.reports.readings.stability import found_again
from inrlens.reports.sections.ablations import AblationSection
from inrlens.reports.sections.freeze import tau_star
from inrlens.reports.sweep import sweeps
from inrlens.studies.record import ConditionRecord, RunRecord


def brief(record: RunRecord, ablated: AblationSection | None) -> list[tuple[str, str]]:
    """A heading and a sentence for everything that was measured."""
    if not record.conditions:
        return []
    cohorts = _main(record.conditions)
    found = [("Fit", quality_reading(record.conditions)), ("Ranks", weight_reading(cohorts))]
    found += [
        (f"Freezing {words.backbone_title(sweep.backbone)}", best_reading(sweep, tau_star(record, sweep.backbone)))
        for sweep in sweeps(record)
    ]
    with_atoms = _main([condition for condition in record.conditions if condition.layers])
    if with_atoms:
        found.append(("Atoms", f"{spread_reading(with_atoms)} {dead_reading(with_atoms)}"))
    if ablated is not None:
        shown = [c for c in with_atoms if any(layer.layer == ablated.layer for layer in c.layers)]
        found.append(("One atom out", f"{worst_reading(shown, ablated.layer)} {ablated.reading}"))
    every = examined(record.conditions)
    if every:
        found.append(("Beside controls", " ".join(control_verdict(one) for one in every)))
        found.append(("Are atoms real?", " ".join(found_again(one) for one in every)))
    return found


def _main(conditions: Sequence[ConditionRecord]) -> list[ConditionRecord]:
    """The cohorts, or everything where there are none."""
    return [c for c in conditions if c.kind == "cohort"] or list(conditions)
