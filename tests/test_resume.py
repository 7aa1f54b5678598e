"""A fit that was interrupted anywhere and continued is the fit that never was."""

import itertools
import signal as signals_of_the_system
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import inrlens as il
import toys
from inrlens.container import Container, read_container, write_container
from inrlens.fitting.fit_progress import FitProgress
from inrlens.fitting.history import Record
from inrlens.fitting.optimisers import Optimisers
from inrlens.fitting.resume import FitState
from inrlens.fitting.stack import Stack
from inrlens.rows import Batches


def _rows(fitted: il.Fit) -> list[tuple[int, float, float]]:
    return [(row.step, row.loss, row.psnr) for row in fitted.history]


def _same(one: il.Fit, two: il.Fit) -> bool:
    first, second = one.field.state_dict(), two.field.state_dict()
    return _rows(one) == _rows(two) and all(torch.equal(value, second[name]) for name, value in first.items())


class _Press:
    """Ctrl-C at the record of one step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, record: Record, steps: int) -> None:
        if record.step == self.step:
            signals_of_the_system.raise_signal(signals_of_the_system.SIGINT)


NUMBERS: list[dict[str, object]] = [
    {"batch": 20, "optimizer": "muon", "schedule": "cosine"},
    {},
    {"batch": 20, "schedule": "cosine"},
]
STEPS = [(0, 3, 6, 9), (1, 4, 7), (2, 5, 8)]


@pytest.mark.parametrize(
    ("backbone", "numbers", "steps"),
    [(backbone, NUMBERS[place % 3], STEPS[place // 3 % 3]) for place, backbone in enumerate(il.backbone_names())],
)
def test_interrupted_at_any_step_and_continued(
    backbone: str, numbers: dict[str, object], steps: tuple[int, ...], tmp_path: Path
) -> None:
    """Three backbones take the steps of each set of numbers between them."""
    recipe = toys.recipe(backbone, steps=11, record_every=1, **numbers)
    whole = il.fit_cohort(toys.signals(2), recipe, seed=3)
    for step in steps:
        resume = il.Resume(tmp_path / f"{step}")
        first = il.fit_cohort(toys.signals(2), recipe, seed=3, resume=resume, callback=_Press(step))
        assert (first.outcome, first.steps) == ("interrupted", step + 1)
        continued = il.fit_cohort(toys.signals(2), recipe, seed=3, resume=resume)
        assert continued.outcome == "finished"
        assert _same(continued, whole)
        assert continued.seconds > first.seconds
    assert list(tmp_path.iterdir()) == []


def test_every_set_of_numbers_is_interrupted_at_every_step() -> None:
    places = range(len(il.backbone_names()))
    assert {(place % 3, step) for place in places for step in STEPS[place // 3 % 3]} == {
        *itertools.product(range(3), range(10))
    }


def test_interrupted_after_every_step(tmp_path: Path) -> None:
    recipe = toys.recipe(steps=8, record_every=1, batch=20, optimizer="muon")
    resume = il.Resume(tmp_path / "state")
    for step in range(7):
        assert il.fit(toys.signal(), recipe, resume=resume, callback=_Press(step)).steps == step + 1
    assert _same(il.fit(toys.signal(), recipe, resume=resume), il.fit(toys.signal(), recipe))


def test_a_killed_fit_continues_from_the_last_state_that_it_kept(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def kill(record: Record, steps: int) -> None:
        if record.step == 8:
            raise Killed

    recipe = toys.recipe(None, batch=25)
    cohort = toys.field()
    resume = il.Resume(tmp_path / "state", every=0.0)
    with pytest.raises(Killed):
        il.transfer(cohort, toys.signal(5), freeze=1, recipe=recipe, resume=resume, callback=kill)
    assert read_container(tmp_path / "state").description["step"] == 8
    continued = il.transfer(cohort, toys.signal(5), freeze=1, recipe=recipe, resume=resume)
    assert _same(continued, il.transfer(cohort, toys.signal(5), freeze=1, recipe=recipe))


def test_the_state_is_kept_every_so_many_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count()
    monkeypatch.setattr("inrlens.resume.time.monotonic", lambda: float(next(seconds)))
    kept: list[int] = []

    def write(path: Path, content: Container, force: bool) -> None:
        kept.append(content.description["step"])

    monkeypatch.setattr("inrlens.resume.write_container", write)
    il.fit(toys.signal(), toys.recipe(steps=9), resume=il.Resume(tmp_path / "state", every=3.0))
    assert kept == [0, 3, 6, 9]


def test_a_fall_before_the_interruption_is_remembered(tmp_path: Path) -> None:
    """From its own picture, in steps of length 10 in every weight."""
    start = toys.drawn(heads=1).render().reshape(-1, 3)
    target = il.Signal("where it starts", (start + 0.02).clamp(0.0, 1.0), toys.GRID)
    recipe = toys.recipe(steps=20, record_every=2, learning_rate=10.0)
    whole = il.fit(target, recipe)
    assert [event.step for event in whole.divergences] == [2]
    resume = il.Resume(tmp_path / "state")
    il.fit(target, recipe, resume=resume, callback=_Press(10))
    continued = il.fit(target, recipe, resume=resume)
    assert continued.divergences == whole.divergences
    assert _same(continued, whole)


@pytest.fixture
def state(tmp_path: Path) -> il.Resume:
    """Of a fit of toy 0 with seed 0 and the toy recipe, after step 1."""
    resume = il.Resume(tmp_path / "state")
    il.fit(toys.signal(), toys.recipe(), resume=resume, callback=_Press(0))
    return resume


def test_the_state_of_another_fit(state: il.Resume, tmp_path: Path) -> None:
    recipe = toys.recipe()
    before = (tmp_path / "state").read_bytes()
    with pytest.raises(il.InputError, match="with another recipe, steps: 12 there, 13 here; go on as that"):
        il.fit(toys.signal(), replace(recipe, steps=13), resume=state)
    with pytest.raises(il.InputError, match="with another recipe, backbone, name: siren there, ffmlp here"):
        il.fit(toys.signal(), toys.recipe("ffmlp"), resume=state)
    with pytest.raises(il.InputError, match="is the state of a fit with another seed: 0 there, 1 here"):
        il.fit(toys.signal(), recipe, seed=1, resume=state)
    with pytest.raises(il.InputError, match="is the state of a fit with another signal; go on"):
        il.fit(toys.signal(1), recipe, resume=state)
    with pytest.raises(il.InputError, match="is the state of a fit with another kind: single there, cohort here"):
        il.fit_cohort(toys.signals(2), recipe, resume=state)
    assert (tmp_path / "state").read_bytes() == before


def test_the_state_of_a_transfer_from_another_network(tmp_path: Path) -> None:
    resume = il.Resume(tmp_path / "state")
    recipe = toys.recipe(None)
    il.transfer(toys.field(), toys.signal(), freeze=1, recipe=recipe, resume=resume, callback=_Press(0))
    with pytest.raises(il.InputError, match="is the state of a fit with another network; go on"):
        il.transfer(toys.field(seed=1), toys.signal(), freeze=1, recipe=recipe, resume=resume)
    with pytest.raises(il.InputError, match="is the state of a fit with another freeze depth: 1 there, 2 here"):
        il.transfer(toys.field(), toys.signal(), freeze=2, recipe=recipe, resume=resume)


def test_files_that_hold_no_state(state: il.Resume, tmp_path: Path) -> None:
    il.save(toys.field(), tmp_path / "field")
    with pytest.raises(il.InputError, match="field holds a field, not the state of a running fit"):
        il.fit(toys.signal(), toys.recipe(), resume=il.Resume(tmp_path / "field"))
    whole = (tmp_path / "state").read_bytes()
    (tmp_path / "cut").write_bytes(whole[:-100])
    with pytest.raises(il.InputError, match="cut is not a checkpoint of InrLens, or it is cut short or damaged"):
        il.fit(toys.signal(), toys.recipe(), resume=il.Resume(tmp_path / "cut"))


@pytest.mark.parametrize("name", ["0.parameter.1", "0.kept.0", "0.history", "draws", "memory.2.exp_avg"])
def test_a_state_that_lacks_something(state: il.Resume, tmp_path: Path, name: str) -> None:
    found = read_container(tmp_path / "state")
    tensors = {key: value for key, value in found.tensors.items() if key != name}
    write_container(tmp_path / "state", replace(found, tensors=tensors), force=True)
    with pytest.raises(il.InputError, match=r"state(: tensor| lacks|.* damaged)"):
        il.fit(toys.signal(), toys.recipe(), resume=state)


def test_seconds_below_zero() -> None:
    for every in (-1.0, float("nan")):
        with pytest.raises(
            il.InputError, match=f"a fit's state can be kept every 0 or more seconds, not every {every}"
        ):
            il.Resume("state", every)


def test_the_recipe_s_name_does_not_matter(state: il.Resume) -> None:
    fitted = il.fit(toys.signal(), replace(toys.recipe(), name="other"), resume=state)
    assert fitted.outcome == "finished"


def test_killed_before_the_first_step(tmp_path: Path) -> None:
    def kill(record: Record, steps: int) -> None:
        raise RuntimeError

    resume = il.Resume(tmp_path / "state")
    with pytest.raises(RuntimeError):
        il.fit(toys.signal(), toys.recipe(optimizer="muon"), resume=resume, callback=kill)
    recipe = toys.recipe(optimizer="muon")
    assert _same(il.fit(toys.signal(), recipe, resume=resume), il.fit(toys.signal(), recipe))


def test_a_kept_state_of_a_fit_that_ended_gives_its_result_again(tmp_path: Path) -> None:
    resume = il.Resume(tmp_path / "state", keep=True)
    first = il.fit(toys.signal(), toys.recipe(), resume=resume)
    assert (tmp_path / "state").exists()
    again = il.fit(toys.signal(), toys.recipe(), resume=resume)
    assert _same(first, again)
    assert again.psnrs == first.psnrs


def test_a_place_that_cannot_be_written_is_refused_before_the_first_step(tmp_path: Path) -> None:
    heard: list[Record] = []
    (tmp_path / "file").write_text("")
    with pytest.raises(il.InputError, match="could not be written"):
        il.fit(
            toys.signal(),
            toys.recipe(),
            resume=il.Resume(tmp_path / "file" / "state"),
            callback=lambda record, steps: heard.append(record),
        )
    assert heard == []


def test_a_disk_that_is_full_for_a_while_costs_no_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written: list[int] = []

    def write(path: Path, content: Container, force: bool) -> None:
        written.append(content.description["step"])
        if len(written) > 1:
            raise il.InputError("state could not be written: No space left on device.")

    monkeypatch.setattr("inrlens.resume.write_container", write)
    fitted = il.fit(toys.signal(), toys.recipe(steps=3), resume=il.Resume(tmp_path / "state", every=0.0))
    assert fitted.outcome == "finished"
    assert len(written) > 2
    assert "the fit goes on, but its state could not be kept: state could not be written" in caplog.text


def test_other_cores_are_said_aloud(
    state: il.Resume, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("inrlens.fitting.fit_fields.cores", lambda: 2)
    il.fit(toys.signal(), toys.recipe(), resume=state)
    assert "the state was kept on 1 cores and goes on on 2" in caplog.text


def test_weights_that_are_not_finite_are_not_kept(tmp_path: Path) -> None:
    recipe = toys.recipe("ffmlp", steps=9, record_every=3, learning_rate=1e30)
    resume = il.Resume(tmp_path / "state", every=0.0, keep=True)
    whole = il.fit(toys.signal(), recipe)
    assert whole.outcome == "diverged"
    il.fit(toys.signal(), recipe, resume=resume)
    again = il.fit(toys.signal(), recipe, resume=resume)
    assert (again.outcome, again.steps) == ("diverged", whole.steps)
    assert all(torch.equal(a, b) for a, b in zip(again.field.parameters(), whole.field.parameters(), strict=True))


def test_the_best_so_far_comes_back_with_the_history(tmp_path: Path) -> None:
    """Else a fit that goes on would not know how far it has fallen."""
    field = toys.field(heads=1)
    stack = Stack([field.encoder.trained(0)], [field.head])

    def state(psnrs: list[float]) -> FitState:
        track = FitProgress([value.detach().clone() for value in stack.parameters])
        track.history = [Record(step, 0.1, psnr, 1.0) for step, psnr in enumerate(psnrs)]
        batches = Batches(63, None, toys.generator(0))
        return FitState(Optimisers(stack, toys.recipe()), batches, [stack.parameters], [track])

    packed = state([10.0, 30.0, 20.0]).pack()
    assert packed is not None
    fresh = state([])
    with torch.no_grad():
        fresh.fill(tmp_path / "state", *packed)
    (track,) = fresh.tracks
    assert track.best_psnr == 30.0
    assert track.fallen
    assert not track.is_far_below(24.5)
