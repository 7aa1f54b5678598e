"""Recipe files: every number and the curve behind it come back as they were."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from inrlens.errors import InputError
from inrlens.fields.backbone import make_backbone
from inrlens.fields.siren import Siren
from inrlens.fitting.recipes import Recipe, Task, named
from inrlens.studies.config.model import BackboneSpec, RecipeSpec
from inrlens.studies.config.read import parse_study
from inrlens.studies.config.recipe_files import load_recipe_file, read_recipe_file, write_recipe_file
from inrlens.studies.config.recipes import recipe_grid
from inrlens.studies.config.toml_text import toml_lines, toml_value

POSITIVE = st.floats(1e-30, 1e30)
COUNTS = st.integers(1, 10**12)
TEXTS = st.text(max_size=20)
PLAIN = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
CURVE = [
    {"setting": {"transfer.learning_rate": 1e-4}, "psnr": 30.5, "spread": 0.25, "images": 4, "seeds": 2},
    {"setting": {"transfer.learning_rate": 5e-4}, "psnr": 31.0, "spread": 0.5, "images": 4, "seeds": 2},
]


DEPTHS = st.integers(1, 6)
SIRENS = DEPTHS.flatmap(
    lambda depth: st.fixed_dictionaries(
        {
            "name": st.just("siren"),
            "coordinates": COUNTS,
            "width": COUNTS,
            "depth": st.just(depth),
            "omega_0": POSITIVE | st.lists(POSITIVE, min_size=depth, max_size=depth),
        }
    )
)
FFMLPS = st.fixed_dictionaries(
    {
        "name": st.just("ffmlp"),
        "coordinates": COUNTS,
        "width": COUNTS,
        "depth": COUNTS,
        "frequencies": COUNTS,
        "sigma": POSITIVE,
    }
)
NUMBERS = st.fixed_dictionaries(
    {
        "name": TEXTS,
        "steps": COUNTS,
        "learning_rate": POSITIVE,
        "optimizer": st.sampled_from(["adam", "muon"]),
        "adam_beta2": st.floats(0.0, 1.0, exclude_max=True),
        "adam_eps": POSITIVE,
        "muon_learning_rate": POSITIVE,
        "muon_momentum": st.floats(0.0, 1.0, exclude_max=True),
        "batch": st.none() | COUNTS,
        "schedule": st.sampled_from(["constant", "cosine"]),
        "stop_psnr": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "record_every": COUNTS,
    }
)


@given(PLAIN)
def test_plain_values_come_back_from_toml(value: Any) -> None:
    assert tomllib.loads(f"x = {toml_value(value)}\n") == {"x": value}


@given(st.dictionaries(TEXTS, PLAIN, max_size=4))
def test_tables_come_back_from_toml(table: dict[str, Any]) -> None:
    assert tomllib.loads("\n".join(toml_lines({**table, "nothing": None}))) == {
        key: value for key, value in table.items() if key != "nothing"
    }


@given(
    numbers=NUMBERS,
    network=st.none() | SIRENS | FFMLPS,
    study=TEXTS,
    curve=st.lists(st.dictionaries(TEXTS, PLAIN, max_size=4), max_size=3),
)
def test_a_recipe_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory,
    numbers: dict[str, Any],
    network: dict[str, Any] | None,
    study: str,
    curve: list[dict[str, Any]],
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.toml"
    recipe = Recipe(backbone=None if network is None else make_backbone(**network), **numbers)
    task: Task = "transfer" if recipe.backbone is None else "cohort"
    backbone = "siren" if recipe.backbone is None else recipe.backbone.name
    write_recipe_file(path, recipe, task, backbone, curve, study)
    assert read_recipe_file(path, task, backbone) == recipe
    found = load_recipe_file(path)
    assert (found.task, found.backbone, found.study) == (task, backbone, study)
    assert list(found.curve) == curve


def test_the_file_is_small_and_says_every_number(tmp_path: Path) -> None:
    path = tmp_path / "best.toml"
    write_recipe_file(path, named("paper", "transfer", "siren"), "transfer", "siren", CURVE, "tuning")
    assert path.read_text() == (
        '# Found by a search: name this file in a study, transfer = { recipe = "PATH" }.\n'
        'format = 1\nkind = "recipe"\nstudy = "tuning"\ntask = "transfer"\nbackbone = "siren"\n\n'
        '[recipe]\nname = "paper transfer siren"\nsteps = 500\nlearning_rate = 0.0001\noptimizer = "adam"\n'
        "adam_beta2 = 0.999\nadam_eps = 1e-08\n"
        'muon_learning_rate = 0.002\nmuon_momentum = 0.9\nschedule = "constant"\nrecord_every = 10\n'
        'iteration = "step"\n\n'
        "# What was tried, PSNR in dB on the validation pictures.\n\n"
        '[[curve]]\nsetting = { "transfer.learning_rate" = 0.0001 }\npsnr = 30.5\nspread = 0.25\nimages = 4\n'
        "seeds = 2\n\n"
        '[[curve]]\nsetting = { "transfer.learning_rate" = 0.0005 }\npsnr = 31.0\nspread = 0.5\nimages = 4\n'
        "seeds = 2\n"
    )


def test_a_study_names_the_file_from_its_own_folder(tmp_path: Path) -> None:
    best = replace(named("paper", "cohort", "siren"), name="best", steps=77, backbone=Siren(depth=3, omega_0=12.5))
    write_recipe_file(tmp_path / "best.toml", best, "cohort", "siren", [], "tuning")
    siren = BackboneSpec("siren", "siren")
    assert recipe_grid(RecipeSpec("best.toml"), "cohort", siren, tmp_path) == [((), best)]
    ((_, wide),) = recipe_grid(RecipeSpec("best.toml", (("width", (64,)),)), "cohort", siren, tmp_path)
    assert wide.backbone == Siren(width=64, depth=3, omega_0=12.5)
    text = (
        'format = 1\nname = "toy"\n[data.photos]\nkind = "bundled"\n'
        '[backbones.siren]\ncohort = { recipe = "best.toml" }\n[[transfers]]\nfreeze = [3]\n'
    )
    # The depth is the file's.
    with pytest.raises(
        InputError, match=r"1 fault: transfers\[0\]\.freeze: tau 3 is beyond the last layer of siren, 2"
    ):
        parse_study(text, "toy.toml", tmp_path)
    with pytest.raises(
        InputError, match=r"cohort\.recipe: .*best\.toml is a cohort recipe for siren, a cohort recipe "
    ):
        parse_study(text.replace("siren", "ffmlp"), "toy.toml", tmp_path)


def test_a_number_that_spoils_the_files_recipe_is_named(tmp_path: Path) -> None:
    each = replace(named("paper", "cohort", "siren"), backbone=Siren(depth=2, omega_0=(20.0, 30.0)))
    write_recipe_file(tmp_path / "best.toml", each, "cohort", "siren", [], "tuning")
    text = (
        'format = 1\nname = "toy"\n[data.photos]\nkind = "bundled"\n[[transfers]]\nfreeze = ["none"]\n'
        '[backbones.siren]\ncohort = { recipe = "best.toml", depth = 3 }\n'
    )
    with pytest.raises(
        InputError, match=r"backbones\.siren\.cohort\.omega_0 must be one positive number, or 3 of them"
    ):
        parse_study(text, "toy.toml", tmp_path)
    # One number for all layers mends it, though the depth alone would not do.
    parse_study(text.replace("depth = 3", "depth = 3, omega_0 = 30.0"), "toy.toml", tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "steps = 500",
            "steps = 0",
            "is no sound recipe: recipe 'paper transfer siren': steps must be at least 1, not",
        ),
        ("steps = 500", "steps = 1.5", r"is no sound recipe: recipe\.steps must be a whole number, not 1\.5\.$"),
        ("steps = 500", "", r"is no sound recipe: recipe\.steps is missing\.$"),
        ("steps = 500", "steps = 500\nstep = 3", r"is no sound recipe: recipe\.step is not known\.$"),
        ('name = "paper transfer siren"\n', "", r"is no sound recipe: name is missing\.$"),
        ('task = "transfer"', 'task = "all"', "is no sound recipe: task must be one of single, cohort, transfer, not"),
        ('task = "transfer"', 'task = "single"', r"is no sound recipe: network is missing\.$"),
        ('backbone = "siren"', 'backbone = "sirn"', "is no sound recipe: backbone 'sirn' is not known"),
        ('study = "tuning"', "study = 3", r"is no sound recipe: study must be a text\.$"),
        ("format = 1", "format = 1\ncolour = 3", r"is no sound recipe: colour is not known\.$"),
        ("format = 1", "format = 1\ncurve = 3", r"is no sound recipe: curve must be tables \[\[curve\]\]\.$"),
        ("format = 1", "format = 2", r"is written in format 2, here format 1 is read: get a newer InrLens\.$"),
        ("format = 1", 'format = "1"', "is no recipe file: `inrlens study best` writes them"),
        ('kind = "recipe"', "", "is no recipe file: `inrlens study best` writes them"),
        ("format = 1", "format = = 1", r"is not valid TOML: .*line 2"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "best.toml"
    write_recipe_file(path, named("paper", "transfer", "siren"), "transfer", "siren", [], "tuning")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=words):
        read_recipe_file(path, "transfer", "siren")


def test_a_missing_file_and_one_for_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^recipe file .*none\.toml could not be read: No such file or directory\.$"):
        read_recipe_file(tmp_path / "none.toml", "single", "siren")
    path = tmp_path / "best.toml"
    write_recipe_file(path, named("paper", "transfer", "siren"), "transfer", "siren", [], "tuning")
    with pytest.raises(
        InputError, match=r"is a transfer recipe for siren, a single recipe for siren is needed here\.$"
    ):
        read_recipe_file(path, "single", "siren")
    path.write_bytes(b"\xff")
    with pytest.raises(InputError, match="is not valid TOML: "):
        read_recipe_file(path, "transfer", "siren")
