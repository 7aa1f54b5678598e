"""What a study found, in sentences that follow from its numbers: nothing is claimed where an interval spans 0."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from inrlens.studies.tables.advice import BudgetAdvice
from inrlens.studies.tables.bootstrap import MeanInterval
from inrlens.studies.tables.curves import Option
from inrlens.studies.tables.factors import Factor, decided_by
from inrlens.studies.tables.freeze import FreezeSweep, best, freeze_sweeps
from inrlens.studies.tables.paired import PairedComparison, paired
from inrlens.studies.tables.phrases import (
    THIN,
    capital,
    counted,
    db,
    digits_for,
    evidence,
    interval,
    layers_up_to,
    listed,
    percent,
    setting_words,
    variant_words,
)
from inrlens.studies.tables.predictors import RANDOM, PredictorRecord, predictor_records
from inrlens.studies.tables.records import StudyRows, TransferRow, Variant


@dataclass(frozen=True)
class FrozenAgainstNone:
    """A backbone frozen at one depth held against nothing frozen, over ``pairs`` of source and target.

    ``note`` says how the depth was chosen, such as "its best depth here".
    """

    backbone: str
    variant: Variant
    rest: str
    depth: int
    pairs: int
    comparison: PairedComparison
    note: str = ""


def frozen_against_none(
    transfers: Iterable[TransferRow], backbone: str, rest: str, depth: int, variant: Variant = (), split: str = "test"
) -> FrozenAgainstNone:
    """The paired comparison of one freeze depth with no freeze, over all sources and targets of a variant."""
    own = [
        row
        for row in transfers
        if row.backbone == backbone and row.split == split and row.source is not None and row.variant == variant
    ]
    frozen = [row for row in own if row.freeze == depth and row.rest == rest]
    unfrozen = [row for row in own if row.freeze is None]
    pairs = {(row.source, row.target) for row in frozen} & {(row.source, row.target) for row in unfrozen}
    return FrozenAgainstNone(backbone, variant, rest, depth, len(pairs), paired(frozen, unfrozen))


def comparison_sentence(a: str, b: str, found: PairedComparison, over: str = "", published: float | None = None) -> str:
    """How far ``a`` ends above or below ``b`` in PSNR, or that the two are not told apart.

    ``over`` opens the sentence ("over 9 source-target pairs"); ``published`` is the paper's difference in dB.
    """
    opening = f"{over} " if over else ""
    if found.difference is None:
        return f"{capital(opening + a)} and {b} have no picture in common yet."
    digits = digits_for(found.difference, found.low, found.high)
    behind = f"{interval(found.low, found.high, found.few, digits)}, {evidence(found.images, found.seeds)}"
    if found.told_apart:
        side = "above" if found.difference > 0.0 else "below"
        text = f"{opening}{a} ends {db(abs(found.difference), digits)} {side} {b} ({behind})"
    else:
        text = (
            f"{opening}{a} and {b} are not told apart: the difference is {db(found.difference, digits, sign=True)} "
            f"({behind})"
        )
    paper = f"; the paper has {db(published, digits, sign=True)}" if published is not None else ""
    return f"{capital(text)}{paper}."


def freeze_sentence(found: FrozenAgainstNone, published: float | None = None) -> str:
    """The sentence of a depth against no freeze; ``published`` is the paper's difference in dB."""
    warm = " with a warm rest" if found.rest == "warm" else ""
    of = f" ({variant_words(found.variant)})" if found.variant else ""
    note = f" ({found.note})" if found.note else ""
    name = f"{found.backbone.upper()}{of} frozen at {layers_up_to(found.depth)}{note}{warm}"
    return comparison_sentence(
        name, "no freeze", found.comparison, f"over {counted(found.pairs, 'source-target pair')}", published
    )


def predictor_sentence(record: PredictorRecord) -> str:
    """How often a predictor names the best depth, and what it costs where it does not."""
    fixed = record.predictor.startswith("layer ")
    name = "a layer at random" if record.predictor == RANDOM else record.predictor
    name = name if fixed or record.predictor == RANDOM else f"argmax {name}"
    left = f"; {counted(record.untried, 'configuration')} without the depth it names" if record.untried else ""
    if record.loss_mean is None or record.loss_worst is None:
        return f"{capital(name) if fixed else name} could not be judged{left}."
    behind = evidence(record.loss_by_image.images, record.seeds)
    share = (
        f"95{THIN}% interval {percent(record.low)} to {percent(record.high)}{THIN}%, "
        if record.low is not None and record.high is not None
        else ""
    )
    average = " on average" if record.predictor == RANDOM else ""
    right = f"{record.right:.1f}" if record.predictor == RANDOM else f"{record.right:g}"
    text = (
        f"{name} is the best depth in {right} of {counted(record.configurations, 'configuration')}{average} "
        f"({share}{behind})"
    )
    if record.loss_worst > 0.0:
        digits = digits_for(record.loss_worst, record.loss_mean)
        text += (
            f"; where it is wrong it costs {_loss(record.loss_worst, record.loss_of_worst, digits)} at most, and over "
            f"all of them {_loss(record.loss_mean, record.loss_by_image, digits)} on average"
        )
    return f"{capital(text) if record.predictor == RANDOM or fixed else text}{left}."


def _loss(value: float, by_image: MeanInterval, digits: int) -> str:
    """A loss in dB with its interval over pictures, and whether that leaves 0 out."""
    doubt = "" if by_image.told_apart else ", not told apart from 0"
    trust = interval(by_image.low, by_image.high, by_image.few, digits)
    return f"{db(value, digits)} ({trust}, {counted(by_image.images, 'picture')}{doubt})"


def option_words(option: Option) -> str:
    """A setting and its variant in prose."""
    return setting_words(option.setting) + (f" ({variant_words(option.variant)})" if option.variant else "")


def advice_sentence(found: BudgetAdvice) -> str:
    """What is best for a budget, or which two are not told apart there."""
    budget = counted(found.budget, "step" if found.unit == "steps" else "second")
    first = option_words(found.best)
    opening = f"With {budget}, {found.backbone.upper()}"
    if found.runner_up is None or found.lead is None or found.lead.difference is None:
        behind = evidence(found.images, found.seeds)
        return f"{opening} comes to {db(found.psnr)} with {first}, the only choice that was tried ({behind})."
    lead, margin, second = found.lead, found.lead.difference, option_words(found.runner_up)
    digits = digits_for(margin, lead.low, lead.high)
    behind = f"{interval(lead.low, lead.high, lead.few, digits)}, {evidence(lead.images, lead.seeds)}"
    if lead.told_apart:
        return f"{opening} does best with {first}, {db(found.psnr)}: {db(margin, digits)} above {second} ({behind})."
    return (
        f"{opening} comes highest with {first}, {db(found.psnr)}, not told apart from {second}: the difference is "
        f"{db(margin, digits, sign=True)} ({behind})."
    )


def factors_sentence(backbone: str, factors: Sequence[Factor]) -> str:
    """How far each choice moves the mean PSNR, the widest first; empty where nothing was varied."""
    known = [(one, one.range) for one in factors if one.range is not None]
    if not known:
        return ""
    parts = [f"{one.name} by {db(width)} ({evidence(one.images, one.seeds)})" for one, width in known]
    return f"For {backbone.upper()} the mean PSNR moves with {listed(parts)}, from the worst value of each to the best."


def study_sentences(
    rows: StudyRows, published: Mapping[str, float] | None = None, split: str = "test"
) -> tuple[str, ...]:
    """The study's findings: the best depth against no freeze for each backbone, variant and start of the rest; then
    each predictor's record; then what decides PSNR.

    ``published`` is the paper's gain of freezing over no freeze in dB, by backbone.
    """
    sweeps = freeze_sweeps(rows.transfers, split)
    found = []
    for (backbone, variant, rest), group in _alike(sweeps).items():
        depth = _best_over(group)
        if depth is not None:
            against = frozen_against_none(rows.transfers, backbone, rest, depth, variant, split)
            # Chosen on the pictures that it is compared on, which favours freezing: the reader is told.
            against = replace(against, note="its best depth here")
            paper = (published or {}).get(backbone) if rest == "reinit" else None
            found.append(freeze_sentence(against, paper))
    found += [predictor_sentence(record) for record in predictor_records(sweeps, rows.cohorts) if record.configurations]
    for backbone in dict.fromkeys(row.backbone for row in rows.transfers):
        text = factors_sentence(backbone, decided_by(rows.transfers, backbone, split=split))
        found += [text] if text else []
    return tuple(found)


def _alike(sweeps: Iterable[FreezeSweep]) -> dict[tuple[str, Variant, str], list[FreezeSweep]]:
    groups: dict[tuple[str, Variant, str], list[FreezeSweep]] = {}
    for one in sweeps:
        if one.by_image:
            groups.setdefault((one.backbone, one.variant, one.rest), []).append(one)
    return groups


def _best_over(sweeps: Sequence[FreezeSweep]) -> int | None:
    """The depth with the highest mean over source-target pairs, of those that all of them have."""
    shared = sorted(set.intersection(*(set(one.depths) for one in sweeps)))
    return best({tau: fmean(one.by_depth[tau] for one in sweeps) for tau in shared}) if shared else None
