"""What a fit will cost on this machine, told by a few thousand of its coordinates before it begins."""

import time
from dataclasses import dataclass

import torch

from inrlens.fields.backbone import Backbone
from inrlens.fields.field import Field
from inrlens.fitting.fit_fields import Job, engine_of
from inrlens.fitting.optimisers import Optimisers
from inrlens.fitting.prefix import PrefixRows
from inrlens.fitting.recipes import Recipe
from inrlens.seeding import generator

_ROWS = 8192
"""Enough tiles for every core; a pass over more takes as long a row."""


@dataclass(frozen=True)
class Cost:
    """How many coordinates a step visits, and the seconds of a step and of all steps."""

    rows: int
    step: float
    whole: float


@torch.no_grad()
def cost_of(
    recipe: Recipe,
    backbone: Backbone,
    rows: int,
    outputs: tuple[int, int],
    *,
    start: int = 0,
    device: torch.device | str = "cpu",
) -> Cost:
    """Measures a step on ``_ROWS`` coordinates at most, and reckons with as long a time a row.

    Args:
        recipe: how it will be fitted.
        backbone: of the network.
        rows: how many coordinates there are.
        outputs: how many heads it has, and channels of each.
        start: the first layer that is trained.
        device: where it will be fitted.
    """
    recipe = recipe.over(rows)
    field = Field.new(backbone, heads=outputs[0], channels=outputs[1]).to(device)
    step = min(recipe.batch or rows, rows)
    tried = min(step, _ROWS)
    engine = engine_of([field], Job(recipe, "single", start=start), tried)
    draws = generator(0, "cost")
    x = 2.0 * torch.rand(tried, field.coordinates, generator=draws).to(device) - 1.0
    targets = torch.rand(1, tried, field.heads * field.channels, generator=draws).to(device)
    inputs, optimisers = (
        PrefixRows(field.encoder, x, start, engine.budget),
        Optimisers(engine.stack, recipe, engine.cores),
    )

    def seconds(work: str) -> float:
        began = time.perf_counter()
        if work == "pass":
            float(engine.gradient(inputs, targets, slice(0, tried))[0])
        else:
            optimisers.step(0)
        return time.perf_counter() - began

    # The first of each also pays for what is set up once.
    one_pass = min(seconds("pass") for _ in range(3))
    update = min(seconds("update") for _ in range(3))
    whole = one_pass * step / tried + update
    return Cost(step, whole, whole * recipe.steps)
