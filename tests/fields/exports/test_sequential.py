"""Fields that leave: as plain modules and as ONNX graphs, the same function everywhere."""

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

import inrlens as il
import toys
from inrlens.container import read_container
from inrlens.fields.encoder import Encoder, Layer
from inrlens.fields.field import Field, Origin, make_head
from inrlens.fields.nonlinearity import RELU, Nonlinearity

EXPORTED = ("siren", "ffmlp", "gauss", "finer", "wire", "wire_real", "posenc", "relu")
"""Every backbone of linear layers; any other must be refused."""
VARIANTS: dict[str, dict[str, Any]] = {
    "siren": {"omega_0": (20.0, 5.0, 1.0, 3.0)},
    "finer": {"omega_0": (6.0, 5.0, 5.0, 4.0)},
    "gauss": {"scale": (3.0, 2.0, 1.0, 0.5)},
    "wire": {"omega_0": (3.0, 2.0, 1.0, 0.5), "scale": (2.0, 2.0, 1.0, 1.0)},
    "wire_real": {"omega_0": (4.0, 3.0, 2.0, 1.0), "scale": (2.0, 1.0, 0.5, 0.25)},
    "posenc": {"bare": True, "first_angle": 1.0},
    "ffmlp": {"coordinates": 1},
    "relu": {"coordinates": 3},
}


def fields(backbone: str) -> list[Field]:
    """As it is usually set, and as it is not."""
    settings = toys.SMALL[backbone]
    return [
        il.Field.new(backbone, heads=2, channels=3, seed=1, grid=toys.GRID, **settings),
        il.Field.new(backbone, heads=2, channels=1, seed=2, **{**settings, **VARIANTS.get(backbone, {})}),
    ]


def rows(field: Field) -> Tensor:
    return torch.rand(200, field.coordinates, generator=toys.generator(3), dtype=field.dtype) * 2 - 1


def run(path: Path, x: Tensor) -> np.ndarray[Any, Any]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [entry.name for entry in session.get_inputs()] == ["coordinates"]
    assert [entry.name for entry in session.get_outputs()] == ["values"]
    found: np.ndarray[Any, Any] = session.run(None, {"coordinates": x.numpy()})[0]
    return found


def test_every_exported_backbone_is_registered() -> None:
    assert set(EXPORTED) <= set(il.backbone_names())


def test_any_other_backbone_is_refused(tmp_path: Path) -> None:
    for backbone in sorted(set(il.backbone_names()) - set(EXPORTED)):
        field = fields(backbone)[0]
        with pytest.raises(il.InputError, match="no export knows"):
            il.to_sequential(field)
        with pytest.raises(il.InputError, match="no export knows"):
            il.to_onnx(field, tmp_path / "field.onnx")


@pytest.mark.parametrize("backbone", EXPORTED)
def test_the_sequential_is_the_field(backbone: str, tmp_path: Path) -> None:
    for field in fields(backbone):
        # In float64, where a product of another shape rounds as good as nothing.
        x = rows(field.double())
        module = il.to_sequential(field)
        assert type(module) is nn.Sequential
        with torch.no_grad():
            assert float((module(x) - field(x)).abs().max()) < 1e-10
            for head in range(2):
                one = il.to_sequential(field, head)(x)
                assert torch.allclose(one, module(x)[:, field.columns(head)], atol=1e-10, rtol=0.0)
        again = pickle.loads(pickle.dumps(module))
        torch.save(module.state_dict(), tmp_path / "plain.pt")
        again.load_state_dict(torch.load(tmp_path / "plain.pt", weights_only=True))
        assert torch.equal(again(x), module(x))


@pytest.mark.parametrize("backbone", EXPORTED)
def test_the_sequential_is_wrapped_layer_by_layer(backbone: str) -> None:
    field = fields(backbone)[0]
    module = il.to_sequential(field)
    first = 2 if field.encoder.encoding is not None else 1
    foreign = il.wrap(module, layers=[str(first + 2 * index) for index in range(field.depth)], channels=3)
    x = rows(field)
    with torch.no_grad():
        for index in range(field.depth):
            assert torch.allclose(foreign.run_to(x, index), field.run_to(x, index), atol=1e-6, rtol=0.0)


def test_the_sequential_shares_nothing_with_the_field() -> None:
    field = fields("ffmlp")[0]
    module, x = il.to_sequential(field), rows(field)
    before = field(x).detach().clone()
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.zero_()
    assert torch.equal(field(x), before)


def test_the_sequential_says_what_it_is_made_of() -> None:
    text = repr(il.to_sequential(fields("finer")[1]))
    assert "finer, scale=6, omega=6" in text
    assert "Linear(in_features=2, out_features=16" in text
    assert "ReLU()" in repr(il.to_sequential(fields("relu")[0]))


@pytest.mark.parametrize("backbone", EXPORTED)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_onnxruntime_gives_the_field_s_values(backbone: str, dtype: torch.dtype, tmp_path: Path) -> None:
    for number, field in enumerate(fields(backbone)):
        field = field.to(dtype)
        path = tmp_path / f"{number}.onnx"
        il.to_onnx(field, path)
        onnx.checker.check_model(path, full_check=True)
        x = rows(field)
        with torch.no_grad():
            expected = field(x).numpy()
        found = run(path, x)
        assert found.dtype == expected.dtype
        assert float(np.abs(found - expected).max()) < 1e-5
        # Any number of rows.
        assert run(path, x[:1]).shape == (1, field.heads * field.channels)
        il.to_onnx(field, tmp_path / f"{number}_head.onnx", head=1)
        one = run(tmp_path / f"{number}_head.onnx", x)
        assert float(np.abs(one - expected[:, field.columns(1)]).max()) < 1e-5


@pytest.mark.parametrize("backbone", EXPORTED)
def test_the_model_describes_itself_as_a_checkpoint_does(backbone: str, tmp_path: Path) -> None:
    field = fields(backbone)[0]
    field.origin = Origin("cohort", 1, (("cat", "0" * 64), ("dog", "1" * 64)), {"steps": 3}, {"tau": 1})
    il.to_onnx(field, tmp_path / "all.onnx")
    il.to_onnx(field, tmp_path / "one.onnx", head=1)
    il.save(field, tmp_path / "field.safetensors")
    written = {entry.key: entry.value for entry in onnx.load(tmp_path / "all.onnx").metadata_props}
    about = json.loads(written["inrlens"])
    assert about["architecture"]["backbone"] == backbone
    assert about["architecture"]["settings"]["width"] == 16
    assert (about["kind"], about["heads"], about["grid"]) == ("field", 2, [9, 7])
    assert (about["coordinate_range"], about["target_range"]) == ([-1.0, 1.0], [0.0, 1.0])
    assert [signal["name"] for signal in about["signals"]] == ["cat", "dog"]
    assert about == read_container(tmp_path / "field.safetensors").description
    one = json.loads(onnx.load(tmp_path / "one.onnx").metadata_props[0].value)
    assert (one["heads"], one["head"], [signal["name"] for signal in one["signals"]]) == (1, 1, ["dog"])


def test_complex_layers_are_real_block_matrices(tmp_path: Path) -> None:
    field = fields("wire")[0]
    il.to_onnx(field, tmp_path / "wire.onnx")
    constants = onnx.load(tmp_path / "wire.onnx").graph.initializer
    tensors = {entry.name: onnx.numpy_helper.to_array(entry) for entry in constants}
    block = tensors["layers.1.weight"]
    assert block.shape == (16, 16)
    assert np.array_equal(block[:8, :8], block[8:, 8:])
    assert np.array_equal(block[:8, 8:], -block[8:, :8])
    assert not any(np.iscomplexobj(tensor) for tensor in tensors.values())


def test_an_imported_network_goes_out_again(tmp_path: Path) -> None:
    theirs = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    names = {"0": "net.0.linear", "2": "net.1.linear", "4": "net.2"}
    state = {f"{names[name[0]]}{name[1:]}": tensor for name, tensor in theirs.state_dict().items()}
    field = il.read_network(state, "wire_relu", axes="xy", coordinates=(-1.0, 1.0), output=(0.0, 1.0))
    il.to_onnx(field, tmp_path / "field.onnx")
    x = rows(field)
    with torch.no_grad():
        assert float(np.abs(run(tmp_path / "field.onnx", x) - theirs(x).numpy()).max()) < 1e-5


# -- what is refused -------------------------------------------------------------------------------------------------


def test_no_file_is_overwritten_unasked(tmp_path: Path) -> None:
    field, path = fields("siren")[0], tmp_path / "field.onnx"
    path.write_text("mine")
    with pytest.raises(
        il.InputError, match=r"exists already: give another path, or --force \(force=True in Python\) to replace it"
    ):
        il.to_onnx(field, path)
    assert path.read_text() == "mine"
    il.to_onnx(field, path, force=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["field.onnx"]
    onnx.checker.check_model(path)


def test_a_head_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(il.InputError, match="head 2 does not exist: this field has heads 0 to 1"):
        il.to_onnx(fields("siren")[0], tmp_path / "field.onnx", head=2)
    with pytest.raises(il.InputError, match="head 2 does not exist: this field has heads 0 to 1"):
        il.to_sequential(fields("siren")[0], head=2)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("kind", ["Sequential", "Wrapped"])
def test_what_is_no_field_of_ours(kind: str, tmp_path: Path) -> None:
    thing: Any = il.to_sequential(fields("siren")[0])
    thing = il.wrap(thing, layers=["1", "3"], channels=3) if kind == "Wrapped" else thing
    for export in (lambda: il.to_sequential(thing), lambda: il.to_onnx(thing, tmp_path / "field.onnx")):
        with pytest.raises(il.InputError, match=f"an export takes a field of ours, not a {kind}: il.read_network"):
            export()
    assert not list(tmp_path.iterdir())


class Table(Encoder):
    """A trained encoding before the layers."""

    def __init__(self, layers: list[Layer]) -> None:
        super().__init__(layers)
        self.table = nn.Parameter(torch.ones(2))

    def run(self, h: Tensor, start: int, stop: int | None) -> Tensor:
        return super().run(h * self.table if start == 0 else h, start, stop)


def odd(encoder: Encoder) -> Field:
    field = fields("relu")[0]
    return Field(field.backbone, encoder, make_head(torch.zeros(3, 4), torch.zeros(3)), 3)


def test_an_encoding_that_is_not_known(tmp_path: Path) -> None:
    field = odd(Table([Layer(torch.zeros(4, 2), torch.zeros(4), RELU)]))
    for export in (lambda: il.to_sequential(field), lambda: il.to_onnx(field, tmp_path / "field.onnx")):
        with pytest.raises(il.InputError, match="has an encoding that no export knows: only networks of linear layers"):
            export()
    assert not list(tmp_path.iterdir())


def test_a_nonlinearity_that_onnx_does_not_know(tmp_path: Path) -> None:
    tanh = Nonlinearity("tanh", lambda v, out: torch.tanh(v, out=out))
    field = odd(Encoder([Layer(torch.ones(4, 2), torch.zeros(4), tanh)]))
    with pytest.raises(il.InputError, match="nonlinearity 'tanh' is not known to the export to ONNX"):
        il.to_onnx(field, tmp_path / "field.onnx")
    assert torch.equal(il.to_sequential(field)(torch.ones(1, 2)), field(torch.ones(1, 2)))
    assert not list(tmp_path.iterdir())


def test_without_onnx_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "inrlens.fields.exports.onnx_graph", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(il.InputError, match=r'needs onnx: install it with pip install "inrlens\[onnx\]"'):
        il.to_onnx(fields("siren")[0], tmp_path / "field.onnx")
