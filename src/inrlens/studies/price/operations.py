"""Floating-point operations of a study's cells."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from inrlens.fields.field import Field
from inrlens.fitting.compute import Compute
from inrlens.fitting.engine import Engine
from inrlens.fitting.recipes import updates
from inrlens.metrics.lpips import LEAST_SIDE as LPIPS_SIDE
from inrlens.studies.cells.cell import Cell
from inrlens.studies.cells.plan import StudyPlan
from inrlens.studies.price import products
from inrlens.studies.price.picture_measures import lpips_operations, ssim_operations
from inrlens.studies.price.products import DictionarySize, FitSize
from inrlens.studies.price.shapes import NetworkShape, backbone_of, network_shape

Cells = Mapping[str, Cell]
"""Cells by the keys under which ``needs`` and settings name them."""


@dataclass(frozen=True)
class FitCell:
    """What a cohort, single or transfer cell comes to: its network, its numbers, and the bytes of its work buffers and
    of the kept output of frozen layers."""

    network: NetworkShape
    size: FitSize
    buffers: int
    kept_bytes: int


def plan_operations(plan: StudyPlan) -> dict[str, float]:
    """Operations of every cell, by key."""
    return operations_of(plan.by_key())


def operations_of(cells: Cells) -> dict[str, float]:
    """Operations of every cell, by key."""
    return {key: cell_operations(cell, cells) for key, cell in cells.items()}


def cell_operations(cell: Cell, cells: Cells) -> float:
    """Operations of one cell; ``cells`` holds those that it needs.

    A fit counts all of its recipe's steps, also where ``stop_psnr`` may end it earlier: an upper bound then.
    """
    if cell.kind == "dictionary":
        return _dictionary(cell, cells)
    if cell.kind == "analysis":
        made = cells[cell.settings["dictionary"]]
        network = network_of(cell, cells)
        return products.analysis(network, dictionary_size(made, network), _rows(cell), cell.signals[0].channels)
    fitted = fit_cell(cell, cells)
    found = products.fit(fitted.network, fitted.size)
    if cell.kind in ("cohort", "single"):
        found += 2.0 * products.scores(fitted.network, fitted.size.rows)
    return found + _measures(cell)


def network_of(cell: Cell, cells: Cells) -> NetworkShape:
    """The network that a cell fits or looks into, with as many heads as it was fitted to signals."""
    if cell.kind in ("dictionary", "analysis"):
        return network_of(cells[cell.settings["network"]], cells)
    return network_shape(backbone_settings_of(cell, cells), len(cell.signals) * cell.signals[0].channels)


def backbone_settings_of(cell: Cell, cells: Cells) -> dict[str, Any]:
    """Name and settings of the backbone that a cell fits or looks into."""
    for where in ("network", "cohort"):
        if where in cell.settings:
            return backbone_settings_of(cells[cell.settings[where]], cells)
    given = cell.settings.get("backbone") or cell.settings["recipe"]["backbone"]
    return dict(given)


def fit_cell(cell: Cell, cells: Cells) -> FitCell:
    """What a cohort, single or transfer cell comes to, on one thread with the engine's own memory."""
    network = network_of(cell, cells)
    recipe, rows = cell.settings["recipe"], _rows(cell)
    tau = cell.settings.get("freeze")
    start = 0 if tau is None else int(tau) + 1
    settings = tuple(sorted((key, _hashable(value)) for key, value in backbone_settings_of(cell, cells).items()))
    buffers, budget = _engine_memory(settings, network.outputs, cell.signals[0].channels, start, rows)
    entering = 4 * rows * network.entering(start)
    size = FitSize(
        rows=rows,
        per_step=products.rows_per_step(rows, recipe["batch"]),
        steps=updates(int(recipe["steps"]), recipe["batch"], recipe.get("iteration", "step"), rows),
        start=start,
        kept=entering <= budget,
        muon=recipe["optimizer"] == "muon",
    )
    return FitCell(network, size, buffers, entering if size.kept else 0)


def dictionary_size(cell: Cell, network: NetworkShape) -> DictionarySize:
    """The numbers of a dictionary cell."""
    layer, recipe = int(cell.settings["layer"]), cell.settings["recipe"]
    return DictionarySize(int(recipe["n_atoms"]), int(recipe["k"]), layer, network.layers[layer][0])


def _dictionary(cell: Cell, cells: Cells) -> float:
    network, recipe, rows = network_of(cell, cells), cell.settings["recipe"], _rows(cell)
    return products.dictionary(
        network,
        dictionary_size(cell, network),
        rows=rows,
        between=math.prod(max(1, side - 1) for side in cell.signals[0].shape),
        per_step=products.rows_per_step(rows, recipe["batch"]),
        steps=int(recipe["steps"]),
        auxiliary_k=int(recipe.get("auxiliary_k", 0)),
    )


def _measures(cell: Cell) -> float:
    asked, picture = cell.settings.get("metrics", ()), cell.signals[0]
    if len(picture.shape) != 2:
        return 0.0
    found = ssim_operations(picture.shape, picture.channels) if "ssim" in asked else 0.0
    with_lpips = "lpips" in asked and cell.settings.get("lpips") is not None and min(picture.shape) >= LPIPS_SIDE
    return found + (lpips_operations(picture.shape) if with_lpips else 0.0)


def _rows(cell: Cell) -> int:
    return math.prod(cell.signals[0].shape)


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@lru_cache(maxsize=256)
@torch.no_grad()
def _engine_memory(
    settings: tuple[tuple[str, Any], ...], outputs: int, channels: int, start: int, rows: int
) -> tuple[int, int]:
    """Bytes of an engine's buffers on one core, and what they leave for kept rows: asked of the engine itself."""
    compute = Compute()
    field = Field.new(backbone_of(dict(settings)), heads=outputs // channels, channels=channels)
    engine = Engine([field.encoder.trained(start)], [field.head], channels, compute, 1, rows)
    return compute.memory_mib * 2**20 - engine.budget, engine.budget
