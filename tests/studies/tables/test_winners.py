"""The recipes behind a search's best variants are those that its cells ran with."""

from typing import Any

import pytest

from inrlens.errors import InputError
from inrlens.fitting.recipes import recipe_settings
from inrlens.studies.store.stored import State, StoredCell
from inrlens.studies.tables.best import BestRecipe
from inrlens.studies.tables.winners import winners
from toys import recipe

RATES = {"siren": 1e-3, "ffmlp": 2e-3}
VARIANT = (("single.learning_rate", 1.0),)


def cell(backbone: str, state: State = "done", **place: Any) -> StoredCell:
    """A single fit of a search on validation pictures."""
    settings = recipe_settings(recipe(backbone)) | {"learning_rate": RATES[backbone]}
    where = {"backbone": backbone, "split": "validation", "variant": dict(VARIANT), **place}
    return StoredCell(f"{backbone} {state} {place}", "single", where, {"recipe": settings}, state)


def best(backbone: str) -> BestRecipe:
    """A variant that was found best."""
    return BestRecipe(backbone, "single", VARIANT, 30.0, None, None, 1, 1, None, None, None, ())


@pytest.mark.parametrize("backbone", RATES)
def test_a_backbone_s_recipe_is_that_of_its_own_cells(backbone: str) -> None:
    (found,) = winners([best(backbone)], [cell("siren"), cell("ffmlp")])
    assert (found.backbone, found.recipe.learning_rate) == (backbone, RATES[backbone])
    assert found.file == f"{backbone}-single.toml"


@pytest.mark.parametrize("state", ["waiting", "running", "failed"])
def test_a_search_that_has_not_ended_is_not_fair(state: State) -> None:
    with pytest.raises(InputError, match="1 fits on validation pictures are not done, so the search is not fair yet"):
        winners([best("siren")], [cell("siren"), cell("siren", state)])
    assert winners([best("siren")], [cell("siren"), cell("siren", state, split="test")])


def test_cells_of_other_variants_are_not_taken() -> None:
    with pytest.raises(InputError, match="no single cell of siren's best recipe is in the store"):
        winners([best("siren")], [cell("siren", variant={"single.learning_rate": 2.0})])
