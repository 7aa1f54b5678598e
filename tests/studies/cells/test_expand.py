"""From a study to its cells: which there are, what decides their keys, and what they wait for."""

from dataclasses import replace
from pathlib import Path

import pytest

from inrlens.errors import InputError
from inrlens.studies.cells.build_plan import plan_study, sketch_study
from inrlens.studies.cells.cell import Cell, SignalRef, content_key
from inrlens.studies.cells.expand import expand
from inrlens.studies.cells.plan import StudyPlan
from inrlens.studies.config.model import (
    BackboneSpec,
    DataSpec,
    DictionarySpec,
    RecipeSpec,
    SingleSpec,
    StudySpec,
    TransferSpec,
)
from inrlens.studies.config.read import read_study

HERE = Path()
PHOTOS = DataSpec("photos", "bundled", None, cohort=2, validation=1, test=3, size=(6, 8))
SMALL = RecipeSpec("small", (("width", (8,)), ("depth", (3,))))
SIREN = BackboneSpec("siren", "siren", cohort=SMALL, single=SMALL)
TRANSFERS = TransferSpec(("scratch", "none", 0, 1), ("reinit", "warm"))
STUDY = StudySpec("toy", "A toy", (PHOTOS,), (SIREN,), transfers=(TRANSFERS,), seeds=(0, 1), metrics=("psnr",))


def plan(study: StudySpec) -> StudyPlan:
    return plan_study(study, "", HERE)


def of_kind(found: StudyPlan, kind: str) -> list[Cell]:
    return [cell for cell in found.cells if cell.kind == kind]


def test_every_combination_is_there_once_and_after_what_it_needs() -> None:
    found = plan(STUDY)
    # 3 pictures, 2 seeds: scratch, none, and two depths in two ways.
    assert found.counts() == {"cohort": 1, "single": 0, "transfer": 3 * 2 * 6, "dictionary": 0, "analysis": 0}
    places = [
        (cell.place["image"], cell.place["seed"], cell.place["source"], cell.place["freeze"], cell.place["rest"])
        for cell in of_kind(found, "transfer")
    ]
    assert len(set(places)) == len(places)
    seen: set[str] = set()
    for cell in found.cells:
        assert seen.issuperset(cell.needs)
        seen.add(cell.key)
    assert {cell.settings["freeze"] for cell in of_kind(found, "transfer")} == {None, 0, 1}


def test_scratch_knows_no_cohort() -> None:
    found = plan(replace(STUDY, cohort_seeds=(0, 1)))
    scratch = [cell for cell in of_kind(found, "transfer") if cell.place["source"] is None]
    assert len(scratch) == 3 * 2
    assert all(not cell.needs and "cohort" not in cell.settings for cell in scratch)
    assert all(cell.settings["backbone"]["width"] == 8 for cell in scratch)
    alone = plan(replace(STUDY, transfers=(replace(TRANSFERS, freeze=("scratch",)),)))
    assert alone.counts()["cohort"] == 0


def test_each_is_every_layer_of_every_depth() -> None:
    cohort = RecipeSpec("small", (("width", (8,)), ("depth", (1, 3))))
    transfers = TransferSpec(("each", 0), ("reinit", "warm"), images=1)
    found = plan(replace(STUDY, backbones=(replace(SIREN, cohort=cohort),), transfers=(transfers,), seeds=(0,)))
    places = [cell.place for cell in of_kind(found, "transfer")]
    reached = [(place["variant"]["cohort.depth"], place["freeze"], place["rest"]) for place in places]
    expected = [(depth, tau, rest) for depth in (1, 3) for tau in range(depth) for rest in ("reinit", "warm")]
    assert sorted(reached) == sorted(expected)


def test_scratch_is_told_apart_by_axes_of_the_network_only() -> None:
    cohort = RecipeSpec("small", (*SMALL.overrides, ("omega_0", (20.0, 30.0)), ("steps", (5, 10))))
    found = plan(replace(STUDY, backbones=(replace(SIREN, cohort=cohort),)))
    scratch = [cell for cell in of_kind(found, "transfer") if cell.place["source"] is None]
    assert {tuple(cell.place["variant"].items()) for cell in scratch} == {
        (("cohort.omega_0", 20.0),),
        (("cohort.omega_0", 30.0),),
    }
    assert found.counts()["cohort"] == 4


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": (2, 3)},
        {"backbones": (replace(SIREN, transfer=RecipeSpec("small", (("steps", (7,)),))),)},
        {"backbones": (replace(SIREN, cohort=RecipeSpec("small", (*SMALL.overrides, ("steps", (7,))))),)},
        {"data": (replace(PHOTOS, size=(6, 9)),)},
        {"cohort_seeds": (5,)},
        {"metrics": ("psnr", "ssim")},
    ],
)
def test_a_change_of_any_input_makes_new_keys(change: dict[str, object]) -> None:
    before, after = plan(STUDY), plan(replace(STUDY, **change))  # type: ignore[arg-type]
    reusing = {cell.key for cell in of_kind(before, "transfer") if cell.needs}
    assert reusing.isdisjoint(cell.key for cell in after.cells)


def test_names_and_further_groups_change_no_key() -> None:
    before = plan(STUDY)
    named = replace(
        STUDY,
        name="other",
        data=(replace(PHOTOS, name="pictures"),),
        backbones=(replace(SIREN, name="sines"),),
        singles=(SingleSpec(images=1),),
    )
    assert {cell.key for cell in before.cells} < {cell.key for cell in plan(named).cells}


def test_the_device_is_part_of_a_key() -> None:
    keys = [{cell.key for cell in plan_study(STUDY, "", HERE, device=device).cells} for device in ("cpu", "cuda")]
    assert keys[0].isdisjoint(keys[1])


def test_dictionaries_of_both_kinds_of_network() -> None:
    group = DictionarySpec(("cohort", "single"), images=2, n_atoms=(8, 16), k=(4, 12), seeds=(0, 1), steps=3, batch=16)
    found = plan(replace(STUDY, transfers=(), dictionaries=(group,)))
    # (8, 4), (16, 4), (16, 12) on 3 layers of a cohort and of two pictures' networks, with two seeds each.
    assert found.counts() == {"cohort": 1, "single": 2, "transfer": 0, "dictionary": 54, "analysis": 54}
    for cell in of_kind(found, "analysis"):
        network, dictionary = cell.needs
        assert found.cells[[one.key for one in found.cells].index(dictionary)].needs == (network,)
        assert len(cell.signals) == 1
    bare = plan(replace(STUDY, transfers=(), dictionaries=(replace(group, effects=False),)))
    assert bare.counts()["analysis"] == 0


def test_axes_multiply_and_are_named_in_the_tables() -> None:
    transfer = RecipeSpec("small", (("learning_rate", (1e-4, 1e-3)),))
    cohort = RecipeSpec("small", (*SMALL.overrides, ("steps", (5, 10))))
    found = plan(replace(STUDY, backbones=(replace(SIREN, cohort=cohort, transfer=transfer),)))
    variants = {tuple(cell.place["variant"].items()) for cell in of_kind(found, "transfer") if cell.needs}
    assert variants == {
        (("cohort.steps", steps), ("transfer.learning_rate", rate)) for steps in (5, 10) for rate in (1e-4, 1e-3)
    }


def test_the_paper_has_its_cells() -> None:
    read = read_study("paper")
    counts = sketch_study(read.spec, read.source, read.base).counts()
    assert (counts["cohort"], counts["transfer"]) == (6, 23_112)


def test_a_sketch_has_the_cells_of_the_study() -> None:
    assert sketch_study(STUDY, "", HERE).counts() == plan(STUDY).counts()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"size": None}, "does not say of what size its pictures are: give data.photos.size"),
        ({"test": None}, "does not say how many pictures are for the test: give data.photos.test"),
    ],
)
def test_a_sketch_needs_number_and_size(change: dict[str, object], sentence: str) -> None:
    data = (replace(PHOTOS, **change),)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=sentence):
        sketch_study(replace(STUDY, data=data), "", HERE)


def test_the_order_of_settings_is_no_part_of_a_key() -> None:
    settings = {"a": 1, "b": {"c": 2, "d": [3]}}
    assert content_key(settings) == content_key({"b": {"d": [3], "c": 2}, "a": 1}) != content_key({**settings, "a": 2})


def test_a_transfer_s_key_knows_the_weights_of_lpips() -> None:
    study = replace(STUDY, metrics=("psnr", "lpips"))
    pictures = (SignalRef("photos", "a.png", "0" * 64, (6, 8), 3),)
    refs = {("photos", split): pictures for split in ("cohort", "validation", "test")}
    one, other = (expand(study, HERE, refs, digest * 64, "cpu") for digest in ("1", "2"))
    for kind, shared in (("transfer", False), ("cohort", True)):
        keys = [{cell.key for cell in found if cell.kind == kind} for found in (one, other)]
        assert (keys[0] == keys[1]) is shared
        assert keys[0].isdisjoint(keys[1]) is not shared


def test_dictionaries_are_of_the_first_cohort_seed() -> None:
    found = plan(
        replace(STUDY, seeds=(7, 8), cohort_seeds=(3, 4), dictionaries=(DictionarySpec(("cohort",), layers=(1,)),))
    )
    cohorts = {cell.key: cell for cell in of_kind(found, "cohort")}
    networks = {cohorts[cell.settings["network"]].settings["seed"] for cell in of_kind(found, "dictionary")}
    assert networks == {3}
