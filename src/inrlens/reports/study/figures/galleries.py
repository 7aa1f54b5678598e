"""The maps of the strongest atoms by layer: the paper's Figs. 3, 13 and 14."""

from collections.abc import Sequence

from inrlens.reports import words
from inrlens.reports.study.figures.conditions import Comparison, Condition, comparisons
from inrlens.reports.study.figures.contact import LEFT, box_of, contact_sheet, label, name_row, place_map, place_picture
from inrlens.reports.study.figures.sheet import PAPER_NAME, Figure, StudyFigure, study_figure
from inrlens.reports.study.figures.shots import Shots, shots_of
from inrlens.studies.tables.records import AnalysisRow

MOST = 8
"""So many conditions have a gallery: four of each of the paper's two cohorts."""
_GAP = 6.0


def gallery_figures(store: object, analyses: Sequence[AnalysisRow]) -> list[StudyFigure]:
    """One figure a condition: a row a layer; the picture, the maps of its first atoms, and their mean."""
    found = [
        _figure(one, condition, shots)
        for one in comparisons(analyses)
        for condition, shots in conditions_with_shots(store, one)[:MOST]
    ]
    return found[:MOST]


def conditions_with_shots(store: object, one: Comparison) -> list[tuple[Condition, dict[int, Shots]]]:
    """The conditions of a comparison that have pictures, and these by layer: of the first analysis of each."""
    found = []
    for condition in one.conditions:
        shots = {layer: shown for layer, rows in condition.layers.items() if (shown := shots_of(store, rows[0]))}
        if shots:
            found.append((condition, shots))
    return found


def of_what(condition: Condition, source: str) -> str:
    """A condition's network and picture in words."""
    image = next(iter(condition.layers.values()))[0].image
    return f"{condition.title}, {source}" + (f", {image}" if image else "")


def _figure(one: Comparison, condition: Condition, shots: dict[int, Shots]) -> StudyFigure:
    title = of_what(condition, one.source)
    most = max(len(shown.atoms) for shown in shots.values())
    size = f"n = {words.fixed(float(one.n_atoms), 0)}, k = {one.k}"
    caption = (
        f"{title}: the {most} atoms of largest mean magnitude at every layer ({size}), as Figs. 3, 13 and 14 of "
        f"{PAPER_NAME}. Each map is scaled to its own largest code; below it the atom's number. Framed: the mean of "
        "the maps. At the left the picture and what the network makes of it"
        + ("; a cohort's codes are the same for all of its pictures." if condition.network == "cohort" else ".")
    )

    def draw() -> Figure:
        first = next(iter(shots.values()))
        step = box_of(first, 0, 0.0).width + _GAP
        figure, axes = contact_sheet(box_of(first, len(shots) - 1, LEFT + (most + 1) * step))
        for row, (layer, shown) in enumerate(shots.items()):
            boxes = [box_of(first, row, LEFT + place * step) for place in range(most + 2)]
            name_row(axes, boxes[0], layer)
            if row < 2:
                place_picture(axes, boxes[0], (shown.target, shown.intact)[row])
                label(axes, boxes[0], ("picture", "network")[row])
            for box, values, atom in zip(boxes[1:], shown.maps, shown.atoms, strict=False):
                place_map(axes, box, values)
                label(axes, box, str(atom))
            place_map(axes, boxes[-1], shown.mean_map, framed=True)
            if row == 0:
                label(axes, boxes[-1], "mean", above=True)
        return figure

    alt = f"Maps of the {most} strongest atoms of {title} at layers {words.listed([str(layer) for layer in shots])}."
    name = f"gallery-{one.source}-{condition.network}-{condition.backbone}"
    return study_figure(name, f"The strongest atoms' maps: {title}", caption, alt, draw)
