"""Short pieces of a study's cells, computed by the engine itself, to see how fast this machine is at them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from inrlens.atoms.codes import encode
from inrlens.atoms.effects import effects
from inrlens.dictionaries.step import SaeGradients, remove_parallel_part, renormalise
from inrlens.dictionaries.topk import SaeOrigin, SparseAutoencoder
from inrlens.fields.field import Field
from inrlens.fitting.engine import Engine
from inrlens.fitting.optimisers import Optimisers
from inrlens.fitting.prefix import PrefixRows
from inrlens.fitting.recipes import Recipe
from inrlens.rows import Batches
from inrlens.seeding import generator
from inrlens.studies.cells.cell import Cell
from inrlens.studies.price import products
from inrlens.studies.price.operations import (
    Cells,
    backbone_settings_of,
    dictionary_size,
    fit_cell,
    network_of,
)
from inrlens.studies.price.products import DictionarySize, FitSize
from inrlens.studies.price.shapes import backbone_of, network_shape

_FEWEST_ROWS = 1024
"""One tile of the engine: fewer would not run at the rate of a whole picture."""
_FEWEST_ANALYSED = 64
_MOST_ROWS = 8192


@dataclass(frozen=True)
class Piece:
    """A class of cells and one of them cut short, as plain numbers that another process can be handed.

    ``rows`` is how many rows a repeat goes over. ``backbone`` is name and settings, ``outputs`` the columns of all
    heads; ``recipe`` is that of the fit, or of the dictionary; ``start`` the first trained layer of a fit.
    """

    name: str
    kind: str
    backbone: Mapping[str, Any]
    outputs: int
    channels: int
    recipe: Mapping[str, Any]
    rows: int
    start: int = 0
    dictionary: DictionarySize | None = None


@dataclass(frozen=True)
class Ready:
    """A piece that can be run again and again, and what one run counts."""

    run: Callable[[], object]
    operations: float


def class_of(cell: Cell, cells: Cells) -> str:
    """The class of cells that run at one rate, such as ``siren cohort``, ``ffmlp transfer, 3 of 5 layers trained``,
    ``dictionary of 4096 atoms, k 32`` and ``analysis, 2 layers after``."""
    if cell.kind in ("dictionary", "analysis"):
        made = cell if cell.kind == "dictionary" else cells[cell.settings["dictionary"]]
        network = network_of(cell, cells)
        size = dictionary_size(made, network)
        if cell.kind == "dictionary":
            return f"dictionary of {size.n_atoms} atoms, k {size.k}"
        return f"analysis, {network.depth - 1 - size.layer} layers after"
    network = network_of(cell, cells)
    if cell.kind != "transfer":
        return f"{network.backbone} {cell.kind}"
    tau = cell.settings.get("freeze")
    trained = network.depth if tau is None else network.depth - 1 - int(tau)
    return f"{network.backbone} transfer, {trained} of {network.depth} layers trained"


def piece_of(name: str, cell: Cell, cells: Cells, most_operations: float) -> Piece:
    """A repeat of the cell's work of about ``most_operations``, but never of fewer rows than run at the full rate."""
    network, channels = network_of(cell, cells), cell.signals[0].channels
    backbone = backbone_settings_of(cell, cells)
    if cell.kind in ("cohort", "single", "transfer"):
        fitted = fit_cell(cell, cells)
        a_row = products.gradient_of_row(network, fitted.size.start)
        rows = _between(_FEWEST_ROWS, most_operations / a_row, fitted.size.per_step)
        recipe = {key: value for key, value in cell.settings["recipe"].items() if key != "backbone"}
        return Piece(name, cell.kind, backbone, network.outputs, channels, recipe, rows, fitted.size.start)
    made = cell if cell.kind == "dictionary" else cells[cell.settings["dictionary"]]
    size, recipe, total = dictionary_size(made, network), made.settings["recipe"], math.prod(cell.signals[0].shape)
    if cell.kind == "dictionary":
        per_step = products.rows_per_step(total, recipe["batch"])
        rows = _between(_FEWEST_ROWS, most_operations / products.dictionary_step(size, 1.0), per_step)
    else:
        one = products.analysis(network, size, 1, channels) - products.analysis(network, size, 0, channels)
        rows = _between(_FEWEST_ANALYSED, most_operations / one, float(total))
    return Piece(name, cell.kind, backbone, network.outputs, channels, recipe, rows, dictionary=size)


def prepare(piece: Piece) -> Ready:
    """Builds a piece with random pictures and an untrained network: neither changes what the arithmetic costs."""
    if piece.kind == "dictionary":
        return _dictionary(piece)
    return _analysis(piece) if piece.kind == "analysis" else _fit(piece)


def _fit(piece: Piece) -> Ready:
    field = _field(piece)
    recipe = Recipe(name=piece.name, backbone=None, **piece.recipe)
    with torch.no_grad():
        modules = [field.encoder.trained(piece.start)]
        engine = Engine(modules, [field.head], piece.channels, cores=1, rows=piece.rows)
        # Twice the rows of a step where a step takes a batch: rows are then gathered as they are in the fit.
        total = piece.rows if recipe.batch is None else 2 * piece.rows
        inputs = PrefixRows(field.encoder, _coordinates(field, total), piece.start, engine.budget)
        targets = torch.rand(1, total, piece.outputs, generator=generator(0, "price", "pictures"))
    optimisers = Optimisers(engine.stack, recipe, 1)
    batches = Batches(total, None if recipe.batch is None else piece.rows, generator(0, "price", "batches"))

    def run() -> None:
        engine.gradient(inputs, targets, next(batches))
        optimisers.step(0)

    size = FitSize(piece.rows, float(piece.rows), 1, piece.start, inputs.rows is not None, recipe.optimizer == "muon")
    return Ready(run, products.step(network_shape(piece.backbone, piece.outputs), size))


@torch.no_grad()
def _dictionary(piece: Piece) -> Ready:
    size = piece.dictionary
    assert size is not None
    h = torch.randn(piece.rows, size.width, generator=generator(0, "price", "activations"))
    sae = _sae(size)
    gradients = SaeGradients(sae, 1)
    optimizer = torch.optim.Adam(sae.parameters(), lr=float(piece.recipe["learning_rate"]), fused=True)

    @torch.no_grad()
    def run() -> None:
        gradients(h)
        remove_parallel_part(sae)
        optimizer.step()
        renormalise(sae)

    return Ready(run, products.dictionary_step(size, float(piece.rows)))


def _analysis(piece: Piece) -> Ready:
    size, field = piece.dictionary, _field(piece)
    assert size is not None
    sae = _sae(size).requires_grad_(False)
    grid = (*(1 for _ in range(field.backbone.coordinates - 1)), piece.rows)
    network = network_shape(piece.backbone, piece.outputs)
    return Ready(
        lambda: effects(field, sae, encode(field, sae, grid)),
        products.analysis(network, size, piece.rows, piece.channels),
    )


def _field(piece: Piece) -> Field:
    return Field.new(backbone_of(piece.backbone), heads=piece.outputs // piece.channels, channels=piece.channels)


def _sae(size: DictionarySize) -> SparseAutoencoder:
    directions = torch.randn(size.n_atoms, size.width, generator=generator(0, "price", "atoms"))
    return SparseAutoencoder(directions, torch.zeros(size.width), size.k, SaeOrigin(size.layer))


def _coordinates(field: Field, rows: int) -> Tensor:
    return torch.rand(rows, field.backbone.coordinates, generator=generator(0, "price", "coordinates")) * 2.0 - 1.0


def _between(fewest: int, wanted: float, real: float) -> int:
    return max(1, round(min(max(fewest, wanted), real, _MOST_ROWS)))
