"""What decides PSNR: the main effects of the setting, the data and every axis of the recipes."""

from collections.abc import Mapping, Sequence
from typing import Any

from inrlens.reports import words
from inrlens.reports.figures.canvas import Axes, colour
from inrlens.reports.figures.lines import Line, draw_line
from inrlens.reports.study.figures.footing import in_order
from inrlens.reports.study.figures.sheet import TEXT, Figure, Layout, StudyFigure, sheet, study_figure, title_panel
from inrlens.studies.tables.factors import Factor, decided_by
from inrlens.studies.tables.records import StudyRows


def factor_figures(rows: StudyRows) -> list[StudyFigure]:
    """One figure: a row a backbone, a panel a factor, the mean PSNR at each of its values; all panels of a row on one
    axis. None where nothing but the setting was varied."""
    backbones = in_order(row.backbone for row in rows.transfers)
    found = {backbone: [f for f in decided_by(rows.transfers, backbone) if f.levels] for backbone in backbones}
    found = {backbone: own for backbone, own in found.items() if any(f.name != "setting" for f in own)}
    return [_figure(found, backbones)] if found else []


def _figure(factors: Mapping[str, Sequence[Factor]], backbones: Sequence[str]) -> StudyFigure:
    names = _order(factors)
    caption = (
        "The mean PSNR at each value of what was varied, over the combinations of all the rest that were run with "
        "every one of its values; fits from scratch are left out. Values far apart are a choice that "
        "decides, level ones make no difference. The widest of the first backbone stands at the left."
    )

    def draw() -> Figure:
        layout = Layout(176.0, 150.0, across=22.0, below=72.0, down=100.0).fitted(len(names))
        figure, axes = sheet(len(factors), len(names), (), layout)
        for row, (backbone, own) in enumerate(factors.items()):
            by_name = {factor.name: factor for factor in own}
            for column, name in enumerate(names):
                panel = axes[row][column]
                panel.sharey(axes[row][0])
                title_panel(panel, name)
                if name in by_name:
                    _panel(panel, by_name[name], colour(backbone, backbones))
                else:
                    panel.set_axis_off()
                if column:
                    panel.tick_params(axis="y", labelleft=False)
            axes[row][0].set_ylabel(f"{words.backbone_title(backbone)}, PSNR (dB)")
        return figure

    said = "; ".join(
        f"{words.backbone_title(backbone)}: "
        + ", ".join(f"{factor.name} moves it by {words.db(factor.range, 2)}" for factor in own)
        for backbone, own in factors.items()
    )
    alt = f"Mean PSNR at every value of every choice. {said}."
    return study_figure("factors", "What decides PSNR", caption, alt, draw)


def _order(factors: Mapping[str, Sequence[Factor]]) -> list[str]:
    """Every factor's name, the widest first, the first backbone's before the others'."""
    return in_order(factor.name for own in factors.values() for factor in own)


def _panel(axes: Axes, factor: Factor, hue: str) -> None:
    levels = sorted(factor.levels, key=lambda level: value_rank(level.value))
    for start, end in _joined([level.value for level in levels]):
        draw_line(axes, Line(range(start, end), [level.mean for level in levels[start:end]], hue))
    labels = [value_words(level.value) for level in levels]
    upright = sum(len(label) for label in labels) > 22
    axes.set_xticks(range(len(levels)), labels, rotation=90 if upright else 0, fontsize=TEXT - 1.0)
    axes.set_xlim(-0.4, len(levels) - 0.6)


def _joined(values: Sequence[Any]) -> list[tuple[int, int]]:
    """Which neighbours a line may join: numbers, and the depths of one start of the rest."""
    runs: list[tuple[int, int]] = []
    for place, value in enumerate(values):
        kind = _run(value)
        if runs and kind is not None and kind == _run(values[place - 1]):
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
    return runs


def _run(value: Any) -> str | None:
    if not isinstance(value, str):
        return "number"
    kind, _, tau = value.partition(" ")
    return kind if tau.isdigit() else None


def value_words(value: Any) -> str:
    """A value of an axis in as few letters as tell it."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def value_rank(value: Any) -> tuple[bool, float, str]:
    """Numbers upwards, then words in the alphabet's order."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return not number, float(value) if number else 0.0, str(value)
