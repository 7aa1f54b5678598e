"""Signals come back from their file with the same numbers."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import inrlens as il
import toys
from inrlens.signals.archive import load_signals, save_signals


def test_signals_come_back_with_name_grid_depth_and_digest(tmp_path: Path) -> None:
    deep = il.Signal("deep", torch.rand(6, 1, generator=toys.generator()), (2, 3), bit_depth=16)
    signals = [toys.signal(0), deep, toys.signal(1, (2, 3, 4), 2)]
    save_signals(signals, tmp_path / "a")
    found = load_signals(tmp_path / "a")
    assert [(s.name, s.shape, s.bit_depth, s.digest) for s in found] == [
        (s.name, s.shape, s.bit_depth, s.digest) for s in signals
    ]


def _written(path: Path, about: Any, tensors: dict[str, torch.Tensor], kind: str = "signals") -> Path:
    header = {"kind": kind, "format_version": 1, "signals": about}
    save_file(tensors, path, metadata={"inrlens": json.dumps(header)})
    return path


@pytest.mark.parametrize(
    ("about", "tensors", "message"),
    [
        ([{"name": "a", "grid": [2, 3], "bit_depth": 8}], {}, r"its description is damaged \(KeyError: 'values.0'\)"),
        ([{"name": "a"}], {"values.0": torch.zeros(6, 1)}, "its description is damaged"),
        (7, {}, "its description is damaged"),
        ([{"name": "a", "grid": [2, 4], "bit_depth": 8}], {"values.0": torch.zeros(6, 1)}, "do not fill the grid"),
        ([{"name": "a", "grid": [2, 3], "bit_depth": 8}], {"values.0": torch.full((6, 1), 2.0)}, "values from 2 to 2"),
    ],
)
def test_damaged_archives(tmp_path: Path, about: Any, tensors: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(il.InputError, match=message):
        load_signals(_written(tmp_path / "a", about, tensors))


def test_another_kind(tmp_path: Path) -> None:
    with pytest.raises(il.InputError, match="a holds a 'field', signals are needed here"):
        load_signals(_written(tmp_path / "a", [], {}, "field"))
