"""What a fit will cost: rows, steps, and a network that is left as it was."""

from dataclasses import replace

import pytest
import torch

import inrlens as il
import toys
from inrlens.fitting.cost import cost_of


@pytest.mark.parametrize("name", il.backbone_names())
@pytest.mark.parametrize(("batch", "visited"), [(None, 40_000), (64, 64), (50_000, 40_000)])
def test_a_step_visits_its_batch_or_every_coordinate(name: str, batch: int | None, visited: int) -> None:
    recipe = replace(toys.recipe(name), batch=batch)
    assert recipe.backbone is not None
    before = torch.random.get_rng_state()
    cost = cost_of(recipe, recipe.backbone, 40_000, (2, 3))
    assert cost.rows == visited
    assert cost.step > 0.0
    assert cost.whole == pytest.approx(cost.step * recipe.steps)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_frozen_layers_are_left_out() -> None:
    recipe = toys.recipe()
    assert recipe.backbone is not None
    assert cost_of(recipe, recipe.backbone, 100, (1, 1), start=recipe.backbone.depth).rows == min(
        recipe.batch or 100, 100
    )
