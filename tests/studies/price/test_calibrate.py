"""Calibration: the pieces are the work that they stand for, and rates come from it."""

import pytest
import torch

import priced
from inrlens.errors import InputError
from inrlens.studies.cells.cell import Cell
from inrlens.studies.price import products
from inrlens.studies.price.benchmarks import class_of, piece_of, prepare
from inrlens.studies.price.calibrate import Calibration, calibrate, machine, measure
from inrlens.studies.price.operations import network_of
from priced import counted


def every_kind(backbone: str = "siren") -> dict[str, Cell]:
    source = priced.cohort(backbone)
    made = priced.dictionary(source)
    frozen = priced.transfer(source, 1, backbone=backbone)
    batched = priced.transfer(None, None, backbone=backbone, batch=40)
    return priced.by_key(source, frozen, batched, made, priced.analysis(source, made))


def test_classes_by_name() -> None:
    assert [class_of(cell, every_kind()) for cell in every_kind().values()] == [
        "siren cohort",
        "siren transfer, 2 of 4 layers trained",
        "siren transfer, 4 of 4 layers trained",
        "dictionary of 24 atoms, k 4",
        "analysis, 2 layers after",
    ]


@pytest.mark.parametrize("backbone", ["siren", "ffmlp"])
def test_pieces_count_what_they_run(backbone: str) -> None:
    cells = every_kind(backbone)
    torch.set_num_threads(1)
    for cell in cells.values():
        piece = piece_of("toy", cell, cells, 1e9)
        ready = prepare(piece)
        real = counted(ready.run)
        if cell.kind == "dictionary":
            real += piece.rows * 8 * 4 * 16 + 2 * 24 * 16  # what torch does not count: sparse parts, one mv
        if cell.kind == "analysis":
            real -= 64 * (2 * 24 * 16 + _first_layers(cell, cells))  # a check of 64 rows
        assert ready.operations == pytest.approx(real, rel=0.05), cell.kind


def _first_layers(cell: Cell, cells: dict[str, Cell]) -> float:
    """Of one row through the encoding and two layers."""
    return products.forward(network_of(cell, cells), 0, 2)


def test_a_piece_is_no_larger_than_its_cell_and_no_smaller_than_a_tile() -> None:
    source = priced.cohort(grid=(100, 100))
    cells = priced.by_key(source)
    assert piece_of("toy", source, cells, 1.0).rows == 1024
    assert piece_of("toy", source, cells, 1e15).rows == 8192
    small = priced.cohort()
    assert piece_of("toy", small, priced.by_key(small), 1e15).rows == priced.rows()


def test_measure_leaves_the_first_repeat_out() -> None:
    cells = every_kind()
    began: list[int] = []
    operations, times = measure(piece_of("toy", next(iter(cells.values())), cells, 1e6), 0.0, lambda: began.append(1))
    assert operations > 0
    assert len(times) == 2
    assert min(times) > 0
    assert began == [1]


@pytest.mark.slow
def test_two_processes_measure_every_class() -> None:
    plan = priced.plan(list(every_kind().values()))
    found = calibrate(plan, seconds=5.0, workers=2)
    assert set(found.rates) == {class_of(cell, every_kind()) for cell in plan.cells}
    # Between a pocket calculator and a supercomputer.
    assert all(1e4 < rate < 1e15 for rate in found.rates.values())
    assert found.workers == 2
    assert found.machine == machine()
    assert f"torch {torch.__version__}" in found.machine


def test_a_class_that_was_not_measured_takes_the_nearest() -> None:
    rates = {
        "siren transfer, 5 of 5 layers trained": 8.0,
        "siren transfer, 4 of 5 layers trained": 6.0,
        "ffmlp cohort": 1.0,
        "dictionary of 64 atoms, k 4": 3.0,
    }
    found = Calibration(rates, 2, "")
    assert found.rate("ffmlp cohort") == 1.0
    assert found.rate("siren transfer, 1 of 5 layers trained") == 7.0
    assert found.rate("dictionary of 4096 atoms, k 32") == 3.0


def test_what_cannot_be_calibrated_is_refused() -> None:
    plan = priced.plan([priced.cohort()])
    with pytest.raises(InputError, match="workers must be at least 1, not 0"):
        calibrate(plan, workers=0)
    with pytest.raises(InputError, match="a positive number of seconds, not 0"):
        calibrate(plan, seconds=0.0)
    with pytest.raises(InputError, match="measured nothing"):
        Calibration({}, 1, "").rate("siren cohort")
