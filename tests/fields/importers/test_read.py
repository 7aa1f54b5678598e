"""Other people's networks as fields: the same function, whatever their coordinates, values, names and files."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from safetensors.torch import save_file
from siren_pytorch import SirenNet, SirenWrapper
from torch import Tensor

import inrlens as il
import toys
from documented import DOCS
from inrlens.fields.importers.layouts import LAYOUTS
from peers import CHANNELS, PEERS, WIDTH, chain, draw, numbered, sine

WAVES = ("alpine_ffn", "finer_pemlp", "wire_posenc")
"""Layouts of an encoding before the layers, into which spans fold otherwise than into a matrix."""
PLAIN: dict[str, Any] = {"axes": "xy", "coordinates": (-1.0, 1.0), "output": (0.0, 1.0)}


def rows(m: int = 2, count: int = 64) -> Tensor:
    return torch.rand(count, m, generator=toys.generator(8), dtype=torch.float64) * 2 - 1


def theirs(function: Callable[[Tensor], Tensor], x: Tensor, span: dict[str, Any]) -> Tensor:
    """What the network gives at our coordinates, in our values, computed without folding anything."""
    letters, ranges = span["axes"], span["coordinates"]
    ranges = ranges if isinstance(ranges[0], tuple) else (ranges,) * len(letters)
    columns = [
        low + (x[:, "xyzt".index(letter)] + 1) / 2 * (high - low)
        for letter, (low, high) in zip(letters, ranges, strict=True)
    ]
    low, high = span["output"]
    return (function(torch.stack(columns, dim=1)) - low) / (high - low)


def test_there_is_a_peer_for_every_layout() -> None:
    assert set(PEERS) == set(il.network_layouts())
    assert all(il.network_layouts().values())


SPANS: list[dict[str, Any]] = [
    PLAIN,
    {"axes": "yx", "coordinates": (-1.0, 1.0), "output": (-1.0, 1.0)},
    {"axes": "yx", "coordinates": (0.0, 0.75), "output": (-0.3, 2.0)},
    {"axes": "zxy", "coordinates": (1.0, -0.5), "output": (0.0, 255.0)},
    {"axes": "x", "coordinates": (0.2, 0.9), "output": (1.0, 0.0)},
]


@pytest.mark.parametrize(
    ("layout", "span"),
    [
        (layout, SPANS[(place + more) % 5])
        for place, layout in enumerate(PEERS)
        for more in range(5 if layout in WAVES else 2)
    ],
)
def test_the_field_is_the_peer_s_function(layout: str, span: dict[str, Any], tmp_path: Path) -> None:
    m, peer = len(span["axes"]), PEERS[layout]
    state, function = peer.make(m, torch.float64)
    torch.save(state, tmp_path / "model.pth")
    field = il.read_network(tmp_path / "model.pth", layout, **span, **peer.given)
    x = rows(m)
    with torch.no_grad():
        assert field.dtype == torch.float64
        assert float((field(x) - theirs(function, x, span)).abs().max()) < 1e-9
    assert (field.coordinates, field.channels, field.heads) == (m, CHANNELS, 3 if layout == "strainer" else 1)


@pytest.mark.parametrize("layout", PEERS)
def test_float32_files_give_float32_fields_within_a_millionth(layout: str) -> None:
    peer = PEERS[layout]
    state, function = peer.make(2, torch.float32)
    span = PLAIN | {"axes": "yx", "output": (-1.0, 1.0)}
    field = il.read_network(state, layout, **span, **peer.given)
    assert field.dtype == torch.float32
    x = rows()
    with torch.no_grad():
        # In float64 both, so that what is compared is the weights and not how float32 rounds sines.
        if layout == "inr_collection" or layout == "siren_pytorch":
            function = function.double()  # type: ignore[attr-defined]
        wide = field.double()
        assert float((wide(x) - theirs(function, x, span)).abs().max()) < 1e-6


@pytest.mark.parametrize("layout", PEERS)
def test_an_imported_field_is_saved_loaded_and_analysed(layout: str, tmp_path: Path) -> None:
    peer = PEERS[layout]
    state, _ = peer.make(2, torch.float32)
    torch.save(state, tmp_path / "model.pt")
    field = il.read_network(tmp_path / "model.pt", layout, grid=(9, 7), **PLAIN, **peer.given)
    il.save(field, tmp_path / "field.safetensors")
    again = il.load(tmp_path / "field.safetensors")
    assert isinstance(again, il.Field)
    assert torch.equal(again.render(), field.render())
    about = again.origin.notes["imported"]
    assert again.origin == field.origin
    assert (again.origin.kind, about["layout"], about["file"]) == ("imported", layout, "model.pt")
    assert len(about["sha256"]) == 64
    assert "how it was fitted is not known" in il.freeze_advice(again).sentence
    sae = il.train_sae(again, layer=1, n_atoms=12, k=3, steps=3).sae
    delta = il.effects(again, sae, il.encode(again, sae)).delta
    assert bool(torch.isfinite(delta).all())
    with pytest.raises(il.InputError, match="started from weights that its file does not hold"):
        il.initial_field(again)


@given(
    st.permutations("xyz"),
    st.lists(st.tuples(st.floats(-4.0, 4.0), st.floats(0.1, 4.0)), min_size=3, max_size=3),
    st.floats(-3.0, 3.0),
    st.floats(0.1, 5.0),
)
def test_any_order_and_ranges_fold(order: list[str], spans: list[tuple[float, float]], low: float, size: float) -> None:
    state, function = PEERS["alpine_ffn"].make(3, torch.float64)
    span = {
        "axes": "".join(order),
        "coordinates": tuple((start, start + length) for start, length in spans),
        "output": (low, low + size),
    }
    field, x = il.read_network(state, **span), rows(3)
    with torch.no_grad():
        assert float((field(x) - theirs(function, x, span)).abs().max()) < 1e-9 * (1.0 + 1.0 / size)


# -- what is told from the tensors -----------------------------------------------------------------------------------

UNIQUE = ("siren", "siren_pytorch", "alpine_ffn", "strainer", "coin", "inr_collection", "finer_pemlp")


@pytest.mark.parametrize("layout", UNIQUE)
def test_a_layout_that_nothing_else_fits_is_recognised(layout: str) -> None:
    state, _ = PEERS[layout].make(2, torch.float32)
    field = il.read_network(state, **PLAIN, **PEERS[layout].given)
    assert field.origin.notes["imported"]["layout"] == layout


@pytest.mark.parametrize("layout", sorted(set(PEERS) - set(UNIQUE) - {"finer_wire", "wire_wire"}))
def test_names_that_fit_several_nonlinearities_need_the_layout(layout: str) -> None:
    state, _ = PEERS[layout].make(2, torch.float32)
    with pytest.raises(il.InputError, match=rf"fit .*{layout} .*no file says which nonlinearity it was: give layout"):
        il.read_network(state, **PLAIN)


def test_two_projects_that_save_the_same_network_are_one() -> None:
    state, function = PEERS["wire_wire"].make(2, torch.float64)
    field = il.read_network(state, **PLAIN)
    assert torch.allclose(field(rows()), function(rows()), atol=1e-9, rtol=0.0)
    assert field.backbone.omega_0 == (3.0, 5.0, 5.0)
    assert field.backbone.scale == (2.0, 1.5, 1.5)
    with pytest.raises(il.InputError, match=r"usual in Wire of FINER's scripts: 'yx'; usual in 'wire' of WIRE's"):
        il.read_network(state)


@pytest.mark.parametrize("layout", ["siren", "siren_pytorch", "coin", "strainer", "alpine_ffn"])
@pytest.mark.parametrize(
    "prefix", ["module.", "model.", "_orig_mod.", "model.module.", "module._orig_mod.", "inr.net.", "net.model."]
)
def test_wrappers_prefixes_come_off(layout: str, prefix: str) -> None:
    state, function = PEERS[layout].make(2, torch.float64)
    wrapped = {prefix + name: tensor for name, tensor in state.items()}
    field = il.read_network(wrapped, **PLAIN, **PEERS[layout].given)
    assert torch.allclose(field(rows()), function(rows()), atol=1e-9, rtol=0.0)


def test_a_part_that_torch_compiled_is_found() -> None:
    # torch.compile(module.layers[1]) puts the part's own names behind _orig_mod.
    state, function = PEERS["siren_pytorch"].make(2, torch.float64)
    compiled = {name.replace("layers.1.", "layers.1._orig_mod."): tensor for name, tensor in state.items()}
    assert compiled.keys() != state.keys()
    field = il.read_network(compiled, omega_0=(30.0, 1.0), **PLAIN)
    assert torch.allclose(field(rows()), function(rows()), atol=1e-9, rtol=0.0)


def test_siren_wrapper_s_grid_is_left_aside() -> None:
    module = SirenWrapper(SirenNet(2, WIDTH, CHANNELS, 2), 5, 4).double()
    field = il.read_network(
        module.state_dict(), omega_0=(30.0, 1.0), axes="yx", coordinates=(-1.0, 1.0), output=(0.0, 1.0), grid=(4, 5)
    )
    # Its grid was made in float32.
    assert torch.allclose(field.render(), module()[0].permute(1, 2, 0), atol=1e-6, rtol=0.0)


@pytest.mark.parametrize("name", ["state_dict", "model_state_dict", "model_state", "model", "anything"])
def test_a_checkpoint_with_much_else_in_it(name: str, tmp_path: Path) -> None:
    state, function = PEERS["siren"].make(2, torch.float64)
    optimiser = torch.optim.Adam([torch.nn.Parameter(torch.zeros(2))]).state_dict()
    content = {"epoch": 7, name: state, "optimizer": optimiser, "pred_img": torch.zeros(4, 4, 3), "loss": [0.5]}
    torch.save(content, tmp_path / "outputs_00.pt")
    field = il.read_network(tmp_path / "outputs_00.pt", omega_0=30.0, **PLAIN)
    assert torch.allclose(field(rows()), function(rows()), atol=1e-9, rtol=0.0)


def test_safetensors_of_any_suffix(tmp_path: Path) -> None:
    state, function = PEERS["coin"].make(2, torch.float64)
    for name in ("coin.safetensors", "coin.bin"):
        save_file(state, tmp_path / name)
        field = il.read_network(tmp_path / name, omega_0=30.0, **PLAIN)
        assert torch.allclose(field(rows()), function(rows()), atol=1e-9, rtol=0.0)


@pytest.mark.parametrize("beside", [{"epoch": 5}, {"loss": 0.5, "name": "cat", "best": None}])
def test_plain_values_beside_the_tensors(beside: dict[str, Any], tmp_path: Path) -> None:
    state, function = PEERS["siren"].make(2, torch.float64)
    torch.save({**state, **beside}, tmp_path / "model.pth")
    field = il.read_network(tmp_path / "model.pth", omega_0=30.0, **PLAIN)
    assert torch.allclose(field(rows()), function(rows()), atol=1e-9, rtol=0.0)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("omega_0", "kept"),
    [
        (np.float32(30), 30.0),
        (30, 30.0),
        (torch.tensor(30.0), 30.0),
        (np.array([30.0, 5.0, 5.0]), [30.0, 5.0, 5.0]),
        ([np.float32(30), 5], [30.0, 5.0]),
    ],
)
def test_numbers_of_numpy_and_torch(omega_0: Any, kept: Any) -> None:
    state, _ = PEERS["siren"].make(2, torch.float64)
    spans = {"axes": "xy", "coordinates": (np.float32(-1), 1), "output": (0, 1)}
    field, plain = il.read_network(state, omega_0=omega_0, **spans), il.read_network(state, omega_0=kept, **PLAIN)
    assert field.backbone == plain.backbone
    assert field.origin.notes["imported"]["given"] == {
        **spans,
        "omega_0": kept,
        "coordinates": [-1, 1],
        "output": [0, 1],
    }


@pytest.mark.parametrize("layout", ["wire_wire", "finer_wire"])
def test_a_bell_whose_learned_scale_is_negative(layout: str) -> None:
    state, function = PEERS[layout].make(2, torch.float64)
    state["net.1.scale_0"] = -state["net.1.scale_0"]
    # As the peer computes it, |s z|^2.
    expected, field = function(rows()), il.read_network(state, layout, **PLAIN)
    assert torch.allclose(field(rows()), expected, atol=1e-9, rtol=0.0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2])
def test_half_types_are_widened(dtype: torch.dtype, tmp_path: Path) -> None:
    state, _ = PEERS["coin"].make(2, torch.float64)
    half = {name: tensor.to(dtype) for name, tensor in state.items()}
    torch.save(half, tmp_path / "model.pt")
    field = il.read_network(tmp_path / "model.pt", omega_0=30.0, **PLAIN)
    assert field.dtype == torch.float32
    assert torch.equal(field.encoder.layer(1).weight, half["net.1.linear.weight"].float())


def test_coin_s_coordinates_of_a_picture_that_is_not_square() -> None:
    height, width = 5, 9
    state, function = PEERS["coin"].make(2, torch.float64)
    last = 2 * (width - 1) / (height - 1) - 1
    field = il.read_network(
        state,
        omega_0=30.0,
        axes="yx",
        coordinates=((-1.0, 1.0), (-1.0, last)),
        output=(0.0, 1.0),
        grid=(height, width),
    )
    # As its util.py makes them: both indices over the height less one.
    index = torch.cartesian_prod(torch.arange(height), torch.arange(width)).double()
    picture = function((index / (height - 1) - 0.5) * 2).reshape(height, width, CHANNELS)
    assert torch.allclose(field.render(), picture, atol=1e-9, rtol=0.0)


def test_an_omega_a_unit_goes_into_the_weights() -> None:
    state, _ = PEERS["inr_collection"].make(2, torch.float64)
    omegas = draw((WIDTH,), 5.0, toys.generator(6), torch.float64) + 20.0
    state["net.1.omega_0"] = omegas
    state["net.3.omega_0"] = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    field, h = il.read_network(state, **PLAIN), rows()
    for index in range(3):
        angle = h @ state[f"net.{index}.linear.weight"].T + state[f"net.{index}.linear.bias"]
        h = torch.sin(state[f"net.{index}.omega_0"] * angle)
    out = (h @ state["net.3.linear.weight"].T + state["net.3.linear.bias"]) * state["net.3.omega_0"]
    assert torch.allclose(field(rows()), out, atol=1e-9, rtol=0.0)


def test_a_network_without_biases() -> None:
    state, function = PEERS["siren"].make(2, torch.float64)
    for name in state:
        if name.endswith("bias"):
            state[name].zero_()
    expected = function(rows())
    bare = {name: tensor for name, tensor in state.items() if name.endswith("weight")}
    assert torch.allclose(il.read_network(bare, omega_0=30.0, **PLAIN)(rows()), expected, atol=1e-9, rtol=0.0)


def test_one_signal_s_own_layers_follow_the_shared_ones() -> None:
    paths = [*numbered("encoder.{}", 2, step=2), *numbered("decoder.0.{}", 3, step=2)]
    state, function = chain(paths, [sine(10.0)] * 4)(2, torch.float64)
    field = il.read_network(state, omega_0=10.0, **PLAIN)
    assert (field.depth, field.heads) == (4, 1)
    assert torch.allclose(field(rows()), function(rows()), atol=1e-9, rtol=0.0)


def test_a_new_signal_is_fitted_on_an_imported_cohort_s_layers() -> None:
    state, _ = PEERS["strainer"].make(2, torch.float32)
    cohort = il.read_network(state, omega_0=10.0, grid=toys.GRID, **PLAIN)
    recipe = toys.recipe(None, steps=3)
    moved = il.transfer(cohort, toys.signals(1, toys.GRID)[0], freeze=0, rest="warm", recipe=recipe, seed=0).field
    assert torch.equal(moved.encoder.layer(0).weight, state["encoder.0.weight"])
    assert not torch.equal(moved.encoder.layer(1).weight, state["encoder.2.weight"])


def test_random_frequencies_state_their_size_as_sigma() -> None:
    state, _ = PEERS["alpine_ffn"].make(2, torch.float64)
    field = il.read_network(state, axes="xy", coordinates=(0.0, 1.0), output=(0.0, 1.0))
    root = math.sqrt(float(state["model.0.B"].square().mean()))
    assert field.backbone.sigma == pytest.approx(root / 2)


def test_an_encoding_s_settings_draw_the_same_waves() -> None:
    state, _ = PEERS["wire_posenc"].make(2, torch.float64)
    field = il.read_network(state, "wire_posenc", axes="yx", coordinates=(1.0, 0.0), output=(0.0, 1.0))
    anew = il.Field.new(field.backbone)
    assert field.backbone.first_angle == pytest.approx(math.pi / 2)
    assert field.encoder.encoding is not None
    assert anew.encoder.encoding is not None
    assert torch.allclose(field.encoder.encoding.frequencies.float(), anew.encoder.encoding.frequencies)


def test_the_page_names_every_layout_with_what_must_be_given() -> None:
    page = (DOCS / "importing.md").read_text(encoding="utf-8")
    lines = {line.split("|")[1].strip(" `"): line for line in page.splitlines() if line.startswith("| `")}
    for name, layout in LAYOUTS.items():
        cells = [cell.strip() for cell in lines[name].split("|")[1:-1]]
        assert cells[3].split(",")[0] == layout.backbone
        asked = [word for word in cells[4].split(", ") if word and word != "layout"]
        assert asked == list(layout.asked)
        assert ("layout" in cells[4]) == (name not in (*UNIQUE, "finer_wire", "wire_wire"))
        usual = layout.usual
        wanted = [
            *(getattr(usual, setting) for setting in layout.asked),
            usual.axes.strip("'"),
            usual.output,
        ]
        given = [part.strip() for part in cells[5].split(";") if part.strip()]
        assert given == [text.replace(".0", "") for text in wanted if text]


# -- coordinates that a wrapper keeps ---------------------------------------------------------------------------------

DOWN, ACROSS = 5, 8
SAID: dict[str, Any] = {"omega_0": (30.0, 1.0), "axes": "yx", "coordinates": (-1.0, 1.0), "output": (0.0, 1.0)}


def _wrapped(grid: torch.Tensor) -> dict[str, torch.Tensor]:
    state, _ = PEERS["siren_pytorch"].make(2, torch.float32)
    return {**{f"net.{name}": tensor for name, tensor in state.items()}, "grid": grid}


def _rows(low: float, high: float, first: int, second: int) -> torch.Tensor:
    """What SirenWrapper makes of two sides: the first coordinate stays while the second runs."""
    axes = (torch.linspace(low, high, side) for side in (first, second))
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)


def test_a_stored_grid_that_agrees_with_what_is_said_changes_nothing() -> None:
    plain, _ = PEERS["siren_pytorch"].make(2, torch.float32)
    wanted = il.read_network(plain, **SAID, grid=(DOWN, ACROSS))
    for low, high in ((-1.0, 1.0), (0.0, 1.0), (-2.0, 3.0)):
        said = {**SAID, "coordinates": (low, high)}
        for grid in ((DOWN, ACROSS), None):
            found = il.read_network(_wrapped(_rows(low, high, DOWN, ACROSS)), **said, grid=grid)
            assert found.grid == grid
        assert torch.equal(found.render(grid=wanted.grid), il.read_network(plain, **said).render(grid=wanted.grid))


@pytest.mark.parametrize(
    ("stored", "changed"),
    [
        (torch.flip(_rows(-1.0, 1.0, ACROSS, DOWN), (1,)), {}),
        (_rows(0.0, 1.0, DOWN, ACROSS), {}),
        (_rows(-1.0, 1.0, DOWN, ACROSS), {"axes": "xy"}),
        (_rows(-1.0, 1.0, DOWN, ACROSS), {"coordinates": (0.0, 1.0)}),
        (_rows(-1.0, 1.0, DOWN, ACROSS), {"grid": (ACROSS, DOWN)}),
        (_rows(-1.0, 1.0, DOWN, ACROSS), {"grid": (DOWN, ACROSS + 1)}),
        (_rows(-1.0, 1.0, DOWN, ACROSS)[:, :1], {}),
        (_rows(-1.0, 1.0, DOWN, ACROSS) * math.nan, {}),
    ],
    ids=["columns first", "another range", "axes", "coordinates", "sides", "more points", "one axis", "no numbers"],
)
def test_a_stored_grid_that_contradicts_what_is_said_is_refused(stored: torch.Tensor, changed: dict[str, Any]) -> None:
    with pytest.raises(
        il.InputError, match=r"its tensor 'grid' .* or take the tensor out where it means something else"
    ):
        il.read_network(_wrapped(stored), **{**SAID, "grid": (DOWN, ACROSS), **changed})


# -- what scripts save beside a network -------------------------------------------------------------------------------


def test_numpy_s_numbers_beside_the_tensors_are_read(tmp_path: Path) -> None:
    state, _ = PEERS["siren_pytorch"].make(2, torch.float32)
    numbers = {"psnr": np.float64(30.1), "loss": np.float32(0.5), "step": np.int64(7), "best": np.bool_(True)}
    torch.save({"model_state": state, **numbers}, tmp_path / "a.pt")
    found = il.read_network(tmp_path / "a.pt", **SAID)
    assert torch.equal(found.render(grid=(4, 5)), il.read_network(state, **SAID).render(grid=(4, 5)))


def test_what_is_more_than_a_number_is_named_and_not_read(tmp_path: Path) -> None:
    state, _ = PEERS["siren_pytorch"].make(2, torch.float32)
    torch.save({"model_state": state, "path": tmp_path}, tmp_path / "a.pt")
    with pytest.raises(il.InputError, match=r"a\.pt holds a pathlib[\w.]+, and nothing but tensors and plain values"):
        il.read_network(tmp_path / "a.pt", **SAID)


@pytest.mark.parametrize("prefix", ["layers", "net.layers"])
def test_a_plain_sequential_that_is_called_layers_gets_the_way_to_wrap(prefix: str) -> None:
    module = torch.nn.Sequential(
        *(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    )
    state = {f"{prefix}.{name}": tensor for name, tensor in module.state_dict().items()}
    with pytest.raises(il.InputError, match=r"do not fit any known layout .*: build the network and il\.wrap it"):
        il.read_network(state)
