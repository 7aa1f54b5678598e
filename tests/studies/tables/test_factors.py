"""Main effects of additive tables are what was put in; the best recipe of an equal search, and refusals."""

import itertools
import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

import table_rows as made
from inrlens.errors import InputError
from inrlens.studies.tables.best import best_recipes
from inrlens.studies.tables.factors import decided_by
from inrlens.studies.tables.records import StudyRows, TransferRow

EFFECT = st.lists(st.floats(-10.0, 10.0), min_size=2, max_size=3)


def additive(setting: list[float], target: list[float], rate: list[float], drop: int = 0) -> list[TransferRow]:
    """A row for every combination, in dB the sum of its levels' effects; the first ``drop`` are left out."""
    rows = [
        made.transfer(30.0 + s + t + r, setting=f"reinit {i}", target=f"set {j}", variant=(("transfer.rate", k),))
        for (i, s), (j, t), (k, r) in itertools.product(*(enumerate(one) for one in (setting, target, rate)))
    ]
    return rows[drop:]


@given(EFFECT, EFFECT, EFFECT)
def test_effects_of_an_additive_table(setting: list[float], target: list[float], rate: list[float]) -> None:
    found = {factor.name: factor for factor in decided_by(additive(setting, target, rate), "siren")}
    assert found.keys() == {"setting", "target", "transfer.rate"}
    for name, effects in (("setting", setting), ("target", target), ("transfer.rate", rate)):
        assert found[name].range == pytest.approx(max(effects) - min(effects), abs=1e-9)
        ends = [level.mean for level in found[name].levels]
        assert [end - ends[0] for end in ends] == pytest.approx([one - effects[0] for one in effects], abs=1e-9)
    ranges = [factor.range or 0.0 for factor in decided_by(additive(setting, target, rate), "siren")]
    assert ranges == sorted(ranges, reverse=True)


@given(EFFECT, EFFECT, EFFECT)
def test_missing_cells_do_not_bend_the_effects(setting: list[float], target: list[float], rate: list[float]) -> None:
    for factor in decided_by(additive(setting, target, rate, drop=1), "siren"):
        effects = {"setting": setting, "target": target, "transfer.rate": rate}[factor.name]
        assert factor.range == pytest.approx(max(effects) - min(effects), abs=1e-9)


def test_what_stands_behind_a_factor() -> None:
    rows = [made.transfer(p, setting=s, image=i, seed=e) for (s, p) in (("none", 40.0), ("warm 1", 37.0))
            for i in "ab" for e in (0, 1)]  # fmt: skip
    rows += [made.transfer(5.0, setting="scratch"), made.transfer(5.0, split="validation", setting="warm 2")]
    rows += [made.transfer(5.0, backbone="ffmlp", setting="warm 3"), made.transfer(math.nan, setting="warm 4")]
    (factor,) = decided_by(rows, "siren")
    assert (factor.name, factor.range, factor.deviation) == ("setting", 3.0, 1.5)
    assert (factor.images, factor.seeds, factor.strata) == (2, 2, 1)


def test_factors_that_never_cross() -> None:
    rows = [made.transfer(30.0, source=name, target=name) for name in ("faces", "brains")]
    found = decided_by(rows, "siren")
    assert [(factor.name, factor.range, factor.levels) for factor in found] == [
        ("source", None, ()), ("target", None, ()),
    ]  # fmt: skip
    assert decided_by([], "siren") == ()


def omega(value: float) -> tuple[tuple[str, Any], ...]:
    return (("single.omega_0", value),)


def search(table: dict[float, tuple[float, ...]]) -> StudyRows:
    return StudyRows(
        singles=tuple(
            made.single(psnr, image=image, split="validation", variant=omega(value))
            for value, own in table.items()
            for image, psnr in zip("abc", own, strict=True)
        )
    )


def test_the_best_recipe_by_hand() -> None:
    (found,) = best_recipes(search({30.0: (30.0, 32.0, 34.0), 50.0: (31.0, 33.5, 35.0), 70.0: (20.0, 40.0, 30.0)}))
    assert (found.backbone, found.task, found.variant, found.runner_up) == ("siren", "single", omega(50.0), omega(30.0))
    assert found.mean == pytest.approx(99.5 / 3.0)
    assert found.margin == pytest.approx(3.5 / 3.0)
    assert (found.images, found.seeds, found.over_seeds) == (3, 1, None)
    assert [one.variant for one in found.curve] == [omega(30.0), omega(50.0), omega(70.0)]
    assert found.curve[0].psnr.mean == 32.0
    assert found.lead is not None
    assert found.lead.few


def test_equals_are_taken_by_name() -> None:
    table = {9.0: (30.0, 30.0, 30.0), 10.0: (30.0, 30.0, 30.0)}
    for own in (table, dict(reversed(table.items()))):
        (found,) = best_recipes(search(own))
        assert (found.variant, found.runner_up, found.margin) == (omega(10.0), omega(9.0), 0.0)


def test_a_variant_with_a_broken_fit_comes_last() -> None:
    (found,) = best_recipes(search({30.0: (30.0, 30.0, 30.0), 50.0: (90.0, 90.0, math.nan)}))
    assert found.variant == omega(30.0)
    with pytest.raises(InputError, match="no variant of siren's single recipe has a finite PSNR"):
        best_recipes(search({30.0: (math.nan,) * 3}))


def test_transfers_are_judged_over_their_settings_and_backbones_apart() -> None:
    rows = tuple(
        made.transfer(psnr, setting=setting, split="validation", variant=(("transfer.rate", rate),), backbone=backbone)
        for backbone in ("siren", "ffmlp")
        for rate, setting, psnr in [(1, "none", 40.0), (1, "warm 0", 30.0), (2, "none", 38.0), (2, "warm 0", 34.0)]
    )
    scratch = made.transfer(99.0, setting="scratch", split="validation", variant=(("transfer.rate", 1),))
    tested = made.transfer(99.0, variant=(("transfer.rate", 1),))
    found = best_recipes(StudyRows(transfers=(*rows, scratch, tested)))
    assert [(one.backbone, one.task, one.variant, one.mean, one.margin) for one in found] == [
        ("siren", "transfer", (("transfer.rate", 2),), 36.0, 1.0),
        ("ffmlp", "transfer", (("transfer.rate", 2),), 36.0, 1.0),
    ]


def test_nothing_varied() -> None:
    (found,) = best_recipes(StudyRows(singles=(made.single(30.0, split="validation"),)))
    assert (found.variant, found.runner_up, found.margin, found.lead, len(found.curve)) == ((), None, None, None, 1)


def test_refusals() -> None:
    with pytest.raises(InputError, match="no finished fit on a validation split, so no recipe can be chosen"):
        best_recipes(StudyRows(singles=(made.single(30.0),)))
    whole = search({30.0: (30.0, 30.0, 30.0), 50.0: (31.0, 31.0, 31.0)})
    with pytest.raises(
        InputError, match=r"siren's single recipe is unequal: single.omega_0 = 50.0 has 2 of 3 validation fits; run the"
    ):
        best_recipes(StudyRows(singles=whole.singles[:-1]))
