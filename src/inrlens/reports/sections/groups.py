"""Many atoms taken out or kept at once, and pairs whose joint effect is not the sum of their single effects."""

from collections.abc import Sequence
from dataclasses import dataclass

from inrlens.reports import words
from inrlens.reports.figures.canvas import SERIES, slot
from inrlens.reports.figures.groups import MODES, STROKES, group_panels
from inrlens.reports.parts import Examined, Figure, Key, Table, examined
from inrlens.reports.readings.groups import group_reading, pair_reading
from inrlens.studies.run_reader import OpenRun


@dataclass(frozen=True)
class GroupSection:
    """A figure a layer, the areas under all curves, and the pairs that interact most, with each layer's reading."""

    what: str
    figures: tuple[Figure, ...]
    areas: Table
    pair_reading: str
    pairs: Table | None


def groups(run: OpenRun) -> GroupSection | None:
    """None where no layer was looked at atom by atom, or no atom is alive."""
    entries = [one for one in examined(run.record.conditions) if one.atlas.groups]
    if not entries:
        return None
    backbones = list(dict.fromkeys(condition.backbone for condition in run.record.conditions))
    figures = tuple(_figure(one, number, slot(one.condition.backbone, backbones)) for number, one in enumerate(entries))
    paired = [one for one in entries if one.atlas.interactions]
    what = (
        "PSNR on the network's first signal when the first m living atoms of an order are taken out together, and when "
        "of all living atoms only they are kept; what the dictionary leaves unexplained is kept in both. By cost: by "
        "the dB lost without each alone. The level line is the PSNR with all atoms."
    )
    return GroupSection(
        what=what,
        figures=figures,
        areas=_areas(entries),
        pair_reading="\n".join(pair_reading(one) for one in paired),
        pairs=_pairs(paired) if paired else None,
    )


def _figure(one: Examined, number: int, hue: int) -> Figure:
    keys = [
        Key(words.ORDERS[order], None if order == "random" else hue, stroke, "full" if stroke == "solid" else "hollow")
        for order, stroke in STROKES.items()
        if any(curve.order == order for curve in one.atlas.groups)
    ]
    return Figure(
        name=f"groups-{number}",
        reading=group_reading(one),
        what="",
        panels=tuple(group_panels(one, f"groups-{number}", SERIES[hue])),
        keys=tuple(keys),
    )


def _areas(entries: Sequence[Examined]) -> Table:
    rows = []
    for one in entries:
        for mode, said in MODES.items():
            curves = {curve.order: curve for curve in one.atlas.groups if curve.mode == mode}
            if curves:
                areas = [
                    words.fixed(curves[order].area) if order in curves else words.MISSING for order in words.ORDERS
                ]
                rows.append((one.title, said, *areas))
    columns = ("layer", "atoms", *words.ORDERS.values())
    caption = "Mean PSNR in dB under each curve, over log\N{SUBSCRIPT TWO}(1 + m)"
    return Table(caption, columns, tuple(rows), names=2)


def _pairs(entries: Sequence[Examined]) -> Table:
    rows = tuple(
        (
            one.title,
            f"{pair.first} and {pair.second}",
            str(pair.together),
            words.significant(pair.first_drop),
            words.significant(pair.second_drop),
            words.significant(_sum(pair.first_drop, pair.second_drop)),
            words.significant(pair.joint_drop),
            words.significant(pair.excess, 2),
        )
        for one in entries
        for pair in one.atlas.interactions
    )
    columns = (
        "layer", "atoms", "coordinates together", "dB lost without the first", "the second", "sum", "without both",
        "excess",
    )  # fmt: skip
    caption = "Pairs of atoms that add up least, among those whose effects overlap most"
    return Table(caption, columns, rows, names=2)


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second
