"""How much memory a study's workers need, and whether the machine has it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from inrlens.dictionaries.encoding import ENCODING_TILE
from inrlens.fields.field import EVALUATION_TILE
from inrlens.signals.memory import physical_memory
from inrlens.studies.cells.cell import Cell
from inrlens.studies.price.format import memory as in_words
from inrlens.studies.price.operations import Cells, dictionary_size, fit_cell, network_of

PROCESS_BYTES = 350 * 2**20
"""A worker's process: with torch 2.13 for the CPU on Linux, 250 MiB were measured once it is loaded, and 340 after the
first step of a small fit, for which torch loads more of itself."""
_FLOAT = 4
_COPIES_OF_FITTED = 5
"""Weights, gradients, Adam's two moments, and the weights of the history's last row."""
_COPIES_OF_PICTURES = 4
"""As bytes of the task, as signals, side by side as targets, and rendered."""
_CODE_BYTES = 72
"""A training row's code: atom, value, gradient, their sorted copies, and the order that sorts them."""
_ATLAS_CODE_BYTES = 64
"""A code of the atlas beside its effect: atom and value, and the double-precision copies that statistics take."""


@dataclass(frozen=True)
class MemoryNeed:
    """``largest`` is the key of the cell that needs most and ``cell_bytes`` what it needs beside the process;
    ``total_bytes`` is for all workers, each at its largest cell; ``machine_bytes`` the machine's physical memory (None
    where it does not say); ``workers_that_fit`` how many would; ``warning`` one sentence, or None."""

    largest: str | None
    cell_bytes: int
    worker_bytes: int
    workers: int
    total_bytes: int
    machine_bytes: int | None
    workers_that_fit: int | None
    warning: str | None


def cell_bytes(cell: Cell, cells: Cells) -> int:
    """Bytes that a worker needs for a cell at its largest, beside its process: an estimate from the sizes of what is
    kept at the same time."""
    rows, channels = math.prod(cell.signals[0].shape), cell.signals[0].channels
    network = network_of(cell, cells)
    pictures = _FLOAT * _COPIES_OF_PICTURES * rows * channels * len(cell.signals)
    coordinates = _FLOAT * 2 * rows * network.coordinates
    # The pictures that are measured are taken in double precision, several at a time.
    measured = 12 * 8 * rows * channels if "ssim" in cell.settings.get("metrics", ()) else 0
    outputs = EVALUATION_TILE * (_FLOAT * 3 * network.width + 16 * network.outputs)
    common = _FLOAT * network.parameters + pictures + coordinates
    if cell.kind == "dictionary":
        size = dictionary_size(cell, network)
        recipe = cell.settings["recipe"]
        batch = min(rows, int(recipe["batch"]))
        # Two temporary copies stand beside the five while atoms are brought back to unit norm.
        weights = _FLOAT * (2 * _COPIES_OF_FITTED + 2) * size.n_atoms * size.width
        step = batch * (_FLOAT * 3 * size.width + _CODE_BYTES * size.k)
        dense = _FLOAT * (ENCODING_TILE + (batch if recipe.get("auxiliary_k") else 0)) * size.n_atoms
        kept = _FLOAT * 2 * rows * size.width  # the rows, and their distance to the mean for the variance
        return int(common + weights + step + dense + kept + outputs)
    if cell.kind == "analysis":
        size = dictionary_size(cells[cell.settings["dictionary"]], network)
        atlas = rows * size.k * (_ATLAS_CODE_BYTES + 2 * _FLOAT * channels)
        weights = _FLOAT * 3 * size.n_atoms * size.width
        return int(common + atlas + weights + _FLOAT * ENCODING_TILE * size.n_atoms + outputs)
    fitted = fit_cell(cell, cells)
    trained = _FLOAT * _COPIES_OF_FITTED * network.trained_parameters(fitted.size.start)
    return int(common + trained + fitted.buffers + fitted.kept_bytes + max(outputs, measured))


def memory_need(
    cells: Cells, workers: int, *, keys: Iterable[str] | None = None, machine_bytes: int | None = None
) -> MemoryNeed:
    """Memory of the cells ``keys`` (default: all) on so many workers; ``machine_bytes`` defaults to this machine's."""
    needed = {key: cell_bytes(cells[key], cells) for key in (cells if keys is None else keys)}
    largest = max(needed, key=lambda key: needed[key], default=None)
    most = 0 if largest is None else needed[largest]
    one = PROCESS_BYTES + most
    there = physical_memory() if machine_bytes is None else machine_bytes
    fits = None if there is None else there // one
    warning = None
    if there is not None and fits is not None and workers * one > there:
        fewer = f"{fits} would fit" if fits else "not even one fits: lower the resolution"
        warning = (
            f"{workers} workers may need {in_words(workers * one)} at their largest cells, the machine has "
            f"{in_words(there)}: {fewer}."
        )
    return MemoryNeed(largest, most, one, workers, workers * one, there, fits, warning)
