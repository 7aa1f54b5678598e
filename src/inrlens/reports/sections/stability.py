"""Are atoms real? Whether another training, or no training, finds the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from inrlens.atoms.match import ALIKE, LikenessSummary
from inrlens.reports import words
from inrlens.reports.figures.canvas import SERIES, slot
from inrlens.reports.figures.stability import RANDOM, UNTRAINED_SLOT, by_direction, stability_panels
from inrlens.reports.parts import Examined, Figure, Key, Table, examined
from inrlens.reports.readings.stability import stability_reading
from inrlens.studies.comparison_saes import UNTRAINED
from inrlens.studies.run_reader import OpenRun


@dataclass(frozen=True)
class StabilitySection:
    """A figure a layer, and the numbers of all."""

    what: str
    figures: tuple[Figure, ...]
    table: Table


def stability(run: OpenRun) -> StabilitySection | None:
    """None where no layer was looked at atom by atom."""
    entries = [one for one in examined(run.record.conditions) if one.atlas.stability]
    if not entries:
        return None
    backbones = list(dict.fromkeys(condition.backbone for condition in run.record.conditions))
    figures = tuple(_figure(one, number, slot(one.condition.backbone, backbones)) for number, one in enumerate(entries))
    what = (
        "Every living atom's likeness to its best partner in another dictionary of the same n and k, from the least to "
        "the most alike. Solid: each chooses freely. Dashed: one to one, so that the sum is largest. The level line, "
        f"{ALIKE:g}, is where an atom counts as found again. The random dictionary and the untrained network show what "
        "is found without any training, of the dictionary or of the network; the latter's atoms are directions in "
        "another space, so only maps are compared with it."
    )
    return StabilitySection(what, figures, _table(entries))


def _figure(one: Examined, number: int, hue: int) -> Figure:
    slots = {RANDOM: None, UNTRAINED: UNTRAINED_SLOT}
    keys = [Key(row.other, slots.get(row.other, hue), marker="none") for row in one.atlas.stability]
    return Figure(
        name=f"stability-{number}",
        reading=stability_reading(one),
        what="",
        panels=tuple(stability_panels(one, f"stability-{number}", SERIES[hue])),
        keys=tuple(keys),
    )


def _table(entries: Sequence[Examined]) -> Table:
    rows: list[tuple[str, ...]] = []
    for one in entries:
        for row in one.atlas.stability:
            found = row.summary
            subspace = (words.fixed(found.subspace_overlap, 3), words.fixed(found.subspace_chance, 3))
            if found.cosine is not None and by_direction(row):
                rows.append((one.title, row.other, "cosine", *_cells(found.cosine), *subspace))
            rows.append((one.title, row.other, "map", *_cells(found.maps), words.MISSING, words.MISSING))
    columns = (
        "layer", "beside", "by", "pairs", "PW-MCC", f"pairs above {ALIKE:g}", f"atoms above {ALIKE:g}, free",
        "collisions", "subspace overlap", "by chance",
    )  # fmt: skip
    return Table("Atoms found again", columns, tuple(rows), names=3)


def _cells(found: LikenessSummary) -> tuple[str, ...]:
    return (
        str(found.pairs),
        words.fixed(found.pw_mcc, 3),
        words.percent(found.paired_above),
        words.percent(found.free_above_a),
        words.percent(found.collisions_a),
    )
