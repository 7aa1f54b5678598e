"""Fits of one signal and of a cohort: what they compute, record, and do when things go wrong."""

import itertools
import logging
import math
import signal as signals_of_the_system
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

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


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_fit_is_adam_on_the_recipes_loss(backbone: str, schedule: str) -> None:
    members = toys.signals(2)
    recipe = toys.recipe(backbone, steps=10, schedule=schedule)
    fitted = il.fit_cohort(members, recipe, seed=2)
    assert recipe.backbone is not None
    oracle = il.Field.new(recipe.backbone, heads=2, channels=3, seed=2, grid=toys.GRID)
    optimizer = torch.optim.Adam(oracle.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
    x = oracle.grid_coordinates()
    targets = torch.cat([member.values for member in members], 1)
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
        torch.testing.assert_close(fitted.field.state_dict()[name], value, rtol=0, atol=2e-4, msg=name)
    assert [row.loss for row in fitted.history[:3]] == pytest.approx([losses[0], losses[4], losses[8]], rel=1e-3)


def test_a_non_square_picture_comes_back_the_right_way_round() -> None:
    image = torch.full((6, 14, 3), 0.1)
    image[1:3, 9:13] = torch.tensor([0.9, 0.5, 0.1])
    image[4, 2] = torch.tensor([0.1, 0.1, 0.9])
    picture = il.signal_from_array("spots", image)
    fitted = il.fit(picture, toys.recipe(steps=600, learning_rate=5e-3, record_every=100, schedule="cosine"))
    assert fitted.psnr > 30.0
    rendered = fitted.field.render()
    assert rendered.shape == (6, 14, 3)
    torch.testing.assert_close(rendered, image, rtol=0, atol=0.15)
    assert rendered[2, 11].tolist() == pytest.approx([0.9, 0.5, 0.1], abs=0.15)
    assert rendered[4, 2, 2] > 0.7


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
    assert cohort_fit.psnr > rows[0].psnr + 3.0
    assert (cohort_fit.steps, cohort_fit.outcome, cohort_fit.divergences) == (60, "finished", ())
    assert field.grid == toys.GRID
    assert field.origin.notes["psnr_db"] == cohort_fit.psnr
    assert all(parameter.grad is None for parameter in field.parameters())


def test_a_single_fit_names_its_signal() -> None:
    fitted = il.fit(toys.signal(4), toys.recipe(steps=2), seed=1)
    assert fitted.field.origin.kind == "single"
    assert fitted.field.origin.signals == (("toy 4", toys.signal(4).digest),)
    assert fitted.psnrs == (fitted.psnr,)


@pytest.mark.parametrize("numbers", [{}, {"batch": 20, "schedule": "cosine"}, {"optimizer": "muon"}])
def test_the_same_seed_gives_the_same_bits_and_another_does_not(backbone: str, numbers: dict[str, object]) -> None:
    recipe = toys.recipe(backbone, **numbers)
    one, same, other = (il.fit(toys.signal(), recipe, seed=seed) for seed in (1, 1, 2))
    assert _same(one.field, same.field)
    assert [(row.step, row.loss, row.psnr) for row in one.history] == [
        (row.step, row.loss, row.psnr) for row in same.history
    ]
    assert not _same(one.field, other.field)
    cohorts = [il.fit_cohort(toys.signals(2), recipe, seed=seed) for seed in (1, 1, 2)]
    assert _same(cohorts[0].field, cohorts[1].field)
    assert not _same(cohorts[0].field, cohorts[2].field)


def test_the_tile_changes_a_fit_to_rounding_only(backbone: str) -> None:
    recipe = toys.recipe(backbone)
    renders = [il.fit(toys.signal(), recipe, compute=il.Compute(tile=tile)).field.render() for tile in (1, 16, 63, 500)]
    for other in renders[1:]:
        torch.testing.assert_close(other, renders[0], rtol=0, atol=1e-4)


def test_muon_fits_too() -> None:
    fitted = il.fit(toys.signal(), toys.recipe(steps=60, optimizer="muon", muon_learning_rate=1e-2))
    assert fitted.psnr > fitted.history[0].psnr + 3.0


def test_batches_see_fewer_rows_and_still_learn() -> None:
    fitted = il.fit(toys.signal(), toys.recipe(steps=200, batch=16, learning_rate=2e-3))
    assert fitted.psnr > fitted.history[0].psnr + 5.0


def test_a_fit_stops_as_soon_as_its_record_reaches_the_wanted_psnr() -> None:
    fitted = il.fit(toys.signal(), toys.recipe(steps=400, stop_psnr=18.0, learning_rate=3e-3))
    assert fitted.outcome == "reached"
    assert fitted.steps < 400
    assert fitted.psnr >= 18.0
    assert all(row.psnr < 18.0 for row in fitted.history[:-1])
    assert fitted.history[-1].step == fitted.steps


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


def _already_fitted(seed: int) -> il.Signal:
    """A picture that the toy network of this seed starts near to, so that any harm shows."""
    start = il.Field.new(toys.recipe().backbone or "", heads=1, channels=3, seed=seed, grid=toys.GRID)
    noise = 0.02 * torch.randn(63, 3, generator=toys.generator())
    values = (start.render().reshape(-1, 3) + noise).clamp(0.0, 1.0)
    return il.Signal("already fitted", values, toys.GRID)


@pytest.mark.parametrize("record_every", [2, 50])
def test_a_fall_of_the_psnr_is_recorded_also_where_only_the_end_shows_it(
    caplog: pytest.LogCaptureFixture, record_every: int
) -> None:
    recipe = toys.recipe(steps=10, learning_rate=0.3, record_every=record_every)
    with caplog.at_level(logging.WARNING):
        fitted = il.fit(_already_fitted(0), recipe, seed=0)
    assert fitted.history[0].psnr > 25.0
    assert fitted.psnr < fitted.history[0].psnr - 6.0
    assert fitted.outcome == "diverged"
    assert [event.kind for event in fitted.divergences] == ["PSNR fell"]
    event = fitted.divergences[0]
    assert event.best_psnr - event.psnr > 6.0
    assert fitted.field.origin.notes["divergences"] == [[event.step, "PSNR fell"]]
    assert "PSNR fell from" in caplog.text


def test_a_fall_that_is_made_good_is_recorded_once_each_time() -> None:
    picture = _already_fitted(0)
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
    assert result.best_psnr > 25.0


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
