"""What several tables share: their first columns, and transfers by pair and setting."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from inrlens.reports import words
from inrlens.reports.study.table import Column, Interval, PlusMinus
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.bootstrap import MeanInterval
from inrlens.studies.tables.freeze import FreezeSweep, best
from inrlens.studies.tables.paired import PairedComparison
from inrlens.studies.tables.phrases import variant_words
from inrlens.studies.tables.records import TransferRow, Variant
from inrlens.studies.tables.spread import Spread

DB = "dB"
BACKBONE, RECIPE = Column("backbone"), Column("recipe")
SOURCE, TARGET = Column("source"), Column("target")
IMAGES, SEEDS = Column("pictures", "count"), Column("seeds", "count")
BEHIND = (IMAGES, SEEDS)
ALL = "all"


class Pair(NamedTuple):
    """What a block of rows has in common; ``source`` None: from scratch."""

    source: str | None
    target: str
    backbone: str
    variant: Variant


@dataclass(frozen=True)
class Block:
    """The transfers of one pair, by setting."""

    pair: Pair
    by_setting: dict[str, list[TransferRow]]

    @property
    def words(self) -> tuple[str | None, str | None, str, str | None]:
        """Cells for source, target, backbone and recipe."""
        source, target, backbone, variant = self.pair
        return source, target, words.backbone_title(backbone), recipe(variant)


def blocks(study: ToldStudy, split: str | None = None) -> list[Block]:
    """The study's transfers of a split (None: its main one), in the order of its file; those from scratch first."""
    split = study.split if split is None else split
    found: dict[Pair, dict[str, list[TransferRow]]] = {}
    for row in study.rows.transfers:
        if row.split == split:
            pair = Pair(row.source, row.target, row.backbone, row.variant)
            found.setdefault(pair, {}).setdefault(row.setting, []).append(row)
    order = [one.name for one in study.spec.data]
    backbones = [one.name for one in study.spec.backbones]

    def place(pair: Pair) -> tuple[int, int, int]:
        source = -1 if pair.source is None else _index(order, pair.source)
        return source, _index(order, pair.target), _index(backbones, pair.backbone)

    return [Block(pair, _sorted(found[pair])) for pair in sorted(found, key=place)]


def _index(names: list[str], name: str) -> int:
    return names.index(name) if name in names else len(names)


def _sorted(by_setting: dict[str, list[TransferRow]]) -> dict[str, list[TransferRow]]:
    kinds = ("scratch", "none", "reinit", "warm")

    def place(setting: str) -> tuple[int, int]:
        kind, _, tau = setting.partition(" ")
        return kinds.index(kind), int(tau or 0)

    return {setting: by_setting[setting] for setting in sorted(by_setting, key=place)}


def over(blocks: Iterable[Block]) -> dict[tuple[str, Variant], list[Block]]:
    """The blocks that reuse a cohort, by backbone and variant."""
    found: dict[tuple[str, Variant], list[Block]] = {}
    for block in blocks:
        if block.pair.source is not None:
            found.setdefault((block.pair.backbone, block.pair.variant), []).append(block)
    return found


def recipe(variant: Variant) -> str | None:
    """What the axes are set to; None without any, so that a table without axes has no such column."""
    return variant_words(variant) if variant else None


def freeze_words(setting: str) -> str:
    """A setting in a table's cell: from scratch; no freeze; tau = 1, warm."""
    kind, _, tau = setting.partition(" ")
    if not tau:
        return {"scratch": "from scratch", "none": "no freeze"}.get(setting, setting)
    return f"\N{GREEK SMALL LETTER TAU} = {tau}" + (", warm" if kind == "warm" else "")


def spread_cell(found: Spread) -> PlusMinus | None:
    """Mean and deviation over pictures."""
    return None if found.mean is None else PlusMinus(found.mean, found.over_images)


def difference(measured: float | None, theirs: float | None) -> float | None:
    """Measured less published, where there are both."""
    return None if measured is None or theirs is None else measured - theirs


def interval(found: PairedComparison | MeanInterval) -> Interval | None:
    """The bootstrap interval, None below two pictures."""
    return None if found.low is None or found.high is None else Interval(found.low, found.high)


def best_depth(sweeps: Iterable[FreezeSweep]) -> int | None:
    """The depth with the highest mean PSNR over sweeps, of the depths that all have; the lowest of equals."""
    known = [one.by_depth for one in sweeps if one.by_image]
    shared = sorted(set.intersection(*(set(one) for one in known))) if known else []
    means = {tau: sum(one[tau] for one in known) / len(known) for tau in shared}
    return best(means) if means else None


def split_words(study: ToldStudy) -> str:
    """Which pictures, where they are not the test's."""
    return "On validation pictures. " if study.split == "validation" else ""
