"""Fits of one signal and of a cohort: what they compute, record, and do when things go wrong."""

import itertools
import logging
import math
import signal as signals_of_the_system
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import inrlens as il
import toys
from inrlens.fitting.engine import Engine
from inrlens.fitting.fit_fields import Job, fit_fields
from inrlens.fitting.history import Record, drop, read_history, write_history
from inrlens.fitting.loop import Problem, optimise
from inrlens.fitting.prefix import PrefixRows


def _same(one: il.Field, two: il.Field) -> bool:
    first, second = one.state_dict(), two.state_dict()
    return all(torch.equal(value, second[name]) for name, value in first.items())


# -- what a fit computes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backbone", "schedule"), [*zip(il.backbone_names(), itertools.cycle(["constant", "cosine"]), strict=False)]
)
def test_a_fit_is_adam_on_the_recipes_loss(backbone: str, schedule: str) -> None:
    """In float64: Adam divides by a gradient's size, and so makes much of a small one's rounding."""
    members = toys.signals(2)
    recipe = toys.recipe(backbone, steps=10, schedule=schedule)
    field, oracle = (toys.field(backbone, seed=2).double() for _ in range(2))
    (fitted,) = fit_fields([field], [members], Job(recipe, "cohort", seed=2))
    optimizer = torch.optim.Adam(oracle.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
    x = oracle.grid_coordinates()
    targets = torch.cat([member.values for member in members], 1).double()
    losses = []
    for step in range(10):
        if schedule == "cosine":
            optimizer.param_groups[0]["lr"] = 1e-3 * 0.5 * (1.0 + math.cos(math.pi * step / 10))
        optimizer.zero_grad()
        error = oracle(x) - targets
        loss = error[:, :3].square().mean() + error[:, 3:].square().mean()
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    for name, value in oracle.state_dict().items():
        torch.testing.assert_close(fitted.field.state_dict()[name], value, rtol=0, atol=1e-9, msg=name)
    assert [row.loss for row in fitted.history[:3]] == pytest.approx([losses[0], losses[4], losses[8]], rel=1e-9)


def test_a_fit_begins_with_the_field_that_its_seed_draws(backbone: str) -> None:
    members, recipe = toys.signals(2), toys.recipe(backbone, steps=2)
    for job, found in (
        (Job(recipe, "single", seed=2), il.fit(members[0], recipe, seed=2)),
        (Job(recipe, "cohort", seed=2), il.fit_cohort(members, recipe, seed=2)),
    ):
        heads = found.field.heads
        (expected,) = fit_fields([toys.drawn(backbone, heads=heads, seed=2)], [members[:heads]], job)
        assert _same(found.field, expected.field)


def test_a_non_square_picture_comes_back_the_right_way_round() -> None:
    """Turned over, or in other colours, it would be far from what it is, and the fit is not."""
    image = torch.full((6, 14, 3), 0.1)
    image[1:3, 9:13] = torch.tensor([0.9, 0.5, 0.1])
    image[4, 2] = torch.tensor([0.1, 0.1, 0.9])
    recipe = toys.recipe(steps=100, learning_rate=5e-3, schedule="cosine")
    rendered = il.fit(il.signal_from_array("spots", image), recipe).field.render()
    assert rendered.shape == image.shape
    error = (rendered - image).square().mean()
    for sides in ((0,), (1,), (0, 1), (2,)):
        # Less than half as far in root mean square: nearer to the picture than to the other one.
        assert error < 0.25 * (image - image.flip(sides)).square().mean(), sides


def test_the_history_and_the_final_numbers_are_those_of_the_field(cohort_fit: il.Fit) -> None:
    members = toys.signals(3)
    rows = cohort_fit.history
    assert [row.step for row in rows] == [*range(0, 60, 4), 60]
    assert all(first.seconds <= second.seconds for first, second in itertools.pairwise(rows))
    field = cohort_fit.field
    psnrs = [il.psnr(field.render(head), member.image()) for head, member in enumerate(members)]
    assert cohort_fit.psnrs == pytest.approx(psnrs, abs=1e-6)
    assert cohort_fit.psnr == pytest.approx(sum(psnrs) / 3, abs=1e-6)
    assert rows[-1].psnr == cohort_fit.psnr
    plain = sum(float((field.render(h) - m.image()).square().mean()) for h, m in enumerate(members))
    assert rows[-1].loss == pytest.approx(plain, rel=1e-5)
    start = il.initial_field(field)
    first = [il.psnr(start.render(head), member.image()) for head, member in enumerate(members)]
    assert rows[0].psnr == pytest.approx(sum(first) / 3, abs=1e-4)
    assert rows[-1].loss < rows[0].loss
    assert (cohort_fit.steps, cohort_fit.outcome, cohort_fit.divergences) == (60, "finished", ())
    assert field.grid == toys.GRID
    assert field.origin.notes["psnr_db"] == cohort_fit.psnr
    assert all(parameter.grad is None for parameter in field.parameters())


def test_a_single_fit_names_its_signal() -> None:
    fitted = il.fit(toys.signal(4), toys.recipe(steps=2), seed=1)
    assert fitted.field.origin.kind == "single"
    assert fitted.field.origin.signals == (("toy 4", toys.signal(4).digest),)
    assert fitted.psnrs == (fitted.psnr,)


NUMBERS: list[dict[str, object]] = [{"optimizer": "muon"}, {}, {"batch": 20, "schedule": "cosine"}]


@pytest.mark.parametrize(("backbone", "numbers"), [*zip(il.backbone_names(), itertools.cycle(NUMBERS), strict=False)])
def test_the_same_seed_gives_the_same_bits_and_another_does_not(backbone: str, numbers: dict[str, object]) -> None:
    recipe = toys.recipe(backbone, steps=6, **numbers)
    one, same, other = (il.fit(toys.signal(), recipe, seed=seed) for seed in (1, 1, 2))
    assert _same(one.field, same.field)
    assert [(row.step, row.loss, row.psnr) for row in one.history] == [
        (row.step, row.loss, row.psnr) for row in same.history
    ]
    assert not _same(one.field, other.field)
    cohorts = [il.fit_cohort(toys.signals(2), recipe, seed=seed) for seed in (1, 1, 2)]
    assert _same(cohorts[0].field, cohorts[1].field)
    assert not _same(cohorts[0].field, cohorts[2].field)


@pytest.mark.parametrize(("backbone", "tile"), [*zip(il.backbone_names(), itertools.cycle([1, 63, 500]), strict=False)])
@pytest.mark.few_backbones
def test_the_tile_changes_a_fit_to_rounding_only(backbone: str, tile: int) -> None:
    renders = []
    for other in (16, tile):
        field = toys.field(backbone, heads=1).double()
        job = Job(toys.recipe(backbone, steps=5), "single", compute=il.Compute(tile=other))
        fit_fields([field], [[toys.signal()]], job)
        renders.append(field.render())
    torch.testing.assert_close(renders[1], renders[0], rtol=0, atol=1e-9)


def _of_one_colour(signal: il.Signal) -> float:
    """The PSNR of the best picture without any shape: the mean of each channel."""
    return il.psnr(signal.values.mean(0).expand_as(signal.values), signal.values)


@pytest.mark.parametrize(("batch", "rounds"), [(20, 4), (63, 1), (500, 1), (None, 1)])
def test_a_pass_is_as_many_steps_as_a_round_of_batches_takes(batch: int | None, rounds: int) -> None:
    """63 samples in batches of at most 20 are four steps; both count to the same weights, bit for bit."""
    passes = toys.recipe(steps=3, batch=batch, iteration="pass")
    steps = toys.recipe(steps=3 * rounds, batch=batch)
    one, other = (il.fit(toys.signal(), recipe, seed=2) for recipe in (passes, steps))
    assert one.steps == other.steps == 3 * rounds
    assert one.field.origin.recipe["steps"] == 3
    for ours, theirs in zip(one.field.parameters(), other.field.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_muon_fits_too() -> None:
    fitted = il.fit(toys.signal(), toys.recipe(steps=60, optimizer="muon", muon_learning_rate=1e-2))
    assert fitted.psnr > _of_one_colour(toys.signal())


def test_batches_see_fewer_rows_and_still_learn() -> None:
    fitted = il.fit(toys.signal(), toys.recipe(steps=100, batch=16, learning_rate=3e-3))
    assert fitted.psnr > _of_one_colour(toys.signal())


def test_a_fit_stops_as_soon_as_its_record_reaches_the_wanted_psnr() -> None:
    recipe = toys.recipe(steps=40)
    *rows, _ = il.fit(toys.signal(), recipe).history
    goal = max(rows, key=lambda row: row.psnr)
    assert 0 < goal.step < 40
    fitted = il.fit(toys.signal(), replace(recipe, stop_psnr=goal.psnr))
    assert (fitted.outcome, fitted.steps) == ("reached", goal.step)
    before = [(row.step, row.psnr) for row in rows if row.step < goal.step]
    assert [(row.step, row.psnr) for row in fitted.history[:-1]] == before
    assert fitted.history[-1].step == goal.step
    assert fitted.psnr == pytest.approx(goal.psnr, abs=1e-3)
    assert _same(fitted.field, il.fit(toys.signal(), replace(recipe, steps=goal.step)).field)


def test_the_callback_sees_every_row() -> None:
    seen: list[tuple[Record, int]] = []
    fitted = il.fit(toys.signal(), toys.recipe(), callback=lambda record, steps: seen.append((record, steps)))
    assert [record for record, _ in seen] == list(fitted.history)
    assert {steps for _, steps in seen} == {12}


def test_a_history_survives_its_file(tmp_path: Path, cohort_fit: il.Fit) -> None:
    write_history(tmp_path / "history.csv", cohort_fit.history)
    found = read_history(tmp_path / "history.csv")
    assert [row.step for row in found] == [row.step for row in cohort_fit.history]
    assert [row.loss for row in found] == pytest.approx([row.loss for row in cohort_fit.history], rel=1e-7)
    assert [row.psnr for row in found] == pytest.approx([row.psnr for row in cohort_fit.history], abs=1e-6)
    write_history(tmp_path / "odd.csv", (Record(0, math.inf, math.nan, 0.0),))
    assert math.isnan(read_history(tmp_path / "odd.csv")[0].psnr)


# -- when things go wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("steps", "record_every"), [(30, 4), (30, 1), (1, 10), (3, 10)])
def test_a_loss_that_is_not_finite_is_recorded_and_the_last_finite_weights_are_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, steps: int, record_every: int
) -> None:
    recipe = toys.recipe("ffmlp", steps=steps, record_every=record_every, learning_rate=1e30)
    with caplog.at_level(logging.WARNING):
        fitted = il.fit(toys.signal(), recipe)
    assert fitted.outcome == "diverged"
    assert [event.kind for event in fitted.divergences] == ["non-finite loss"]
    assert fitted.divergences[0].best_psnr == pytest.approx(fitted.psnr, abs=1e-4)
    assert "the last finite weights were kept" in caplog.text
    assert _same(fitted.field, il.initial_field(fitted.field))
    assert (fitted.steps, [row.step for row in fitted.history]) == (0, [0])
    assert math.isfinite(fitted.psnr)
    assert fitted.field.origin.notes["outcome"] == "diverged"
    il.save(fitted.field, tmp_path / "a")
    assert il.load(tmp_path / "a").origin == fitted.field.origin


def _already_fitted(seed: int) -> tuple[il.Signal, float]:
    """A picture that the toy network of this seed starts near to, so that any harm shows, and the least PSNR of that
    start."""
    start = il.Field.new(toys.recipe().backbone or "", heads=1, channels=3, seed=seed, grid=toys.GRID)
    noise = 0.02 * torch.randn(63, 3, generator=toys.generator())
    values = (start.render().reshape(-1, 3) + noise).clamp(0.0, 1.0)
    # Clamping both brings them no further apart.
    return il.Signal("already fitted", values, toys.GRID), -10.0 * math.log10(float(noise.square().mean())) - 1e-3


@pytest.mark.parametrize("record_every", [2, 50])
def test_a_fall_of_the_psnr_is_recorded_also_where_only_the_end_shows_it(
    caplog: pytest.LogCaptureFixture, record_every: int
) -> None:
    """Steps of length 10 in every weight: outputs are nowhere near [0, 1] any more."""
    picture, least = _already_fitted(0)
    recipe = toys.recipe(steps=10, learning_rate=10.0, record_every=record_every)
    with caplog.at_level(logging.WARNING):
        fitted = il.fit(picture, recipe, seed=0)
    rows = fitted.history
    assert rows[0].psnr >= least
    assert fitted.psnr < rows[0].psnr - 6.0
    assert fitted.outcome == "diverged"
    assert [event.kind for event in fitted.divergences] == ["PSNR fell"]
    event = fitted.divergences[0]
    assert event.step == rows[1].step
    assert (event.best_psnr, event.psnr) == (rows[0].psnr, rows[1].psnr)
    assert fitted.field.origin.notes["divergences"] == [[event.step, "PSNR fell"]]
    assert "PSNR fell from" in caplog.text


def test_a_fall_that_is_made_good_is_recorded_once_each_time() -> None:
    picture, least = _already_fitted(0)
    recipe = toys.recipe(steps=12, record_every=2, learning_rate=1e-9)
    field = il.Field.new(recipe.backbone or "", heads=1, channels=3, seed=0, grid=toys.GRID)
    engine = Engine([[field.encoder.layer(index) for index in range(4)]], [field.head], 3)

    @torch.no_grad()
    def meddle(network: int, record: Record, steps: int) -> None:
        field.head.bias += {2: 10.0, 6: -10.0, 8: 10.0, 10: -10.0}.get(record.step, 0.0)

    inputs = PrefixRows(field.encoder, field.grid_coordinates(), 0, engine.budget)
    gradient = partial(engine.gradient, inputs, picture.values[None])
    problem = Problem(engine.stack, gradient, len(inputs), channels=3)
    (result,) = optimise(problem, recipe, toys.generator(), meddle)
    assert [event.step for event in result.divergences] == [4, 10]
    assert result.outcome is None
    assert result.best_psnr >= least


def test_how_far_a_psnr_fell() -> None:
    assert drop(30.0, 25.5) == 4.5
    assert drop(30.0, math.nan) == math.inf
    assert drop(-math.inf, 5.0) < 0.0


def test_control_c_keeps_what_was_reached_and_gives_the_old_handler_back() -> None:
    before = signals_of_the_system.getsignal(signals_of_the_system.SIGINT)

    def press(record: Record, steps: int) -> None:
        if record.step == 4:
            signals_of_the_system.raise_signal(signals_of_the_system.SIGINT)

    fitted = il.fit(toys.signal(), toys.recipe(steps=1000), callback=press)
    assert signals_of_the_system.getsignal(signals_of_the_system.SIGINT) is before
    assert (fitted.outcome, fitted.steps) == ("interrupted", 5)
    assert [row.step for row in fitted.history] == [0, 4, 5]
    shorter = il.fit(toys.signal(), toys.recipe(steps=5))
    assert _same(fitted.field, shorter.field)
    assert fitted.psnr == shorter.psnr
    assert fitted.field.origin.notes["steps_taken"] == 5


def test_a_second_control_c_stops_at_once() -> None:
    before = signals_of_the_system.getsignal(signals_of_the_system.SIGINT)

    def press_twice(record: Record, steps: int) -> None:
        signals_of_the_system.raise_signal(signals_of_the_system.SIGINT)
        signals_of_the_system.raise_signal(signals_of_the_system.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        il.fit(toys.signal(), toys.recipe(), callback=press_twice)
    assert signals_of_the_system.getsignal(signals_of_the_system.SIGINT) is before


def test_a_fit_runs_in_another_thread() -> None:
    found: list[il.Fit] = []
    thread = threading.Thread(target=lambda: found.append(il.fit(toys.signal(), toys.recipe())))
    thread.start()
    thread.join()
    assert found[0].outcome == "finished"
    assert _same(found[0].field, il.fit(toys.signal(), toys.recipe()).field)


def test_a_picture_that_is_met_exactly_is_saved_too(tmp_path: Path) -> None:
    """A black picture under a dark enough output has an infinite PSNR, which JSON cannot hold as a number."""
    field = toys.field(heads=1)
    with torch.no_grad():
        field.head.bias -= 10.0
    black = il.Signal("black", torch.zeros(63, 3), toys.GRID)
    fitted = fit_fields([field], [[black]], Job(toys.recipe(steps=2), "single"))[0]
    assert fitted.psnr == math.inf
    assert fitted.outcome == "finished"
    il.save(fitted.field, tmp_path / "a")
    assert il.load(tmp_path / "a").origin.notes["psnr_db"] == "inf"


# -- what is refused -------------------------------------------------------------------------------------------------


def test_signals_and_recipes_that_cannot_be_fitted() -> None:
    with pytest.raises(il.InputError, match="a cohort needs at least 2 signals, not 1"):
        il.fit_cohort(toys.signals(1), toys.recipe())
    with pytest.raises(il.InputError, match=r"share one grid .*'toy 0' has \(9, 7\) with 3, 'toy 1' \(7, 9\) with 3"):
        il.fit_cohort([toys.signal(0), toys.signal(1, (7, 9))], toys.recipe())
    with pytest.raises(il.InputError, match=r"'toy 1' .* with 1; resize or convert them first"):
        il.fit_cohort([toys.signal(0), toys.signal(1, channels=1)], toys.recipe())
    with pytest.raises(il.InputError, match="recipe 'toy' names no backbone, which a fit from scratch needs"):
        il.fit(toys.signal(), toys.recipe(None))
    with pytest.raises(il.InputError, match="a grid of 3 axes does not suit a network of 2 coordinates"):
        il.fit(toys.signal(0, (2, 3, 4)), toys.recipe())
    with pytest.raises(il.InputError, match="seed must be 0 or more, not -1"):
        il.fit(toys.signal(), replace(toys.recipe()), seed=-1)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("thing", [np.zeros((4, 5, 3)), "a.png", None])
def test_what_is_no_signal_gets_the_way_to_one(thing: Any) -> None:
    for call in (lambda: il.fit(thing, toys.recipe()), lambda: il.fit_cohort([thing, thing], toys.recipe())):
        with pytest.raises(il.InputError, match=r"a fit takes signals, and a .* was given: make a signal of values"):
            call()
