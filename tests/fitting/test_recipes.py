"""Recipes are plain numbers, and the paper's are the paper's."""

import json
import math
from dataclasses import replace

import pytest

import inrlens as il
import toys
from inrlens.fields.backbone import _REGISTER
from inrlens.fields.ffmlp import FFMLP
from inrlens.fields.siren import Siren
from inrlens.fitting.recipes import recipe_settings


def test_the_papers_table_2() -> None:
    single, cohort, transfer = (
        {name: make(name) for name in ("siren", "ffmlp")}
        for make in (il.recipes.single, il.recipes.cohort, il.recipes.transfer)
    )
    assert single["siren"].backbone == Siren(width=256, depth=5, omega_0=50.0)
    assert single["ffmlp"].backbone == FFMLP(width=256, depth=5, frequencies=256, sigma=20.0)
    assert cohort["siren"].backbone == Siren(width=256, depth=5, omega_0=30.0)
    assert cohort["ffmlp"].backbone == FFMLP(width=256, depth=5, frequencies=256, sigma=10.0)
    assert [recipe.learning_rate for recipe in single.values()] == [2e-4, 5e-4]
    assert {recipe.steps for recipe in single.values()} == {500}
    assert {(recipe.steps, recipe.learning_rate) for recipe in cohort.values()} == {(5000, 1e-4)}
    assert {(recipe.steps, recipe.learning_rate, recipe.backbone) for recipe in transfer.values()} == {
        (500, 1e-4, None)
    }
    for table in (single, cohort, transfer):
        for recipe in table.values():
            assert (recipe.optimizer, recipe.batch, recipe.schedule, recipe.stop_psnr) == (
                "adam",
                None,
                "constant",
                None,
            )


@pytest.mark.parametrize("task", ["single", "cohort", "transfer"])
@pytest.mark.parametrize("table", ["paper", "fast", "small"])
def test_every_table_names_every_task_and_keeps_the_network(backbone: str, task: str, table: str) -> None:
    paper, recipe = getattr(il.recipes, task)(backbone), getattr(il.recipes, table)(task, backbone)
    if table == "small" and backbone in ("gauss", "wire", "wire_real") and recipe.backbone is not None:
        # Waves and bells of thumbnails are wider; nothing else differs.
        assert (recipe.backbone.scale, getattr(recipe.backbone, "omega_0", 5.0)) == (5.0, 5.0)
        waves = {key: getattr(paper.backbone, key) for key in ("scale", "omega_0") if hasattr(paper.backbone, key)}
        assert replace(recipe.backbone, **waves) == paper.backbone
    else:
        assert recipe.backbone == paper.backbone
    assert recipe.name == f"{table} {task} {backbone}"
    assert il.recipes.named(table, task, backbone) == recipe
    with pytest.raises(il.InputError, match="recipe 'quick' is not known; allowed are paper, fast, small"):
        il.recipes.named("quick", task, backbone)


def test_settings_are_json_and_name_the_network() -> None:
    settings = recipe_settings(il.recipes.single("siren"))
    assert json.loads(json.dumps(settings)) == settings
    expected = {"coordinates": 2, "width": 256, "depth": 5, "omega_0": 50.0}
    expected |= {"bias": "torch", "coordinate_range": [-1.0, 1.0]}
    assert settings["backbone"] == {"name": "siren", **expected}
    assert recipe_settings(il.recipes.transfer("siren"))["backbone"] is None


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"steps": 0}, "recipe 'toy': steps must be at least 1, not 0"),
        ({"batch": 0}, "recipe 'toy': batch must be at least 1, not 0"),
        ({"record_every": 0}, "recipe 'toy': record_every must be at least 1, not 0"),
        ({"learning_rate": 0.0}, "recipe 'toy': learning_rate must be positive and at most 1e30, not 0.0"),
        ({"learning_rate": 1e38}, r"learning_rate must be positive and at most 1e30, not 1e\+38"),
        ({"stop_psnr": math.inf}, "recipe 'toy': stop_psnr must be a finite number of dB or None, not inf"),
        ({"adam_beta2": 1.0}, r"recipe 'toy': adam_beta2 must lie in \[0, 1\), not 1.0"),
        ({"adam_eps": 0.0}, "recipe 'toy': adam_eps must be positive and at most 1e30, not 0.0"),
        ({"muon_momentum": 1.0}, r"recipe 'toy': muon_momentum must lie in \[0, 1\), not 1.0"),
        ({"learning_rate": math.nan}, "learning_rate must be positive and at most 1e30, not nan"),
        ({"muon_learning_rate": math.inf}, "muon_learning_rate must be positive and at most 1e30, not inf"),
    ],
)
def test_numbers_that_are_no_recipe(numbers: dict[str, object], message: str) -> None:
    with pytest.raises(il.InputError, match=message):
        toys.recipe(**numbers)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("optimizer", "recipe 'toy': optimizer 'sgd' is not known; allowed are adam, muon"),
        ("schedule", "recipe 'toy': schedule 'sgd' is not known; allowed are constant, cosine, exponential"),
        ("iteration", "recipe 'toy': iteration 'sgd' is not known; allowed are step, pass"),
    ],
)
def test_words_that_are_not_known(key: str, message: str) -> None:
    recipe = toys.recipe()
    object.__setattr__(recipe, key, "sgd")  # past the type checker
    with pytest.raises(il.InputError, match=message):
        recipe.__post_init__()


def test_a_backbone_that_somebody_else_registers_has_no_recipe_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_REGISTER, "theirs", Siren)
    with pytest.raises(il.InputError, match="there is no recipe for 'theirs' yet; allowed are siren, ffmlp"):
        il.recipes.single("theirs")


def test_names_that_are_no_recipe() -> None:
    for make in (il.recipes.single, il.recipes.cohort, il.recipes.transfer):
        with pytest.raises(il.InputError, match="backbone 'mlp' is not known; allowed are ffmlp, finer, gauss, "):
            make("mlp")
    for make in (il.recipes.paper, il.recipes.fast):
        with pytest.raises(il.InputError, match="task 'video' is not known; allowed are single, cohort, transfer"):
            toys.unchecked(make)("video", "siren")
