"""The rest of the network started warm against reinitialised, at every freeze depth: what the paper did not try."""

from collections.abc import Sequence

from inrlens.reports import words
from inrlens.reports.figures.canvas import INK, Axes, colour
from inrlens.reports.figures.lines import Line, depth_axis, draw_line, level
from inrlens.reports.study.figures.colours import step_colour
from inrlens.reports.study.figures.footing import (
    Footing,
    Part,
    behind,
    depths_of,
    footing,
    in_order,
    parts,
)
from inrlens.reports.study.figures.freeze import ARROW, TAU
from inrlens.reports.study.figures.sheet import (
    Figure,
    Key,
    Layout,
    StudyFigure,
    share_columns,
    sheet,
    study_figure,
    title_panel,
)
from inrlens.studies.tables.paired import PairedComparison, paired
from inrlens.studies.tables.records import StudyRows, TransferRow
from inrlens.studies.tables.spread import spread

MARKS = ("o", "^", "s", "D", "v", "P")
"""Of lines that only their order tells apart."""
_Pairs = dict[tuple[str, str], Footing]


def rest_figures(rows: StudyRows) -> list[StudyFigure]:
    """One figure a backbone and variant: PSNR with either start by source and target, and warm less reinitialised."""
    backbones = in_order(row.backbone for row in rows.transfers)
    found = []
    for part in parts(rows.transfers):
        pairs = _pairs(part.rows)
        if pairs:
            found.append(_figure(part, colour(part.backbone, backbones), pairs))
    return found


def _pairs(rows: Sequence[TransferRow]) -> _Pairs:
    """The settings of every source and target that has both starts of the rest at some depth."""
    found = {}
    for source in in_order(row.source for row in rows):
        for target in in_order(row.target for row in rows if row.source == source):
            own = footing(row for row in rows if row.source == source and row.target == target)
            if set(depths_of(own.by_setting, "warm")) & set(depths_of(own.by_setting, "reinit")):
                found[source, target] = own
    return found


def gains(own: Footing) -> dict[int, PairedComparison]:
    """Warm less reinitialised in dB at every depth that has both, picture by picture."""
    found = {}
    for tau in depths_of(own.by_setting, "warm"):
        reinit = own.by_setting.get(f"reinit {tau}")
        if reinit:
            found[tau] = paired(own.by_setting[f"warm {tau}"], reinit)
    return {tau: one for tau, one in found.items() if one.difference is not None}


def _figure(part: Part, hue: str, pairs: _Pairs) -> StudyFigure:
    title = part.title
    sources, targets = in_order(s for s, _ in pairs), in_order(t for _, t in pairs)
    compared = {pair: gains(own) for pair, own in pairs.items()}
    every = [row for own in pairs.values() for rows in own.by_setting.values() for row in rows]
    caption = (
        f"{title}: the layers above \N{GREEK SMALL LETTER TAU} started from the cohort's weights (warm) or anew "
        f"(reinitialised), a row a source; mean PSNR over pictures ({behind(every)} in all). Last column: warm less "
        f"reinitialised on the same picture from the same seeds, with the 95{words.THIN}% bootstrap interval over "
        f"pictures. The paper has the reinitialised rest only.{part.remark}"
    )

    def draw() -> Figure:
        keys = [
            Key("warm rest", Line([], [], hue, "dashed", hollow=True)),
            Key("rest reinitialised", Line([], [], hue)),
            Key("nothing frozen", Line([], [], INK, marker=None)),
        ]
        keys += [Key(f"gain on {target}", _of_target(targets, target)) for target in targets]
        figure, axes = sheet(len(sources), len(targets) + 1, keys, Layout(height=148.0).fitted(len(targets) + 1))
        share_columns(axes, range(len(targets) + 1))
        for row, source in enumerate(sources):
            for column, target in enumerate(targets):
                title_panel(axes[row][column], f"{source} {ARROW} {target}")
                if (source, target) in pairs:
                    _psnr_panel(axes[row][column], pairs[source, target], hue)
                else:
                    axes[row][column].set_axis_off()
            title_panel(axes[row][-1], f"{source}: warm less reinitialised")
            _gain_panel(axes[row][-1], [compared.get((source, target), {}) for target in targets])
            axes[row][0].set_ylabel("PSNR (dB)")
            axes[row][-1].set_ylabel("dB", labelpad=0.0)
        return figure

    said = "; ".join(
        f"{source} to {target}: "
        + ", ".join(f"tau {tau} {words.gain(one.difference)}" for tau, one in compared[source, target].items())
        for source, target in pairs
    )
    name = f"rest-{part.name}"
    alt = f"Warm less reinitialised rest by freeze depth, {title}: {said}."
    return study_figure(name, f"Warm or reinitialised rest: {title}", caption, alt, draw)


def _of_target(targets: Sequence[str], target: str) -> Line:
    place = targets.index(target)
    return Line([], [], step_colour(place, len(targets)), marker=MARKS[place % len(MARKS)])


def _psnr_panel(axes: Axes, own: Footing, hue: str) -> None:
    if "none" in own.by_setting:
        mean = spread(own.by_setting["none"]).mean
        if mean is not None:
            axes.axhline(mean, color=INK, linewidth=1.2)
    deepest = 0
    for rest in ("reinit", "warm"):
        depths = depths_of(own.by_setting, rest)
        means = [spread(own.by_setting[f"{rest} {tau}"]).mean for tau in depths]
        warm = rest == "warm"
        draw_line(axes, Line(depths, means, hue, "dashed" if warm else "solid", hollow=warm))
        deepest = max(deepest, *depths)
    depth_axis(axes, deepest + 1, TAU)


def _gain_panel(axes: Axes, by_target: Sequence[dict[int, PairedComparison]]) -> None:
    level(axes, 0.0, "dashed")
    deepest = 0
    for place, own in enumerate(by_target):
        if not own:
            continue
        hue, mark = step_colour(place, len(by_target)), MARKS[place % len(MARKS)]
        # Beside each other, so that intervals do not hide one another.
        at = [tau + 0.09 * (place - (len(by_target) - 1) / 2.0) for tau in own]
        for x, one in zip(at, own.values(), strict=True):
            if one.low is not None and one.high is not None:
                axes.plot([x, x], [one.low, one.high], color=hue, linewidth=1.2)
        draw_line(axes, Line(at, [one.difference for one in own.values()], hue, marker=mark))
        deepest = max(deepest, *own)
    depth_axis(axes, deepest + 1, TAU)
