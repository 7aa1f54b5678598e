"""Backbones beside SIREN and FFMLP: how they start, what they compute, and what of them the ranks speak of."""

import math
import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import command
import inrlens as il
import toys
from inrlens.checkpoints import load_field
from inrlens.container import read_container, write_container
from inrlens.explorer.bundle import write_bundle
from inrlens.explorer.folder import read_manifest
from inrlens.explorer.gather import gather
from inrlens.fields.backbone import backbone_settings
from inrlens.fields.complex_layer import ComplexLayer, LiftedLayer
from inrlens.fields.nonlinearity import GAUSS, RELU, SINE, Nonlinearity, complex_gabor, finer, gabor
from inrlens.fitting.engine import Engine
from inrlens.fitting.fit_fields import Job, fit_fields
from inrlens.ranks.stable_rank import singular_values
from inrlens.studies.run_folder import write_fit_run

WAVES: dict[str, Nonlinearity] = {
    "gauss": GAUSS,
    "finer": finer(7.0),
    "gabor": gabor(0.6),
    "sine": SINE,
    "relu": RELU,
}
"""Every nonlinearity that states its derivative."""
GRID = (24, 30)


def _fills(values: torch.Tensor, bound: float) -> None:
    """Values that fill U(-bound, bound): none beyond, the edge nearly reached, the right spread, no lean."""
    values, n = values.detach(), values.numel()
    assert float(values.abs().max()) <= bound
    if bound == 0.0:
        return
    if n >= 200:
        # Each bound is passed in one of 1e8 draws, or six standard deviations away.
        assert float(values.abs().max()) >= math.exp(-18.0 / n) * bound
        assert float(values.std()) == pytest.approx(bound / math.sqrt(3.0), rel=6.0 * math.sqrt(0.2 / n))
        assert abs(float(values.mean())) < 6.0 * bound / math.sqrt(3.0 * n)


# -- the start -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backbone", "expected"),
    [
        ("gauss", (2 * 256 + 256) + 4 * (256 * 256 + 256) + (30 * 256 + 30)),
        ("finer", (2 * 256 + 256) + 4 * (256 * 256 + 256) + (30 * 256 + 30)),
        ("wire_real", (2 * 256 + 256) + 4 * (256 * 256 + 256) + (30 * 256 + 30)),
        ("relu", (2 * 256 + 256) + 4 * (256 * 256 + 256) + (30 * 256 + 30)),
        ("posenc", (40 * 256 + 256) + 4 * (256 * 256 + 256) + (30 * 256 + 30)),
        # A complex number counts as two; the imaginary parts of the head's biases reach no output and are not kept.
        ("wire", (2 * 181 + 181) + 4 * 2 * (181 * 181 + 181) + (30 * 2 * 181 + 30)),
    ],
)
def test_the_number_of_trained_parameters_at_full_size(backbone: str, expected: int) -> None:
    field = il.Field.new(backbone, heads=10, channels=3)
    assert sum(parameter.numel() for parameter in field.parameters()) == expected


@pytest.mark.parametrize(
    ("law", "weight", "bias"),
    [
        ("torch", lambda d_in, d_out: d_in**-0.5, lambda d_in: d_in**-0.5),
        ("he", lambda d_in, d_out: (6.0 / d_in) ** 0.5, lambda d_in: 0.0),
        ("glorot", lambda d_in, d_out: (6.0 / (d_in + d_out)) ** 0.5, lambda d_in: 0.0),
    ],
)
def test_ffmlp_starts_by_the_law_that_is_named(
    law: str, weight: Callable[[int, int], float], bias: Callable[[int], float]
) -> None:
    field = il.Field.new("ffmlp", heads=10, initialisation=law)
    for part in (*(field.encoder.layer(index) for index in range(5)), field.head):
        d_out, d_in = part.weight.shape
        _fills(part.weight, weight(d_in, d_out))
        _fills(part.bias, bias(d_in))


def test_ffmlp_without_two_pi_counts_radians() -> None:
    cycles, radians = (
        il.Field.new("ffmlp", seed=4, two_pi=two_pi).encoder.encoding.state_dict()["frequencies"]  # type: ignore[union-attr]
        for two_pi in (True, False)
    )
    torch.testing.assert_close(radians * 2.0 * math.pi, cycles)
    x = torch.rand(5, 2, generator=toys.generator(1))
    angle = x @ cycles.T
    features = il.Field.new("ffmlp", seed=4, two_pi=False).encoder.run(x, 0, 0)
    torch.testing.assert_close(features, torch.cat([angle.sin(), angle.cos()], 1), rtol=0.0, atol=1e-4)


@pytest.mark.parametrize("law", ["torch", "weights", "zero"])
def test_siren_s_biases_start_by_the_law_that_is_named(law: str) -> None:
    field = il.Field.new("siren", heads=10, bias=law, omega_0=30.0)
    for index, part in enumerate((*(field.encoder.layer(index) for index in range(5)), field.head)):
        d_in = part.weight.shape[1]
        weights = 1.0 / d_in if index == 0 else math.sqrt(6.0 / d_in) / 30.0
        _fills(part.weight, weights)
        _fills(part.bias, {"torch": 1.0 / math.sqrt(d_in), "weights": weights, "zero": 0.0}[law])


@pytest.mark.parametrize(
    ("backbone", "settings", "sentence"),
    [
        ("ffmlp", {"initialisation": "xavier"}, "ffmlp: initialisation must be one of torch, he, glorot, not 'xavier'"),
        ("ffmlp", {"initialisation": 3}, "ffmlp: initialisation must be a text, not 3"),
        ("ffmlp", {"two_pi": 1}, "ffmlp: two_pi must be True or False, not 1"),
        ("siren", {"bias": "none"}, "siren: bias must be one of torch, weights, zero, not 'none'"),
    ],
)
def test_laws_that_are_not_known_are_refused(backbone: str, settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(il.InputError, match=sentence):
        il.make_backbone(backbone, **settings)


@pytest.mark.parametrize("backbone", ["gauss", "wire_real", "posenc", "relu"])
def test_what_torch_starts_fills_the_bounds_of_torch(backbone: str) -> None:
    field = il.Field.new(backbone, heads=10, channels=3)
    for index in range(5):
        layer = field.encoder.layer(index)
        d_in = (40 if backbone == "posenc" else 2) if index == 0 else 256
        assert layer.weight.shape == (256, d_in)
        assert layer.scale == {"gauss": 30.0, "wire_real": 20.0}.get(backbone, 1.0)
        _fills(layer.weight, 1 / math.sqrt(d_in))
        _fills(layer.bias, 1 / math.sqrt(d_in))
    _fills(field.head.weight, 1 / math.sqrt(256))
    _fills(field.head.bias, 1 / math.sqrt(256))


@pytest.mark.parametrize("first_bias", [None, 5.0])
def test_finer_starts_as_siren_but_for_its_first_biases(first_bias: float | None) -> None:
    omegas = (50.0, 20.0, 30.0, 30.0, 10.0)
    field = il.Field.new("finer", heads=10, channels=3, omega_0=omegas, first_bias=first_bias)
    for index, omega in enumerate(omegas):
        layer = field.encoder.layer(index)
        d_in = 2 if index == 0 else 256
        assert (layer.scale, layer.nonlinearity.name) == (omega, "finer")
        _fills(layer.weight, 1 / 2 if index == 0 else math.sqrt(6 / 256) / omega)
        _fills(layer.bias, first_bias if first_bias and index == 0 else 1 / math.sqrt(d_in))
    _fills(field.head.weight, math.sqrt(6 / 256) / omegas[-1])
    _fills(field.head.bias, 1 / math.sqrt(256))


def test_wire_starts_as_torch_starts_complex_layers() -> None:
    field = il.Field.new("wire", heads=10, channels=3)
    bound = 1 / math.sqrt(181)
    theirs = nn.Linear(181, 181, dtype=torch.complex64)
    for part in (theirs.weight.real, theirs.weight.imag):
        _fills(part, bound)
    first = field.encoder.layer(0)
    assert isinstance(first, LiftedLayer)
    _fills(first.real, 1 / math.sqrt(2))
    _fills(first.real_bias, 1 / math.sqrt(2))
    for index in range(1, 5):
        layer = field.encoder.layer(index)
        assert isinstance(layer, ComplexLayer)
        for part in (layer.real, layer.imaginary, layer.bias):
            _fills(part, bound)
        parts = torch.stack([layer.real.detach().flatten(), layer.imaginary.detach().flatten()])
        assert abs(float(torch.corrcoef(parts)[0, 1])) < 0.05
    _fills(field.head.weight, bound)
    _fills(field.head.bias, bound)
    assert field.encoder.width == 362


def _first_two(backbone: str, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    field = il.Field.new(backbone, grid=GRID, width=width, depth=2)
    with torch.no_grad():
        first, second = field.encoder.activations(field.grid_coordinates())
    return first, second


def test_activations_of_gaussian_and_gabor_networks_lie_under_their_bells_at_the_start() -> None:
    """A layer's first activations against the same function of draws made here: mean and share near 0."""
    draws = toys.generator(4)
    x = il.coordinates(GRID)
    weight, bias = ((torch.rand(4000, size, generator=draws) * 2 - 1) / math.sqrt(2) for size in (2, 1))
    u = x @ weight.T + bias.T
    laws = {
        "gauss": torch.exp(-((30 * u) ** 2)),
        "wire_real": torch.cos(20 * u) * torch.exp(-((10 * u) ** 2)),
    }
    for backbone, expected in laws.items():
        first, second = _first_two(backbone, width=1000)
        assert float(first.mean()) == pytest.approx(float(expected.mean()), abs=0.02)
        assert float((first.abs() < 1e-3).float().mean()) == pytest.approx(
            float((expected.abs() < 1e-3).float().mean()), abs=0.05
        )
        assert float(second.abs().max()) <= 1.0 + 1e-6
        assert float(second.std()) > 0.05
    first, second = _first_two("wire", width=2000)
    size = torch.sqrt(first[:, :1000] ** 2 + first[:, 1000:] ** 2)
    expected = torch.exp(-((10 * u) ** 2))
    assert float(size.mean()) == pytest.approx(float(expected.mean()), abs=0.02)
    # The largest modulus of the wavelet is exp(omega^2 / (4 s^2)), at -i omega / (2 s^2).
    assert float(torch.hypot(second[:, :1000], second[:, 1000:]).max()) <= math.exp(20**2 / (4 * 10**2)) + 1e-5


def test_finer_reaches_higher_frequencies_than_siren_from_the_same_weights() -> None:
    """Liu et al.: a wider first bias reaches faster parts of the wave; activations stay within those of a sine."""
    fields = {
        "siren": il.Field.new("siren", grid=GRID, omega_0=10.0),
        "finer": il.Field.new("finer", grid=GRID, omega_0=10.0),
        "wide": il.Field.new("finer", grid=GRID, omega_0=10.0, first_bias=5.0),
    }
    same = fields["finer"].encoder.layer(0).weight
    assert all(torch.equal(field.encoder.layer(0).weight, same) for field in fields.values())
    swing = {}
    for name, field in fields.items():
        with torch.no_grad():
            first, *later = (h.reshape(24, 30, -1) for h in field.encoder.activations(field.grid_coordinates()))
        assert all(0.3 < float(h.std()) < 0.75 for h in (first, *later))
        swing[name] = float((first[:, 1:] - first[:, :-1]).abs().mean())
    assert swing["siren"] < swing["finer"] < swing["wide"]


def test_the_encoding_of_positions_is_sines_then_cosines_of_doubling_frequency() -> None:
    field = toys.field("posenc", frequencies=4).double()
    x = field.grid_coordinates()
    angles = [2.0**j * math.pi * x[:, axis] for axis in range(2) for j in range(4)]
    expected = torch.stack([a.sin() for a in angles] + [a.cos() for a in angles], dim=1)
    torch.testing.assert_close(field.encoder.run(x, 0, 0), expected, rtol=0, atol=1e-12)
    three = toys.field("posenc", coordinates=3, grid=(3, 4, 5), frequencies=2)
    assert three.encoder.encoding is not None
    assert three.encoder.encoding.frequencies.tolist() == [
        [0.5, 0.0, 0.0],
        [1.0, 0.0, 0.0],
        [0.0, 0.5, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 0.5],
        [0.0, 0.0, 1.0],
    ]


# -- what they compute -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backbone", ["gauss", "finer", "wire_real", "posenc", "relu"])
def test_real_networks_equal_their_papers_equations(backbone: str) -> None:
    laws = {
        "gauss": lambda u: torch.exp(-((3.0 * u) ** 2)),
        "finer": lambda u: torch.sin(5.0 * (u.abs() + 1) * u),
        "wire_real": lambda u: torch.cos(4.0 * u) * torch.exp(-((2.0 * u) ** 2)),
        "posenc": lambda u: u.clamp_min(0.0),
        "relu": lambda u: u.clamp_min(0.0),
    }
    field = toys.field(backbone).double()
    x = field.grid_coordinates()
    h = x
    if backbone == "posenc":
        angles = [2.0**j * math.pi * x[:, axis] for axis in range(2) for j in range(3)]
        h = torch.stack([a.sin() for a in angles] + [a.cos() for a in angles], dim=1)
    for index in range(4):
        layer = field.encoder.layer(index)
        h = laws[backbone](nn.functional.linear(h, layer.weight, layer.bias))
        torch.testing.assert_close(field.encoder.activations(x)[index], h, rtol=0, atol=1e-12)
    out = nn.functional.linear(h, field.head.weight, field.head.bias)
    torch.testing.assert_close(field(x), out, rtol=0, atol=1e-12)


def _complex_wire(
    field: il.Field, x: torch.Tensor, omega: float, scale: float
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Activations and output in complex arithmetic, after Saragadam et al. 2023."""
    first, *rest = (field.encoder.layer(index) for index in range(field.depth))
    z = nn.functional.linear(x, first.real, first.real_bias).to(torch.complex128)
    h = torch.exp(1j * omega * z - (scale * z).abs() ** 2)
    found = [h]
    for layer in rest:
        d = len(layer.real)
        z = h @ torch.complex(layer.real, layer.imaginary).T + torch.complex(layer.bias[:d], layer.bias[d:])
        h = torch.exp(1j * omega * z - (scale * z).abs() ** 2)
        found.append(h)
    d = h.shape[1]
    head = torch.complex(field.head.weight[:, :d], -field.head.weight[:, d:])
    return found, (h @ head.T).real + field.head.bias


@pytest.mark.parametrize(("omega", "scale"), [(4.0, 2.0), (20.0, 10.0), (3.0, 7.0)])
def test_wire_equals_complex_arithmetic(omega: float, scale: float) -> None:
    field = toys.field("wire", omega_0=omega, scale=scale).double()
    x = field.grid_coordinates()
    activations, out = _complex_wire(field, x, omega, scale)
    for found, expected in zip(field.encoder.activations(x), activations, strict=True):
        torch.testing.assert_close(found, torch.cat([expected.real, expected.imag], dim=1), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(field(x), out, rtol=1e-9, atol=1e-9)
    assert not field.encoder.preactivations(x)[0][:, 8:].any()


def test_the_gradient_of_wire_is_that_of_complex_arithmetic() -> None:
    field = toys.field("wire").double()
    x = field.grid_coordinates()
    targets = torch.cat([signal.values for signal in toys.signals(2)], 1).double()
    found = torch.autograd.grad((field(x) - targets).square().mean(), list(field.parameters()))
    expected = torch.autograd.grad(
        (_complex_wire(field, x, 4.0, 2.0)[1] - targets).square().mean(), list(field.parameters())
    )
    for one, two in zip(found, expected, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", WAVES)
def test_written_out_values_and_derivatives_equal_autograd(name: str, dtype: torch.dtype) -> None:
    wave = WAVES[name]
    near = 1e-12 if dtype == torch.float64 else 3e-6
    v = torch.cat([torch.linspace(-9, 9, 401, dtype=dtype), torch.tensor([0.0, -0.0, 1e-30, 300.0], dtype=dtype)])
    leaf = v.clone().requires_grad_()
    value = wave.value(leaf, None)
    grad = torch.randn(len(v), generator=toys.generator(), dtype=dtype)
    (expected,) = torch.autograd.grad(value, leaf, grad)
    in_place = v.clone()
    for source, out in ((v.clone(), torch.full_like(v, torch.nan)), (in_place, in_place)):
        assert wave.value(source, out) is out
        torch.testing.assert_close(out, value.detach(), rtol=near, atol=near)
    assert wave.pull_back is not None
    h = value.detach().clone()
    found = grad.clone()
    wave.pull_back(found, v.clone() if wave.keeps == "input" else h, h)
    # The phase of a wave at 300 is uncertain by its rounding, and its slope is large.
    torch.testing.assert_close(found[:-1], expected[:-1], rtol=10 * near, atol=10 * near)


@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-12), (torch.float32, 3e-6)])
def test_the_written_out_complex_wavelet_equals_autograd(dtype: torch.dtype, near: float) -> None:
    wave = complex_gabor(0.5)
    v = 3.0 * torch.randn(40, 2 * 7, generator=toys.generator(), dtype=dtype)
    v[0], v[1, 7:] = 0.0, 0.0
    leaf = v.clone().requires_grad_()
    value = wave.value(leaf, None)
    grad = torch.randn(v.shape, generator=toys.generator(1), dtype=dtype)
    (expected,) = torch.autograd.grad(value, leaf, grad)
    out = torch.full_like(v, torch.nan)
    in_place = v.clone()
    for source, into in ((v, out), (in_place, in_place)):
        assert wave.value(source, into) is into
        torch.testing.assert_close(into, value.detach(), rtol=near, atol=near)
    assert wave.pull_back is not None
    found = grad.clone()
    wave.pull_back(found, v.clone(), out.clone())
    torch.testing.assert_close(found, expected, rtol=10 * near, atol=10 * near)


@pytest.mark.parametrize("wave", [*WAVES.values(), complex_gabor(0.5)], ids=lambda wave: wave.name)
def test_nonlinearities_can_be_sent_to_another_process(wave: Nonlinearity) -> None:
    v = torch.linspace(-1, 1, 8)
    assert torch.equal(pickle.loads(pickle.dumps(wave)).value(v, None), wave.value(v, None))


def test_the_engine_takes_its_fast_path_where_a_derivative_is_stated(backbone: str) -> None:
    field = toys.field(backbone)
    assert Engine([field.encoder.trained(0)], [field.head], 3).stack.is_written_out


# -- what stands for W, and what a file says ---------------------------------------------------------------------------


def test_the_stable_rank_of_a_complex_layer_is_that_of_its_complex_matrix() -> None:
    field = toys.field("wire")
    ranks = il.weight_stable_ranks(field)
    for index in range(1, 4):
        layer = field.encoder.layer(index)
        assert isinstance(layer, ComplexLayer)
        matrix = (layer.real + 1j * layer.imaginary).detach().numpy()
        values = np.linalg.svd(matrix, compute_uv=False)
        assert ranks[index] == pytest.approx((values**2).sum() / values[0] ** 2, rel=1e-6)
        # The real block matrix has each singular value twice, and so twice the stable rank.
        assert singular_values(layer.weight).tolist() == pytest.approx(np.repeat(values, 2).tolist(), rel=1e-5)
        assert il.stable_rank(layer.weight) == pytest.approx(2 * ranks[index], rel=1e-6)
    first = field.encoder.layer(0)
    assert ranks[0] == pytest.approx(il.stable_rank(first.weight), rel=1e-6)
    unitary = torch.linalg.qr(torch.randn(6, 6, generator=toys.generator(), dtype=torch.complex64)).Q
    assert il.stable_rank(unitary) == pytest.approx(6.0, rel=1e-5)


def test_a_field_of_every_backbone_is_fitted_saved_and_loaded(backbone: str, tmp_path: Path) -> None:
    """Steps so short that each of them lowers the loss, by as much as its slope says."""
    recipe = toys.recipe(backbone, steps=6, record_every=1, learning_rate=1e-4, schedule="exponential")
    fitted = il.fit(toys.signal(), recipe, seed=1)
    losses = [row.loss for row in fitted.history]
    assert losses == sorted(set(losses), reverse=True)
    il.save(fitted.field, tmp_path / "a.safetensors")
    found = load_field(tmp_path / "a.safetensors")
    assert found.backbone == fitted.field.backbone
    assert torch.equal(found.render(), fitted.field.render())


@pytest.mark.few_backbones
def test_every_backbone_goes_the_whole_way_on_bundled_photographs(backbone: str, tmp_path: Path) -> None:
    photos = il.bundled_photos(size=(12, 15))[:4]
    cohort = il.fit_cohort(photos[:3], toys.recipe(backbone, steps=3), seed=3).field
    advice = il.freeze_advice(cohort)
    assert 0 <= advice.tau < 4
    assert all(1.0 <= rank <= 16.0 for rank in advice.weight_stable_rank)
    recipe = toys.recipe(None, steps=2)
    for tau in (None, 0, 1, 2, 3, "auto"):
        assert math.isfinite(il.transfer(cohort, photos[3], freeze=tau, recipe=recipe, seed=4).psnr)
    sae = il.train_sae(cohort, 1, n_atoms=24, k=4, steps=5, batch=64, seed=5).sae
    atlas = il.effects(cohort, sae, il.encode(cohort, sae), head=1)
    assert atlas.delta.shape == (180, 4, 3)
    assert bool(torch.isfinite(atlas.delta).all())
    il.save(cohort, tmp_path / "cohort.safetensors")
    assert torch.equal(load_field(tmp_path / "cohort.safetensors").render(2), cohort.render(2))


def test_a_file_that_promises_more_complex_units_than_it_holds(tmp_path: Path) -> None:
    il.save(toys.field("wire"), tmp_path / "a.safetensors")
    container = read_container(tmp_path / "a.safetensors")
    container.description["architecture"]["settings"]["width"] = 14
    write_container(tmp_path / "b.safetensors", container)
    with pytest.raises(il.InputError, match=r"'head\.weight' "):
        load_field(tmp_path / "b.safetensors")


@pytest.mark.parametrize(
    ("backbone", "settings", "message"),
    [
        ("gauss", {"scale": 0.0}, "gauss: scale must be one positive number, or 5 of them, not 0.0"),
        ("gauss", {"width": 0}, "gauss: width must be at least 1, not 0"),
        ("finer", {"omega_0": (30.0, 20.0)}, r"finer: omega_0 .* or 5 of them, not \(30.0, 20.0\)"),
        ("finer", {"first_bias": -1.0}, "finer: first_bias must be a positive number or None, not -1.0"),
        ("wire", {"width": 181}, "wire: width counts two real units for each complex one: it is even, not 181"),
        ("wire", {"omega_0": math.inf}, "wire: omega_0 must be one positive number, or 5 of them, not inf"),
        ("wire_real", {"scale": math.nan}, "wire_real: scale must be one positive number, or 5 of them, not nan"),
        ("posenc", {"frequencies": 25}, "posenc: frequencies must be at most 24, the binary digits of a coordinate"),
        ("posenc", {"frequencies": 0}, "posenc: frequencies must be at least 1, not 0"),
        ("relu", {"depth": 0}, "relu: depth must be at least 1, not 0"),
        ("gauss", {"width": 3.5}, "gauss: width must be a whole number, not 3.5"),
        ("gauss", {"width": "a"}, "gauss: width must be a whole number, not 'a'"),
        ("gauss", {"scale": None}, "gauss: scale must be a number, or one a layer, not None"),
        ("siren", {"omega_0": "30"}, "siren: omega_0 must be a number, or one a layer, not '30'"),
        ("finer", {"first_bias": "5"}, "finer: first_bias must be a number or None, not '5'"),
        ("ffmlp", {"sigma": "10"}, "ffmlp: sigma must be a number, not '10'"),
        ("hashgrid", {"levels": 16.0}, "hashgrid: levels must be a whole number, not 16.0"),
        ("hashgrid", {"levels": True}, "hashgrid: levels must be a whole number, not True"),
        ("posenc", {"bare": 3}, "posenc: bare must be True or False, not 3"),
    ],
)
def test_settings_that_are_not_allowed(backbone: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(il.InputError, match=message):
        il.Field.new(backbone, **settings)


def test_settings_of_numpy_are_saved_as_plain_numbers(tmp_path: Path) -> None:
    field = il.Field.new("gauss", width=np.int64(8), depth=2, scale=[np.float32(3.5), 2.0])
    il.save(field, tmp_path / "field.safetensors")
    assert load_field(tmp_path / "field.safetensors").backbone == field.backbone
    assert backbone_settings(field.backbone) == {
        "coordinates": 2,
        "width": 8,
        "depth": 2,
        "scale": [3.5, 2.0],
        "coordinate_range": [-1.0, 1.0],
    }


# -- recipes ---------------------------------------------------------------------------------------------------------


def test_published_recipes_are_those_of_the_public_scripts() -> None:
    rates = {"gauss": 5e-3, "finer": 5e-4, "wire": 5e-3, "wire_real": 5e-3, "posenc": 1e-3, "relu": 1e-3}
    for backbone, rate in rates.items():
        for make, steps in ((il.recipes.single, 5000), (il.recipes.cohort, 5000), (il.recipes.transfer, 500)):
            recipe = make(backbone)
            assert (recipe.steps, recipe.learning_rate, recipe.schedule) == (steps, rate, "exponential")
            assert (recipe.optimizer, recipe.batch, recipe.stop_psnr) == ("adam", None, None)
        network = il.recipes.single(backbone).backbone
        assert network is not None
        assert (network.depth, network.width) == (4, 362 if backbone == "wire" else 256)


def test_the_hash_grid_takes_the_numbers_of_its_paper() -> None:
    for make, steps in ((il.recipes.single, 1000), (il.recipes.cohort, 1000), (il.recipes.transfer, 500)):
        recipe = make("hashgrid")
        assert (recipe.steps, recipe.learning_rate, recipe.adam_beta2, recipe.adam_eps) == (steps, 1e-2, 0.99, 1e-15)
        assert (recipe.optimizer, recipe.batch, recipe.schedule) == ("adam", None, "constant")
    assert il.recipes.single("hashgrid").backbone == il.make_backbone(
        "hashgrid", levels=16, features=2, log2_table=14, coarsest=16, finest=256, width=64, depth=2
    )


def test_an_exponential_schedule_is_the_lambda_of_the_public_scripts() -> None:
    """In float64: Adam divides by a gradient's size, and so makes much of a small one's rounding."""
    recipe = toys.recipe("gauss", steps=10, schedule="exponential")
    field, oracle = (toys.field("gauss", heads=1, seed=2).double() for _ in range(2))
    fit_fields([field], [[toys.signal()]], Job(recipe, "single"))
    optimizer = torch.optim.Adam(oracle.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.1 ** min(step / 10, 1))
    x = oracle.grid_coordinates()
    for _ in range(10):
        optimizer.zero_grad()
        (oracle(x) - toys.signal().values.double()).square().mean().backward()
        optimizer.step()
        schedule.step()
    for name, value in oracle.state_dict().items():
        torch.testing.assert_close(field.state_dict()[name], value, rtol=0, atol=1e-9, msg=name)


def test_the_help_names_every_backbone() -> None:
    page = " ".join(command.run("fit", "--help").out.replace("│", " ").split())
    for name in il.backbone_names():
        assert re.search(rf"\b{name}\b", page), name


def test_posenc_with_bare_coordinates_is_what_public_codes_compute() -> None:
    """``sin(2^j x)`` and ``cos(2^j x)`` without pi, and x itself, as features of a ReLU network."""
    field = il.Field.new("posenc", width=8, depth=1, frequencies=3, first_angle=1.0, bare=True, seed=4).double()
    x = torch.rand(40, 2, generator=toys.generator(1), dtype=torch.float64) * 2 - 1
    waves = [wave(2.0**j * x[:, axis]) for wave in (torch.sin, torch.cos) for axis in range(2) for j in range(3)]
    features = torch.cat([torch.stack(waves, dim=1), x], dim=1)
    layer = field.encoder.layer(0)
    assert layer.weight.shape == (8, 14)
    expected = torch.relu(features @ layer.weight.T + layer.bias)
    # A stored float32 frequency of 1 / (2 pi) is off by its rounding.
    assert torch.allclose(field.encoder(x), expected, atol=1e-6, rtol=0.0)
    with pytest.raises(il.InputError, match="posenc: first_angle must be a positive number, not 0"):
        il.make_backbone("posenc", first_angle=0.0)


def test_posenc_with_bare_coordinates_is_fitted_kept_and_explored_without_computing(tmp_path: Path) -> None:
    network = il.make_backbone("posenc", **toys.SMALL["posenc"], bare=True)
    signals = toys.signals(2, (12, 15))
    recipe = replace(toys.recipe("posenc", steps=5), backbone=network)
    cohort = il.fit_cohort(signals, recipe, seed=1)
    il.save(cohort.field, tmp_path / "field.safetensors")
    assert torch.equal(load_field(tmp_path / "field.safetensors").render(1), cohort.field.render(1))
    (tmp_path / "run").mkdir()
    write_fit_run(tmp_path / "run", cohort, signals)
    write_bundle(gather([tmp_path / "run"]), tmp_path / "explorer")
    (network_entry,) = read_manifest(tmp_path / "explorer")["networks"]
    # The page knows no encoding of that name, and computes nothing with it.
    assert network_entry["encoding"] == {"kind": "fourier beside the coordinates", "frequencies": None}
