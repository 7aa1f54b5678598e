"""Which of a study's choices moves PSNR most: the main effects of setting, data and every axis."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Any

from inrlens.studies.tables.keys import Measure, Picture, Run, picture, run, value_of
from inrlens.studies.tables.records import TransferRow

_Cell = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Level:
    """One value of a factor and the mean of the measure at it."""

    value: Any
    mean: float


@dataclass(frozen=True)
class Factor:
    """A main effect: ``range`` is the highest less the lowest of the levels' marginal means (dB for PSNR),
    ``deviation`` the standard deviation of these means (n).

    A marginal mean is taken over the ``strata``, the combinations of all other factors, in which every level was run,
    each counted once. Without such a stratum (a source that never meets another's targets) there are no levels and
    ``range`` and ``deviation`` are None.
    """

    name: str
    levels: tuple[Level, ...]
    range: float | None
    deviation: float | None
    strata: int
    images: int
    seeds: int


def decided_by(
    transfers: Iterable[TransferRow], backbone: str, measure: Measure = "psnr", split: str = "test"
) -> tuple[Factor, ...]:
    """The factors of one backbone's transfers that take several values, the one with the widest range first.

    Factors are ``setting``, ``source``, ``target`` and the variants' axes. Fits from scratch reuse no cohort, so that
    source and cohort axes say nothing of them: they are left out. To ask of some depths only, give only their rows.
    """
    value = value_of(measure)
    groups: dict[_Cell, dict[Picture, list[float]]] = {}
    behind: dict[_Cell, tuple[set[Picture], set[Run]]] = {}
    for row in transfers:
        number = value(row)
        if row.backbone != backbone or row.split != split or row.source is None or not _is_finite(number):
            continue
        assert number is not None
        cell = (("setting", row.setting), ("source", row.source), ("target", row.target), *sorted(row.variant))
        groups.setdefault(cell, {}).setdefault(picture(row), []).append(number)
        pictures, runs = behind.setdefault(cell, (set(), set()))
        pictures.add(picture(row))
        runs.add(run(row))
    means = {cell: fmean(fmean(values) for values in own.values()) for cell, own in groups.items()}
    names = dict.fromkeys(name for cell in means for name, _ in cell)
    found = [_factor(name, means, behind) for name in names if len(_values(name, means)) > 1]
    return tuple(sorted(found, key=lambda factor: -1.0 if factor.range is None else factor.range, reverse=True))


def _is_finite(number: float | None) -> bool:
    return number is not None and abs(number) < float("inf")


def _values(name: str, cells: Iterable[_Cell]) -> list[Any]:
    return list(dict.fromkeys(value for cell in cells for own, value in cell if own == name))


def _factor(name: str, means: Mapping[_Cell, float], behind: Mapping[_Cell, tuple[set[Picture], set[Run]]]) -> Factor:
    levels = _values(name, means)
    strata: dict[_Cell, dict[Any, _Cell]] = {}
    for cell in means:
        others = tuple(one for one in cell if one[0] != name)
        strata.setdefault(others, {}).update({value: cell for own, value in cell if own == name})
    whole = [own for own in strata.values() if len(own) == len(levels)]
    used: Sequence[_Cell] = [cell for own in whole for cell in own.values()]
    marginal = [Level(level, fmean(means[own[level]] for own in whole)) for level in levels] if whole else []
    ends = [level.mean for level in marginal]
    return Factor(
        name=name,
        levels=tuple(marginal),
        range=max(ends) - min(ends) if ends else None,
        deviation=pstdev(ends) if ends else None,
        strata=len(whole),
        images=len(set().union(*(behind[cell][0] for cell in used))),
        seeds=len(set().union(*(behind[cell][1] for cell in used))),
    )
