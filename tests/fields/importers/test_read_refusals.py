"""What no importer takes: one sentence for each, and nothing in a file is ever run."""

import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import inrlens as il
from peers import PEERS

PLAIN: dict[str, Any] = {"axes": "xy", "coordinates": (-1.0, 1.0), "output": (0.0, 1.0)}


def state_of(layout: str = "siren", dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    return PEERS[layout].make(2, dtype)[0]


def refuse(match: str, source: Any, layout: str | None = None, **given: Any) -> None:
    with pytest.raises(il.InputError, match=match) as caught:
        il.read_network(source, layout, **{"omega_0": 30.0, **PLAIN, **given})
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")


# -- files -----------------------------------------------------------------------------------------------------------


class Malicious:
    """What runs a command where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("how", ["torch", "pickle", "inside", "old"])
def test_a_malicious_pickle_is_refused_and_not_run(how: str, tmp_path: Path) -> None:
    mark, path = tmp_path / "was_run", tmp_path / "model.pth"
    content: Any = Malicious(mark)
    if how == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        content = {**state_of(), "extra": content} if how == "inside" else content
        torch.save(content, path, _use_new_zipfile_serialization=how != "old")
    refuse("nothing but tensors and plain values is unpickled here: save the state_dict", path)
    assert not mark.exists()


def test_a_whole_module_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 3), tmp_path / "model.pt")
    refuse("save the state_dict with torch.save", tmp_path / "model.pt")


def test_a_file_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    refuse("none.pt does not exist or is no file", tmp_path / "none.pt")
    refuse("does not exist or is no file", str(tmp_path))


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"omega_0 = 30\n", b"PK\x03\x04", b"\x80\x02}q\x00(", bytes(64)])
def test_a_file_of_something_else(content: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"notes{suffix}"
    path.write_bytes(content)
    refuse(r"notes\.\w+ is (no file of torch.save|no safetensors file|damaged)", path)


@pytest.mark.parametrize("name", ["model.pt", "model.safetensors"])
def test_a_file_that_is_cut_short(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    torch.save(state_of(), path) if name.endswith("pt") else save_file(state_of(), path)
    whole = path.read_bytes()
    for share in (0.2, 0.6, 0.95):
        path.write_bytes(whole[: int(len(whole) * share)])
        refuse("damaged", path)


def test_a_shape_that_unpacks_to_terabytes(tmp_path: Path) -> None:
    state = state_of()
    state["net.net.1.0.weight"] = torch.zeros(1).expand(1 << 40).reshape(1 << 20, 1 << 20)
    torch.save(state, tmp_path / "bomb.pt")
    assert (tmp_path / "bomb.pt").stat().st_size < 100_000
    refuse(
        r"'net.net.1.0.weight', \(1048576, 1048576\) of torch.float32, does not hold its numbers", tmp_path / "bomb.pt"
    )
    state["net.net.1.0.weight"] = torch.empty(1 << 20, 1 << 20, device="meta")
    torch.save(state, tmp_path / "meta.pt")
    refuse("does not hold its numbers in memory", tmp_path / "meta.pt")


def test_a_compressed_archive_is_not_unpacked(tmp_path: Path) -> None:
    torch.save(state_of(), tmp_path / "model.pt")
    with (
        zipfile.ZipFile(tmp_path / "model.pt") as stored,
        zipfile.ZipFile(tmp_path / "packed.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for entry in stored.infolist():
            packed.writestr(entry.filename, bytes(10_000_000) if entry.filename.endswith("/0") else stored.read(entry))
    assert (tmp_path / "packed.pt").stat().st_size < 100_000
    refuse("in it is compressed, which torch.save never does", tmp_path / "packed.pt")


def test_a_file_without_a_state_dict(tmp_path: Path) -> None:
    for content, match in (
        (torch.zeros(3), "holds a Tensor, no tensors by name"),
        ([1, 2], "holds a list, no tensors by name"),
        ({}, r"holds no state dict, neither itself nor in an entry \(nothing\)"),
        ({"epoch": 3, "loss": 0.5}, r"neither itself nor in an entry \('epoch', 'loss'\)"),
        ({"a": state_of(), "b": state_of()}, r"holds several state dicts \('a', 'b'\): save the one that is meant"),
    ):
        torch.save(content, tmp_path / "model.pt")
        refuse(match, tmp_path / "model.pt")


@pytest.mark.parametrize("backbone", il.backbone_names())
def test_a_field_of_ours_needs_no_import(backbone: str, tmp_path: Path) -> None:
    field = il.Field.new(backbone, width=4, depth=2)
    il.save(field, tmp_path / "field.safetensors")
    refuse(
        "field.safetensors holds a field of ours, .*: il.load and every command take", tmp_path / "field.safetensors"
    )
    refuse("this state dict holds a field of ours", field.state_dict())


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("source", [None, 5, torch.nn.Linear(2, 3)])
def test_what_is_no_file_and_no_state_dict(source: Any) -> None:
    refuse(rf"not from a {type(source).__name__}: give module.state_dict\(\) of a module", source)


def test_something_else_beside_the_tensors() -> None:
    refuse(
        r"holds 'optimizer' beside its tensors by name: save the state_dict by itself", {**state_of(), "optimizer": {}}
    )
    refuse(r"holds 3 beside its tensors by name", {**state_of(), 3: torch.ones(1)})


# -- tensors ---------------------------------------------------------------------------------------------------------


def test_names_that_fit_nothing_are_shown_with_the_known_layouts() -> None:
    state = {f"blocks.{index}.attention.weight": torch.zeros(3, 3) for index in range(6)}
    refuse(
        r"this state dict holds 6 tensors \(blocks.0.attention.weight \(3, 3\), .*, \.\.\.\), which do not fit any "
        r"known layout \(.*siren.*coin.*\): build the network and il.wrap it",
        state,
    )
    refuse(r"do not fit layout 'coin' \(net.#.linear.weight, last_layer.linear.weight\)", state, "coin")
    refuse("layout 'sirens' is not known; allowed are alpine_siren,", state, "sirens")


def test_a_tensor_too_many() -> None:
    for odd in ("net.net.1.0.scale", "loss.weight", "extra"):
        match = rf"all its tensors but '{odd}' are those of layout siren \(SingleBVPNet of vsitzmann/siren\): leave out"
        refuse(match, state_of() | {odd: torch.ones(1)})
    refuse(
        "but 'encoder.1.weight' are those of layout strainer",
        state_of("strainer") | {"encoder.1.weight": torch.ones(1)},
    )
    two = {"b": torch.ones(1), "a": torch.ones(1)}
    refuse(
        "but 'a', 'b' are those of layout finer_siren, finer_finer, .* or wire_posenc:", state_of("wire_siren") | two
    )


@pytest.mark.parametrize(
    ("layout", "gone", "match"),
    [
        ("siren", "net.net.1.0", r"'net.net.1.0.weight' is missing, without which it is no siren network"),
        ("siren", "net.net.0.0", r"'net.net.0.0.weight' is missing"),
        ("siren_pytorch", "layers.1", r"'layers.1.weight' is missing"),
        ("siren_pytorch", "last_layer", r"'last_layer.weight' is missing, .* \(SirenNet of siren-pytorch\)"),
        ("coin", "last_layer.linear", r"'last_layer.linear.weight' is missing"),
        ("alpine_ffn", "model.3", r"'model.3.weight' is missing"),
        ("strainer", "decoder.1.0", r"'decoder.1.0.weight' is missing"),
        ("strainer", "encoder.0", r"'encoder.0.weight' is missing"),
        ("finer_wire", "net.3", r"'net.3.weight' is missing"),
    ],
)
def test_a_layer_that_is_missing(layout: str, gone: str, match: str) -> None:
    state = {name: tensor for name, tensor in state_of(layout).items() if name.rpartition(".")[0] != gone}
    with pytest.raises(il.InputError, match=match):
        il.read_network(state, layout, **PLAIN, **PEERS[layout].given)


def test_a_bias_or_a_number_that_is_missing() -> None:
    state = state_of()
    del state["net.net.1.0.bias"]
    refuse(r"'net.net.1.0.bias' is missing", state)
    refuse(r"'_orig_mod.a.net.net.1.0.bias' is missing", {f"_orig_mod.a.{name}": each for name, each in state.items()})
    state = state_of("wire_wire")
    del state["net.1.scale_0"]
    refuse(
        r"'net.1.scale_0' is missing, without which it is no network of finer_wire or wire_wire", state, omega_0=None
    )
    state = state_of("alpine_ffn")
    del state["model.0.B"]
    refuse(r"'model.0.B' is missing", state, "alpine_ffn", omega_0=None)


def test_several_layouts_that_are_equally_near_are_named() -> None:
    plain = {name.replace(".linear", ""): tensor for name, tensor in state_of("wire_siren").items()}
    refuse("'net.0.linear.weight' is missing, without which it is no network of finer_siren, .* or wire_posenc", plain)
    state = {name: tensor for name, tensor in state_of("wire_siren").items() if not name.startswith("net.3")}
    refuse("missing, 'last_layer.linear.weight' for layout coin .*; 'net.3.weight' for layout finer_siren, .*", state)


@pytest.mark.parametrize(
    ("layout", "gone", "following"),
    [
        ("siren", "net.net.3.0", "net.net.3.0"),
        ("alpine_siren", "model.6", "model.6"),
        ("alpine_ffn", "model.5", "model.5"),
        ("inr_collection", "net.3", "net.3.linear"),
        ("finer_pemlp", "net.6", "net.6"),
    ],
)
def test_a_file_that_was_cut_before_the_output(layout: str, gone: str, following: str) -> None:
    state = {name: tensor for name, tensor in state_of(layout).items() if not name.startswith(f"{gone}.")}
    with pytest.raises(il.InputError, match=f"is 8 by 8 like a layer's, so the output, '{following}.weight', seems to"):
        il.read_network(state, layout, **PLAIN, **PEERS[layout].given)


def test_signals_that_were_cut_before_their_outputs() -> None:
    state = state_of("strainer")
    for head in range(3):
        state[f"decoder.{head}.0.weight"], state[f"decoder.{head}.0.bias"] = torch.ones(8, 8), torch.ones(8)
    refuse("'decoder.0.0.weight', is 8 by 8 like a layer's, so the output, 'decoder.0.2.weight', seems", state)


@pytest.mark.parametrize(
    ("name", "tensor", "match"),
    [
        ("net.net.1.0.weight", torch.zeros(8, 7), r"has shape \(8, 7\), where \(8, 8\) is needed: all layers"),
        ("net.net.1.0.weight", torch.zeros(8), r"has shape \(8,\), where a matrix is needed"),
        ("net.net.1.0.weight", torch.zeros(0, 8), r"has shape \(0, 8\), where a matrix is needed"),
        ("net.net.1.0.bias", torch.zeros(7), r"has shape \(7,\), its weight has 8 rows"),
        ("net.net.3.0.weight", torch.zeros(3, 7), r"has shape \(3, 7\), where \(3, 8\) is needed"),
        ("net.net.0.0.weight", torch.zeros(8, 3), r"layer 0 takes 3 numbers, but axes 'xy' names 2 coordinates"),
        ("net.net.0.0.weight", torch.full((8, 2), torch.nan), "'net.net.0.0.weight' holds NaN or infinite values"),
        ("net.net.3.0.bias", torch.full((3,), torch.inf), "'net.net.3.0.bias' holds NaN or infinite values"),
        (
            "net.net.1.0.weight",
            torch.ones(8, 8, dtype=torch.int64),
            "holds torch.int64, where a weight is real or complex",
        ),
        ("net.net.1.0.weight", torch.ones(8, 8).to_sparse(), "does not hold its numbers in memory"),
        (
            "net.net.1.0.weight",
            torch.ones(8, 8, dtype=torch.complex64),
            "real, complex, real, real, which layout 'siren'",
        ),
    ],
)
def test_a_tensor_that_is_not_what_it_should_be(name: str, tensor: Tensor, match: str) -> None:
    refuse(match, state_of() | {name: tensor})


def test_signals_with_layers_of_their_own() -> None:
    state = state_of("strainer")
    for head in range(3):
        state[f"decoder.{head}.2.weight"] = torch.zeros(3, 3)
        state[f"decoder.{head}.2.bias"] = torch.zeros(3)
    refuse("its 3 signals have layers of their own .* keep the tensors of one of them", state)


def test_features_that_no_encoding_gives() -> None:
    state = state_of("finer_pemlp")
    state["net.0.weight"] = torch.zeros(8, 17)
    refuse(r"layer 0 takes 17 features, which no number of waves gives for 2 axes", state, omega_0=None)
    state = state_of("alpine_ffn")
    state["model.1.weight"] = torch.zeros(8, 14)
    refuse("layer 0 takes 14 features, its 6 frequencies give 12", state, omega_0=None)
    refuse(
        r"its frequencies have shape \(6, 2\), where \(number, 3\) is needed",
        state_of("alpine_ffn"),
        omega_0=None,
        axes="xyz",
    )
    ranges = ((0.0, 1.0), (-1.0, 1.0))
    refuse("ranges of different lengths", state_of("finer_pemlp"), omega_0=None, coordinates=ranges)


# -- what must be given ----------------------------------------------------------------------------------------------


def test_what_the_file_does_not_say_is_asked_for_with_what_is_usual() -> None:
    with pytest.raises(il.InputError) as caught:
        il.read_network(state_of("coin"))
    assert str(caught.value) == (
        "this state dict: a file of Siren of COIN does not say what decides its weights' meaning: give omega_0 (the "
        "factor inside its sines; usual there: 30), axes (the order of its coordinates; usual there: 'yx'), "
        "coordinates (the range of its coordinates where ours is (-1.0, 1.0); usual there: ((-1.0, 1.0), (-1.0, "
        "2 (W - 1) / (H - 1) - 1)) for H by W pixels), output (the range of its values where ours is (0.0, 1.0); usual "
        "there: (0.0, 1.0))."
    )
    refuse(
        r"give output \(the range of its values where ours is \(0.0, 1.0\); usual there: \(-1.0",
        state_of(),
        output=None,
    )
    refuse(
        r"give scale \(the factor inside its bells; usual there: 30\)",
        state_of("finer_gauss"),
        "finer_gauss",
        omega_0=None,
    )


@pytest.mark.parametrize("layout", sorted(PEERS))
def test_every_layout_asks_for_everything_that_it_needs(layout: str) -> None:
    state, given = state_of(layout), PEERS[layout].given
    for name in (*given, *PLAIN):
        kept = {key: value for key, value in {**given, **PLAIN}.items() if key != name}
        with pytest.raises(il.InputError, match=rf"decides its weights' meaning: give {name} \("):
            il.read_network(state, layout, **kept)


def test_what_says_nothing_of_such_a_network_is_refused() -> None:
    refuse("scale is not for layout 'siren', a siren network has none: leave it out", state_of(), scale=3.0)
    refuse("omega_0 is not for layout 'finer_wire', its file holds it", state_of("wire_wire"))


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"omega_0": 0.0}, "omega_0 must be one positive number, two"),
        ({"omega_0": (30.0, -1.0)}, "omega_0 must be one positive number, two"),
        ({"omega_0": (1.0, 2.0, 3.0, 4.0)}, "or 3, one a layer, not"),
        ({"omega_0": ()}, "omega_0 must be one positive number"),
        ({"omega_0": torch.nan}, "omega_0 must be one positive number"),
        ({"axes": "xz"}, "axes must name a network's coordinates"),
        ({"axes": "xyz"}, "layer 0 takes 2 numbers, but axes 'xyz' names 3 coordinates"),
        ({"coordinates": (1.0, 1.0)}, "coordinates must be a range"),
        ({"output": (0.0, torch.inf)}, "output must be a range"),
        ({"grid": (4,)}, "a grid of 1 axis does not suit a network of 2 coordinates"),
    ],
)
def test_numbers_that_are_not_allowed(given: dict[str, Any], match: str) -> None:
    refuse(match, state_of(), **given)


def test_a_range_so_narrow_that_float32_overflows() -> None:
    refuse("leaves the range of torch.float32", state_of(), output=(0.0, 1e-42))


@pytest.mark.parametrize("given", [{"omega_0": 1e300}, {"coordinates": (0.0, 1e38)}])
def test_numbers_with_which_a_layer_leaves_float32(given: dict[str, Any]) -> None:
    refuse(
        "the field would give NaN or infinite values, since .* range of torch.float32: give omega_0",
        state_of(),
        **given,
    )


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"omega_0": "30"}, "omega_0 must be one positive number, two .* not '30'"),
        ({"omega_0": ["30", "1"]}, "omega_0 must be one positive number, two .*"),
        ({"omega_0": torch.ones(2, 2)}, "omega_0 must be one positive number, two .*"),
        ({"coordinates": 1}, "coordinates must be one range .* not 1"),
        ({"coordinates": (None, 1.0)}, "coordinates must be a range"),
        ({"output": 1}, "output must be a range"),
        ({"axes": ["x", "y"]}, "axes must name a network's coordinates"),
    ],
)
def test_arguments_of_another_kind(given: dict[str, Any], match: str) -> None:
    refuse(match, state_of(), **given)


def test_entries_that_lie_on_one_another_are_refused(tmp_path: Path) -> None:
    torch.save(
        {name: tensor.repeat(40, 40) for name, tensor in state_of().items() if tensor.ndim == 2}, tmp_path / "a.pt"
    )
    whole = bytearray((tmp_path / "a.pt").read_bytes())
    with zipfile.ZipFile(tmp_path / "a.pt") as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.file_size)
        directory = archive.start_dir
    # Every entry's place in the directory becomes the largest one's, with its sizes.
    at = directory
    while whole[at : at + 4] == b"PK\x01\x02":
        name, extra, note = struct.unpack_from("<HHH", whole, at + 28)
        struct.pack_into("<II", whole, at + 20, largest.file_size, largest.file_size)
        struct.pack_into("<I", whole, at + 42, largest.header_offset)
        at += 46 + name + extra + note
    (tmp_path / "b.pt").write_bytes(whole)
    refuse("speaks of .* bytes, more than it has: it is damaged", tmp_path / "b.pt")
