"""`inrlens import` and `inrlens export`: networks and dictionaries of other people, in and out."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

import foreign
import inrlens as il
import toys
from command import done, leftovers, refused
from inrlens.checkpoints import load_field
from peers import PEERS

GIVEN = ("--omega-0", "30", "--axes", "yx", "--coordinates", "-1,1", "--output", "-1,1")


@pytest.fixture
def siren(tmp_path: Path) -> Path:
    state, _ = PEERS["siren"].make(2, torch.float32)
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "model.pth")
    return tmp_path / "model.pth"


def test_a_network_comes_in(siren: Path, tmp_path: Path) -> None:
    out = tmp_path / "field.safetensors"
    about = done("import", siren, *GIVEN, "--grid", "9x7", "-o", out, "--json").json
    assert about["file"] == str(out)
    assert (about["layout"], about["backbone"], about["heads"], about["channels"]) == ("siren", "siren", 1, 3)
    expected = {"coordinates": 2, "width": 8, "depth": 3, "omega_0": 30.0}
    assert about["settings"] == expected | {"bias": "torch", "coordinate_range": [-1.0, 1.0]}
    assert about["given"]["omega_0"] == [30.0]
    field = load_field(out)
    same = il.read_network(siren, omega_0=30.0, axes="yx", coordinates=(-1.0, 1.0), output=(-1.0, 1.0))
    assert field.grid == (9, 7)
    assert torch.equal(field.render(), same.render(grid=(9, 7)))
    # Other verbs take it.
    assert len(done("ranks", out, "--json").json["weight_stable_rank"]) == 3
    assert done("info", out, "--json").json["kind_of_fit"] == "imported"


def test_what_was_written_is_shown(siren: Path, tmp_path: Path) -> None:
    text = done("import", siren, "--layout", "siren", *GIVEN, "-o", tmp_path / "field.safetensors").out
    assert "SingleBVPNet of vsitzmann/siren (layout siren)" in text
    assert "omega_0 30.0" in text


def test_ranges_and_omegas_of_their_own(tmp_path: Path) -> None:
    state, _ = PEERS["siren_pytorch"].make(2, torch.float32)
    torch.save(state, tmp_path / "model.pt")
    out = tmp_path / "field.safetensors"
    ranges = ("--axes", "yx", "--coordinates", "-1,1:-1,2.5", "--output", "0,1")
    done("import", tmp_path / "model.pt", "--omega-0", "30,1", *ranges, "-o", out)
    spans = ((-1.0, 1.0), (-1.0, 2.5))
    same = il.read_network(state, omega_0=(30.0, 1.0), axes="yx", coordinates=spans, output=(0.0, 1.0))
    assert torch.equal(load_field(out).render(grid=toys.GRID), same.render(grid=toys.GRID))


def test_a_field_goes_out_as_onnx(siren: Path, tmp_path: Path) -> None:
    field = tmp_path / "field.safetensors"
    done("import", siren, *GIVEN, "-o", field)
    about = done("export", field, "-o", tmp_path / "field.onnx", "--json").json
    assert (about["backbone"], about["coordinates"], about["outputs"], about["head"]) == ("siren", 2, 3, None)
    assert about["bytes"] == (tmp_path / "field.onnx").stat().st_size
    x = torch.rand(20, 2, generator=toys.generator(1)) * 2 - 1
    session = onnxruntime.InferenceSession(str(tmp_path / "field.onnx"), providers=["CPUExecutionProvider"])
    found = session.run(None, {"coordinates": x.numpy()})[0]
    with torch.no_grad():
        assert float(np.abs(found - load_field(field)(x).numpy()).max()) < 1e-5


def test_one_head_of_a_cohort_goes_out(tmp_path: Path) -> None:
    il.save(il.Field.new("relu", heads=3, channels=1, **toys.SMALL["relu"]), tmp_path / "cohort.safetensors")
    text = done("export", tmp_path / "cohort.safetensors", "--head", "2", "-o", tmp_path / "one.onnx").out
    assert "relu: 2 coordinates to 1 values" in text
    sentence = refused("export", tmp_path / "cohort.safetensors", "--head", "3", "-o", tmp_path / "two.onnx")
    assert sentence == "head 3 does not exist: this field has heads 0 to 2."


def test_dictionaries_go_both_ways(tmp_path: Path) -> None:
    foreign.write_coder(tmp_path / "sae", foreign.draws())
    ours = tmp_path / "layer1.safetensors"
    about = done("import", tmp_path / "sae", "--layer", "1", "-o", ours, "--json").json
    assert (about["layer"], about["n_atoms"], about["source"]) == (1, foreign.N, "sparsify")
    assert done("export", ours, "-o", tmp_path / "again", "--json").json == {"folder": str(tmp_path / "again")}
    assert (tmp_path / "again" / "sae.safetensors").is_file()
    sentence = refused("export", ours, "-o", tmp_path / "sae.onnx")
    assert "holds a dictionary, which is written as sparsify's folder" in sentence
    assert "--head is for fields" in refused("export", ours, "-o", tmp_path / "x", "--head", "0")


def test_what_is_refused(siren: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "field.safetensors"
    sentence = refused("import", siren, "-o", out)
    assert sentence.startswith(f"{siren}: a file of SingleBVPNet of vsitzmann/siren does not say")
    assert "omega_0 (the factor inside its sines; usual there: 30)" in sentence
    assert "leave --layer out" in refused("import", siren, *GIVEN, "-o", out, "--layer", "1")
    assert "does not end in .safetensors" in refused("import", siren, *GIVEN, "-o", tmp_path / "runs" / "x")
    assert "--omega-0 'x' is no number" in refused("import", siren, "--omega-0", "x", "-o", out)
    assert "--coordinates '1' is no range" in refused("import", siren, "--coordinates", "1", "-o", out)
    assert "must be one range" in refused("import", siren, *GIVEN[:-1], "0,1:0,1", "-o", out)
    assert "layout 'sirens' is not known" in refused("import", siren, "--layout", "sirens", "-o", out)
    (tmp_path / "sae").mkdir()
    assert "give --layer" in refused("import", tmp_path / "sae", "-o", out)
    assert "leave --axes out" in refused("import", tmp_path / "sae", "--layer", "1", "--axes", "xy", "-o", out)
    assert "does not exist or is no file" in refused("import", tmp_path / "none.pt", *GIVEN, "-o", out)
    held = siren.rename(tmp_path / "held.safetensors")
    assert "belongs to" in refused("import", held, *GIVEN, "-o", held, "--force")
    assert not leftovers(tmp_path)
    assert not out.exists()


def test_a_field_needs_the_name_of_an_onnx_file(tmp_path: Path) -> None:
    il.save(il.Field.new("relu", **toys.SMALL["relu"]), tmp_path / "field.safetensors")
    sentence = refused("export", tmp_path / "field.safetensors", "-o", tmp_path / "folder")
    assert "holds a field, which is written as an ONNX model: give -o a name that ends in .onnx" in sentence
    (tmp_path / "there.onnx").write_text("mine")
    assert "exists already" in refused("export", tmp_path / "field.safetensors", "-o", tmp_path / "there.onnx")
    assert (tmp_path / "there.onnx").read_text() == "mine"
