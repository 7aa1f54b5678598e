"""The written-out gradient against autograd, for every backbone, tile, start layer, head count and batch."""

import itertools
import time
from threading import Event

import pytest
import torch
from torch import Tensor

import inrlens as il
import toys
from inrlens.fitting.engine import Engine
from inrlens.fitting.prefix import PrefixRows

TILES = (1, 7, 63, 64)
"""The toy grid has 63 rows: single rows, a divisor, all at once, and more than there are."""
COMBINATIONS = [*itertools.product((1, 4), TILES, (1,)), (4, 7, 2), (1, 16, 3), (4, 1, 80)]
"""Heads, tile and cores."""


def _autograd(field: il.Field, x: Tensor, targets: Tensor, start: int) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Loss, clamped squared error and gradients of the head and of layers ``start``.. by automatic differentiation."""
    parameters = _parameters(field, start)
    out = field(x)
    loss = ((out - targets).square().sum(0) / (len(x) * field.channels)).sum()
    clamped = (out.detach().clamp(0.0, 1.0) - targets).square().sum(0)
    return loss.detach(), clamped, list(torch.autograd.grad(loss, parameters))


def _parameters(field: il.Field, start: int) -> list[torch.nn.Parameter]:
    modules = field.encoder.trained(start)
    return [*field.head.parameters(), *(p for module in modules for p in module.parameters())]


def _ours(
    field: il.Field,
    x: Tensor,
    targets: Tensor,
    start: int,
    tile: int,
    rows: slice | Tensor,
    budget: int = 2**30,
    cores: int = 1,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    engine = _engine(field, start, tile, cores)
    loss, clamped = engine.gradient(PrefixRows(field.encoder, x, start, budget), targets[None], rows)
    gradients = [p.grad.clone() for p in _parameters(field, start) if p.grad is not None]
    for parameter in field.parameters():
        parameter.grad = None
    return loss[0], clamped[0], gradients


def _engine(field: il.Field, start: int = 0, tile: int = 16, cores: int = 1) -> Engine:
    return Engine([field.encoder.trained(start)], [field.head], field.channels, il.Compute(tile=tile), cores)


def _near(found: Tensor, expected: Tensor, relative: float) -> None:
    scale = float(expected.abs().max())
    assert float((found - expected).abs().max()) <= relative * max(scale, 1e-30)


def _case(backbone: str, heads: int, dtype: torch.dtype, **settings: object) -> tuple[il.Field, Tensor, Tensor]:
    field = toys.field(backbone, heads=heads, channels=2, **settings).to(dtype)
    x = field.grid_coordinates()
    targets = torch.cat([signal.values for signal in toys.signals(heads, channels=2)], 1).to(dtype)
    return field, x, targets


@pytest.mark.parametrize("start", range(5))
@pytest.mark.parametrize(("dtype", "relative", "count"), [(torch.float64, 1e-10, 3), (torch.float32, 1e-5, 1)])
def test_the_gradient_equals_autograd(
    backbone: str, start: int, dtype: torch.dtype, relative: float, count: int
) -> None:
    """A backbone's five starts take all combinations between them; in float32 all backbones together do."""
    place = il.backbone_names().index(backbone) + count * start
    for heads, tile, cores in itertools.islice(itertools.cycle(COMBINATIONS), place, place + count):
        field, x, targets = _case(backbone, heads, dtype)
        loss, clamped, gradients = _ours(field, x, targets, start, tile, slice(0, len(x)), cores=cores)
        expected_loss, expected_clamped, expected = _autograd(field, x, targets, start)
        _near(loss, expected_loss, relative)
        _near(clamped, expected_clamped, relative)
        assert len(gradients) == len(expected) == len(_parameters(field, start))
        for found, wanted in zip(gradients, expected, strict=True):
            _near(found, wanted, relative)


@pytest.mark.parametrize(("backbone", "tile"), [*zip(il.backbone_names(), itertools.cycle(TILES), strict=False)])
def test_the_gradient_over_a_batch_or_a_slice(backbone: str, tile: int) -> None:
    field, x, targets = _case(backbone, 3, torch.float64)
    batch = torch.randperm(len(x), generator=toys.generator())[:20]
    for rows, start in itertools.product((batch, slice(11, 50), slice(0, 1)), (0, 2)):
        found = _ours(field, x, targets, start, tile, rows)
        expected = _autograd(field, x[rows], targets[rows], start)
        for one, two in zip((found[0], found[1], *found[2]), (expected[0], expected[1], *expected[2]), strict=True):
            _near(one, two, 1e-10)


def test_each_layer_has_its_own_omega() -> None:
    field, x, targets = _case("siren", 2, torch.float64, omega_0=(30.0, 3.0, 11.0, 7.0))
    _, _, found = _ours(field, x, targets, 0, 16, slice(0, len(x)))
    _, _, expected = _autograd(field, x, targets, 0)
    for one, two in zip(found, expected, strict=True):
        _near(one, two, 1e-10)


def test_a_second_pass_replaces_the_gradient_and_leaves_the_weights() -> None:
    field, x, targets = _case("siren", 2, torch.float64)
    before = {name: value.clone() for name, value in field.state_dict().items()}
    engine = _engine(field, tile=10)
    inputs = PrefixRows(field.encoder, x, 0, 2**20)
    engine.gradient(inputs, targets[None], slice(0, len(x)))
    first = [parameter.grad.clone() for parameter in engine.parameters if parameter.grad is not None]
    engine.gradient(inputs, targets[None], slice(0, len(x)))
    assert all(torch.equal(g, p.grad) for g, p in zip(first, engine.parameters, strict=True) if p.grad is not None)
    assert all(torch.equal(value, before[name]) for name, value in field.state_dict().items())


@pytest.mark.parametrize("start", [0, 1, 3])
def test_prefix_rows_beyond_the_budget_are_recomputed_and_give_the_same_gradient(backbone: str, start: int) -> None:
    field, x, targets = _case(backbone, 2, torch.float64)
    assert PrefixRows(field.encoder, x, start, 2**20).rows is not None
    assert PrefixRows(field.encoder, x, start, 100).rows is None
    assert len(PrefixRows(field.encoder, x, start, 100)) == 63
    for rows in (slice(0, 63), torch.randperm(63, generator=toys.generator())[:30]):
        kept = _ours(field, x, targets, start, 16, rows)
        recomputed = _ours(field, x, targets, start, 16, rows, budget=100)
        for one, two in zip((kept[0], *kept[2]), (recomputed[0], *recomputed[2]), strict=True):
            _near(one, two, 1e-12)


def test_frozen_layers_are_run_once_a_fit_and_not_once_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    original = il.Encoder.run

    def counted(self: il.Encoder, h: Tensor, start: int, stop: int | None) -> Tensor:
        runs.append(len(h))
        return original(self, h, start, stop)

    field, x, targets = _case("siren", 2, torch.float32)
    monkeypatch.setattr(il.Encoder, "run", counted)
    inputs = PrefixRows(field.encoder, x, 2, 2**20)
    made = sum(runs)
    assert made <= len(x) + 1
    engine = _engine(field, 2)
    for _ in range(5):
        engine.gradient(inputs, targets[None], slice(0, len(x)))
    assert sum(runs) == made


def test_the_full_network_in_tiles_agrees_with_one_tile() -> None:
    """The claim is about the real size: 256 units, 5 layers, 10 heads, float32."""
    for backbone in il.backbone_names():
        field = il.Field.new(backbone, heads=10, channels=3, grid=(24, 30))
        x = field.grid_coordinates()
        targets = torch.rand(len(x), 30, generator=toys.generator())
        whole = _ours(field, x, targets, 0, len(x), slice(0, len(x)))
        tiled = _ours(field, x, targets, 0, 100, slice(0, len(x)))
        for one, two in zip(tiled[2], whole[2], strict=True):
            _near(one, two, 1e-5)


def test_a_core_that_fails_ends_the_others_after_their_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ctrl-C does: a pass over very many rows is not waited for."""
    field = il.Field.new("siren", width=4, depth=1, channels=1)
    x = torch.zeros(40_000, 2)
    engine = Engine([field.encoder.trained(0)], [field.head], 1, il.Compute(tile=1), 2)
    failed, tiles = Event(), []

    class Failure(Exception):
        pass

    def fails(*arguments: object) -> None:
        failed.set()
        raise Failure

    def goes_on(*arguments: object) -> None:
        failed.wait()
        tiles.append(time.sleep(0.001))

    monkeypatch.setattr(engine._parts[0], "add", fails)
    monkeypatch.setattr(engine._parts[1], "add", goes_on)
    with pytest.raises(Failure):
        engine.gradient(PrefixRows(field.encoder, x, 0, 2**30), torch.zeros(1, len(x), 1), slice(0, len(x)))
    assert len(tiles) < len(x) // 2
