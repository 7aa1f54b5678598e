"""No freeze against frozen: the paper's Table 1, at its depth and at the best one here."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from inrlens.reports import words
from inrlens.reports.published import TAU_STAR
from inrlens.reports.study.table import Cell, Column, PlusMinus, StudyTable
from inrlens.reports.study.tables.common import (
    ALL,
    BACKBONE,
    BEHIND,
    DB,
    RECIPE,
    SOURCE,
    TARGET,
    Block,
    best_depth,
    blocks,
    difference,
    interval,
    over,
    recipe,
    split_words,
    spread_cell,
)
from inrlens.reports.study.told import ToldStudy
from inrlens.studies.tables.freeze import FreezeSweep
from inrlens.studies.tables.paired import paired
from inrlens.studies.tables.records import TransferRow, Variant
from inrlens.studies.tables.spread import spread

_GAIN = "frozen less no freeze"
COLUMNS = (
    SOURCE,
    TARGET,
    BACKBONE,
    RECIPE,
    Column("setting"),
    Column("measured", "spread", DB, group="PSNR"),
    Column("published", "number", DB, group="PSNR"),
    Column("difference", "number", DB, sign=True, group="PSNR"),
    Column("measured", "number", DB, sign=True, group=_GAIN),
    Column("95 % interval", "interval", DB, sign=True, group=_GAIN),
    Column("published", "number", DB, sign=True, group=_GAIN),
    *BEHIND,
)
_TAU = "\N{GREEK SMALL LETTER TAU}"


@dataclass(frozen=True)
class _Line:
    """One setting of a pair: measured mean, published mean, gains over no freeze."""

    setting: str
    rows: list[TransferRow]
    theirs: float | None
    their_gain: float | None
    unfrozen: list[TransferRow] | None


def table_1(study: ToldStudy) -> list[StudyTable]:
    """The table, where any pair has no freeze beside frozen layers."""
    found = [block for block in blocks(study) if _is_whole(block)]
    if not found:
        return []
    sweeps = [one for one in study.sweeps if one.rest == "reinit"]
    rows: list[tuple[Cell, ...]] = []
    for block in found:
        lines = _lines(study, block, _best(sweeps, [block]))
        rows += [(*block.words, *_cells(line)) for line in lines]
    for (backbone, variant), group in over(found).items():
        if len(group) > 1:
            rows += _means(study, backbone, variant, group, sweeps)
    note = (
        f"{split_words(study)}{study.so_far('transfer')}Layers 0 to {_TAU} frozen, the rest reinitialised; no freeze "
        f"starts all layers from the cohort. Stated for the paper's {_TAU}* and for the depth that is best here, which "
        "is chosen on the pictures that it is measured on. Measured: mean over pictures \N{PLUS-MINUS SIGN} standard "
        "deviation over pictures. The gain is paired by picture and seed, its interval a bootstrap over pictures. "
        "Rows of all pairs: the mean over these pairs, and the published mean over the same ones."
    )
    return [StudyTable("table1", "No freeze against frozen (the paper's Table 1)", note, COLUMNS, tuple(rows))]


def _is_whole(block: Block) -> bool:
    return (
        block.pair.source is not None
        and "none" in block.by_setting
        and any(setting.startswith("reinit") for setting in block.by_setting)
    )


def _best(sweeps: Sequence[FreezeSweep], group: Sequence[Block]) -> int | None:
    pairs = {block.pair for block in group}
    return best_depth(
        one for one in sweeps if any((one.source, one.target, one.backbone, one.variant) == pair for pair in pairs)
    )


def _depths(study: ToldStudy, backbone: str, best: int | None) -> list[tuple[int, str]]:
    """The depths that are stated, and what each is."""
    star = TAU_STAR.get(study.registered(backbone))
    depths = []
    if star is not None:
        depths.append((star, f"{_TAU} = {star}, published {_TAU}*" + (", best here" if star == best else "")))
    if best is not None and best != star:
        depths.append((best, f"{_TAU} = {best}, best here"))
    return depths


def _lines(study: ToldStudy, block: Block, best: int | None) -> list[_Line]:
    source, target, backbone, _ = block.pair
    unfrozen = block.by_setting["none"]
    theirs = study.published(source, target, backbone, None)
    their_none = theirs.psnr_mean if theirs else None
    lines = [_Line("no freeze", unfrozen, their_none, None, None)]
    for tau, title in _depths(study, backbone, best):
        rows = block.by_setting.get(f"reinit {tau}", [])
        if rows:
            frozen = study.published(source, target, backbone, tau)
            own = frozen.psnr_mean if frozen else None
            lines.append(_Line(title, rows, own, difference(own, their_none), unfrozen))
    return lines


def _cells(line: _Line) -> tuple[Cell, ...]:
    found = spread(line.rows)
    gain = paired(line.rows, line.unfrozen) if line.unfrozen is not None else None
    return (
        line.setting,
        spread_cell(found),
        line.theirs,
        difference(found.mean, line.theirs),
        gain.difference if gain else None,
        interval(gain) if gain else None,
        line.their_gain,
        found.images,
        found.seeds,
    )


def _means(
    study: ToldStudy, backbone: str, variant: Variant, group: Sequence[Block], sweeps: Sequence[FreezeSweep]
) -> list[tuple[Cell, ...]]:
    """The mean over pairs, each counted once, as the last line of the paper's table."""
    settings: list[tuple[int | None, str, str]] = [(None, "none", "no freeze")]
    settings += [(tau, f"reinit {tau}", title) for tau, title in _depths(study, backbone, _best(sweeps, group))]
    shared = [block for block in group if all(setting in block.by_setting for _, setting, _ in settings)]
    if len(shared) < 2:
        return []
    rows: list[tuple[Cell, ...]] = []
    nothing: tuple[float | None, float | None] = (None, None)
    for tau, setting, title in settings:
        own = [row for block in shared for row in block.by_setting[setting]]
        means = [found for block in shared if (found := spread(block.by_setting[setting]).mean) is not None]
        mean = fmean(means) if len(means) == len(shared) else None
        known = [study.published(block.pair.source, block.pair.target, backbone, tau) for block in shared]
        theirs = fmean(one.psnr_mean for one in known if one) if all(known) else None
        if tau is None:
            nothing = (mean, theirs)
        counted = spread(own)
        rows.append(
            (
                ALL,
                f"{len(shared)} pairs",
                words.backbone_title(backbone),
                recipe(variant),
                title,
                None if mean is None else PlusMinus(mean, None),
                theirs,
                difference(mean, theirs),
                None if tau is None else difference(mean, nothing[0]),
                None,
                None if tau is None else difference(theirs, nothing[1]),
                counted.images,
                counted.seeds,
            )
        )
    return rows
