"""PSNR against steps and against seconds, every setting: what a user gets for what is spent."""

import math
from collections.abc import Mapping, Sequence

from inrlens.reports import words
from inrlens.reports.figures.canvas import INK, MUTED, Axes
from inrlens.reports.figures.lines import Line, draw_line
from inrlens.reports.figures.scales import log_axis
from inrlens.reports.study.figures.colours import step_colour
from inrlens.reports.study.figures.footing import (
    Footing,
    Part,
    depths_of,
    footing,
    in_order,
    parts,
)
from inrlens.reports.study.figures.rests import MARKS
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
from inrlens.studies.tables.curves import MeanCurve, Unit, mean_curve
from inrlens.studies.tables.records import StudyRows, TransferRow

_UNITS: tuple[Unit, ...] = ("steps", "seconds")
_RESTS = {"reinit": "rest reinitialised", "warm": "rest warm"}
_MARKED = 6
"""So many points of a line carry a mark."""
_Curves = Mapping[str, Mapping[str, MeanCurve]]
"""By target and setting."""


def curve_figures(rows: StudyRows) -> list[StudyFigure]:
    """Two figures a backbone and variant, against steps and against seconds: a row a start of the rest, a column a
    target; each mean is over all sources."""
    found = []
    for part in parts(rows.transfers):
        stands = {
            target: footing(row for row in part.rows if row.target == target)
            for target in in_order(row.target for row in part.rows)
        }
        curves = {target: _curves(stand.by_setting) for target, stand in stands.items()}
        found += [figure for unit in _UNITS if (figure := _figure(unit, part, stands, curves)) is not None]
    return found


def _curves(by_setting: Mapping[str, Sequence[TransferRow]]) -> dict[str, MeanCurve]:
    return {name: curve for name, rows in by_setting.items() if (curve := mean_curve(rows)) is not None}


def points(curve: MeanCurve, unit: Unit) -> tuple[list[float], list[float]]:
    """A curve's points with a place on a logarithmic axis: steps or seconds above 0, and PSNR in dB."""
    along = curve.steps if unit == "steps" else curve.seconds
    known = [(x, y) for x, y in zip(along, curve.psnr, strict=True) if math.isfinite(x) and x > 0.0]
    return [x for x, _ in known], [y for _, y in known]


def _figure(unit: Unit, part: Part, stands: Mapping[str, Footing], curves: _Curves) -> StudyFigure | None:
    taken = {target: stand for target, stand in stands.items() if curves[target]}
    every = [curve for target in taken for curve in curves[target].values()]
    if not any(points(curve, unit)[0] for curve in every):
        return None
    title = part.title
    rests = [rest for rest in _RESTS if any(depths_of(stand.by_setting, rest) for stand in taken.values())]
    depths = sorted({tau for stand in taken.values() for rest in rests for tau in depths_of(stand.by_setting, rest)})
    of_all = "; ".join(f"{target}: {stand.behind}" for target, stand in taken.items())
    left_out = sum(curve.left_out for curve in every)
    caption = (
        f"{title}: mean PSNR of the steps' own coordinates while a picture is fitted, its last point that of the whole "
        f"picture at the end, over all sources ({of_all})."
        + (" Seconds are those of the machines that the study ran on." if unit == "seconds" else "")
        + (f" {words.count(left_out, 'fit')} with values that are not finite left out." if left_out else "")
        + part.remark
    )

    def draw() -> Figure:
        layout = Layout(width=310.0, height=200.0).fitted(len(taken))
        figure, axes = sheet(max(1, len(rests)), len(taken), _keys(depths, every, curves), layout)
        share_columns(axes, range(len(taken)))
        for row, rest in enumerate(rests or [""]):
            for column, target in enumerate(taken):
                panel = axes[row][column]
                title_panel(panel, f"{target}, {_RESTS[rest]}" if rest else target)
                _panel(panel, unit, rest, depths, curves[target])
            axes[row][0].set_ylabel("PSNR (dB)")
        return figure

    said = "; ".join(
        f"{target}: " + ", ".join(f"{name} {words.db(curve.psnr[-1])}" for name, curve in curves[target].items())
        for target in taken
    )
    name = f"curves-{unit}-{part.name}"
    alt = f"Mean PSNR against {unit}, {title}; at the end, {said}."
    return study_figure(name, f"PSNR against {unit}: {title}", caption, alt, draw)


def _panel(axes: Axes, unit: Unit, rest: str, depths: Sequence[int], curves: Mapping[str, MeanCurve]) -> None:
    ends: list[float] = []
    for name in ("scratch", "none", *(f"{rest} {tau}" for tau in depths)):
        x, y = points(curves[name], unit) if name in curves else ([], [])
        if x:
            ends += [x[0], x[-1]]
            draw_line(axes, _look(name, depths, x, y))
            axes.lines[-1].set_markevery(max(1, math.ceil(len(x) / _MARKED)))
    if ends:
        log_axis(axes, "x", min(ends), max(ends))
        axes.set_xlim(min(ends) / 1.1, max(ends) * 1.1)
    axes.set_xlabel("steps" if unit == "steps" else "seconds since the start")


def _look(name: str, depths: Sequence[int], x: Sequence[float], y: Sequence[float]) -> Line:
    if name == "scratch":
        return Line(x, y, MUTED, "dotted", marker=None)
    if name == "none":
        return Line(x, y, INK, "dashed", marker=None)
    place = depths.index(int(name.split()[1]))
    return Line(x, y, step_colour(place, len(depths)), marker=MARKS[place % len(MARKS)])


def _keys(depths: Sequence[int], every: Sequence[MeanCurve], curves: _Curves) -> list[Key]:
    known = {name for own in curves.values() for name in own}
    keys = [
        Key(said, _look(name, depths, [], []))
        for name, said in (("none", "nothing frozen"), ("scratch", "from scratch"))
        if name in known
    ]
    tau = "\N{GREEK SMALL LETTER TAU}"
    return keys + [Key(f"{tau} = {depth}", _look(f"any {depth}", depths, [], [])) for depth in depths]
