"""What a fit will cost: rows, steps, and a network that is left as it was."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

import inrlens as il
import toys
from inrlens.fitting import cost


@pytest.mark.parametrize("name", il.backbone_names())
@pytest.mark.parametrize(("batch", "visited"), [(None, 40_000), (64, 64), (50_000, 40_000)])
def test_a_step_visits_its_batch_or_every_coordinate(name: str, batch: int | None, visited: int) -> None:
    recipe = replace(toys.recipe(name), batch=batch)
    assert recipe.backbone is not None
    before = torch.random.get_rng_state()
    found = cost.cost_of(recipe, recipe.backbone, 40_000, (2, 3))
    assert found.rows == visited
    assert found.step > 0.0
    assert found.whole == pytest.approx(found.step * recipe.steps)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_frozen_layers_are_left_out() -> None:
    recipe = toys.recipe()
    assert recipe.backbone is not None
    assert cost.cost_of(recipe, recipe.backbone, 100, (1, 1), start=recipe.backbone.depth).rows == min(
        recipe.batch or 100, 100
    )


def test_the_cost_is_a_pass_for_each_so_many_rows_and_an_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that moves by a second a look, a pass over the tried rows takes 1 s, and so does an update."""
    monkeypatch.setattr(cost, "time", SimpleNamespace(perf_counter=itertools.count(0.0, 1.0).__next__))
    recipe = replace(toys.recipe(), batch=None)
    assert recipe.backbone is not None
    found = cost.cost_of(recipe, recipe.backbone, 10 * cost._ROWS, (1, 3))
    assert (found.rows, found.step) == (10 * cost._ROWS, 10.0 + 1.0)
    few = cost.cost_of(recipe, recipe.backbone, 100, (1, 3))
    assert (few.rows, few.step) == (100, 2.0)
