"""How the measures of a dictionary sweep are drawn: their titles, their axes, their words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from inrlens.reports import words
from inrlens.reports.dictionary_grid import ALIVE, FIDELITY, LIVING_L0, PSNR, R2, SPATIAL_L0, Measure
from inrlens.reports.figures.canvas import Axes
from inrlens.reports.figures.near_one import near_one, near_one_axis
from inrlens.reports.figures.scales import log_axis


@dataclass(frozen=True)
class Look:
    """A measure, its title, and the axis that it is drawn on: as it is, in percent, or by its distance to 1."""

    measure: Measure
    title: str
    scale: Literal["plain", "percent", "log percent", "near 1"]

    def place(self, value: float | None) -> float | None:
        """Where a value lies on the axis; None and what is not finite lie nowhere."""
        if value is None or not math.isfinite(value):
            return None
        if self.scale == "near 1":
            return near_one(value)
        if self.scale == "log percent" and value <= 0.0:
            return None
        return value if self.scale == "plain" else 100.0 * value

    def say(self, value: float | None) -> str:
        """A value in words."""
        if self.scale == "near 1":
            return words.fixed(value, 4)
        return words.db(value) if self.scale == "plain" else words.percent(value)

    def axis(self, axes: Axes, trained: Sequence[float | None], controls: Sequence[float | None]) -> None:
        """Makes the y axis one for these values; a control that lies far above all trained dictionaries (components
        that rebuild a layer exactly) leaves the panel, instead of crushing them."""
        mine, others = (
            [p for value in values if (p := self.place(value)) is not None] for values in (trained, controls)
        )
        if not mine:
            return
        if self.scale == "percent":
            axes.set_ylim(min(0.0, *mine) - 3.0, 103.0)
        elif self.scale == "log percent":
            log_axis(axes, "y", min(mine + others), max(mine + others))
        else:
            ceiling = max(mine) + self._headroom(max(mine) - min(mine))
            shown = [place for place in mine + others if place <= ceiling]
            low, high = min(shown), max(shown) if len(shown) == len(mine + others) else ceiling
            if self.scale == "near 1":
                near_one_axis(axes, low, high)
            else:
                room = 0.05 * ((high - low) or 1.0)
                axes.set_ylim(low - room, high + room)

    def _headroom(self, span: float) -> float:
        """How far above the trained dictionaries a panel may reach: one decade of the distance to 1, or in dB."""
        return 1.0 if self.scale == "near 1" else max(6.0, 0.5 * span)


FIDELITY_LOOK = Look(FIDELITY, "PSNR to the intact output (dB)", "plain")
R2_LOOK = Look(R2, "R\N{SUPERSCRIPT TWO}", "near 1")
LOOKS = (
    FIDELITY_LOOK,
    Look(PSNR, "PSNR to the signals (dB)", "plain"),
    R2_LOOK,
    Look(ALIVE, "atoms alive (%)", "percent"),
    Look(SPATIAL_L0, "spatial L\N{SUBSCRIPT ZERO}, all atoms (%)", "log percent"),
    Look(LIVING_L0, "spatial L\N{SUBSCRIPT ZERO}, living atoms (%)", "log percent"),
)
