"""PSNR against the number of atoms that are taken out, or that alone are kept."""

import math

from inrlens.reports import words
from inrlens.reports.figures.canvas import MUTED, Axes, Panel, panel
from inrlens.reports.figures.lines import Line, Stroke, draw_line
from inrlens.reports.figures.scales import count_axis
from inrlens.reports.parts import Examined

STROKES: dict[str, Stroke] = {"psnr_drop": "solid", "mean_magnitude": "dashed", "random": "dotted"}
MODES = {"remove": "taken out", "keep": "kept alone"}


def group_panels(one: Examined, name: str, hue: str) -> list[Panel]:
    """One panel for atoms taken out and one for atoms kept, a line an order; the level is that of all atoms."""
    return [_panel(one, f"{name}-{mode}", mode, hue) for mode in MODES if any(c.mode == mode for c in one.atlas.groups)]


def _panel(one: Examined, name: str, mode: str, hue: str) -> Panel:
    curves = [curve for curve in one.atlas.groups if curve.mode == mode]

    def draw(axes: Axes) -> None:
        whole = curves[0].psnr[0 if mode == "remove" else -1]
        if math.isfinite(whole):
            axes.axhline(whole, color=MUTED, linewidth=0.8)
        for curve in curves:
            at = [math.log2(1.0 + count) for count in curve.counts]
            colour, stroke = MUTED if curve.order == "random" else hue, STROKES[curve.order]
            draw_line(axes, Line(at, curve.psnr, colour, stroke, hollow=stroke != "solid"))
        count_axis(axes, max(curve.counts[-1] for curve in curves))
        axes.set_xlabel(f"atoms {MODES[mode]}")
        axes.set_ylabel("PSNR (dB)")

    said = "; ".join(
        f"{words.ORDERS[curve.order]} "
        + ", ".join(f"{words.db(psnr)} at {count}" for count, psnr in zip(curve.counts, curve.psnr, strict=True))
        for curve in curves
    )
    title = f"{one.title}: {MODES[mode]}"
    return panel(name, title, f"PSNR against the number of atoms, {title}: {said}.", draw)
