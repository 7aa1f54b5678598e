"""On a CUDA device everything gives what it gives on a CPU, up to rounding; skipped where there is none."""

import math
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import command
import inrlens as il
import toys
from inrlens.checkpoints import load_field
from inrlens.fitting.engine import Engine
from inrlens.fitting.fit_fields import Job, fit_fields
from inrlens.fitting.prefix import PrefixRows

if not torch.cuda.is_available():
    pytest.skip("no CUDA device here", allow_module_level=True)
# torch 2.11 says so although the check is turned off by argument; later ones do not.
pytestmark = pytest.mark.filterwarnings("ignore:Sparse invariant checks are implicitly disabled")
DEVICE = "cuda"
META = il.MetaRecipe("toy", il.make_backbone("siren", **toys.SMALL["siren"]), steps=3, learning_rate=1e-3)


def _near(found: Any, expected: Any, relative: float = 1e-4, absolute: float = 1e-5) -> None:
    """Tensors and numbers within bounds, through named results and lists of them; all else is equal."""
    if isinstance(expected, Tensor):
        torch.testing.assert_close(found.cpu(), expected.cpu(), rtol=relative, atol=absolute, equal_nan=True)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=relative, abs=absolute, nan_ok=True)
    elif is_dataclass(expected):
        for one in fields(expected):
            _near(getattr(found, one.name), getattr(expected, one.name), relative, absolute)
    elif isinstance(expected, Sequence) and not isinstance(expected, str):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            _near(one, other, relative, absolute)
    elif isinstance(expected, dict):
        _near(list(found.values()), list(expected.values()), relative, absolute)
    else:
        assert found == expected


@pytest.fixture
def taken_apart() -> tuple[tuple[il.Field, il.SparseAutoencoder], tuple[il.Field, il.SparseAutoencoder]]:
    """One field and dictionary in float64, on the device and on the CPU."""
    there, here = toys.field().double(), toys.field().double()
    return (there.to(DEVICE), toys.sae(here).to(DEVICE)), (here, toys.sae(here))


# -- fits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [0, 1, 4])
def test_the_gradient_of_a_stack(backbone: str, start: int) -> None:
    targets = torch.stack([torch.cat([p.values for p in toys.signals(4)[at : at + 2]], 1) for at in (0, 2)]).double()

    def found(device: str) -> list[Tensor]:
        stacked = [toys.field(backbone, seed=seed).double().to(device) for seed in (0, 1)]
        modules, heads = [field.encoder.trained(start) for field in stacked], [field.head for field in stacked]
        engine = Engine(modules, heads, 3, il.Compute(tile=11))
        inputs = PrefixRows(stacked[0].encoder, stacked[0].grid_coordinates(), start, 2**20)
        loss, clamped = engine.gradient(inputs, targets.to(device), slice(3, 60))
        return [loss, clamped, *(parameter.grad for parameter in engine.parameters if parameter.grad is not None)]

    _near(found(DEVICE), found("cpu"), 1e-9, 1e-13)


def test_a_fit_cohort_and_transfer_at_every_depth(backbone: str, tmp_path: Path) -> None:
    signals, recipe = toys.signals(4), toys.recipe(backbone, steps=6, record_every=1)
    on_device, on_cpu = (il.fit(signals[0], recipe, seed=1, device=device) for device in (DEVICE, "cpu"))
    assert on_device.field.device.type == DEVICE
    _near([record.psnr for record in on_device.history], [record.psnr for record in on_cpu.history], 1e-2)
    again = il.fit(signals[0], recipe, seed=1, device=DEVICE)
    assert torch.equal(again.field.render(), on_device.field.render())
    cohort = il.fit_cohort(signals[:3], recipe, seed=3, device=DEVICE).field
    for tau in (None, 0, 1, 2, 3, "auto"):
        moved = il.transfer(cohort, signals[3], freeze=tau, recipe=toys.recipe(None), seed=4)
        assert moved.field.device.type == DEVICE
        assert math.isfinite(moved.psnr)
    il.save(cohort, tmp_path / "cohort.safetensors")
    loaded = load_field(tmp_path / "cohort.safetensors")
    _near(loaded.render(2), cohort.render(2))
    _near(il.layer_scores(cohort), il.layer_scores(loaded), 1e-3)
    assert il.freeze_advice(cohort).tau == il.freeze_advice(loaded).tau


@pytest.mark.parametrize("batch", [None, 20])
def test_a_replayed_graph_is_the_same_fit(backbone: str, batch: int | None) -> None:
    recipe = toys.recipe(backbone, batch=batch)
    plain, replayed = (
        il.fit(toys.signal(), recipe, seed=1, device=DEVICE, compute=il.Compute(tile=16, cuda_graphs=graphs))
        for graphs in (False, True)
    )
    _near(replayed.field.render(), plain.field.render(), 1e-5)
    _near([record.loss for record in replayed.history], [record.loss for record in plain.history])


def test_autograd_is_replayed_too() -> None:
    def found(graphs: bool) -> Tensor:
        field = toys.by_autograd(toys.field(heads=1)).to(DEVICE)
        job = Job(toys.recipe(), "single", compute=il.Compute(cuda_graphs=graphs))
        return fit_fields([field], [[toys.signal()]], job)[0].field.render()

    _near(found(True), found(False), 1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_stacked_fits_are_those_of_one(backbone: str, optimizer: str) -> None:
    # Few steps: Muon makes every rounding error of a small gradient as long as the rest of a step.
    recipe = toys.recipe(backbone, optimizer=optimizer, steps=3)
    many = il.fit_many(toys.signals(3), recipe, seeds=(0, 1), device=DEVICE)
    one = [il.fit(signal, recipe, seed=seed, device=DEVICE) for seed in (0, 1) for signal in toys.signals(3)]
    for stacked, alone in zip(many, one, strict=True):
        _near(stacked.field.render(), alone.field.render(), 1e-2, 1e-3)


def test_transfers_are_stacked() -> None:
    cohort = il.fit_cohort(toys.signals(3), toys.recipe(), device=DEVICE).field
    cells = [
        il.TransferJob(signal, freeze, seed=seed) for signal in toys.signals(2) for freeze in (0, 1) for seed in (0, 1)
    ]
    many = il.transfer_many(cohort, cells, recipe=toys.recipe(None))
    for cell, stacked in zip(cells, many, strict=True):
        alone = il.transfer(cohort, cell.signal, freeze=cell.freeze, recipe=toys.recipe(None), seed=cell.seed)
        _near(stacked.field.render(), alone.field.render(), 1e-3, 1e-4)


@pytest.mark.parametrize("start", [il.fit_maml, il.fit_reptile])
def test_a_meta_learned_start(start: Any) -> None:
    found, expected = (start(toys.signals(3), META, seed=1, device=device) for device in (DEVICE, "cpu"))
    _near(found.field.render(), expected.field.render(), 1e-2, 1e-3)


@pytest.mark.parametrize("graphs", [False, True])
def test_a_fit_that_is_stopped_goes_on_to_the_same_end(graphs: bool, tmp_path: Path) -> None:
    recipe, compute = toys.recipe(steps=20, record_every=1), il.Compute(cuda_graphs=graphs)
    whole = il.fit(toys.signal(), recipe, device=DEVICE, compute=compute)

    class Stopped(Exception):
        pass

    def stop(record: il.Record, steps: int) -> None:
        if record.step == 11:
            raise Stopped

    resume = il.Resume(tmp_path / "state", every=0.0)
    with pytest.raises(Stopped):
        il.fit(toys.signal(), recipe, device=DEVICE, compute=compute, resume=resume, callback=stop)
    assert (tmp_path / "state").is_file()
    rest = il.fit(toys.signal(), recipe, device=DEVICE, compute=compute, resume=resume)
    assert torch.equal(rest.field.render(), whole.field.render())


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_products_of_less_precision(precision: Any) -> None:
    recipe = toys.recipe(steps=40)
    exact, rough = (
        il.fit(toys.signal(), recipe, device=DEVICE, compute=il.Compute(precision=given)).psnr
        for given in ("float32", precision)
    )
    assert rough == pytest.approx(exact, abs=0.5)


# -- atoms -----------------------------------------------------------------------------------------------------------


def test_a_dictionary_is_trained_and_judged() -> None:
    cohort = il.fit_cohort(toys.signals(3), toys.recipe(steps=60), device=DEVICE).field
    numbers = {"n_atoms": 24, "k": 4, "steps": 200, "batch": 64, "learning_rate": 1e-2, "seed": 5}
    on_device = il.train_sae(cohort, 1, **numbers)  # type: ignore[arg-type]
    on_cpu = il.train_sae(cohort.to("cpu"), 1, **numbers)  # type: ignore[arg-type]
    assert on_device.sae.encoder.device.type == DEVICE
    quality = il.evaluate_sae(cohort.to(DEVICE), on_device.sae, toys.signals(3))
    assert quality.r2 == pytest.approx(il.evaluate_sae(cohort.to("cpu"), on_cpu.sae, toys.signals(3)).r2, abs=0.05)


def test_health_and_ranks(taken_apart: Any) -> None:
    (field, _), (expected, _) = taken_apart
    _near(il.layer_health(field), il.layer_health(expected))
    _near(il.activation_stable_ranks(field), il.activation_stable_ranks(expected))
    _near(il.weight_stable_ranks(field), il.weight_stable_ranks(expected))


def test_codes_effects_and_what_is_read_off_them(taken_apart: Any) -> None:
    found, expected = (_analysis(field, sae) for field, sae in taken_apart)
    _near(found, expected, 1e-6, 1e-9)


def _by_atom(codes: il.Codes, delta: Tensor) -> Tensor:
    """``(N, n, c)``: the order of a row's k codes is the device's own."""
    dense = delta.new_zeros(delta.shape[0], codes.n_atoms, delta.shape[2])
    return dense.scatter_add_(1, codes.indices.long().unsqueeze(2).expand_as(delta), delta)


def _analysis(field: il.Field, sae: il.SparseAutoencoder) -> list[Any]:
    codes = il.encode(field, sae)
    atlas = il.effects(field, sae, codes, head=1, signal=toys.signal(1))
    order = il.random_order(codes, seed=3)
    return [
        [codes.map(atom) for atom in range(codes.n_atoms)],
        _by_atom(codes, atlas.delta),
        il.psnr_drops(atlas, toys.signal(1)),
        il.atom_statistics(codes),
        il.mean_map(codes, [0, 2]),
        il.interactions(field, sae, atlas, candidates=8),
        il.group_curve(field, sae, codes, order, toys.signal(1), head=1),
        il.ablate(field, sae, 2, signal=toys.signal(1), head=1),
        il.edit(field, sae, {0: 0.0, 3: 2.0}, head=1),
        il.match(sae, sae, codes, codes),
    ]


def test_an_atlas_is_saved_and_loaded(taken_apart: Any, tmp_path: Path) -> None:
    (field, sae), _ = taken_apart
    atlas = il.effects(field, sae, il.encode(field, sae))
    il.save(atlas, tmp_path / "atlas.safetensors")
    il.save(sae, tmp_path / "sae.safetensors")
    _near(il.load(tmp_path / "atlas.safetensors").delta, atlas.delta)
    _near(il.load(tmp_path / "sae.safetensors").encoder, sae.encoder)
    il.write_explorer(field, tmp_path / "page", sae=sae, signal=toys.signals(2))


def test_a_wrapped_module() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3)).to(DEVICE)
    network = il.wrap(module, layers=["1", "3"], grid=toys.GRID)
    assert network.device.type == DEVICE
    sae = il.train_sae(network, 1, n_atoms=24, k=4, steps=20, batch=64).sae
    atlas = il.effects(network, sae, il.encode(network, sae))
    assert bool(torch.isfinite(atlas.delta).all())
    rows = network.grid_coordinates()
    _near(network(rows), module(rows))


# -- the command -----------------------------------------------------------------------------------------------------


def test_the_verbs_take_the_device(tmp_path: Path) -> None:
    photos, there = command.photos(tmp_path / "photos", 4), ("--device", DEVICE)
    command.done("cohort", photos, "--limit", 3, *command.BRIEF, *there, "-o", tmp_path / "cohort")
    command.done(
        "transfer", tmp_path / "cohort", photos / "photo03.png", *command.BRIEF, *there, "-o", tmp_path / "one"
    )
    numbers = ("-n", 32, "-k", 4, "--steps", 5, "--batch", 64)
    command.done("sae", tmp_path / "cohort", "--layer", 1, *numbers, *there, "-o", tmp_path / "sae.safetensors")
    command.done(
        "atlas", tmp_path / "cohort", tmp_path / "sae.safetensors", *there, "-o", tmp_path / "atlas.safetensors"
    )
    assert command.done("ranks", tmp_path / "cohort", *there, "--json").json
