"""How the fits went: PSNR against seconds."""

from collections.abc import Sequence

from inrlens.fitting.history import Record
from inrlens.reports import words
from inrlens.reports.figures.canvas import Axes, Panel, colour, panel
from inrlens.reports.figures.lines import Line, draw_line, stroke_of
from inrlens.studies.record import ConditionRecord


def history_panels(histories: Sequence[tuple[ConditionRecord, tuple[Record, ...]]]) -> list[Panel]:
    """One panel a backbone: the PSNR in dB of every recorded step against the seconds since the fit's start."""
    backbones = list(dict.fromkeys(condition.backbone for condition, _ in histories))
    return [_panel(backbone, backbones, histories) for backbone in backbones]


def _panel(
    backbone: str, backbones: Sequence[str], histories: Sequence[tuple[ConditionRecord, tuple[Record, ...]]]
) -> Panel:
    mine = [(condition, rows) for condition, rows in histories if condition.backbone == backbone]
    title = words.backbone_title(backbone)

    def draw(axes: Axes) -> None:
        for condition, rows in mine:
            x, y = [row.seconds for row in rows], [row.psnr for row in rows]
            draw_line(axes, Line(x, y, colour(backbone, backbones), stroke_of(condition.kind), marker=None))
            axes.plot(x[-1:], y[-1:], marker="o", color=colour(backbone, backbones))
        axes.set_xlabel("seconds since the start")
        axes.set_ylabel("PSNR (dB)")
        axes.set_xlim(left=0.0)

    ends = words.listed(
        [f"{c.kind} from {words.db(rows[0].psnr)} to {words.db(rows[-1].psnr)}" for c, rows in mine if rows]
    )
    return panel(f"history-{backbone}", title, f"PSNR against seconds for {title}: {ends}.", draw)
