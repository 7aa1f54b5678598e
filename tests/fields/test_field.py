"""Encoders, heads and backbones: what they compute and how they start."""

import math

import pytest
import torch
from hypothesis import given, strategies as st

import inrlens as il
import toys
from inrlens.fields.backbone import backbone_settings
from inrlens.fields.field import EVALUATION_TILE, Origin


def _uniform_within(values: torch.Tensor, bound: float) -> None:
    """Values that fill U(-bound, bound): none beyond, the edge nearly reached, the right spread, no lean."""
    values, n = values.detach(), values.numel()
    assert float(values.abs().max()) <= bound
    if n >= 200:
        # Each bound is passed in one of 1e8 draws, or six standard deviations away.
        assert float(values.abs().max()) >= math.exp(-18.0 / n) * bound
        assert float(values.std()) == pytest.approx(bound / math.sqrt(3.0), rel=6.0 * math.sqrt(0.2 / n))
        assert abs(float(values.mean())) < 6.0 * bound / math.sqrt(3.0 * n)


# -- the start -------------------------------------------------------------------------------------------------------


def test_siren_starts_as_its_authors_code_does() -> None:
    omegas = (50.0, 20.0, 30.0, 30.0, 10.0)
    field = il.Field.new("siren", heads=10, channels=3, omega_0=omegas)
    for index, omega in enumerate(omegas):
        layer = field.encoder.layer(index)
        d_in = 2 if index == 0 else 256
        assert layer.weight.shape == (256, d_in)
        assert layer.scale == omega
        assert layer.nonlinearity.name == "sine"
        _uniform_within(layer.weight, 1 / 2 if index == 0 else math.sqrt(6 / 256) / omega)
        _uniform_within(layer.bias, 1 / math.sqrt(d_in))
    _uniform_within(field.head.weight, math.sqrt(6 / 256) / omegas[-1])
    _uniform_within(field.head.bias, 1 / math.sqrt(256))
    assert field.encoder.encoding is None


def test_ffmlp_starts_as_torch_does_behind_normal_frequencies() -> None:
    field = il.Field.new("ffmlp", heads=10, channels=3, sigma=20.0)
    assert field.encoder.encoding is not None
    frequencies = field.encoder.encoding.frequencies
    assert frequencies.shape == (256, 2)
    # Six standard deviations of 512 draws' own deviation and mean.
    assert float(frequencies.std()) == pytest.approx(20.0, rel=6.0 / math.sqrt(2 * 512))
    assert abs(float(frequencies.mean())) < 6.0 * 20.0 / math.sqrt(512)
    assert not frequencies.requires_grad
    for index in range(5):
        layer = field.encoder.layer(index)
        d_in = 512 if index == 0 else 256
        assert layer.weight.shape == (256, d_in)
        assert (layer.scale, layer.nonlinearity.name) == (1.0, "relu")
        _uniform_within(layer.weight, 1 / math.sqrt(d_in))
        _uniform_within(layer.bias, 1 / math.sqrt(d_in))
    _uniform_within(field.head.weight, 1 / math.sqrt(256))


@pytest.mark.parametrize(
    ("backbone", "expected"),
    [
        ("siren", (2 * 256 + 256) + 4 * (256 * 256 + 256) + (30 * 256 + 30)),
        ("ffmlp", (512 * 256 + 256) + 4 * (256 * 256 + 256) + (30 * 256 + 30)),
    ],
)
def test_the_number_of_trained_parameters_at_full_size(backbone: str, expected: int) -> None:
    field = il.Field.new(backbone, heads=10, channels=3)
    assert sum(parameter.numel() for parameter in field.parameters()) == expected


def test_the_variance_of_a_full_siren_is_kept_from_layer_to_layer() -> None:
    """What the initialisation is for (Sitzmann et al., supplement 1.5): arcsine laws, standard deviation 0.7."""
    field = il.Field.new("siren", grid=(40, 30))
    for h in field.encoder.activations(field.grid_coordinates())[1:]:
        assert float(h.detach().std()) == pytest.approx(math.sqrt(0.5), abs=0.12)


def test_the_seed_decides_the_start(backbone: str) -> None:
    one, same, other = (toys.drawn(backbone, seed=seed) for seed in (1, 1, 2))
    for name, value in one.state_dict().items():
        assert torch.equal(value, same.state_dict()[name]), name
        if (backbone, name) == ("posenc", "encoder.encoding.frequencies"):
            continue  # the encoding is one and the same for every seed
        assert not torch.equal(value, other.state_dict()[name]), name
    again = il.initial_field(one)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in one.state_dict().items())
    assert again.grid == one.grid


def test_the_initial_field_of_a_fit_is_where_it_started(cohort: il.Field) -> None:
    start = il.initial_field(cohort)
    expected = il.Field.new(cohort.backbone, heads=3, channels=3, seed=3)
    assert all(torch.equal(value, expected.state_dict()[name]) for name, value in start.state_dict().items())
    moved = toys.field()
    moved.origin = Origin(kind="transfer")
    with pytest.raises(il.InputError, match="started from a cohort, which its seed alone cannot draw again"):
        il.initial_field(moved)


# -- what they compute -----------------------------------------------------------------------------------------------


def test_siren_equals_its_formula() -> None:
    field = toys.field("siren", omega_0=(20.0, 5.0, 30.0, 10.0)).double()
    x = field.grid_coordinates()
    h = x
    for index, omega in enumerate((20.0, 5.0, 30.0, 10.0)):
        layer = field.encoder.layer(index)
        u = h @ layer.weight.T + layer.bias
        torch.testing.assert_close(field.encoder.preactivations(x)[index], u)
        h = (omega * u).sin()
        torch.testing.assert_close(field.encoder.activations(x)[index], h)
        assert float(h.detach().abs().max()) <= 1.0
    torch.testing.assert_close(field(x), h @ field.head.weight.T + field.head.bias)


def test_ffmlp_equals_its_formula_with_sines_first_and_two_pi() -> None:
    field = toys.field("ffmlp").double()
    x = field.grid_coordinates()
    assert field.encoder.encoding is not None
    frequencies = field.encoder.encoding.frequencies
    angle = 2.0 * math.pi * x @ frequencies.T
    h = torch.cat([angle.sin(), angle.cos()], dim=1)
    torch.testing.assert_close(field.encoder.run(x, 0, 0), h)
    for index in range(field.depth):
        layer = field.encoder.layer(index)
        u = h @ layer.weight.T + layer.bias
        torch.testing.assert_close(field.encoder.preactivations(x)[index], u)
        h = u.clamp_min(0.0)
        torch.testing.assert_close(field.encoder.activations(x)[index], h)
        assert float(h.detach().min()) >= 0.0
    torch.testing.assert_close(field(x), h @ field.head.weight.T + field.head.bias)


@given(st.sampled_from(il.backbone_names()), st.integers(0, 4), st.integers(0, 4))
def test_running_in_two_pieces_is_running_at_once(backbone: str, first: int, second: int) -> None:
    start, stop = sorted((first, second))
    encoder = toys.field(backbone).encoder
    x = il.coordinates(toys.GRID)
    whole = encoder(x)
    h = encoder.run(x, 0, start)
    if start > 0:
        assert torch.equal(h, encoder.activations(x)[start - 1])
        h = encoder.run(h, start, stop)
        h = encoder.run(h, stop, None)
        assert torch.equal(h, whole)
    assert torch.equal(encoder.run(x, 0, None), whole)


def test_any_rows_in_any_order_give_the_same_values(backbone: str) -> None:
    field = toys.field(backbone).double()
    x = field.grid_coordinates()
    order = torch.randperm(len(x), generator=toys.generator())
    torch.testing.assert_close(field(x[order]), field(x)[order], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(torch.cat([field(row[None]) for row in x]), field(x), rtol=1e-12, atol=1e-12)


def test_heads_as_one_product_equal_separate_heads(backbone: str) -> None:
    field = toys.field(backbone, heads=3, channels=2)
    x = field.grid_coordinates()
    h = field.encoder(x)
    for head in range(3):
        columns = field.columns(head)
        assert columns == slice(2 * head, 2 * head + 2)
        alone = h @ field.head.weight[columns].T + field.head.bias[columns]
        torch.testing.assert_close(field(x)[:, columns], alone)
        torch.testing.assert_close(field.render(head), alone.reshape(9, 7, 2))
    assert field.heads == 3
    assert field.encoder.width == 16


def test_a_hand_built_field_draws_a_non_square_picture_the_right_way_round() -> None:
    """One ReLU unit that is x where x > 0: the right half brightens towards the right, and no row differs."""
    field = il.Field.new("siren", heads=1, channels=1, width=2, depth=1, omega_0=1.0)
    with torch.no_grad():
        field.encoder.layer(0).weight.copy_(torch.tensor([[1e-3, 0.0], [0.0, 1e-3]]))
        field.encoder.layer(0).bias.zero_()
        field.head.weight.copy_(torch.tensor([[1e3, 10e3]]))
        field.head.bias.zero_()
    picture = field.render(grid=(5, 9))[:, :, 0]
    assert picture.shape == (5, 9)
    column, row = torch.linspace(-1, 1, 9), torch.linspace(-1, 1, 5)
    torch.testing.assert_close(picture, column[None, :] + 10.0 * row[:, None], rtol=0, atol=1e-4)


def test_rendering_in_tiles_equals_one_pass() -> None:
    field = toys.field()
    grid = (80, 60)
    assert math.prod(grid) > EVALUATION_TILE
    whole = field(il.coordinates(grid))[:, field.columns(1)].reshape(80, 60, 3)
    torch.testing.assert_close(field.render(1, grid), whole.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("backbone", "grid"), [("siren", (7,)), ("ffmlp", (3, 4, 5))])
def test_fields_of_one_and_three_coordinates(backbone: str, grid: tuple[int, ...]) -> None:
    field = toys.field(backbone, channels=1, coordinates=len(grid))
    assert field.render(grid=grid).shape == (*grid, 1)


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backbone", "settings", "message"),
    [
        ("mlp", {}, "backbone 'mlp' is not known; allowed are ffmlp, finer, gauss, "),
        ("siren", {"sigma": 3.0}, "siren has no setting 'sigma'; allowed are coordinates, width, depth, omega_0"),
        ("siren", {"width": 0}, "siren: width must be at least 1, not 0"),
        ("siren", {"depth": -1}, "siren: depth must be at least 1, not -1"),
        ("siren", {"omega_0": 0.0}, "siren: omega_0 must be one positive number, or 5 of them, not 0.0"),
        ("siren", {"omega_0": (30.0, 20.0)}, r"or 5 of them, not \(30.0, 20.0\)"),
        ("ffmlp", {"frequencies": 0}, "ffmlp: frequencies must be at least 1, not 0"),
        ("ffmlp", {"sigma": math.nan}, "ffmlp: sigma must be a positive number, not nan"),
    ],
)
def test_backbones_that_do_not_exist(backbone: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(il.InputError, match=message):
        il.Field.new(backbone, **settings)


def test_other_requests_that_cannot_be_met() -> None:
    field = toys.field()
    with pytest.raises(il.InputError, match=r"settings \(width\) go with a backbone's name, not with"):
        il.Field.new(field.backbone, width=3)
    with pytest.raises(il.InputError, match="a field needs at least 1 head and 1 channel, not 0 and 3"):
        il.Field.new("siren", heads=0)
    with pytest.raises(il.InputError, match="head 2 does not exist: this field has heads 0 to 1"):
        field.render(2)
    with pytest.raises(il.InputError, match="a grid of 1 axis does not suit a network of 2 coordinates"):
        field.render(grid=(4,))
    with pytest.raises(il.InputError, match=r"never fitted on a grid: give grid=\(height, width\)"):
        il.Field.new("siren", width=4).render()
    for layer in (-1, 4):
        with pytest.raises(il.InputError, match=f"layer {layer} does not exist: this network has layers 0 to 3"):
            field.encoder.layer(layer)
    for start, stop in ((2, 1), (-1, 2), (0, 5), (5, None)):
        with pytest.raises(il.InputError, match=r"cannot run layers .*: 0 <= start <= stop <= 4 must hold"):
            field.encoder.run(field.grid_coordinates(), start, stop)


def test_settings_of_a_backbone_are_plain_and_rebuild_it(backbone: str) -> None:
    made = il.make_backbone(backbone, **toys.SMALL[backbone])
    settings = backbone_settings(made)
    assert il.make_backbone(backbone, **settings) == made
    per_layer = il.make_backbone("siren", depth=2, omega_0=[30.0, 20.0])
    assert backbone_settings(per_layer)["omega_0"] == [30.0, 20.0]


def test_coordinates_are_taken_from_arrays_and_lists() -> None:
    field = toys.field()
    x = il.coordinates((3, 4))
    wanted = field(x)
    for form in (x.numpy(), x.double().numpy(), x.tolist()):
        assert torch.equal(field(form), wanted)
    with pytest.raises(il.InputError, match="the array of coordinates is ragged"):
        field([[0.1, 0.2], [0.3]])
