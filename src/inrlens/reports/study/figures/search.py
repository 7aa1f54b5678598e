"""The search for a recipe: PSNR on the validation split against every axis."""

from collections.abc import Sequence
from typing import Any

from inrlens.errors import InputError
from inrlens.reports import words
from inrlens.reports.figures.canvas import MUTED, Axes, colour
from inrlens.reports.figures.lines import Line, draw_line, star
from inrlens.reports.study.figures.factors import value_rank, value_words
from inrlens.reports.study.figures.footing import in_order
from inrlens.reports.study.figures.sheet import (
    Figure,
    Key,
    Layout,
    StudyFigure,
    sheet,
    study_figure,
    title_panel,
)
from inrlens.studies.tables.best import BestRecipe, Candidate, best_recipes
from inrlens.studies.tables.phrases import variant_words
from inrlens.studies.tables.records import StudyRows


def search_figures(rows: StudyRows) -> list[StudyFigure]:
    """One figure a backbone and task that was searched to its end: a panel an axis of the recipe."""
    backbones = in_order([*(row.backbone for row in rows.singles), *(row.backbone for row in rows.transfers)])
    found = []
    for backbone in backbones:
        singles = tuple(row for row in rows.singles if row.backbone == backbone)
        transfers = tuple(row for row in rows.transfers if row.backbone == backbone)
        for part in (StudyRows(singles=singles), StudyRows(transfers=transfers)):
            try:
                (best,) = best_recipes(part)
            except InputError:
                # Not searched, or not to its end.
                continue
            axes = _axes(best)
            if axes:
                found.append(_figure(best, axes, colour(backbone, backbones)))
    return found


def _axes(best: BestRecipe) -> list[str]:
    """The settings that the candidates differ in."""
    values: dict[str, set[Any]] = {}
    for one in best.curve:
        for name, value in one.variant:
            values.setdefault(name, set()).add(value)
    return [name for name, known in values.items() if len(known) > 1]


def _figure(best: BestRecipe, names: Sequence[str], hue: str) -> StudyFigure:
    title = f"{words.backbone_title(best.backbone)}, {best.task}"
    dots = len(names) > 1
    caption = (
        f"{title}: mean PSNR on the validation split ({words.count(best.images, 'picture')}, "
        f"{words.count(best.seeds, 'seed')}), the band one standard deviation over pictures. The star is the best "
        f"recipe: {variant_words(best.variant)}."
        + (" Lines run through it along one axis; dots are all other candidates." if dots else "")
    )

    def draw() -> Figure:
        keys = [Key("through the best", Line([], [], hue)), Key("best", Line([], [], hue), starred=True)]
        figure, axes = sheet(1, len(names), keys, Layout(width=300.0, height=200.0).fitted(len(names)))
        for place, name in enumerate(names):
            title_panel(axes[0][place], name)
            axes[0][place].sharey(axes[0][0])
            _panel(axes[0][place], best, name, hue, dots)
        axes[0][0].set_ylabel("PSNR (dB)")
        return figure

    said = ", ".join(f"{variant_words(one.variant)}: {words.db(one.psnr.mean, 2)}" for one in best.curve)
    alt = f"Validation PSNR of every candidate, {title}: {said}."
    return study_figure(f"search-{best.backbone}-{best.task}", f"The search for a recipe: {title}", caption, alt, draw)


def _panel(axes: Axes, best: BestRecipe, name: str, hue: str, dots: bool) -> None:
    values = sorted({dict(one.variant)[name] for one in best.curve if name in dict(one.variant)}, key=value_rank)
    place = {value: index for index, value in enumerate(values)}
    mine = [one for one in best.curve if name in dict(one.variant)]
    if dots:
        axes.plot([place[_at(one, name)] for one in mine], [_mean(one) for one in mine], ".", color=MUTED, alpha=0.6)
    chosen = {key: value for key, value in best.variant if key != name}
    along = [one for one in mine if {key: value for key, value in one.variant if key != name} == chosen]
    along.sort(key=lambda one: place[_at(one, name)])
    low = [_mean(one) - (one.psnr.over_images or 0.0) for one in along]
    high = [_mean(one) + (one.psnr.over_images or 0.0) for one in along]
    draw_line(
        axes, Line([place[_at(one, name)] for one in along], [_mean(one) for one in along], hue, low=low, high=high)
    )
    star(axes, place[dict(best.variant)[name]], best.mean, hue)
    axes.set_xticks(range(len(values)), [value_words(value) for value in values])
    axes.set_xlim(-0.4, len(values) - 0.6)


def _at(candidate: Candidate, name: str) -> Any:
    return dict(candidate.variant)[name]


def _mean(candidate: Candidate) -> float:
    return float("nan") if candidate.psnr.mean is None else candidate.psnr.mean
