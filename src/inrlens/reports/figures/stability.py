"""How well a dictionary's atoms are found again in others: the best match of every atom, least first."""

from collections.abc import Sequence

from inrlens.atoms.match import ALIKE
from inrlens.reports import words
from inrlens.reports.figures.canvas import MUTED, SERIES, Axes, Panel, panel
from inrlens.reports.figures.lines import Line, draw_line, level
from inrlens.reports.parts import Examined
from inrlens.studies.comparison_saes import UNTRAINED
from inrlens.studies.record import StabilityRow

RANDOM = "random dictionary"
UNTRAINED_SLOT = 3
"""Purple: no backbone that a run is likely to have beside the first two."""


def stability_panels(one: Examined, name: str, hue: str) -> list[Panel]:
    """Cosines and correlations of maps: a line a dictionary, free partners solid and one to one dashed."""
    panels = []
    near = [row for row in one.atlas.stability if by_direction(row)]
    if near:
        free = [(row, row.cosine or (), row.cosine_one_to_one or ()) for row in near]
        panels.append(_panel(one, f"{name}-cosine", "cosine of the atoms", free, hue))
    maps = [(row, row.map_correlation, row.map_correlation_one_to_one) for row in one.atlas.stability]
    panels.append(_panel(one, f"{name}-maps", "correlation of their maps", maps, hue))
    return panels


def by_direction(row: StabilityRow) -> bool:
    """Whether directions can be compared: only where both dictionaries are of one layer of one network."""
    return row.other != UNTRAINED and row.summary.cosine is not None


def hue_of(row: StabilityRow, hue: str) -> str:
    """The page's colour for a dictionary: the network's own for another seed."""
    return {RANDOM: MUTED, UNTRAINED: SERIES[UNTRAINED_SLOT]}.get(row.other, hue)


def _panel(
    one: Examined,
    name: str,
    what: str,
    curves: Sequence[tuple[StabilityRow, tuple[float, ...], tuple[float, ...]]],
    hue: str,
) -> Panel:
    def draw(axes: Axes) -> None:
        level(axes, ALIKE, "dotted")
        for row, free, paired in reversed(curves):
            for values, stroke in ((free, "solid"), (paired, "dashed")):
                at = [100.0 * step / max(1, len(values) - 1) for step in range(len(values))]
                draw_line(axes, Line(at, values, hue_of(row, hue), stroke, marker=None))  # type: ignore[arg-type]
        axes.set_xlim(0.0, 100.0)
        axes.set_ylim(top=1.02)
        axes.set_xlabel("percentile of living atoms")
        axes.set_ylabel(f"best {what}")

    said = "; ".join(
        f"{row.other} median {words.fixed(_middle(free))}, one to one {words.fixed(_middle(paired))}"
        for row, free, paired in curves
    )
    return panel(name, f"{one.title}: {what}", f"Best {what}, atom by atom, {one.title}: {said}.", draw)


def _middle(values: tuple[float, ...]) -> float | None:
    return values[len(values) // 2] if values else None
