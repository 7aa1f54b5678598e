"""Which setting is best for what a user can pay."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from inrlens.studies.tables.curves import Option, Unit, options, psnr_at
from inrlens.studies.tables.keys import FitRow, Picture, Value, picture, run, seed_count
from inrlens.studies.tables.paired import PairedComparison, paired_by
from inrlens.studies.tables.records import TransferRow


@dataclass(frozen=True)
class BudgetAdvice:
    """The best setting and variant of the recipe for a budget of steps or seconds.

    ``psnr`` is its mean in dB over ``images`` pictures and ``seeds`` when stopped there. ``lead`` is the paired
    comparison with ``runner_up``, the next best (None where there is one option only): its difference is the margin.
    """

    backbone: str
    source: str | None
    target: str | None
    budget: float
    unit: Unit
    best: Option
    psnr: float
    images: int
    seeds: int
    runner_up: Option | None
    lead: PairedComparison | None


def best_for_budget(
    transfers: Iterable[TransferRow],
    backbone: str,
    budgets: Sequence[int | float],
    unit: Unit = "steps",
    *,
    source: str | None = None,
    target: str | None = None,
    split: str = "test",
    seed: int = 0,
) -> tuple[BudgetAdvice, ...]:
    """The best option for every budget, from the fits' histories; budgets that no fit can be read at are left out.

    Options are compared over the pictures that all of them have. ``source`` and ``target`` None: over all of them;
    fits from scratch stand beside every source. A fit that had fewer steps than the budget counts with what it ended
    at. Seconds are those of the machines that the study ran on. The order of equals is that of the rows.
    """
    rows: list[FitRow] = [
        row
        for row in transfers
        if row.backbone == backbone
        and row.split == split
        and (source is None or row.source in (source, None))
        and target in (None, row.target)
    ]
    found = options(rows)
    values = {id(row): psnr_at(row, budgets, unit) for row in rows}
    return tuple(
        advice
        for index, budget in enumerate(budgets)
        if (advice := _best(found, index, budget, unit, values, (backbone, source, target), seed)) is not None
    )


def _best(
    found: dict[Option, list[FitRow]],
    index: int,
    budget: int | float,
    unit: Unit,
    values: dict[int, tuple[float | None, ...]],
    where: tuple[str, str | None, str | None],
    seed: int,
) -> BudgetAdvice | None:
    def value(row: FitRow) -> float | None:
        return values[id(row)][index]

    by_picture = {option: own for option, rows in found.items() if (own := _by_picture(rows, value))}
    shared = set.intersection(*(set(own) for own in by_picture.values())) if by_picture else set()
    if not shared:
        return None
    means = {option: fmean(own[one] for one in sorted(shared)) for option, own in by_picture.items()}
    order = sorted(means, key=lambda option: -means[option])
    first, second = order[0], order[1] if len(order) > 1 else None
    on = {option: [row for row in found[option] if picture(row) in shared] for option in order[:2]}
    lead = paired_by(on[first], on[second], value, seed=seed) if second is not None else None
    backbone, source, target = where
    return BudgetAdvice(
        backbone=backbone,
        source=source,
        target=target,
        budget=float(budget),
        unit=unit,
        best=first,
        psnr=means[first],
        images=len(shared),
        seeds=seed_count(run(row) for row in on[first]),
        runner_up=second,
        lead=lead,
    )


def _by_picture(rows: Iterable[FitRow], value: Value) -> dict[Picture, float]:
    found: dict[Picture, list[float]] = {}
    for row in rows:
        number = value(row)
        if number is not None:
            found.setdefault(picture(row), []).append(number)
    return {one: fmean(numbers) for one, numbers in found.items()}
