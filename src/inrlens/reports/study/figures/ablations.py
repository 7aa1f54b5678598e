"""One atom taken out at a time: the paper's Figs. 5 and 15."""

from collections.abc import Sequence

from inrlens.reports import words
from inrlens.reports.study.figures.conditions import Comparison, Condition, comparisons
from inrlens.reports.study.figures.contact import (
    LEFT,
    Box,
    box_of,
    contact_sheet,
    label,
    name_row,
    place_map,
    place_picture,
)
from inrlens.reports.study.figures.galleries import conditions_with_shots, of_what
from inrlens.reports.study.figures.sheet import PAPER_NAME, Figure, StudyFigure, study_figure
from inrlens.reports.study.figures.shots import Shots
from inrlens.studies.tables.records import AnalysisRow

MOST = 4
"""So many conditions have their ablations shown: the cohorts of the paper's two backbones, and those of a second
source."""
_PARTS = ("map", "without it", "effect")
_NEAR, _GAP = 3.0, 17.0
"""Between the pictures of one atom, and between two atoms."""


def ablation_figures(store: object, analyses: Sequence[AnalysisRow]) -> list[StudyFigure]:
    """One figure a cohort (a single fit where there are no cohorts): a row a layer; for each atom its map, the picture
    without it, and its effect."""
    cohorts = [row for row in analyses if row.network == "cohort"] or list(analyses)
    found = [
        _figure(one, condition, shots)
        for one in comparisons(cohorts)
        for condition, shots in conditions_with_shots(store, one)[:MOST]
        if any(shown.removed_atoms for shown in shots.values())
    ]
    return found[:MOST]


def _figure(one: Comparison, condition: Condition, shots: dict[int, Shots]) -> StudyFigure:
    title = of_what(condition, one.source)
    most = max(len(shown.removed_atoms) for shown in shots.values())
    before = [shown.before for shown in shots.values()]
    caption = (
        f"{title}: the {most} atoms of largest mean magnitude at every layer, taken out one at a time, as Figs. 5 and "
        f"15 of {PAPER_NAME}. For each, its map, the network's picture without it, and the size of its effect at every "
        "pixel, on a scale of its own; below, the atom's number and PSNR with it and without. With all atoms it is "
        f"{words.span(words.db(min(before)), words.db(max(before)))}."
    )

    def draw() -> Figure:
        first = next(iter(shots.values()))
        width = box_of(first, 0, 0.0).width

        def box(row: int, place: int, part: int) -> Box:
            return box_of(first, row, LEFT + place * (3.0 * width + 2.0 * _NEAR + _GAP) + part * (width + _NEAR))

        figure, axes = contact_sheet(box(len(shots) - 1, most - 1, 2))
        for row, (layer, shown) in enumerate(shots.items()):
            name_row(axes, box(row, 0, 0), layer)
            for place in range(len(shown.removed_atoms)):
                boxes = [box(row, place, part) for part in range(3)]
                place_map(axes, boxes[0], shown.maps[place])
                place_picture(axes, boxes[1], shown.removed[place])
                place_map(axes, boxes[2], shown.effects[place])
                label(axes, boxes[1], _told(shown, place))
        for place in range(most):
            for part, text in enumerate(_PARTS):
                label(axes, box(0, place, part), text, above=True)
        return figure

    said = "; ".join(
        f"layer {layer} {', '.join(words.db(after) for after in shown.after)}" for layer, shown in shots.items()
    )
    alt = f"Pictures of {title} without one atom each; PSNR after: {said}."
    name = f"ablations-{one.source}-{condition.network}-{condition.backbone}"
    return study_figure(name, f"One atom taken out: {title}", caption, alt, draw)


def _told(shown: Shots, place: int) -> str:
    atom, before, after = shown.removed_atoms[place], shown.before, shown.after[place]
    return f"{atom}: {words.fixed(before, 1)} \N{RIGHTWARDS ARROW} {words.fixed(after, 1)}{words.THIN}dB"
