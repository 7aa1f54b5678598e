"""Tile, memory and precision decide how a fit is computed, not what it is; autograd steps in for foreign layers."""

import gc
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import pytest
import torch
from torch import nn

import inrlens as il
import toys
from inrlens.fields.encoder import Layer
from inrlens.fields.nonlinearity import Nonlinearity
from inrlens.fitting.cuda_graph import CudaGraph
from inrlens.fitting.engine import Engine
from inrlens.fitting.prefix import PrefixRows
from inrlens.rows import Batches

TANH = Nonlinearity("tanh", lambda v, out: torch.tanh(v, out=out) if out is not None else torch.tanh(v))
"""States no derivative."""


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"tile": 0}, "tile must be at least 1 coordinate, not 0"),
        ({"memory_mib": 0}, "memory_mib must be at least 1, not 0"),
        ({"precision": "half"}, "precision 'half' is not known; allowed are float32, tf32, bfloat16"),
    ],
)
def test_settings_that_cannot_be(numbers: dict[str, object], message: str) -> None:
    made = object.__new__(il.Compute)
    for key, value in {"tile": None, "memory_mib": 512, "precision": "float32", **numbers}.items():
        object.__setattr__(made, key, value)
    with pytest.raises(il.InputError, match=message):
        made.__post_init__()


def test_a_memory_that_does_not_hold_a_tile() -> None:
    recipe = replace(il.recipes.single("siren"), steps=1)
    picture = toys.signal(0, (33, 32))
    message = "memory_mib=8 does not hold a tile of 1024 coordinates for each core, which takes 13 MiB"
    with pytest.raises(il.InputError, match=message):
        il.fit(picture, recipe, compute=il.Compute(memory_mib=8, tile=1024))
    for compute in (il.Compute(memory_mib=8, tile=256), il.Compute(memory_mib=1)):
        assert il.fit(picture, recipe, compute=compute).steps == 1
    assert il.fit(toys.signal(), recipe, compute=il.Compute(tile=10**9)).steps == 1


def test_the_memory_decides_whether_features_are_kept() -> None:
    """16,384 rows of 512 features are 32 MiB."""
    field = il.Field.new("ffmlp", grid=(128, 128))

    def kept(memory: int) -> bool:
        compute = il.Compute(memory_mib=memory)
        engine = Engine([[field.encoder.layer(index) for index in range(5)]], [field.head], 3, compute)
        return PrefixRows(field.encoder, field.grid_coordinates(), 0, engine.budget).rows is not None

    assert not kept(32)
    assert kept(64)


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
def test_precision_holds_during_the_fit_only(precision: str) -> None:
    before = torch.get_float32_matmul_precision()
    seen: list[str] = []
    compute = toys.unchecked(il.Compute)(precision=precision)
    fitted = il.fit(
        toys.signal(),
        toys.recipe(steps=60, learning_rate=3e-3),
        compute=compute,
        callback=lambda record, steps: seen.append(torch.get_float32_matmul_precision()),
    )
    assert seen[0] == {"float32": "highest", "tf32": "high", "bfloat16": "medium"}[precision]
    assert torch.get_float32_matmul_precision() == before
    # Better than the best picture of one colour.
    values = toys.signal().values
    assert fitted.psnr > il.psnr(values.mean(0).expand_as(values), values)


def _network(modules: list[nn.Module]) -> tuple[list[nn.Module], il.fields.encoder.Head]:  # type: ignore[name-defined]
    torch.manual_seed(0)
    head = toys.field(heads=2).double().head
    return [module.double() for module in modules], head


def _layer(d_in: int, d_out: int, nonlinearity: Nonlinearity) -> Layer:
    draws = toys.generator(d_in)
    return Layer(torch.randn(d_out, d_in, generator=draws), torch.randn(d_out, generator=draws), nonlinearity)


@pytest.mark.parametrize("tile", [7, 100])
def test_layers_without_a_derivative_and_foreign_modules_take_autograd(tile: int) -> None:
    torch.manual_seed(0)
    foreign = nn.Sequential(nn.Linear(16, 16), nn.GELU())
    frozen = nn.Linear(16, 16)
    frozen.weight.requires_grad_(False)
    layers, head = _network([_layer(2, 16, TANH), foreign, frozen])
    x = toys.field().double().grid_coordinates()
    targets = torch.cat([picture.values for picture in toys.signals(2)], 1).double()
    engine = Engine([layers], [head], 3, il.Compute(tile=tile), cores=2)
    loss, clamped = engine.gradient(PrefixRows(toys.field().double().encoder, x, 0, 2**20), targets[None], slice(0, 63))
    out = head(nn.Sequential(*layers)(x))
    expected = ((out - targets).square().sum() / (63 * 3)).detach()
    wanted = torch.autograd.grad(((head(nn.Sequential(*layers)(x)) - targets).square().sum() / 189), engine.parameters)
    torch.testing.assert_close(loss[0], expected)
    torch.testing.assert_close(clamped[0], (out.detach().clamp(0, 1) - targets).square().sum(0))
    assert len(engine.parameters) == 2 + 2 + 2 + 1
    for parameter, gradient in zip(engine.parameters, wanted, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-10, atol=1e-14)


def test_autograd_and_written_out_gradients_agree_through_a_stack(backbone: str) -> None:
    fields = [toys.field(backbone, seed=seed).double() for seed in (0, 1)]
    x = fields[0].grid_coordinates()
    targets = torch.stack([torch.cat([p.values for p in toys.signals(4)[at : at + 2]], 1) for at in (0, 2)]).double()
    found = []
    for without in (False, True):
        if without:
            for field in fields:
                toys.by_autograd(field)
        modules = [field.encoder.trained(0) for field in fields]
        engine = Engine(modules, [field.head for field in fields], 3, il.Compute(tile=11))
        engine.gradient(PrefixRows(fields[0].encoder, x, 0, 2**20), targets, slice(3, 60))
        found.append([parameter.grad.clone() for parameter in engine.parameters if parameter.grad is not None])
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-14)


def test_a_gradient_is_recorded_once_for_each_number_of_rows_and_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA's recorder is stood in for by one that runs the recorded calls again: what is replayed is what was asked."""

    class Graph:
        def __init__(self) -> None:
            self.again: Callable[[], None] | None = None

        def replay(self) -> None:
            assert self.again is not None
            self.again()

    recorded: list[int] = []
    field = toys.field().double()
    x, targets = field.grid_coordinates(), torch.cat([p.values for p in toys.signals(2)], 1).double()[None]
    engine = Engine([[field.encoder.layer(index) for index in range(4)]], [field.head], 3)
    inputs = PrefixRows(field.encoder, x, 0, 2**20)

    def gradient(inputs: PrefixRows, targets: torch.Tensor, rows: slice | torch.Tensor) -> tuple[torch.Tensor, ...]:
        loss, clamped = engine.gradient(inputs, targets, rows)
        if recording:
            recorded.append(rows.stop - rows.start if isinstance(rows, slice) else len(rows))

            def again() -> None:
                fresh = engine.gradient(inputs, targets, rows)
                loss.copy_(fresh[0])
                clamped.copy_(fresh[1])

            recording[-1].again = again
        return loss, clamped

    recording: list[Graph] = []

    @contextmanager
    def record(graph: Graph) -> Iterator[None]:
        recording.append(graph)
        assert not gc.isenabled(), "a graph that is freed while another is recorded would end it"
        yield
        recording.pop()

    class Stream:
        def wait_stream(self, other: object) -> None:
            pass

    monkeypatch.setattr("inrlens.fitting.cuda_graph.torch.cuda.CUDAGraph", Graph)
    monkeypatch.setattr("inrlens.fitting.cuda_graph.torch.cuda.graph", record)
    monkeypatch.setattr("inrlens.fitting.cuda_graph.torch.cuda.Stream", Stream)
    monkeypatch.setattr("inrlens.fitting.cuda_graph.torch.cuda.current_stream", Stream)
    monkeypatch.setattr("inrlens.fitting.cuda_graph.torch.cuda.stream", lambda stream: nullcontext())
    replay = CudaGraph()
    batches = itertools.islice(Batches(63, 20, toys.generator()), 12)
    for rows in (*batches, slice(0, 63), slice(0, 63)):
        loss, clamped = toys.unchecked(CudaGraph.__call__)(replay, gradient, inputs, targets, rows)
        found = (loss.clone(), clamped.clone(), *(p.grad.clone() for p in engine.parameters if p.grad is not None))
        wanted = (*engine.gradient(inputs, targets, rows), *(p.grad for p in engine.parameters if p.grad is not None))
        assert all(torch.equal(one, two) for one, two in zip(found, wanted, strict=True))
    assert gc.isenabled()
    assert sorted(recorded) == [15, 16, 63]
