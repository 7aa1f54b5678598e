"""Many fits at once: each is the single fit; stacks agree with single fits; frozen layers are run once for all."""

import itertools
import signal as signals_of_the_system
import threading
from dataclasses import replace
from typing import Any

import pytest
import torch

import inrlens as il
import toys
from inrlens.fitting.fit_fields import Job, fit_fields
from inrlens.fitting.history import Record
from inrlens.fitting.many import grouped
from inrlens.fitting.prefix import PrefixRows
from inrlens.workers import on_cores


def _same(one: il.Fit, two: il.Fit) -> bool:
    first, second = one.field.state_dict(), two.field.state_dict()
    return one.psnrs == two.psnrs and all(torch.equal(value, second[name]) for name, value in first.items())


@pytest.mark.parametrize(
    ("backbone", "cores"), [*zip(il.backbone_names(), itertools.cycle([3, 1]), strict=False), ("wire", 3)]
)
def test_each_of_many_fits_is_the_fit_itself_on_one_thread(
    backbone: str, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [toys.signal(0), toys.signal(1, (5, 8))]
    recipe = toys.recipe(backbone, steps=6, batch=20)
    singles = [il.fit(picture, recipe, seed=seed) for seed in (3, 4) for picture in pictures]
    heard: list[tuple[int, int]] = []
    monkeypatch.setattr("inrlens.fitting.many.cores", lambda: cores)
    many = il.fit_many(pictures, recipe, seeds=(3, 4), callback=lambda number, row, _: heard.append((number, row.step)))
    assert all(_same(one, two) for one, two in zip(many, singles, strict=True))
    assert sorted(heard) == [(number, step) for number in range(4) for step in (0, 4, 6)]


@pytest.mark.few_backbones
def test_each_of_many_transfers_is_the_transfer_itself(backbone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cohort = toys.field(backbone, seed=5)
    recipe = toys.recipe(None, steps=5, batch=20)
    cells = [
        il.TransferJob(toys.signal(number), freeze, rest, seed)
        for number, freeze, rest, seed in [
            (0, 1, None, 0),
            (1, None, None, 0),
            (2, 1, "warm", 1),
            (3, None, "reinit", 0),
        ]
    ]
    singles = [
        il.transfer(cohort, cell.signal, freeze=cell.freeze, rest=cell.rest, seed=cell.seed, recipe=recipe)
        for cell in cells
    ]
    monkeypatch.setattr("inrlens.fitting.many.cores", lambda: 2)
    many = il.transfer_many(cohort, cells, recipe=recipe)
    assert all(_same(one, two) for one, two in zip(many, singles, strict=True))
    assert [fitted.field.origin.notes["freeze"] for fitted in many] == [1, None, 1, None]


def test_the_same_frozen_layers_are_run_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    class Counted(PrefixRows):
        def __init__(self, encoder: il.Encoder, x: torch.Tensor, start: int, budget: int) -> None:
            made.append(start)
            super().__init__(encoder, x, start, budget)

    monkeypatch.setattr("inrlens.fitting.transfer.PrefixRows", Counted)
    monkeypatch.setattr("inrlens.fitting.fit_fields.PrefixRows", Counted)
    cells = [
        il.TransferJob(toys.signal(number), tau, seed=seed) for number in (0, 1) for tau in (0, 2) for seed in (0, 1)
    ]
    il.transfer_many(toys.field(), cells, recipe=toys.recipe(None, steps=2))
    assert made == [1, 3]


def test_prefixes_of_several_depths_keep_to_the_memory_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A depth's output over 100x50 coordinates takes 0.6 MiB; buffers take less than 0.4 MiB of the MiB given."""
    kept: list[int] = []

    class Counted(PrefixRows):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            kept.append(self.kept_bytes)

    monkeypatch.setattr("inrlens.fitting.transfer.PrefixRows", Counted)
    field = toys.field().double()
    cells = [il.TransferJob(toys.signal(0, (100, 50)), tau) for tau in (0, 1, 2)]
    recipe = toys.recipe(None, steps=2)
    small = il.transfer_many(field, cells, recipe=recipe, compute=il.Compute(tile=64, memory_mib=1))
    assert kept == [640_000, 0, 0]
    large = il.transfer_many(field, cells, recipe=recipe, compute=il.Compute(tile=64))
    assert kept[3:] == [640_000] * 3
    for one, two in zip(small, large, strict=True):
        torch.testing.assert_close(one.field.render(), two.field.render(), rtol=0, atol=1e-9)


NUMBERS: list[dict[str, object]] = [{"optimizer": "muon"}, {}, {"batch": 20, "schedule": "cosine"}]


@pytest.mark.parametrize(("backbone", "numbers"), [*zip(il.backbone_names(), itertools.cycle(NUMBERS), strict=False)])
def test_a_stack_agrees_with_its_members_alone(backbone: str, numbers: dict[str, object]) -> None:
    recipe = toys.recipe(backbone, **numbers)
    assert recipe.backbone is not None

    def fields() -> list[il.Field]:
        assert recipe.backbone is not None
        return [il.Field.new(recipe.backbone, heads=2, seed=0).double() for _ in range(3)]

    signals = [toys.signals(2), toys.signals(4)[2:], toys.signals(6)[4:]]
    together = fit_fields(fields(), signals, Job(recipe, "cohort", seed=0))
    for one, own, field in zip(together, signals, fields(), strict=True):
        (alone,) = fit_fields([field], [own], Job(recipe, "cohort", seed=0))
        torch.testing.assert_close(one.field.render(), alone.field.render(), rtol=0, atol=1e-6)
        assert one.psnrs == pytest.approx(alone.psnrs, abs=1e-5)
        assert [row.step for row in one.history] == [row.step for row in alone.history]
    storages = {fitted.field.head.weight.untyped_storage().data_ptr() for fitted in together}
    assert len(storages) == 3
    assert all(parameter.grad is None for fitted in together for parameter in fitted.field.parameters())


def test_a_network_of_a_stack_that_is_done_early_is_as_if_alone() -> None:
    """In float64, so that a stop between two records lies there however the stack rounds. A few steps reach no more of
    random bits than their mean, 6 dB."""
    recipe = toys.recipe(steps=60, record_every=5)
    easy = toys.signal()
    hard = il.Signal("bits", (torch.rand(63, 3, generator=toys.generator()) < 0.5).float(), toys.GRID)

    def fit(recipe: il.Recipe, *pictures: il.Signal) -> list[il.Fit]:
        fields = [toys.field(heads=1).double() for _ in pictures]
        return fit_fields(fields, [[picture] for picture in pictures], Job(recipe, "single"))

    psnrs = [row.psnr for row in fit(recipe, easy)[0].history]
    assert max(psnrs[:8]) < psnrs[8]
    recipe = replace(recipe, stop_psnr=(max(psnrs[:8]) + psnrs[8]) / 2)
    alone = [fit(recipe, picture)[0] for picture in (easy, hard)]
    stacked = fit(recipe, easy, hard)
    for found in (alone, stacked):
        assert [(fitted.outcome, fitted.steps) for fitted in found] == [("reached", 40), ("finished", 60)]
    assert [fitted.psnr for fitted in stacked] == pytest.approx([fitted.psnr for fitted in alone], abs=1e-9)


def test_stacks_are_what_can_share_its_steps() -> None:
    assert grouped(["a", "b", "a", "c", "b"]) == [[0, 2], [1, 4], [3]]
    assert grouped([]) == []


def test_no_signals_give_no_fits() -> None:
    assert il.fit_many([], toys.recipe()) == []
    assert il.transfer_many(toys.field(), [], recipe=toys.recipe(None)) == []


def test_control_c_ends_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def press(number: int, record: Record, steps: int) -> None:
        main = threading.main_thread().ident
        if (number, record.step) == (0, 0) and main is not None:
            signals_of_the_system.pthread_kill(main, signals_of_the_system.SIGINT)

    monkeypatch.setattr("inrlens.fitting.many.cores", lambda: 2)
    found = il.fit_many(toys.signals(5), toys.recipe(steps=10**7, record_every=10**6), callback=press)
    # So many steps take hours, the signal's way to the main thread a moment.
    assert [fitted.outcome for fitted in found] == ["interrupted"] * 5
    assert all(fitted.steps < 10**7 for fitted in found)


def test_the_first_error_of_many_is_raised() -> None:
    with pytest.raises(il.InputError, match="a grid of 3 axes does not suit a network of 2 coordinates"):
        il.fit_many([toys.signal(0), toys.signal(1, (2, 3, 4))], toys.recipe())

    def fail(number: int) -> int:
        if number > 1:
            raise ValueError(f"job {number}")
        return number

    with pytest.raises(ValueError, match=r"job [23]"):
        on_cores(fail, range(4), 2)
    assert on_cores(fail, range(2), 2) == [0, 1]


def test_after_an_error_nothing_new_begins_and_what_runs_is_asked_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inrlens.fitting.many.cores", lambda: 2)
    heard: list[int] = []

    def fail(number: int, record: Record, steps: int) -> None:
        heard.append(number)
        if number == 0:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        il.fit_many(toys.signals(8), toys.recipe(steps=100_000, record_every=100_000), callback=fail)
    assert set(heard) <= {0, 1, 2}


def test_a_worker_keeps_to_one_core_and_leaves_the_caller_its_own() -> None:
    before = torch.get_num_threads()
    assert on_cores(lambda _: torch.get_num_threads(), range(4), 2) == [1] * 4
    assert torch.get_num_threads() == before


def test_precision_holds_for_all_of_them_and_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_float32_matmul_precision()
    seen: list[str] = []
    monkeypatch.setattr("inrlens.fitting.many.cores", lambda: 3)
    il.fit_many(
        toys.signals(6),
        toys.recipe(),
        compute=il.Compute(precision="tf32"),
        callback=lambda number, record, steps: seen.append(torch.get_float32_matmul_precision()),
    )
    assert set(seen) == {"high"}
    assert torch.get_float32_matmul_precision() == before


def test_a_thread_made_after_many_fits_has_its_cores() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        il.fit_many(toys.signals(2), toys.recipe(steps=1))
        found: list[int] = []
        thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert found == [2]
    finally:
        torch.set_num_threads(before)


def test_a_fit_from_scratch_beside_a_warm_one_has_an_encoding_of_its_own() -> None:
    """What a warm fit reads at its first layer is the cohort's features, and scratch draws others."""
    cohort, recipe, signal = toys.field("ffmlp", seed=5), toys.recipe(None, steps=2), toys.signal()
    many = il.transfer_many(
        cohort, [il.TransferJob(signal, None, "warm"), il.TransferJob(signal, None, "reinit")], recipe=recipe
    )
    for rest, found in zip(("warm", "reinit"), many, strict=True):
        assert _same(found, il.transfer(cohort, signal, freeze=None, rest=rest, recipe=recipe))
