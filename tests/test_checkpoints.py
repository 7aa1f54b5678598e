"""Fields and dictionaries come back from their files bit for bit, or not at all."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import inrlens as il
import toys
from inrlens.checkpoints import load_field, load_sae
from inrlens.container import Container, read_container, write_container
from inrlens.dictionaries.checkpoint import pack_sae
from inrlens.fields.checkpoint import pack_field

ONE_LONG = torch.eye(24, 16)
ONE_LONG[16:, 0] = 1.0
ONE_LONG[5] *= 2.0
"""Atoms of unit length, but for one."""


def _same(one: torch.nn.Module, two: torch.nn.Module) -> None:
    first, second = one.state_dict(), two.state_dict()
    assert list(first) == list(second)
    for name, value in first.items():
        assert value.dtype == second[name].dtype, name
        assert torch.equal(value, second[name]), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_backbone_comes_back_to_the_bit(tmp_path: Path, backbone: str, dtype: torch.dtype) -> None:
    field = toys.field(backbone, heads=3, channels=2, seed=5).to(dtype)
    if dtype == torch.float64:
        with torch.no_grad():
            for parameter in field.parameters():
                parameter.div_(3.0)
    il.save(field, tmp_path / "a.safetensors")
    found = load_field(tmp_path / "a.safetensors")
    _same(field, found)
    assert torch.equal(field.render(2), found.render(2))
    assert (found.heads, found.channels, found.grid, found.backbone) == (3, 2, toys.GRID, field.backbone)
    assert found.origin == field.origin


@pytest.mark.parametrize("settings", [{"omega_0": (50.0, 30.0, 20.0, 7.5)}, {"coordinates": 3}])
def test_settings_that_are_lists_and_fields_without_a_grid(tmp_path: Path, settings: dict[str, Any]) -> None:
    field = il.Field.new("siren", width=8, depth=4, **settings)
    il.save(field, tmp_path / "a")
    found = load_field(tmp_path / "a")
    assert found.backbone == field.backbone
    assert found.grid is None
    x = torch.rand(5, field.backbone.coordinates, generator=toys.generator())
    assert torch.equal(field(x), found(x))


@pytest.mark.usefixtures("unchecked")
def test_a_whole_number_larger_than_any_tensor_is_no_size(tmp_path: Path) -> None:
    """Where a checker insists on ``300.0``, a user without one writes ``300``."""
    field = il.Field.new("siren", width=8, depth=2, omega_0=300, grid=(4, 5))
    il.save(field, tmp_path / "a")
    assert read_container(tmp_path / "a").description["architecture"]["settings"]["omega_0"] == 300
    assert torch.equal(load_field(tmp_path / "a").render(), field.render())


def test_a_cohort_keeps_how_it_came_to_be(tmp_path: Path, cohort_fit: il.Fit) -> None:
    il.save(cohort_fit.field, tmp_path / "a")
    found = load_field(tmp_path / "a")
    assert found.origin == cohort_fit.field.origin
    assert found.origin.kind == "cohort"
    assert found.origin.seed == 3
    assert [name for name, _ in found.origin.signals] == ["toy 0", "toy 1", "toy 2"]
    assert [digest for _, digest in found.origin.signals] == [signal.digest for signal in toys.signals(3)]
    for head in range(3):
        assert torch.equal(found.render(head), cohort_fit.field.render(head))
    _same(il.initial_field(found), il.initial_field(cohort_fit.field))


def test_the_description_tells_what_a_reader_needs(tmp_path: Path, cohort: il.Field) -> None:
    il.save(cohort, tmp_path / "a")
    about = read_container(tmp_path / "a").description
    assert about["kind"] == "field"
    assert about["architecture"]["scale_per_layer"] == [20.0] * 4
    assert about["architecture"]["nonlinearity_per_layer"] == ["sine"] * 4
    assert "sqrt(6/d_in)" in about["architecture"]["weight_rule"]
    assert "sqrt(d_in)" in about["architecture"]["bias_rule"]
    assert (about["coordinate_range"], about["target_range"]) == ([-1.0, 1.0], [0.0, 1.0])
    assert about["recipe"]["learning_rate"] == 1e-3
    assert about["recipe"]["backbone"]["omega_0"] == 20.0
    assert about["inrlens_version"] == il.__version__


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_dictionary_comes_back_to_the_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    field = toys.field().to(dtype)
    sae = il.train_sae(field, 2, n_atoms=20, k=3, steps=7, batch=16, seed=4).sae
    il.save(sae, tmp_path / "a")
    found = load_sae(tmp_path / "a")
    _same(sae, found)
    assert (found.k, found.n_atoms, found.width, found.layer, found.origin) == (3, 20, 16, 2, sae.origin)
    assert not any(parameter.requires_grad for parameter in found.parameters())
    before, after = il.encode(field, sae), il.encode(field, found)
    assert torch.equal(before.values, after.values)
    assert torch.equal(before.indices, after.indices)


def test_what_was_asked_for_must_be_what_is_there(tmp_path: Path) -> None:
    field = toys.field()
    il.save(field, tmp_path / "field")
    il.save(toys.sae(field), tmp_path / "sae")
    write_container(tmp_path / "other", Container("signals", {}, {}))
    assert isinstance(il.load(tmp_path / "field"), il.Field)
    assert isinstance(il.load(tmp_path / "sae"), il.SparseAutoencoder)
    with pytest.raises(il.InputError, match="sae holds a dictionary, a field is needed here"):
        load_field(tmp_path / "sae")
    with pytest.raises(il.InputError, match="field holds a field, a dictionary is needed here"):
        load_sae(tmp_path / "field")
    with pytest.raises(il.InputError, match="other holds a 'signals', which this InrLens does not know"):
        il.load(tmp_path / "other")
    with pytest.raises(il.InputError, match="field exists already"):
        il.save(field, tmp_path / "field")
    il.save(field, tmp_path / "field", force=True)


def _edited(path: Path, content: Container, edits: dict[str, Any], tensors: dict[str, torch.Tensor | None]) -> Path:
    """Writes a container whose description and tensors were tampered with; ``a.b`` reaches inside, None removes."""
    about = json.loads(json.dumps(content.description))
    for key, value in edits.items():
        *outer, last = key.split(".")
        inner = about
        for name in outer:
            inner = inner[name]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    kept = {name: value.clone() for name, value in {**content.tensors, **tensors}.items() if value is not None}
    header = {"kind": content.kind, "format_version": 1, **about}
    save_file(kept, path, metadata={"inrlens": json.dumps(header)})
    return path


@pytest.mark.parametrize(
    ("edits", "tensors", "message"),
    [
        ({}, {"head.bias": None}, "tensor 'head.bias' is missing"),
        ({}, {"encoder.layers.1.weight": None}, "tensor 'encoder.layers.1.weight' is missing"),
        ({}, {"head.weight": torch.zeros(6, 15)}, r"tensor 'head.weight' has shape \(6, 15\).* says \(6, 16\)"),
        ({}, {"encoder.layers.0.bias": torch.zeros(16, 1)}, r"'encoder.layers.0.bias' has shape \(16, 1\)"),
        ({}, {"head.bias": torch.zeros(6, dtype=torch.int32)}, "holds torch.int32, its description says torch.float32"),
        ({"dtype": "float64"}, {}, "holds torch.float32, its description says torch.float64"),
        ({"dtype": "float16"}, {}, r"its description is damaged \(KeyError: 'float16'\)"),
        ({"architecture": None}, {}, r"its description is damaged \(KeyError: 'architecture'\)"),
        ({"architecture": 7}, {}, "its description is damaged"),
        ({"heads": "two"}, {}, "its description is damaged"),
        ({"heads": -2}, {}, "its description is damaged"),
        ({"signals": [3]}, {}, "its description is damaged"),
        ({"grid": ["a"]}, {}, "its description is damaged"),
        ({"architecture.backbone": "hologram"}, {}, "backbone 'hologram' is not known"),
        ({"architecture.settings.shade": 3}, {}, "siren has no setting 'shade'"),
        ({"architecture.settings.width": 0}, {}, "siren: width must be at least 1"),
        ({"architecture.settings.width": 16.0}, {}, "siren: width must be a whole number, not 16.0"),
        ({"architecture.settings.omega_0": "fast"}, {}, "siren: omega_0 must be a number, or one a layer, not 'fast'"),
        ({"architecture.settings.width": True}, {}, r"siren: width must be a whole number, not True\.$"),
        ({"architecture.settings.width": 10**9}, {}, "speaks of size 1000000000, its tensors reach 16 at most"),
        ({"architecture.settings.depth": 10**9}, {}, "speaks of size 1000000000"),
        ({"architecture.settings.coordinates": 10**9}, {}, r"a grid of \[9, 7\] samples for 1000000000 coordinates"),
        ({"grid": [10**9, 10**9]}, {}, r"a grid of \[1000000000, 1000000000\] samples"),
        ({"grid": [0, 7]}, {}, r"a grid of \[0, 7\] samples"),
        ({"heads": "2"}, {}, "'2' is no whole number"),
        ({}, {"head.bias": torch.full((6,), torch.nan)}, "tensor 'head.bias' holds NaN or infinite values"),
        ({}, {"encoder.layers.9.bias": torch.zeros(16)}, "'encoder.layers.9.bias' belongs to no layer"),
        ({"architecture.scale_per_layer": [1.0]}, {}, r"says scale_per_layer \[1.0\], the network it describes has \["),
        ({"architecture.nonlinearity_per_layer": ["relu"]}, {}, r"says nonlinearity_per_layer \['relu'\]"),
        ({"coordinate_range": [0, 1]}, {}, r"says coordinate_range \[0, 1\]"),
        ({"target_range": [-1, 1]}, {}, r"says target_range \[-1, 1\]"),
        ({"heads": 10**12}, {}, "speaks of size 3000000000000"),
        ({"architecture.settings.width": 10**6}, {"pad": torch.zeros(10**6)}, r"its description says \(6, 1000000\)"),
        ({"architecture.settings.width": 10**9}, {"pad": torch.zeros(0, 10**9)}, "its tensors reach 16 at most"),
        ({"architecture.settings.depth": 9}, {}, "tensor 'encoder.layers.4.weight' is missing"),
    ],
)
def test_damaged_fields(
    tmp_path: Path, edits: dict[str, Any], tensors: dict[str, torch.Tensor | None], message: str
) -> None:
    path = _edited(tmp_path / "bad.safetensors", pack_field(toys.field(), "1"), edits, tensors)
    with pytest.raises(il.InputError, match=message) as caught:
        il.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "key", ["architecture.settings.omega_0", "architecture.scale_per_layer", "grid", "target_range"]
)
def test_a_description_of_any_length_is_refused_in_a_short_sentence(tmp_path: Path, key: str) -> None:
    edits = {key: [1] * 100_000}
    path = _edited(tmp_path / "bad.safetensors", pack_field(toys.field(), "1"), edits, {})
    with pytest.raises(il.InputError, match=r"\A[^\n]* \.\.\. [^\n]*\.\Z") as caught:
        il.load(path)
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value)) < 420 + len(str(path))


@pytest.mark.parametrize(
    ("edits", "tensors", "message"),
    [
        ({}, {"decoder": None}, "tensor 'decoder' is missing"),
        ({}, {"encoder": torch.zeros(24, 15)}, r"tensor 'encoder' has shape \(24, 15\), its description says"),
        ({}, {"pre_bias": torch.zeros(16, dtype=torch.float64)}, "holds torch.float64, its description says"),
        ({"k": 25}, {}, "k must be between 1 and the number of atoms, 24, not 25"),
        ({}, {"decoder": torch.zeros(24, 16)}, "its atoms have lengths from 0 to 0, not 1"),
        ({}, {"decoder": ONE_LONG}, "its atoms have lengths from 1 to 2, not 1"),
        ({"k": 4.5}, {}, "its sizes and its layer must be whole numbers"),
        ({"layer": -1}, {}, "its sizes and its layer must be whole numbers"),
        ({"k": None}, {}, r"its description is damaged \(KeyError: 'k'\)"),
        ({"layer": "two"}, {}, "its description is damaged"),
        ({"n_atoms": 10**12}, {}, r"its description says \(1000000000000, 16\)"),
        ({"dtype": "bool"}, {}, "its description is damaged"),
    ],
)
def test_damaged_dictionaries(
    tmp_path: Path, edits: dict[str, Any], tensors: dict[str, torch.Tensor | None], message: str
) -> None:
    path = _edited(tmp_path / "bad.safetensors", pack_sae(toys.sae(toys.field()), "1"), edits, tensors)
    with pytest.raises(il.InputError, match=message) as caught:
        il.load(path)
    assert str(path) in str(caught.value)
