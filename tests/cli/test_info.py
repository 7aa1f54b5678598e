"""Checkpoints that the program refuses: not ours, damaged, newer, or not what is needed."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from command import refused
from inrlens.container import read_container


def header_of(file: Path) -> dict[str, object]:
    """The JSON description that a checkpoint carries."""
    return dict(read_container(file).description)


def rewritten(source: Path, target: Path, change: Callable[[dict[str, object], dict[str, torch.Tensor]], None]) -> Path:
    """A copy of a checkpoint with its description or tensors changed."""
    description, tensors = header_of(source), load_file(source)
    change(description, tensors)
    save_file(tensors, target, metadata={"inrlens": json.dumps(description)})
    return target


def test_checkpoints_that_cannot_be_used(tmp_path: Path, bench: Path) -> None:
    good = bench / "cohort" / "field.safetensors"
    foreign, pickled, cut = tmp_path / "foreign.safetensors", tmp_path / "p.safetensors", tmp_path / "cut.safetensors"
    save_file({"weight": torch.zeros(2, 2)}, foreign)
    pickled.write_bytes(pickle.dumps({"weight": [1.0]}))
    cut.write_bytes(good.read_bytes()[:-1000])

    def newer(description: dict[str, object], tensors: dict[str, torch.Tensor]) -> None:
        description["format_version"] = 99

    def reshaped(description: dict[str, object], tensors: dict[str, torch.Tensor]) -> None:
        tensors["head.bias"] = torch.zeros(4)

    cases = {
        foreign: "not a checkpoint of InrLens",
        pickled: "no file of InrLens: inrlens import",
        cut: "cut short or damaged",
        tmp_path / "missing.safetensors": "does not exist",
        rewritten(good, tmp_path / "newer.safetensors", newer): "format version 99",
        rewritten(good, tmp_path / "shape.safetensors", reshaped): "'head.bias' has shape (4,)",
        bench / "sae.safetensors": "holds a dictionary, a field is needed",
        bench / "photos": "not a run of InrLens",
    }
    for path, reason in cases.items():
        sentence = refused("ranks", path)
        assert str(path) in sentence
        assert reason in sentence
    for path in (foreign, pickled, cut, tmp_path / "shape.safetensors"):
        assert str(path) in refused("info", path)
    assert "holds a field, a dictionary is needed" in refused("atoms", bench / "cohort", good)
    assert "--condition" in refused("ranks", good, "--condition", "cohort_siren")
