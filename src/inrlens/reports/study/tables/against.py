"""Settings held against each other on the same pictures: frozen against no freeze, warm against reinitialised."""

from collections.abc import Callable, Sequence
from statistics import fmean

from inrlens.reports import words
from inrlens.reports.study.table import Cell, Column, StudyTable
from inrlens.reports.study.tables.common import (
    ALL,
    BACKBONE,
    BEHIND,
    DB,
    RECIPE,
    SOURCE,
    TARGET,
    Block,
    blocks,
    difference,
    freeze_words,
    interval,
    over,
    recipe,
    split_words,
)
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.paired import PairedComparison, paired
from inrlens.studies.tables.records import TransferRow

_DIFFERENCE = (
    Column("difference", "number", DB, sign=True),
    Column("95 % interval", "interval", DB, sign=True),
    Column("told apart"),
    Column("ahead on", "number", "% of pictures", 0),
)
_PUBLISHED = Column("published", "number", DB, sign=True)
_NOTE = (
    "The difference is paired by picture and seed and then averaged over pictures; its interval is a bootstrap over "
    "pictures, and the two are told apart where it leaves 0 out. An interval from five pictures or fewer is too "
    "narrow. "
)
Other = Callable[[str], str | None]
"""The setting that one is held against; None for those that are not compared."""


def frozen_against_none(study: ToldStudy) -> list[StudyTable]:
    """Every frozen setting, with either start of the rest, less no freeze: over all pairs, then pair by pair."""
    return _tables(
        study,
        "frozen",
        "Frozen less no freeze",
        lambda setting: "none" if " " in setting else None,
        "Layers above \N{GREEK SMALL LETTER TAU} start reinitialised unless it says warm.",
        with_published=True,
    )


def warm_against_reinit(study: ToldStudy) -> list[StudyTable]:
    """A warm rest less a reinitialised one at every depth: over all pairs, then pair by pair."""
    return _tables(
        study,
        "warm",
        "Warm rest less reinitialised rest",
        lambda setting: f"reinit {setting.split(' ')[1]}" if setting.startswith("warm ") else None,
        "The layers above \N{GREEK SMALL LETTER TAU} start from the cohort's weights or drawn afresh; the paper has "
        "only the latter.",
        say=lambda setting: freeze_words(f"reinit {setting.split(' ')[1]}"),
        with_published=False,
    )


def _tables(
    study: ToldStudy,
    name: str,
    title: str,
    other: Other,
    what: str,
    *,
    say: Callable[[str], str] = freeze_words,
    with_published: bool,
) -> list[StudyTable]:
    found = blocks(study)
    note = f"{split_words(study)}{study.so_far('transfer')}{_NOTE}{what}"
    published = (_PUBLISHED,) if with_published else ()
    own: list[tuple[Cell, ...]] = []
    for block in (one for one in found if one.pair.source is not None):
        for setting, compared in _compared([block], other).items():
            theirs = (_gain(study, [block], setting),) if with_published else ()
            own.append((*block.words, say(setting), *_cells(*compared, theirs)))
    if not own:
        return []
    together: list[tuple[Cell, ...]] = []
    for (backbone, variant), group in over(found).items():
        for setting, compared in _compared(group, other).items():
            theirs = (_gain(study, group, setting, other),) if with_published else ()
            pairs = sum(1 for block in group if setting in block.by_setting and other(setting) in block.by_setting)
            together.append(
                (
                    words.backbone_title(backbone),
                    recipe(variant),
                    say(setting),
                    pairs,
                    *_cells(*compared, theirs),
                )
            )
    setting_column = Column("setting")
    every = (BACKBONE, RECIPE, setting_column, Column("pairs", "count"), *_DIFFERENCE, *published, *BEHIND)
    each = (SOURCE, TARGET, BACKBONE, RECIPE, setting_column, *_DIFFERENCE, *published, *BEHIND)
    return [
        StudyTable(name, f"{title}, over {ALL} pairs", note, every, tuple(together)),
        StudyTable(f"{name}-pairs", f"{title}, pair by pair", note, each, tuple(own), detail=True),
    ]


def _compared(group: Sequence[Block], other: Other) -> dict[str, tuple[list[TransferRow], list[TransferRow]]]:
    """The rows of every setting that is compared, and of what it is held against."""
    found: dict[str, tuple[list[TransferRow], list[TransferRow]]] = {}
    for block in group:
        for setting, rows in block.by_setting.items():
            against = block.by_setting.get(other(setting) or "")
            if against:
                mine, theirs = found.setdefault(setting, ([], []))
                mine += rows
                theirs += against
    return found


def _cells(rows: list[TransferRow], against: list[TransferRow], theirs: tuple[Cell, ...]) -> tuple[Cell, ...]:
    found: PairedComparison = paired(rows, against)
    apart = None if found.low is None else "yes" if found.told_apart else "no"
    ahead = None if found.ahead is None else 100.0 * found.ahead
    return (found.difference, interval(found), apart, ahead, *theirs, found.images, found.seeds)


def _gain(study: ToldStudy, group: Sequence[Block], setting: str, other: Other | None = None) -> float | None:
    """The paper's difference over the same pairs; None where it lacks any."""
    kind, _, tau = setting.partition(" ")
    if kind != "reinit":
        return None
    gains = []
    for block in group:
        if other is not None and not {setting, other(setting)} <= set(block.by_setting):
            continue
        source, target, backbone, _ = block.pair
        frozen, unfrozen = (study.published(source, target, backbone, depth) for depth in (int(tau), None))
        gains.append(difference(frozen.psnr_mean if frozen else None, unfrozen.psnr_mean if unfrozen else None))
    known = [one for one in gains if one is not None]
    return fmean(known) if known and len(known) == len(gains) else None
